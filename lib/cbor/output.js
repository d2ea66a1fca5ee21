'use strict';
// Where the encoder writes to. One for all encoders: they never run at the same time, and code that
// knows its one object is faster than code that is handed some object.
//
// Positions are passed from function to function and returned, because a local variable is cheaper
// than a member. Whoever finds `at > output.limit` calls `grow`, which may move everything; so
// positions that outlive a call count from `output.start`. As long as `at <= output.limit`, SLACK
// bytes can be written without asking.

const { Buffer } = require('node:buffer');
const { tooLarge } = require('./errors');

/** Enough for a member: a short key (see `SHORT` in write.js) and a short string. */
const SLACK = 256;

/** The least that is worth to be allocated. */
const SMALLEST = 1024;

class Output {
  constructor() {
    this.bytes = Buffer.alloc(0);
    this.view = new DataView(this.bytes.buffer, 0, 0);
    /** From here on there may be too little room. */
    this.limit = -1;
    /** Where the value begins. */
    this.start = 0;
    /** How many bytes before `start` are kept free when the value moves. */
    this.headroom = 0;
    /** The largest value allowed, in bytes. */
    this.maxLength = 0;
  }

  /**
   * Writes to `bytes` from now on.
   *
   * @param {Buffer} bytes
   * @param {number} start
   */
  use(bytes, start) {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.limit = bytes.length - SLACK;
    }
    this.start = start;
  }

  /**
   * Moves what is written so far to a larger buffer, so that `need` bytes can follow, and SLACK more.
   *
   * @param {number} at
   * @param {number} need
   * @returns {number} where `at` is now
   */
  grow(at, need) {
    const used = at - this.start;
    if (used > this.maxLength) throw tooLarge(this.maxLength);
    const { headroom, maxLength } = this;
    // Twice as much, so that a value is copied about once in all; but no more than may be used.
    const double = headroom + Math.min(2 * used, maxLength);
    const size = Math.max(double, headroom + used + need) + SLACK;
    const bytes = Buffer.allocUnsafeSlow(Math.max(size, SMALLEST));
    bytes.set(this.bytes.subarray(this.start, at), headroom);
    this.use(bytes, headroom);
    return headroom + used;
  }
}

const output = new Output();

module.exports = { SLACK, output };
