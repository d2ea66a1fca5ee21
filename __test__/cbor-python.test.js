'use strict';

/** Values go to Python and come from there: the other side is cbor2, which knows nothing of us. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { Tagged } = require('socket/cbor');
const { converse, findPython } = require('./helpers/cbor-peer');
const { difference } = require('./helpers/same');

const options = { timeout: 120_000 };
const PEER = path.join(__dirname, 'fixtures', 'cbor2_peer.py');
const python = findPython();
const SKIP = 'no Python with cbor2 (on Debian: apt-get install python3-cbor2)';

/** Talks to the peer in one of its modes. */
const ask = (mode, values) => converse(python, [PEER, mode], values);

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

/** Under the names that the peer knows. */
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

/** What comes back of values that Python has fewer kinds for. */
const returned = {
  ...values,
  // An int is an int there, whatever it was in JavaScript; only one of more than 64 bits is a bignum.
  'small BigInt': 5,
  // A datetime is written as text, unless cbor2 is told otherwise.
  date: new Tagged(0, '2025-11-24T12:00:00.123000Z'),
  'old date': new Tagged(0, '1600-02-29T00:00:00Z'),
};

test('Python understands every kind of value', options, async (t) => {
  if (python === null) return t.skip(SKIP);
  const answers = await ask('check', Object.entries(values));
  assert.equal(answers.length, Object.keys(values).length);
  assert.deepEqual(
    answers.filter((answer) => answer !== true),
    [],
  );
});

for (const mode of ['echo', 'share']) {
  test(`what Python sends back is the same (${mode})`, options, async (t) => {
    if (python === null) return t.skip(SKIP);
    // Without marks, cbor2 cannot write what contains itself, and sees no identity.
    const names = Object.keys(values).filter(
      (name) => mode === 'share' || !['cycle', 'shared'].includes(name),
    );
    const answers = await ask(
      mode,
      names.map((name) => values[name]),
    );
    assert.equal(answers.length, names.length);
    // The members of a Python set have no order.
    const sorted = (value) => (value instanceof Set ? new Set([...value].sort()) : value);
    names.forEach((name, i) => {
      assert.equal(difference(sorted(returned[name]), sorted(answers[i])), null, name);
    });
  });
}

test('what Python makes arrives', options, async (t) => {
  if (python === null) return t.skip(SKIP);
  const arrived = Object.fromEntries(await ask('produce', []));
  const expected = {
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
  assert.deepEqual(Object.keys(arrived), Object.keys(expected));
  // In the order in which cbor2 has written them.
  expected.cycle = arrived.cycle.list[0] === arrived.cycle ? arrived.cycle : cycle();
  for (const name of Object.keys(expected)) {
    assert.equal(difference(expected[name], arrived[name]), null, name);
  }
  assert.equal(arrived.cycle.self, arrived.cycle);
});
