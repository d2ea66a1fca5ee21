'use strict';
// `socket/cbor`: JavaScript values as CBOR (RFC 8949), and back. docs/CBOR.md says what becomes what.

const { Buffer } = require('node:buffer');
const { markAsUntransferable } = require('node:worker_threads');
const { validateInteger, validateObject } = require('./args');
const { invalidType } = require('./errors');
const { decodeRange } = require('./cbor/decoder');
const { Encoded, encodeInto, isEncoding } = require('./cbor/encoder');
const { keepForAllocator } = require('./cbor/memory');
const { Tagged } = require('./cbor/tagged');

const DEFAULT_DEPTH = 1024;
const LARGEST_DEPTH = 2 ** 31 - 1;
/** Far below what any supported version of Node.js can hold in one buffer. */
const LARGEST_VALUE = 2 ** 31 - 1;

/** Results up to this size share the memory of a slab, like those of `Buffer.from`. */
const SMALL = 1024;
const SLAB_SIZE = 16 * 1024;
/** From this size on, a result is given away in the memory that it was encoded in, if it fills it well. */
const LARGE = 64 * 1024;
const WELL_FILLED = 0.875;
/** More is not kept between values. */
const LARGEST_SCRATCH = 1024 * 1024;
/** Results begin at multiples of this, where copies from them are faster. */
const ALIGNMENT = 8;

let slab = Buffer.alloc(0);
let slabUsed = 0;
/** Where what is not small is encoded. */
let scratch = Buffer.alloc(SLAB_SIZE);
let lastSize = 0;

const encoded = new Encoded();
const defaults = { maxDepth: DEFAULT_DEPTH, maxLength: LARGEST_VALUE, headroom: 0 };

/**
 * @param {unknown} value
 * @param {{ maxDepth?: number }} [options]
 * @returns {Uint8Array}
 */
function encode(value, options) {
  const limits = options === undefined ? defaults : { ...defaults, maxDepth: depthOf(options) };
  // From a getter: the memory here is in use.
  if (isEncoding()) return encodeApart(value, limits);
  if (lastSize <= SMALL) encodeInto(value, roomInSlab(), slabUsed, limits, encoded);
  else encodeInto(value, scratch, 0, limits, encoded);
  const { bytes, start, end } = encoded;
  encoded.bytes = slab;
  lastSize = end - start;
  if (lastSize <= SMALL) {
    if (bytes === slab) return takeFromSlab(start);
    roomInSlab().set(bytes.subarray(start, end), slabUsed);
    return takeFromSlab(slabUsed);
  }
  if (bytes === slab || bytes === scratch) return copyOf(bytes, start, end);
  if (lastSize >= LARGE && lastSize > bytes.length * WELL_FILLED) {
    bytes.fill(0, 0, start).fill(0, end);
    keepForAllocator(bytes);
    return new Uint8Array(bytes.buffer, bytes.byteOffset + start, lastSize);
  }
  if (bytes.length > scratch.length && bytes.length <= LARGEST_SCRATCH) scratch = bytes;
  return copyOf(bytes, start, end);
}

/** A slab with room for a small value. */
function roomInSlab() {
  if (slab.length - slabUsed < 2 * SMALL) {
    // Zeroed, because `result.buffer` shows all of it; and a transfer would pull it away from under
    // the other results.
    slab = Buffer.alloc(SLAB_SIZE);
    markAsUntransferable(slab.buffer);
    slabUsed = 0;
  }
  return slab;
}

function takeFromSlab(start) {
  slabUsed = Math.ceil((start + lastSize) / ALIGNMENT) * ALIGNMENT;
  return new Uint8Array(slab.buffer, slab.byteOffset + start, lastSize);
}

function copyOf({ buffer, byteOffset }, start, end) {
  return new Uint8Array(buffer.slice(byteOffset + start, byteOffset + end));
}

function encodeApart(value, limits) {
  const own = new Encoded();
  encodeInto(value, Buffer.alloc(SMALL), 0, limits, own);
  return copyOf(own.bytes, own.start, own.end);
}

/**
 * @param {Uint8Array} bytes
 * @param {{ maxDepth?: number }} [options]
 * @returns {unknown}
 */
function decode(bytes, options) {
  if (!(bytes instanceof Uint8Array)) {
    throw invalidType('bytes', 'an instance of Buffer or Uint8Array', bytes);
  }
  const maxDepth = options === undefined ? DEFAULT_DEPTH : depthOf(options);
  return decodeRange(bytes, 0, bytes.length, maxDepth);
}

function depthOf(options) {
  validateObject(options, 'options');
  const { maxDepth = DEFAULT_DEPTH } = options;
  validateInteger(maxDepth, 'options.maxDepth', 1, LARGEST_DEPTH);
  return maxDepth;
}

module.exports = { Tagged, decode, encode };
