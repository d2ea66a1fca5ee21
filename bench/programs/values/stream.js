'use strict';
// msgpackr's own streams on both ends of a node:net socket.

const { PackrStream, UnpackrStream } = require('msgpackr');
const overNet = require('../over-net');
const { OPTIONS } = require('./framed');

module.exports = overNet((socket) => {
  const packer = new PackrStream(OPTIONS);
  const unpacker = new UnpackrStream(OPTIONS);
  const peer = { send: (value) => packer.write(value), ondrain() {}, take() {} };
  packer.pipe(socket);
  socket.pipe(unpacker);
  packer.on('drain', () => peer.ondrain());
  unpacker.on('data', (value) => peer.take(value));
  socket.on('error', () => socket.destroy());
  return peer;
});
