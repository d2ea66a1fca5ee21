'use strict';
// Protects Map and Set against numbers that were chosen to collide.
//
// V8 finds numbers and BigInts in a Map by a hash that anybody can compute, because it has no secret in
// it; 60,000 numbers (300 KB) that have it in common take seconds, and ten times as many a hundred
// times as long. So the hash is computed here as well, and what it will cost is counted. Strings and
// objects need no guard: their hashes are random. An engine with other hashes is not hurt by the count.

/** Entries that a bucket may have for nothing. A normal one has about two. */
const FREE = 8;
/** Steps beyond, in one value, that are still no attack; they take less than 0.1 s. */
const MOST_STEPS = 2 ** 23;

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
const wide = new BigUint64Array(double.buffer);

class KeyGuard {
  /** @param {number} count entries of the collection */
  constructor(count) {
    // As many buckets as V8 has: half of the capacity, which is a power of two.
    const buckets = 2 ** Math.max(1, Math.ceil(Math.log2(count)) - 1);
    this.mask = buckets - 1;
    this.entries = new Uint32Array(buckets);
  }

  /**
   * @param {unknown} key that has just been added
   * @returns {number} steps that it will cost beyond what is normal
   */
  cost(key) {
    let hash;
    if (typeof key === 'number') hash = hashOfNumber(key);
    else if (typeof key === 'bigint') hash = hashOfBigInt(key);
    else return 0;
    const entries = ++this.entries[hash & this.mask];
    return entries > FREE ? entries - FREE : 0;
  }
}

function hashOfNumber(number) {
  if ((number | 0) === number) return hash32(number);
  double[0] = number;
  return hash64(halves[1], halves[0]);
}

function hashOfBigInt(number) {
  // Only the lowest 64 bits of the magnitude count.
  wide[0] = number < 0n ? -number : number;
  return hash64(halves[1], halves[0]);
}

/** Thomas Wang's integer hash, as in V8's ComputeUnseededHash. */
function hash32(key) {
  let hash = (~key + (key << 15)) | 0;
  hash ^= hash >>> 12;
  hash = (hash + (hash << 2)) | 0;
  hash ^= hash >>> 4;
  hash = Math.imul(hash, 2057);
  return hash ^ (hash >>> 16);
}

/** The same for 64 bits, as in V8's ComputeLongHash; the lower half of the result. */
function hash64(high, low) {
  // hash = (hash << 18) - hash - 1
  let difference = ((low << 18) >>> 0) - (low >>> 0) - 1;
  high = (((high << 18) | (low >>> 14)) - high + Math.floor(difference / 2 ** 32)) | 0;
  low = difference | 0;
  // hash ^= hash >> 31
  low ^= (low >>> 31) | (high << 1);
  high ^= high >>> 31;
  // hash *= 21
  const product = (low >>> 0) * 21;
  high = (Math.imul(high, 21) + Math.floor(product / 2 ** 32)) | 0;
  low = product | 0;
  // hash ^= hash >> 11
  low ^= (low >>> 11) | (high << 21);
  high ^= high >>> 11;
  // hash += hash << 6
  const sum = (low >>> 0) + ((low << 6) >>> 0);
  high = (high + ((high << 6) | (low >>> 26)) + (sum > 0xffffffff ? 1 : 0)) | 0;
  low = sum | 0;
  // hash ^= hash >> 22
  return low ^ ((low >>> 22) | (high << 10));
}

module.exports = { KeyGuard, MOST_STEPS };
