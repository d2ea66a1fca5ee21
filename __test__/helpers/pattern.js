'use strict';

/** Bytes that look random but are the same for the same seed, so both ends can know them. */
function pattern(size, seed = 1) {
  const bytes = Buffer.allocUnsafe(size);
  let x = (seed * 2_654_435_761) >>> 0 || 1;
  for (let i = 0; i < size; i++) {
    // xorshift32: cheap, and without a period that could hide a shifted block.
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x;
  }
  return bytes;
}

module.exports = { pattern };
