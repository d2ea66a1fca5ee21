'use strict';
// Heads, numbers, text and bytes: what has nothing inside. Each function takes the place to write to,
// with `output.limit` not passed, and returns the place behind. What can be long asks for room itself
// and leaves the limit as it found it.

const { Buffer } = require('node:buffer');
const { tooLarge } = require('./errors');
const { output } = require('./output');
const { writeWtf8 } = require('./text');
const { NEGATIVE_BIGNUM, POSITIVE_BIGNUM, WTF8 } = require('./tags');

/** The major types of RFC 8949, as they stand in a head. */
const UNSIGNED = 0x00;
const NEGATIVE = 0x20;
const BYTES = 0x40;
const TEXT = 0x60;
const ARRAY = 0x80;
const MAP = 0xa0;
const TAG = 0xc0;

/** Up to so many units, a loop writes a string faster than a call of the engine. */
const SHORT = 40;
/** Longer text is measured before room is taken for it; shorter may take three bytes per unit. */
const MEASURED = 0x4000;
/** The largest head, and the tag of WTF-8 with its own head. */
const HEADS = 16;

const { utf8Write } = Buffer.prototype;

/**
 * @param {number} major
 * @param {number} n a safe integer, from 0 on
 * @param {number} at
 */
function writeHead(major, n, at) {
  const { bytes, view } = output;
  if (n < 24) {
    bytes[at] = major | n;
    return at + 1;
  }
  if (n < 0x100) {
    bytes[at] = major | 24;
    bytes[at + 1] = n;
    return at + 2;
  }
  if (n < 0x10000) {
    bytes[at] = major | 25;
    view.setUint16(at + 1, n);
    return at + 3;
  }
  if (n < 0x100000000) {
    bytes[at] = major | 26;
    view.setUint32(at + 1, n);
    return at + 5;
  }
  bytes[at] = major | 27;
  view.setUint32(at + 1, n / 0x100000000);
  view.setUint32(at + 5, n);
  return at + 9;
}

/**
 * @param {number} major
 * @param {bigint} n less than 2^64
 * @param {number} at
 */
function writeBigHead(major, n, at) {
  if (n <= Number.MAX_SAFE_INTEGER) return writeHead(major, Number(n), at);
  output.bytes[at] = major | 27;
  output.view.setBigUint64(at + 1, n);
  return at + 9;
}

/** @param {number} n */
function headSize(n) {
  if (n < 24) return 1;
  if (n < 0x100) return 2;
  if (n < 0x10000) return 3;
  return n < 0x100000000 ? 5 : 9;
}

/**
 * @param {number} value
 * @param {number} at
 */
function writeNumber(value, at) {
  if ((value | 0) === value) {
    if (value > 0 || Object.is(value, 0)) return writeHead(UNSIGNED, value, at);
    // −0 is left over.
    if (value < 0) return writeHead(NEGATIVE, ~value, at);
  } else if (Number.isSafeInteger(value)) {
    return value > 0 ? writeHead(UNSIGNED, value, at) : writeHead(NEGATIVE, -1 - value, at);
  }
  return writeFloat(value, at);
}

function writeFloat(value, at) {
  output.bytes[at] = 0xfb;
  output.view.setFloat64(at + 1, value);
  return at + 9;
}

/**
 * Always a bignum, so that it is a BigInt again on the other side, however small.
 *
 * @param {bigint} value
 * @param {number} at
 */
function writeBigInt(value, at) {
  const tag = value < 0n ? NEGATIVE_BIGNUM : POSITIVE_BIGNUM;
  let hex = (value < 0n ? ~value : value).toString(16);
  // Zero has one byte here and not none, which some decoders do not read.
  if (hex.length % 2) hex = `0${hex}`;
  const length = hex.length / 2;
  at = room(at, length);
  at = writeHead(BYTES, length, writeHead(TAG, tag, at));
  return at + output.bytes.write(hex, at, 'hex');
}

/**
 * @param {string} text
 * @param {number} at
 */
function writeText(text, at) {
  const { length } = text;
  if (length >= SHORT) return writeLong(text, at);
  const { bytes } = output;
  let end = length < 24 ? at + 1 : at + 2;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return writeShort(text, at);
    bytes[end++] = unit;
  }
  if (length < 24) {
    bytes[at] = TEXT | length;
  } else {
    bytes[at] = TEXT | 24;
    bytes[at + 1] = length;
  }
  return end;
}

/** Short text that is not ASCII. */
function writeShort(text, at) {
  if (!text.isWellFormed()) return writeLone(text, at);
  const begin = at + 2;
  return placeText(begin, writeWtf8(output.bytes, begin, text), at);
}

function writeLong(text, at) {
  const { length } = text;
  at = room(at, length < MEASURED ? length * 3 : Buffer.byteLength(text));
  const { bytes } = output;
  const begin = at + headSize(length);
  const written = utf8Write.call(bytes, text, begin, bytes.length - begin);
  // Where every unit took one byte, none can be half of a pair.
  if (written !== length && !text.isWellFormed()) return writeLone(text, at);
  return placeText(begin, begin + written, at);
}

/** Puts the head before text that was written where the head was expected to end. */
function placeText(begin, end, at) {
  const length = end - begin;
  const size = headSize(length);
  if (at + size !== begin) output.bytes.copyWithin(at + size, begin, end);
  return writeHead(TEXT, length, at) + length;
}

/** Text with half a pair of surrogates somewhere, which UTF-8 cannot express. */
function writeLone(text, at) {
  at = room(at, text.length * 3);
  const begin = at + HEADS;
  const end = writeWtf8(output.bytes, begin, text);
  at = writeHead(BYTES, end - begin, writeHead(TAG, WTF8, at));
  output.bytes.copyWithin(at, begin, end);
  return at + end - begin;
}

/**
 * @param {Uint8Array} value
 * @param {number} at
 */
function writeBytes(value, at) {
  const { length } = value;
  if (length > output.maxLength) throw tooLarge(output.maxLength);
  at = writeHead(BYTES, length, room(at, length));
  output.bytes.set(value, at);
  return at + length;
}

/** Makes room for `length` bytes and their heads, and the limit still not passed. */
function room(at, length) {
  return at + length + HEADS > output.limit ? output.grow(at, length + 2 * HEADS) : at;
}

module.exports = {
  ARRAY,
  BYTES,
  MAP,
  NEGATIVE,
  SHORT,
  TAG,
  UNSIGNED,
  headSize,
  writeBigHead,
  writeBigInt,
  writeBytes,
  writeHead,
  writeNumber,
  writeText,
};
