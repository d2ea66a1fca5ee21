'use strict';
// What the decoder reads from. One for all decoders, as `output` is for encoders: they never run at
// the same time.

const { Buffer } = require('node:buffer');
const { decodeError } = require('./errors');

/** Below this size, to make a DataView costs more than to read a few floats without. */
const WORTH_A_VIEW = 256;

/** Eight bytes in the order of this machine, and the number they are. */
const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;

class Input {
  constructor() {
    /** @type {Uint8Array} */
    this.bytes = Buffer.alloc(0);
    /** Of the same bytes; made when first needed. @type {DataView | null} */
    this.view = null;
    /** The first byte of the value, and the one behind it. */
    this.start = 0;
    this.end = 0;
    /** The next byte to read. */
    this.at = 0;
    /** The memory is the value's: nobody else has it or will write to it. */
    this.isOwned = false;
  }

  use(bytes, start, end, isOwned) {
    this.bytes = bytes;
    this.view = null;
    this.start = start;
    this.end = end;
    this.at = start;
    this.isOwned = isOwned;
  }
}

const input = new Input();

/**
 * @param {string} message
 * @param {number} [at]
 */
function malformed(message, at = input.at) {
  return decodeError(message, at - input.start);
}

/** The bytes end inside an item. */
function truncated() {
  return malformed('The bytes end too early', input.end);
}

/** @param {number} at with eight bytes there */
function float64At(at) {
  const { bytes, view } = input;
  if (view !== null) return view.getFloat64(at);
  if (input.end - input.start > WORTH_A_VIEW) {
    input.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return input.view.getFloat64(at);
  }
  floatWords[1 - LOW] = uint32At(at);
  floatWords[LOW] = uint32At(at + 4);
  return float[0];
}

/** @param {number} at with four bytes there */
function uint32At(at) {
  const { bytes } = input;
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

module.exports = { float64At, input, malformed, truncated, uint32At };
