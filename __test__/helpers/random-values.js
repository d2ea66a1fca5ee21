'use strict';

/**
 * Random values of every kind that the codec knows, deep and with shared parts, from a seed: the same
 * seed gives the same values.
 */

const { Tagged } = require('socket/cbor');

/** A generator of numbers from 0 to 1 (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const EDGES = [
  0,
  -0,
  23,
  24,
  255,
  256,
  65535,
  65536,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  0.1,
  1e300,
];
const UNITS = [
  'a',
  'Z',
  ' ',
  '"',
  '\0',
  'é',
  'ß',
  '水',
  '\ufffd',
  '😀',
  '\ud800',
  '\udc00',
  '\uffff',
];
const KEYS = ['id', 'name', '__proto__', 'constructor', '', '0', '17', 'toString', 'ünï', 'a b'];
const VIEWS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
];
const ERRORS = [Error, TypeError, RangeError, SyntaxError, EvalError, URIError, ReferenceError];

class RandomValues {
  /** @param {number} seed */
  constructor(seed) {
    this.random = randomFrom(seed);
  }

  /** An integer from 0 to `count` − 1. */
  below(count) {
    return Math.floor(this.random() * count);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  chance(probability) {
    return this.random() < probability;
  }

  /** @param {number} [size] about how many parts it has */
  value(size = 30) {
    this.left = size;
    /** What may occur once more. @type {object[]} */
    this.objects = [];
    return this.any(0);
  }

  any(depth) {
    this.left--;
    if (this.objects.length > 0 && this.chance(0.06)) return this.pick(this.objects);
    if (this.left <= 0 || this.chance(0.45)) return this.scalar();
    if (this.chance(0.25)) return this.keep(this.leaf());
    return this.container(depth + 1);
  }

  keep(object) {
    this.objects.push(object);
    return object;
  }

  scalar() {
    switch (this.below(10)) {
      case 0:
        return this.pick([undefined, null, true, false, NaN, Infinity, -Infinity]);
      case 1:
        return this.pick(EDGES) * this.pick([1, -1]);
      case 2:
        return this.below(2 ** 32) - 2 ** 31;
      case 3:
        return (this.random() - 0.5) * 10 ** this.below(30);
      case 4:
        return this.below(100);
      case 5:
        return this.bigInt();
      case 6:
        return Symbol.for(this.pick(['a', 'b', 'ü', '\ud800x']));
      default:
        return this.text();
    }
  }

  bigInt() {
    let result = 0n;
    for (let i = this.below(8); i >= 0; i--) result = (result << 32n) | BigInt(this.below(2 ** 32));
    return this.chance(0.5) ? result : -result >> BigInt(this.below(200));
  }

  text() {
    const length = this.chance(0.9) ? this.below(40) : this.below(600);
    if (this.chance(0.6)) return this.pick(['x', 'text ', '12']).repeat(length).slice(0, length);
    return Array.from({ length }, () => this.pick(UNITS)).join('');
  }

  key() {
    return this.chance(0.3)
      ? this.pick(KEYS)
      : this.chance(0.8)
        ? `k${this.below(30)}`
        : this.text();
  }

  leaf() {
    switch (this.below(6)) {
      case 0:
        return new Date(this.chance(0.1) ? NaN : Math.floor((this.random() - 0.5) * 1.7e16));
      case 1:
        return new RegExp(
          this.pick(['a+', '/', '\n', '(?:)', '[/\\]]', '\ud800']),
          this.pick(['', 'g', 'su']),
        );
      case 2:
        return this.bytes(this.below(40)).buffer;
      case 3:
        return new DataView(this.bytes(20).buffer, this.below(10), this.below(10));
      default: {
        const View = this.pick(VIEWS);
        const bytes = this.bytes(8 * this.below(12));
        // Not in canonical form, a NaN would not be found to be the same.
        return /Float/.test(View.name) ? View.from(bytes) : new View(bytes.buffer);
      }
    }
  }

  bytes(length) {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Each is known before it is filled, so that it may get itself. */
  container(depth) {
    const size = this.below(6);
    const inner = () => this.any(depth);
    switch (this.below(8)) {
      case 0: {
        const map = this.keep(new Map());
        for (let i = 0; i < size; i++) map.set(inner(), inner());
        return map;
      }
      case 1: {
        const set = this.keep(new Set());
        for (let i = 0; i < size; i++) set.add(inner());
        return set;
      }
      case 2:
        return this.error(size, inner);
      case 3: {
        const tagged = this.keep(new Tagged(1000 + this.below(5000), null));
        tagged.value = inner();
        return tagged;
      }
      case 4:
      case 5: {
        const array = this.keep([]);
        for (let i = 0; i < size; i++) {
          if (this.chance(0.05)) array.length++;
          else array.push(inner());
        }
        // A run of numbers, perhaps with something at its end.
        if (this.chance(0.2))
          array.unshift(...Array.from({ length: 20 }, () => this.below(70_000) / 2));
        return array;
      }
      default: {
        const object = this.keep({});
        for (let i = 0; i < size; i++) define(object, this.key(), inner());
        return object;
      }
    }
  }

  error(size, inner) {
    const error = this.keep(new (this.pick(ERRORS))(this.chance(0.2) ? '' : this.text()));
    const hidden = { configurable: true, enumerable: false, writable: true };
    if (this.chance(0.3)) Object.defineProperty(error, 'cause', { ...hidden, value: inner() });
    if (this.chance(0.2)) Object.defineProperty(error, 'name', { ...hidden, value: 'MyError' });
    for (let i = 0; i < size; i++) {
      const key = this.key();
      if (!['stack', 'message', 'name', 'cause'].includes(key)) define(error, key, inner());
    }
    return error;
  }
}

function define(object, key, value) {
  Object.defineProperty(object, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

module.exports = { RandomValues };
