'use strict';
// The same frames over node:net, written by hand. `coalesced` is the best that JavaScript does: messages are encoded to
// a buffer that goes out when it is full and at the end of the tick, and is used again when the system took all of it;
// received ones are cut out of each chunk. `plain` writes each message by itself.

const { Coalesced } = require('../coalesced');
const overNet = require('../over-net');

const LONG = 255;

function coalescing(socket) {
  const out = new Coalesced(socket);
  return (text) => {
    const most = text.length * 3;
    out.reserve(5 + most);
    const { buffer, used } = out;
    if (most < LONG) {
      const length = buffer.utf8Write(text, used + 1);
      buffer[used] = length;
      return out.commit(used + 1 + length);
    }
    const length = buffer.utf8Write(text, used + 5);
    if (length < LONG) buffer.copyWithin(used + 1, used + 5, used + 5 + length);
    return out.commit(used + writeHeader(buffer, used, length) + length);
  };
}

function writeHeader(buffer, at, length) {
  if (length < LONG) {
    buffer[at] = length;
    return 1;
  }
  buffer[at] = LONG;
  buffer.writeUInt32BE(length, at + 1);
  return 5;
}

function sendPlain(socket, text) {
  const length = Buffer.byteLength(text);
  const message = Buffer.allocUnsafe((length < LONG ? 1 : 5) + length);
  message.utf8Write(text, writeHeader(message, 0, length));
  return socket.write(message);
}

function receive(socket, peer) {
  let rest = null;
  socket.on('data', (chunk) => {
    const bytes = rest === null ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.length;
    let at = 0;
    while (at < end) {
      let length = bytes[at];
      let from = at + 1;
      if (length === LONG) {
        if (at + 5 > end) break;
        length = bytes.readUInt32BE(at + 1);
        from = at + 5;
      }
      if (from + length > end) break;
      at = from + length;
      peer.take(bytes.utf8Slice(from, at));
    }
    rest = at < end ? bytes.subarray(at) : null;
  });
}

const way = (sender) =>
  overNet((socket) => {
    const peer = { send: sender(socket), ondrain() {}, take() {}, takeAll: null };
    socket.on('error', () => socket.destroy());
    socket.on('drain', () => peer.ondrain());
    receive(socket, peer);
    return peer;
  });

module.exports = {
  coalesced: way(coalescing),
  plain: way((socket) => (text) => sendPlain(socket, text)),
  writeHeader,
};
