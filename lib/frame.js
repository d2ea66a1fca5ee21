'use strict';
// The header of a framed message (`src/core/codec/length.rs`): one byte up to 254, otherwise 0xff and four bytes,
// big-endian.

/** Lengths from here on have the long header. */
const LONG = 255;

/** @param {number} length bytes of the message */
const headerSize = (length) => (length < LONG ? 1 : 5);

/** Writes the header of a message of `length` bytes at `at`; answers its size. @param {Uint8Array} bytes */
function writeHeader(bytes, at, length) {
  if (length < LONG) {
    bytes[at] = length;
    return 1;
  }
  bytes[at] = LONG;
  bytes[at + 1] = length >>> 24;
  bytes[at + 2] = length >>> 16;
  bytes[at + 3] = length >>> 8;
  bytes[at + 4] = length;
  return 5;
}

module.exports = { headerSize, writeHeader };
