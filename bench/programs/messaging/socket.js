'use strict';
// This package's message sockets.

const { HOST } = require('../child');

module.exports = (module, batch) => {
  const { SocketClient, SocketServer } = require(module);

  function peerOf(connection) {
    const peer = {
      send: (text) => connection.send(text),
      ondrain() {},
      take() {},
      takeAll: null,
    };
    connection.on('drain', () => peer.ondrain());
    if (batch) connection.on('messages', (texts) => peer.takeAll(texts));
    else connection.on('data', (text) => peer.take(text));
    connection.on('error', () => connection.close());
    return peer;
  }

  return {
    serve(onPeer) {
      const server = new SocketServer({ port: 0, hostInterface: HOST, rawBytes: false, batch });
      server.on('connection', (socket) => onPeer(peerOf(socket)));
      server.start();
      return new Promise((resolve) => server.once('listening', resolve));
    },
    connect(port) {
      const client = new SocketClient(port, HOST, { rawBytes: false, batch });
      const peer = peerOf(client);
      client.open();
      return new Promise((resolve) => client.once('open', () => resolve(peer)));
    },
  };
};
