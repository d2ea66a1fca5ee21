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
  return addJson(box, ours.maxDepth, limit, value, beforeAdding);
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

function addJson(box, maxDepth, limit, value, beforeAdding) {
  const text = jsonOf(value);
  if (isDeeperThan(text, maxDepth)) throw notForJson(`it has more than ${maxDepth} levels`);
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
    // A getter's own exceptions are the program's affair; a cycle, a BigInt, or too many levels for the stack are ours.
    const isTooDeep = err instanceof RangeError && /call stack/.test(err.message);
    if (!(err instanceof TypeError) && !isTooDeep) throw err;
    cause = err;
  }
  if (text !== undefined) return text;
  const error = notForJson(cause === undefined ? 'JSON has nothing for it' : cause.message);
  if (cause !== undefined) error.cause = cause;
  throw error;
}

const notForJson = (why) =>
  new DOMException(`The value cannot be sent as JSON: ${why}`, 'DataCloneError');

/** Whether a JSON text has more levels of arrays and objects: the peer would refuse it. */
function isDeeperThan(text, maxDepth) {
  // Each level takes two characters.
  if (text.length <= 2 * maxDepth) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') {
      if (++depth > maxDepth) return true;
    } else if (character === ']' || character === '}') depth--;
  }
  return false;
}

/** Where the quote is that ends the string beginning at `at`. */
function endOfString(text, at) {
  for (;;) {
    at = text.indexOf('"', at + 1);
    let from = at;
    while (text[from - 1] === '\\') from--;
    if ((at - from) % 2 === 0) return at;
  }
}

module.exports = { HEADER, addValue };
