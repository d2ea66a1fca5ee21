'use strict';
// Where the received payloads of one stream are copied to.
//
// A stream that says little gets memory of the exact size for each payload, and holds none. A talkative
// one gets a slab, in which many payloads lie side by side; only its own, because a listener can see all
// of `data.buffer`. A slab that was not used for a while is let go, so that a server with many quiet
// connections does not hold memory for each.

const { Buffer } = require('node:buffer');
const { clearInterval, setInterval } = require('node:timers');
const { markAsUntransferable } = require('node:worker_threads');

/** So many payloads make a stream talkative. */
const TALKATIVE = 8;
/** A payload of at least this size always gets memory of its own. */
const LARGE = 4096;
const FIRST_SLAB = 1024;
const LARGEST_SLAB = 16 * 1024;
/** Unused for so long (ms), a slab is let go. */
const IDLE = 2000;

/** Every stream's memory that has a slab. @type {Set<ReceiveMemory>} */
const withSlab = new Set();
let sweeper = null;

class ReceiveMemory {
  constructor() {
    this.payloads = 0;
    /** @type {Buffer | null} */
    this.slab = null;
    this.used = 0;
    this.size = FIRST_SLAB;
    /** `payloads` when the sweeper came last. */
    this.seen = 0;
  }

  /** A Buffer with the bytes at `offset` of a chunk, that stays as it is. @param {Buffer} chunk */
  copy(chunk, offset, length) {
    const bytes = new Uint8Array(chunk.buffer, offset, length);
    if (++this.payloads <= TALKATIVE || length >= LARGE) {
      const payload = Buffer.allocUnsafeSlow(length);
      payload.set(bytes);
      return payload;
    }
    if (this.slab === null || this.slab.length - this.used < length) this.grow(length);
    const at = this.used;
    this.slab.set(bytes, at);
    this.used += length;
    return Buffer.from(this.slab.buffer, at, length);
  }

  /** The same where the chunk held this read alone and is free to be handed out. @param {Buffer} chunk */
  view(chunk, offset, length) {
    return Buffer.from(chunk.buffer, offset, length);
  }

  grow(length) {
    while (this.size < length) this.size *= 2;
    // Zeroed: the part that is not written yet can be seen, and must not show what some other
    // connection left in that memory.
    this.slab = Buffer.alloc(this.size);
    // More payloads will be copied to it: a transfer would pull it away from under them.
    markAsUntransferable(this.slab.buffer);
    this.used = 0;
    this.size = Math.min(this.size * 2, LARGEST_SLAB);
    withSlab.add(this);
    sweeper ??= setInterval(sweep, IDLE).unref();
  }

  /** The stream is closed, or was quiet for a while. */
  release() {
    this.slab = null;
    this.size = FIRST_SLAB;
    withSlab.delete(this);
  }
}

function sweep() {
  for (const memory of withSlab) {
    if (memory.payloads === memory.seen) memory.release();
    memory.seen = memory.payloads;
  }
  if (withSlab.size === 0) {
    clearInterval(sweeper);
    sweeper = null;
  }
}

module.exports = { ReceiveMemory };
