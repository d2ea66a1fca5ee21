'use strict';
// `ws`: WebSocket text messages.

const { WebSocket, WebSocketServer } = require('ws');
const { HOST } = require('../child');

/** It has no answer of its own to when to go on. */
const HIGH_WATER_MARK = 64 * 1024;

function peerOf(socket) {
  let isWaiting = false;
  const sent = () => {
    if (!isWaiting || socket.bufferedAmount > 0) return;
    isWaiting = false;
    peer.ondrain();
  };
  const send = (text) => {
    socket.send(text, sent);
    isWaiting = socket.bufferedAmount > HIGH_WATER_MARK;
    return !isWaiting;
  };
  const peer = { send, ondrain() {}, take() {}, takeAll: null };
  socket.on('message', (data) => peer.take(data.toString()));
  socket.on('error', () => socket.terminate());
  return peer;
}

module.exports = {
  serve(onPeer) {
    const server = new WebSocketServer({ port: 0, host: HOST, perMessageDeflate: false });
    server.on('connection', (socket) => onPeer(peerOf(socket)));
    return new Promise((resolve) => {
      server.once('listening', () => resolve(server.address().port));
    });
  },
  connect(port) {
    const socket = new WebSocket(`ws://${HOST}:${port}`, { perMessageDeflate: false });
    const peer = peerOf(socket);
    return new Promise((resolve) => socket.once('open', () => resolve(peer)));
  },
};
