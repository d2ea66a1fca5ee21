'use strict';
// msgpackr in frames with a length, over node:net, as good as JavaScript does it: what is packed goes to a buffer that
// leaves when it is full and at the end of the tick, and is used again when the system took all of it; received values are
// unpacked where they lie in the chunk.

const { Packr, Unpackr } = require('msgpackr');
const overNet = require('../over-net');

const SIZE = 64 * 1024;
/** The settings in which it carries about the same kinds of values. */
const OPTIONS = { structuredClone: true, moreTypes: true };

class Sender {
  constructor(socket) {
    this.socket = socket;
    this.packr = new Packr(OPTIONS);
    this.buffer = Buffer.allocUnsafeSlow(SIZE);
    this.used = 0;
    this.isScheduled = false;
    this.flushTick = () => {
      this.isScheduled = false;
      this.flush();
    };
  }

  send(value) {
    const bytes = this.packr.pack(value);
    if (this.used + 4 + bytes.length > SIZE) this.flush();
    const { buffer, used } = this;
    buffer[used] = bytes.length >>> 24;
    buffer[used + 1] = bytes.length >>> 16;
    buffer[used + 2] = bytes.length >>> 8;
    buffer[used + 3] = bytes.length;
    buffer.set(bytes, used + 4);
    this.used = used + 4 + bytes.length;
    if (!this.isScheduled) {
      this.isScheduled = true;
      process.nextTick(this.flushTick);
    }
    return !this.socket.writableNeedDrain;
  }

  flush() {
    if (this.used === 0) return;
    this.socket.write(this.buffer.subarray(0, this.used));
    if (this.socket.writableLength > 0) this.buffer = Buffer.allocUnsafeSlow(SIZE);
    this.used = 0;
  }
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
    const sender = new Sender(socket);
    const peer = { send: (value) => sender.send(value), ondrain() {}, take() {} };
    socket.on('error', () => socket.destroy());
    socket.on('drain', () => peer.ondrain());
    receive(socket, peer);
    return peer;
  }),
};
