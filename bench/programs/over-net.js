'use strict';

const net = require('node:net');
const { HOST } = require('./child');

/**
 * A way to exchange something over node:net (see messaging/index.js), out of what makes a peer of a socket.
 * @param {(socket: import('node:net').Socket) => object} peerOf
 */
module.exports = (peerOf) => ({
  serve(onPeer) {
    const server = net.createServer({ noDelay: true }, (socket) => onPeer(peerOf(socket)));
    return new Promise((resolve) => {
      server.listen(0, HOST, () => resolve(server.address().port));
    });
  },
  connect(port) {
    const socket = net.connect({ port, host: HOST, noDelay: true });
    return new Promise((resolve) => socket.once('connect', () => resolve(peerOf(socket))));
  },
});
