'use strict';

/** Bodies of known content for programs that stream, and their SHA-256 on both sides. */

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { Readable } = require('node:stream');
const { pattern } = require('./pattern');

const MiB = 1024 * 1024;

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * Bytes and their hash.
 * @param {number} size in bytes
 * @param {number} [seed]
 */
function payload(size, seed = size) {
  const bytes = pattern(size, seed);
  return { bytes, size, sha256: hash(bytes) };
}

/** The pieces of a body in sizes that no buffer along the way is made for. */
function* pieces(bytes, sizes = [1, 65_536, 16_383, 300_001]) {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length];
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** The body as a stream. */
function streamOf(bytes) {
  return Readable.from(pieces(bytes), { objectMode: false });
}

/**
 * Reads a stream to its end, or as many bytes as wanted, without keeping them. Not by `for await`,
 * which destroys a Duplex whose other half is still open.
 * @param {import('node:stream').Readable} stream
 * @param {number} [wanted] in bytes; more than that is a difference which the caller will see
 * @returns {Promise<{ size: number, sha256: string }>}
 */
function digest(stream, wanted = Infinity) {
  return new Promise((resolve, reject) => {
    const sum = createHash('sha256');
    let size = 0;
    const done = () => resolve({ size, sha256: sum.digest('hex') });
    stream.on('data', (chunk) => {
      if (size >= wanted) return;
      sum.update(chunk);
      size += chunk.length;
      if (size >= wanted) done();
    });
    stream.once('end', () => size < wanted && done());
    stream.once('error', reject);
    stream.once('close', () => reject(new Error(`closed after ${size} bytes, without an end`)));
  });
}

/** Fails unless what was received is the payload. */
function same(received, expected, what) {
  const { size, sha256 } = Buffer.isBuffer(received)
    ? { size: received.length, sha256: hash(received) }
    : received;
  assert.deepEqual({ size, sha256 }, { size: expected.size, sha256: expected.sha256 }, what);
}

module.exports = { MiB, digest, hash, payload, pieces, same, streamOf };
