'use strict';
// The value sockets of this package.

const { HOST } = require('../child');

module.exports = (module) => {
  const { DataSocket } = require(module);

  function peerOf(socket) {
    const send = (value) => {
      if (socket.send(value)) return true;
      socket.once('sent', () => peer.ondrain());
      return false;
    };
    const peer = { send, ondrain() {}, take() {} };
    socket.on('data', (value) => peer.take(value));
    return peer;
  }

  return {
    async serve(onPeer) {
      const accept = (socket) => {
        onPeer(peerOf(socket));
        return true;
      };
      return DataSocket.listen(accept, 0, HOST).port;
    },
    connect(port) {
      const socket = DataSocket.connect(port, HOST);
      return new Promise((resolve) => socket.once('connect', () => resolve(peerOf(socket))));
    },
  };
};
