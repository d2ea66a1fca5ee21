'use strict';
// Encodes and decodes for as long as it is told, with the codec that it is told. Used for all codecs, so
// that they run the same lines.

const { answer } = require('./child');
const payloads = require('../lib/payloads');

/**
 * Each makes a new result every time, and has what it may keep between values ready: that is how a
 * connection would use it.
 *
 * @type {Record<string, () => { encode: (value: any) => any, decode: (encoded: any) => any }>}
 */
const CODECS = {
  socket: () => require('../../lib/cbor'),
  json: () => ({
    // Bytes are no JSON; what people do is base64.
    encode: (value) => JSON.stringify(value instanceof Uint8Array ? base64(value) : value),
    decode(text) {
      const value = JSON.parse(text);
      return typeof value === 'string' ? Buffer.from(value, 'base64') : value;
    },
  }),
  v8() {
    const { deserialize, serialize } = require('node:v8');
    return { encode: serialize, decode: deserialize };
  },
  msgpackr() {
    const { Packr, Unpackr } = require('msgpackr');
    const options = { structuredClone: true, moreTypes: true };
    const [packr, unpackr] = [new Packr(options), new Unpackr(options)];
    return { encode: (value) => packr.pack(value), decode: (bytes) => unpackr.unpack(bytes) };
  },
  'cbor-x'() {
    const { Decoder, Encoder } = require('cbor-x');
    const [encoder, decoder] = [new Encoder({ structuredClone: true }), new Decoder()];
    return { encode: (value) => encoder.encode(value), decode: (bytes) => decoder.decode(bytes) };
  },
};

const codec = CODECS[process.argv[2]]();

function base64(bytes) {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Several copies, because a connection never decodes the same bytes twice. */
function copies(encoded) {
  if (typeof encoded === 'string') return [encoded];
  const memory = Buffer.concat(Array.from({ length: 16 }, () => encoded));
  return Array.from({ length: 16 }, (_, i) =>
    memory.subarray(i * encoded.length, (i + 1) * encoded.length),
  );
}

/**
 * What was received belongs to the program and not to the connection. Codecs that give views of what
 * they were given leave the copy to the program.
 */
function owned(value, encoded) {
  if (!(value instanceof Uint8Array) || value.buffer !== encoded.buffer) return value;
  // A Buffer's own slice() is a view.
  return Uint8Array.prototype.slice.call(value);
}

/** @returns {() => unknown} one turn */
function work(operation, value) {
  const { decode, encode } = codec;
  if (operation === 'encode') return () => encode(value);
  if (operation === 'round') {
    return () => {
      const encoded = encode(value);
      return owned(decode(encoded), encoded);
    };
  }
  const encoded = copies(encode(value));
  let next = 0;
  return () => {
    next = (next + 1) % encoded.length;
    return owned(decode(encoded[next]), encoded[next]);
  };
}

/**
 * Turns per second. The clock is looked at about once a millisecond.
 *
 * @param {() => unknown} turn
 * @param {number} seconds
 */
function rate(turn, seconds) {
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let turns = 0;
  let batch = 1;
  for (;;) {
    const before = performance.now();
    for (let i = 0; i < batch; i++) turn();
    turns += batch;
    const now = performance.now();
    if (now >= end) return (turns / (now - begin)) * 1000;
    if (now - before < 1) batch *= 2;
  }
}

answer({
  measure({ payload, operation, warmup, seconds }) {
    const turn = work(operation, payloads[payload]);
    rate(turn, warmup);
    return rate(turn, seconds);
  },
});
process.send({ ready: true });
