'use strict';
// The values that known tags stand for, from what the tags are on.

const { Buffer } = require('node:buffer');
const { input, malformed } = require('./input');
const { keepForAllocator } = require('./memory');
const { Tagged } = require('./tagged');
const { IDENTIFIER } = require('./tags');
const { millisecondsOf } = require('./time');
const { weigh } = require('./walk');

/** From this size on, it pays to get memory that is not zeroed first. */
const LARGE = 4096;
/** Up to this size, a loop copies faster than a call of the engine. */
const SMALL = 32;

/** What objects weigh, as in walk.js, without what is in them. */
const VIEW_WEIGHT = 256;
const DATE_WEIGHT = 128;
const REGEXP_WEIGHT = 128;

/** Milliseconds from 1970 that a Date can express. */
const FURTHEST = 8.64e15;

/**
 * What the regular expressions of one value may be in all. To check a pattern takes the engine up to
 * 0.2 µs per unit; one `\p{…}` takes up to 0.1 ms, and 15 ms under flag `v`, where it may mean strings. There `\W` and
 * its like take 0.07 ms in a class.
 */
const MOST_SOURCE = 2 ** 18;
const MOST_PROPERTIES = 1000;
const PROPERTY_UNDER_V = 100;

/**
 * Registered symbols are never let go again. So only so many different ones are made for peers, in all, and
 * none with a very long name. What is more comes as its tag: one peer must not end the connections of others.
 */
const MOST_SYMBOLS = 10_000;
const LONGEST_SYMBOL = 256;

/** @type {Set<string>} */
const symbolNames = new Set();
let sourceLength = 0;
let properties = 0;

/** Another value begins. */
function resetBudgets() {
  sourceLength = 0;
  properties = 0;
}

/**
 * A copy of some bytes, in memory of its own.
 *
 * @param {number} start
 * @param {number} end
 */
function copyBytes(start, end) {
  const { bytes } = input;
  const length = end - start;
  weigh(VIEW_WEIGHT);
  if (length >= LARGE) {
    const memory = Buffer.allocUnsafeSlow(length);
    memory.set(bytes.subarray(start, end));
    keepForAllocator(memory);
    return new Uint8Array(memory.buffer, memory.byteOffset, length);
  }
  const copy = new Uint8Array(length);
  if (length > SMALL) copy.set(bytes.subarray(start, end));
  else for (let i = 0; i < length; i++) copy[i] = bytes[start + i];
  return copy;
}

/**
 * Bytes where they are, if the memory is the value's own and they are most of it, so that a view does not keep much
 * else; otherwise a copy.
 *
 * @param {number} start
 * @param {number} end
 * @param {number} [size] of an element, at a multiple of which a view has to begin
 */
function takeBytes(start, end, size = 1) {
  const { bytes } = input;
  const length = end - start;
  const isMost = input.isOwned && 2 * length > input.end - input.start;
  if (!isMost || (bytes.byteOffset + start) % size !== 0) return copyBytes(start, end);
  weigh(VIEW_WEIGHT);
  keepForAllocator(bytes);
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
}

/**
 * @param {Function} Class of a typed array
 * @param {{ start: number, end: number }} range its bytes
 */
function typedArrayFrom(Class, { start, end }) {
  const size = Class.BYTES_PER_ELEMENT;
  if ((end - start) % size !== 0) {
    throw malformed(`${end - start} bytes are no ${Class.name}: its elements have ${size}`, start);
  }
  const { buffer, byteOffset } = takeBytes(start, end, size);
  return new Class(buffer, byteOffset, (end - start) / size);
}

/**
 * @param {number | bigint} seconds
 * @param {number} at for the message
 */
function dateFromSeconds(seconds, at) {
  const milliseconds = typeof seconds === 'bigint' ? Infinity : millisecondsOf(seconds);
  // What is no time at all is told as NaN or infinity; a time that a Date cannot be is lost.
  if (Number.isFinite(Number(seconds)) && Math.abs(milliseconds) > FURTHEST) {
    throw malformed(`${seconds} seconds are further from 1970 than a Date can be`, at);
  }
  return dateFrom(milliseconds);
}

/** @param {number} milliseconds */
function dateFrom(milliseconds) {
  weigh(DATE_WEIGHT);
  return new Date(milliseconds);
}

/**
 * @param {string} source
 * @param {string} flags
 * @param {number} at for the message
 */
function regExpFrom(source, flags, at) {
  sourceLength += source.length;
  // Those that are not escapes count as well; that harms nobody.
  const countOf = (escape) => source.split(escape).length - 1;
  const count = countOf(/\\p/iu);
  properties += flags.includes('v') ? count * PROPERTY_UNDER_V + countOf(/\\[dsw]/iu) : count;
  if (sourceLength > MOST_SOURCE || properties > MOST_PROPERTIES) {
    throw malformed('The regular expressions of this value are too large', at);
  }
  weigh(REGEXP_WEIGHT);
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const reason = error.message.length > 100 ? `${error.message.slice(0, 100)}…` : error.message;
    throw malformed(reason, at);
  }
}

/**
 * @param {string} name
 * @param {number} at for the message
 * @returns {symbol | Tagged}
 */
function symbolFrom(name, at) {
  if (!symbolNames.has(name)) {
    if (name.length > LONGEST_SYMBOL) {
      throw malformed(`The name of a symbol has more than ${LONGEST_SYMBOL} characters`, at);
    }
    if (symbolNames.size === MOST_SYMBOLS) return new Tagged(IDENTIFIER, name);
    symbolNames.add(name);
  }
  return Symbol.for(name);
}

module.exports = {
  copyBytes,
  dateFrom,
  dateFromSeconds,
  regExpFrom,
  resetBudgets,
  symbolFrom,
  takeBytes,
  typedArrayFrom,
};
