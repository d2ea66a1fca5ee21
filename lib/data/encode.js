'use strict';
// From a value to its frame in the outbox, at the time of `send()`: what cannot be sent is refused as a whole, and what
// changes later does not change what goes out.

const { Buffer } = require('node:buffer');
const { Encoded, encodeInto, isEncoding } = require('../cbor/encoder');
const { tooLarge } = require('../cbor/errors');
const { slab } = require('../engine');
const { LARGEST_IN_SLAB } = require('../outbox');
const { CBOR } = require('./options');

/** Bytes in front of each value. */
const HEADER = 4;
/** A value that is larger is encoded in memory of its own. */
const SCRATCH = 64 * 1024;

/** Not the slab itself: getters of a value may send something, too. */
const scratch = Buffer.allocUnsafeSlow(SCRATCH);
const encoded = new Encoded();

/** Limits of the value that is encoded, see `encodeInto`. */
const limits = { maxDepth: 0, maxLength: 0, headroom: HEADER };

/**
 * Adds the frame of a value to `box`; the caller commits. Answers its size with the header, in bytes.
 *
 * @param {import('../outbox').Outbox} box
 * @param {import('./options').Limits} ours
 * @param {number} limit the longest value, in bytes
 * @param {unknown} value
 * @param {() => void} beforeAdding may throw, when the value is encoded and not added
 * @throws {DOMException} DataCloneError
 * @throws {RangeError} ERR_DATASOCKET_TOO_LARGE
 */
function addValue(box, ours, limit, value, beforeAdding) {
  if (ours.codec === CBOR) return addCbor(box, ours.maxDepth, limit, value, beforeAdding);
  return addJson(box, limit, value, beforeAdding);
}

function addCbor(box, maxDepth, limit, value, beforeAdding) {
  if (isEncoding()) return addNested(box, maxDepth, limit, value, beforeAdding);
  limits.maxDepth = maxDepth;
  limits.maxLength = limit;
  encodeInto(value, scratch, HEADER, limits, encoded);
  const { bytes, start, end } = encoded;
  encoded.bytes = scratch;
  beforeAdding();
  return addFrame(box, bytes, start - HEADER, end);
}

/** From a getter of another value. */
function addNested(box, maxDepth, maxLength, value, beforeAdding) {
  const own = new Encoded();
  encodeInto(value, Buffer.alloc(0), 0, { maxDepth, maxLength, headroom: HEADER }, own);
  beforeAdding();
  return addFrame(box, own.bytes, own.start - HEADER, own.end);
}

function addFrame(box, bytes, from, to) {
  const size = to - from;
  writeHeader(bytes, from, size - HEADER);
  if (size <= LARGEST_IN_SLAB) bytes.copy(slab, box.reserve(size), from, to);
  else if (bytes === scratch) box.addLarge(Buffer.from(bytes.subarray(from, to)));
  else box.addLarge(bytes.subarray(from, to));
  return size;
}

function writeHeader(bytes, at, length) {
  bytes[at] = length >>> 24;
  bytes[at + 1] = length >>> 16;
  bytes[at + 2] = length >>> 8;
  bytes[at + 3] = length;
}

function addJson(box, limit, value, beforeAdding) {
  const text = jsonOf(value);
  const length = Buffer.byteLength(text);
  if (length > limit) throw tooLarge(limit);
  beforeAdding();
  const size = HEADER + length;
  if (size <= LARGEST_IN_SLAB) {
    const at = box.reserve(size);
    writeHeader(slab, at, length);
    slab.utf8Write(text, at + HEADER, length);
  } else {
    const frame = Buffer.allocUnsafeSlow(size);
    writeHeader(frame, 0, length);
    frame.utf8Write(text, HEADER, length);
    box.addLarge(frame);
  }
  return size;
}

function jsonOf(value) {
  let text;
  let cause;
  try {
    text = JSON.stringify(value);
  } catch (err) {
    // A getter's own exceptions are the program's affair; a cycle or a BigInt is ours.
    if (!(err instanceof TypeError)) throw err;
    cause = err;
  }
  if (text !== undefined) return text;
  const why = cause === undefined ? 'JSON has nothing for it' : cause.message;
  const error = new DOMException(`The value cannot be sent as JSON: ${why}`, 'DataCloneError');
  if (cause !== undefined) error.cause = cause;
  throw error;
}

module.exports = { HEADER, addValue };
