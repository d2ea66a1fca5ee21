'use strict';

/** Random values, compared by code that shares nothing with the codec. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { decode, encode } = require('socket/cbor');
const { decodeRange } = require('../lib/cbor/decoder');
const { Encoded, encodeInto } = require('../lib/cbor/encoder');
const { RandomValues } = require('./helpers/random-values');
const { difference } = require('./helpers/same');

const COUNT = 4000;
const options = { timeout: 120_000 };

test('random values arrive as they are', options, (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new RandomValues(seed);
  for (let i = 0; i < COUNT; i++) {
    const value = random.value(1 + random.below(120));
    const encoded = encode(value);
    const found = difference(value, decode(encoded));
    assert.equal(found, null, `seed ${seed}, number ${i}: ${Buffer.from(encoded).toString('hex')}`);
    // The same value again is the same bytes, whatever was encoded before.
    assert.deepEqual(encode(value), encoded);
  }
  t.diagnostic(`${COUNT} values from seed ${seed}`);
});

test('where and with how much room a value is encoded makes no difference', options, (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const random = new RandomValues(seed);
  const encoded = new Encoded();
  const limits = { maxDepth: 1024, maxLength: 2 ** 31 - 1, headroom: 0 };
  for (let i = 0; i < 1000; i++) {
    const value = random.value(1 + random.below(200));
    const expected = Buffer.from(encode(value));
    for (let k = 0; k < 8; k++) {
      // Often about as large as needed, and a little too small.
      const target = Buffer.alloc(
        random.below(2) ? random.below(300) : expected.length + random.below(600),
      );
      const start = random.below(target.length + 1);
      limits.headroom = random.below(10);
      encodeInto(value, target, start, limits, encoded);
      const { bytes, start: at, end } = encoded;
      assert.ok(bytes.subarray(at, end).equals(expected), `number ${i}`);
      assert.equal(at, bytes === target ? start : limits.headroom);
      assert.equal(difference(value, decodeRange(bytes, at, end, 1024)), null);
    }
  }
});

test('the comparison itself finds every kind of difference', () => {
  const pairs = [
    [0, -0],
    [NaN, undefined],
    [1, 1n],
    [[1], [1, undefined]],
    [new Array(1).concat(1), [undefined, 1]],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{}, Object.create(null)],
    [{ a: undefined }, {}],
    [new Map([[1, 2]]), new Map([[1, 3]])],
    [new Set([1, 2]), new Set([2, 1])],
    [new Date(1), new Date(2)],
    [new Date(NaN), new Date(0)],
    [/a/g, /a/],
    [new Uint8Array(1), new Int8Array(1)],
    [new Uint8Array(1), Buffer.from([0])],
    [new Uint8Array([1]), new Uint8Array([2])],
    [new ArrayBuffer(1), new Uint8Array(1)],
    [new Error('a'), new TypeError('a')],
    [new Error('a'), new Error('b')],
    [new Error('a'), new Error('a', { cause: undefined })],
    [Object.assign(new Error('a'), { code: 1 }), new Error('a')],
    [[1], { 0: 1 }],
  ];
  const [x, y] = [{}, {}];
  pairs.push(
    [
      [x, x],
      [x, y],
    ],
    [
      [x, y],
      [x, x],
    ],
    [
      [{}, {}],
      [x, x],
    ],
    [
      [x, x],
      [{}, {}],
    ],
  );
  for (const [i, [left, right]] of pairs.entries()) {
    assert.notEqual(difference(left, right), null, `pair ${i}`);
    assert.notEqual(difference({ k: [left] }, { k: [right] }), null);
    assert.equal(difference({ k: [left] }, { k: [left] }), null);
  }
  const loop = (length) => {
    const first = {};
    let last = first;
    for (let i = 1; i < length; i++) last = last.next = {};
    last.next = first;
    return first;
  };
  assert.equal(difference(loop(3), loop(3)), null);
  assert.notEqual(difference(loop(2), loop(3)), null);
});
