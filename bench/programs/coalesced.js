'use strict';

const SIZE = 64 * 1024;

/**
 * Where frames for a node:net socket are put together: a buffer that goes out when it is full and at the end of the tick,
 * and is used again when the system took all of it.
 */
class Coalesced {
  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.socket = socket;
    this.buffer = Buffer.allocUnsafeSlow(SIZE);
    this.used = 0;
    this.isScheduled = false;
    this.flushTick = () => {
      this.isScheduled = false;
      this.flush();
    };
  }

  /** Makes room for so many bytes at `used`. */
  reserve(size) {
    if (this.used + size > SIZE) this.flush();
  }

  /** The frame ends there. Answers whether to go on at once. */
  commit(end) {
    this.used = end;
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

module.exports = { Coalesced };
