'use strict';
// The parts of an item: heads, numbers, strings. Each function reads at `input.at` and goes on behind.

const { Buffer } = require('node:buffer');
const { float64At, input, malformed, truncated, uint32At } = require('./input');
const { textAt } = require('./read-text');
const { readWtf8 } = require('./text');
const { WTF8 } = require('./tags');

/** The major types of RFC 8949: the upper three bits of a head. */
const Major = Object.freeze({
  UNSIGNED: 0,
  NEGATIVE: 1,
  BYTES: 2,
  TEXT: 3,
  ARRAY: 4,
  MAP: 5,
  TAG: 6,
  OTHER: 7,
});

const { hexSlice } = Buffer.prototype;

/** @returns {number} the next byte, which stays where it is; −1 when there is none */
function peek() {
  return input.at < input.end ? input.bytes[input.at] : -1;
}

/** @param {number} length from `input.at` on */
function need(length) {
  if (length > input.end - input.at) throw truncated();
}

/**
 * The number that belongs to a head whose byte was read already.
 *
 * @param {number} head
 * @returns {number | bigint} a BigInt beyond the safe integers
 */
function readArgument(head) {
  const { at } = input;
  const info = head & 0x1f;
  if (info < 24) return info;
  if (info > 27) {
    if (info === 31) throw malformed('Items of indefinite length are not allowed', at - 1);
    throw malformed(`The head 0x${head.toString(16)} is reserved`, at - 1);
  }
  const size = 1 << (info - 24);
  need(size);
  input.at = at + size;
  const { bytes } = input;
  if (size === 1) return bytes[at];
  if (size === 2) return (bytes[at] << 8) | bytes[at + 1];
  if (size === 4) return uint32At(at);
  const high = uint32At(at);
  const low = uint32At(at + 4);
  const number = high * 0x100000000 + low;
  return high < 0x200000 ? number : (BigInt(high) << 32n) | BigInt(low);
}

/**
 * As an argument that counts what follows, each of which takes a byte at least.
 *
 * @param {number} head
 * @param {number} per how many items, or bytes, one of them is
 * @param {number} reserved bytes that are spoken for
 */
function readCount(head, per, reserved) {
  const at = input.at - 1;
  const count = readArgument(head);
  const left = input.end - input.at - reserved;
  // A BigInt is compared as well as a number.
  if (count * (typeof count === 'bigint' ? BigInt(per) : per) > left) {
    throw malformed(
      `${count} are announced, and at most ${Math.max(0, left)} bytes left for them`,
      at,
    );
  }
  return /** @type {number} */ (count);
}

/** The length of a string whose bytes are all there. */
function readLength(head) {
  return readCount(head, 1, 0);
}

/** @param {number} head of major type 0 or 1 */
function readInteger(head) {
  const argument = readArgument(head);
  if (head >> 5 === Major.UNSIGNED) return argument;
  if (typeof argument === 'bigint') return -1n - argument;
  // −2^53 is no safe integer.
  return argument < Number.MAX_SAFE_INTEGER ? -1 - argument : -1n - BigInt(argument);
}

/** @param {number} head 0xf9, 0xfa or 0xfb */
function readFloat(head) {
  const { at } = input;
  const size = 1 << (head & 3);
  need(size);
  input.at = at + size;
  if (size === 8) return float64At(at);
  return size === 4 ? float32(uint32At(at)) : float16((input.bytes[at] << 8) | input.bytes[at + 1]);
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

function float32(bits) {
  singleBits[0] = bits;
  return single[0];
}

function float16(bits) {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * A number as a whole item.
 *
 * @returns {number | bigint | null} null for anything else, which stays where it is
 */
function readNumberItem() {
  const head = peek();
  if (head < 0 || (head > 0x3b && (head < 0xf9 || head > 0xfb))) return null;
  input.at++;
  return head <= 0x3b ? readInteger(head) : readFloat(head);
}

/**
 * A string as a whole item, whichever form it has.
 *
 * @returns {string | null} null for anything else, which stays where it is
 */
function readStringItem() {
  const { at } = input;
  const head = peek();
  if (head >> 5 === Major.TEXT) {
    input.at++;
    return readText(head);
  }
  if (head >> 5 === Major.TAG) {
    input.at++;
    if (readArgument(head) === WTF8) return readWtf8Content();
    input.at = at;
  }
  return null;
}

function readText(head) {
  const length = readLength(head);
  const { at } = input;
  input.at = at + length;
  return textAt(at, length);
}

/** What follows tag 273. */
function readWtf8Content() {
  const { start, end } = readBytesContent('Tag 273');
  const text = readWtf8(input.bytes, start, end);
  if (text === null) throw malformed('Bytes that are not WTF-8', start);
  return text;
}

/**
 * The byte string that a tag demands.
 *
 * @param {string} tag for the message
 * @returns {{ start: number, end: number }} where its bytes are
 */
function readBytesContent(tag) {
  const head = peek();
  if (head < 0) throw truncated();
  if (head >> 5 !== Major.BYTES) throw malformed(`${tag} is not on a byte string`);
  input.at++;
  const length = readLength(head);
  const start = input.at;
  input.at = start + length;
  return { start, end: input.at };
}

/**
 * The number that the bytes of a bignum are.
 *
 * @param {boolean} isNegative
 */
function readBignum(isNegative) {
  const { start, end } = readBytesContent(isNegative ? 'Tag 3' : 'Tag 2');
  const magnitude = bigIntAt(start, end);
  return isNegative ? -1n - magnitude : magnitude;
}

function bigIntAt(start, end) {
  const length = end - start;
  if (length === 0) return 0n;
  if (length === 1) return BigInt(input.bytes[start]);
  try {
    // A power of two as the base: the time grows as the length does.
    return BigInt(`0x${hexSlice.call(input.bytes, start, end)}`);
  } catch {
    throw malformed(`A bignum of ${length} bytes is larger than a BigInt can be`, start);
  }
}

module.exports = {
  Major,
  peek,
  readArgument,
  readBignum,
  readBytesContent,
  readCount,
  readFloat,
  readInteger,
  readLength,
  readNumberItem,
  readStringItem,
  readText,
  readWtf8Content,
};
