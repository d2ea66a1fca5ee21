'use strict';
const { Encoded, encodeInto, isEncoding } = require('./cbor/encoder');
const { markAsUntransferable } = require('node:worker_threads');
const { decodeRange } = require('./cbor/decoder');
const { Tagged } = require('./cbor/tagged');

const SLAB = 16 * 1024, SMALL = 1024, HANDED=256*1024;
let slab = Buffer.alloc(0), used = 0;
let scratch = Buffer.alloc(0);
let recent = 0;
const encoded = new Encoded();
const limits = { maxDepth: 1024, maxLength: 2 ** 31 - 1, headroom: 0 };

function encode(value, options) {
  if (recent <= SMALL) {
    if (slab.length - used < 2 * SMALL) { slab = Buffer.alloc(SLAB); markAsUntransferable(slab.buffer); used = 0; }
    encodeInto(value, slab, used, limits, encoded);
  } else {
    encodeInto(value, scratch, 0, limits, encoded);
  }
  const { bytes, start, end } = encoded;
  recent = end - start;
  if (bytes === slab) { used = (end + 7) & ~7; return new Uint8Array(bytes.buffer, start, recent); }
  if (recent > HANDED) return new Uint8Array(bytes.buffer, start, recent);
  if (bytes.length > scratch.length) scratch = bytes;
  return new Uint8Array(bytes.buffer.slice(start, end));
}
function decode(bytes) { return decodeRange(bytes, 0, bytes.length, 1024); }
module.exports = { decode, encode, Tagged };
