'use strict';
// `zeromq`: a pair of sockets. Its `send` is a promise; with a high-water mark it says when to go on.

const { HOST } = require('../child');

function peerOf(socket) {
  let underWay = 0;
  const sendOne = async (text) => {
    underWay += 1;
    await socket.send(text);
    underWay -= 1;
    if (underWay === 0) peer.ondrain();
  };
  const send = (text) => {
    sendOne(text);
    // One send at a time: it refuses another while one waits.
    return false;
  };
  const peer = { send, ondrain() {}, take() {}, takeAll: null };
  (async () => {
    for await (const [message] of socket) peer.take(message.toString());
  })();
  return peer;
}

module.exports = {
  async serve(onPeer) {
    const { Pair } = require('zeromq');
    const socket = new Pair();
    await socket.bind(`tcp://${HOST}:*`);
    const { port } = new URL(socket.lastEndpoint);
    // There is no word of a connection; what is sent before there is one waits.
    setImmediate(() => onPeer(peerOf(socket)));
    return Number(port);
  },
  async connect(port) {
    const { Pair } = require('zeromq');
    const socket = new Pair();
    socket.connect(`tcp://${HOST}:${port}`);
    return peerOf(socket);
  },
};
