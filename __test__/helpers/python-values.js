'use strict';

/** The values that go to Python and come from there, under the names that `fixtures/cbor2_peer.py` knows. */

const { Tagged } = require('socket/cbor');

const uuid = new Uint8Array(Buffer.from('b7c1e0d24f7e4d0a9a3c52d1c0a8e911', 'hex'));

function cycle() {
  const value = { list: [] };
  value.self = value;
  value.list.push(value);
  return value;
}

function shared(part) {
  return [part, part, structuredClone(part)];
}

/** What goes there. */
const values = {
  undefined,
  null: null,
  true: true,
  integer: 1000000,
  'largest safe integer': 2 ** 53 - 1,
  'negative integer': -(2 ** 40),
  float: 1.1,
  'minus zero': -0,
  NaN: NaN,
  infinity: -Infinity,
  'small BigInt': 5n,
  'large BigInt': 2n ** 200n + 1n,
  'negative BigInt': -(2n ** 200n),
  text: 'ü水😀',
  'lone surrogate': 'a\ud800',
  symbol: Symbol.for('activate'),
  array: [1, 'a', [null, []]],
  // eslint-disable-next-line no-sparse-arrays
  hole: [1, , 3],
  object: { b: 1, a: JSON.parse('{"__proto__":2}') },
  date: new Date('2025-11-24T12:00:00.123Z'),
  'old date': new Date('1600-02-29T00:00:00Z'),
  'invalid date': new Date(NaN),
  bytes: new Uint8Array([0, 1, 255]),
  ArrayBuffer: new Uint8Array([1]).buffer,
  Float64Array: new Float64Array([1.5, -2.5]),
  Uint16Array: new Uint16Array([1, 65535]),
  Map: new Map([
    [1, 'one'],
    [[1, 2], null],
  ]),
  Set: new Set([1, 'a']),
  RegExp: /a+\//gi,
  Error: Object.assign(new TypeError('no', { cause: 'why' }), { code: 'E_NO' }),
  cycle: cycle(),
  shared: shared({ a: 1 }),
  decimal: new Tagged(4, [-2, 27315]),
  rational: new Tagged(30, [2, 5]),
  uuid: new Tagged(37, uuid),
};

/** What comes from there. */
const produced = {
  undefined,
  none: null,
  true: true,
  int: 1000000,
  'int of 64 bits': 2n ** 64n - 1n,
  'negative int of 64 bits': -(2n ** 64n),
  'int of 65 bits': 2n ** 64n,
  float: 1.1,
  'minus zero': -0,
  nan: NaN,
  infinity: Infinity,
  str: 'ü水😀',
  bytes: new Uint8Array([0, 1, 255]),
  list: [1, 'a', [null, []]],
  tuple: [1, [2, 3]],
  dict: { b: 1, a: JSON.parse('{"__proto__":2}') },
  'dict with other keys': new Map([
    [1, 'one'],
    ['two', 2],
    [[3, 4], null],
  ]),
  'dict with one other key': new Map([
    ['a', 1],
    [2, 'b'],
  ]),
  set: new Set([7]),
  frozenset: new Set(['x']),
  datetime: new Tagged(0, '2025-11-24T12:00:00.123000Z'),
  decimal: new Tagged(4, [-2, 27315]),
  rational: new Tagged(30, [2, 5]),
  uuid: new Tagged(37, uuid),
  'regular expression': new Tagged(35, 'a+'),
  map: new Map([[1, 'one']]),
  'typed array': new Float64Array([1.5, -2.5]),
  error: Object.assign(new RangeError('from Python'), { code: 'E_PY' }),
  symbol: Symbol.for('activate'),
  'unknown tag': new Tagged(4711, [1, { a: 2 }]),
  timestamp: new Date('2025-11-24T12:00:00.123Z'),
  canonical: [1.5, 100000, -0, Infinity],
  cycle: cycle(),
  shared: shared({ a: [1] }),
  empty: [[], {}],
  keys: { a: new Map([[1, [2]]]) },
};

/** As it arrived: the cycle is compared in the order in which cbor2 has written it. */
const producedFor = (arrived) => ({
  ...produced,
  cycle: arrived.cycle.list[0] === arrived.cycle ? arrived.cycle : cycle(),
});

module.exports = { producedFor, values };
