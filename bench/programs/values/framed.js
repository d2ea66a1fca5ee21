'use strict';
// msgpackr in frames with a length, over node:net, as good as JavaScript does it: what is packed goes to a buffer that
// leaves when it is full and at the end of the tick, and is used again when the system took all of it; received values are
// unpacked where they lie in the chunk.

const { Packr, Unpackr } = require('msgpackr');
const { Coalesced } = require('../coalesced');
const overNet = require('../over-net');

/** The settings in which it carries about the same kinds of values. */
const OPTIONS = { structuredClone: true, moreTypes: true };

function senderTo(socket) {
  const packr = new Packr(OPTIONS);
  const out = new Coalesced(socket);
  return (value) => {
    const bytes = packr.pack(value);
    const { length } = bytes;
    out.reserve(4 + length);
    const { buffer, used } = out;
    buffer[used] = length >>> 24;
    buffer[used + 1] = length >>> 16;
    buffer[used + 2] = length >>> 8;
    buffer[used + 3] = length;
    buffer.set(bytes, used + 4);
    return out.commit(used + 4 + length);
  };
}

function receive(socket, peer) {
  const unpackr = new Unpackr(OPTIONS);
  const range = { start: 0, end: 0 };
  let rest = null;
  socket.on('data', (chunk) => {
    const bytes = rest === null ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (at + 4 <= bytes.length) {
      const end = at + 4 + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      range.start = at + 4;
      range.end = end;
      at = end;
      peer.take(unpackr.unpack(bytes, range));
    }
    rest = at < bytes.length ? bytes.subarray(at) : null;
  });
}

module.exports = {
  OPTIONS,
  framed: overNet((socket) => {
    const peer = { send: senderTo(socket), ondrain() {}, take() {} };
    socket.on('error', () => socket.destroy());
    socket.on('drain', () => peer.ondrain());
    receive(socket, peer);
    return peer;
  }),
};
