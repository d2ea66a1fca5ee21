'use strict';
// The memory of received bytes: each piece has its own, of exactly its size, and nobody else's bytes are there.

/** In place of a piece for which there was no memory. */
class NoMemory {
  /** @param {unknown} error */
  constructor(error) {
    this.error = error;
    this.byteLength = 0;
  }
}

/** See `StreamHandle.memory`. */
const exactMemory = {
  /** @param {Buffer} chunk @returns {ArrayBuffer | NoMemory} */
  copy(chunk, offset, length) {
    let data;
    try {
      data = new ArrayBuffer(length);
    } catch (err) {
      return new NoMemory(err);
    }
    new Uint8Array(data).set(new Uint8Array(chunk.buffer, offset, length));
    return data;
  },
  /** A chunk that is full is memory of exactly its size. @param {Buffer} chunk */
  view(chunk, offset, length) {
    return length === chunk.length ? chunk.buffer : this.copy(chunk, offset, length);
  },
  release() {},
};

module.exports = { NoMemory, exactMemory };
