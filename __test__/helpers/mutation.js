'use strict';

/** Valid bytes with something wrong, as `scripts/mutate-cbor.js` and a test feed them to the decoder. */

const assert = require('node:assert/strict');
const { decode, encode } = require('socket/cbor');
const { RandomValues } = require('./random-values');
const { difference } = require('./same');

/** Heads that say much with few bytes: lengths and counts, tags, reserved and indefinite ones. */
const SNIPPETS = [
  '9bffffffffffffffff',
  '9affffffff',
  'bbffffffffffffffff',
  'ba7fffffff',
  '5bffffffffffffffff',
  '5a7fffffff',
  '7affffffff',
  'd81c',
  'd81d00',
  'd81d05',
  'd90102',
  'd90103',
  'd90111',
  'd81b',
  'd9524a',
  'd827',
  'd81ff7',
  'c1',
  'c2',
  'c3',
  'd845',
  'd856',
  'dbffffffffffffffff',
  '1bffffffffffffffff',
  '3bffffffffffffffff',
  'f9',
  'fb',
  'f8',
  '9f',
  'bf',
  'ff',
  'fc',
  '8181818181818181',
  '62c328',
  '63eda080',
  '695f5f70726f746f5f5f',
].map((digits) => Buffer.from(digits, 'hex'));

class Mutations extends RandomValues {
  constructor(seed) {
    super(seed);
    /** @type {Buffer[]} */
    this.valid = [];
  }

  /** The bytes of a random value, some of them new. */
  original() {
    if (this.valid.length < 200 || this.chance(0.05)) {
      const bytes = Buffer.from(encode(this.value(2 + this.below(40))));
      this.valid[this.valid.length < 200 ? this.valid.length : this.below(200)] = bytes;
      return bytes;
    }
    return this.pick(this.valid);
  }

  /** Such bytes with one to four changes. */
  mutant() {
    let bytes = Buffer.from(this.original());
    for (let i = this.below(4); i >= 0; i--) bytes = this.change(bytes);
    return bytes;
  }

  change(bytes) {
    const at = this.below(bytes.length + 1);
    const rest = bytes.subarray(at);
    const before = bytes.subarray(0, at);
    const length = 1 + this.below(8);
    switch (this.below(8)) {
      case 0:
      case 1: {
        const changed = Buffer.from(bytes);
        if (at < bytes.length) changed[at] ^= 1 << this.below(8);
        return changed;
      }
      case 2: {
        const changed = Buffer.from(bytes);
        if (at < bytes.length) changed[at] = this.below(256);
        return changed;
      }
      case 3:
        return Buffer.concat([before, this.bytes(length), rest]);
      case 4:
        return Buffer.concat([
          before,
          this.pick(SNIPPETS),
          this.chance(0.5) ? rest : rest.subarray(length),
        ]);
      case 5:
        return Buffer.concat([before, rest.subarray(length)]);
      case 6:
        return this.chance(0.5) ? before : Buffer.concat([before, rest, rest.subarray(0, 50)]);
      default: {
        const other = this.original();
        const from = this.below(other.length);
        return Buffer.concat([before, other.subarray(from, from + 4 * length), rest]);
      }
    }
  }
}

/**
 * Decodes mutants. Each must be a value that can be encoded again, and is then the same, or be refused
 * with the proper error.
 *
 * @param {number} count
 * @param {number} seed
 * @returns {{ values: number, refusals: number, slowest: number }} `slowest` in milliseconds
 */
function tryMutants(count, seed) {
  const mutations = new Mutations(seed);
  const result = { values: 0, refusals: 0, slowest: 0 };
  for (let i = 0; i < count; i++) {
    const bytes = mutations.mutant();
    const begin = performance.now();
    let value;
    try {
      value = decode(bytes);
      result.values++;
    } catch (error) {
      assert.equal(error.code, 'ERR_DATASOCKET_DECODE', `${bytes.toString('hex')}: ${error.stack}`);
      assert.ok(error.offset >= 0 && error.offset <= bytes.length, bytes.toString('hex'));
      result.refusals++;
      continue;
    } finally {
      result.slowest = Math.max(result.slowest, performance.now() - begin);
    }
    const again = decode(encode(value));
    assert.equal(difference(value, again), null, bytes.toString('hex'));
  }
  return result;
}

module.exports = { tryMutants };
