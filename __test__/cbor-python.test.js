'use strict';

/** Values go to Python and come from there: the other side is cbor2, which knows nothing of us. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { Tagged } = require('socket/cbor');
const { converse, findPython } = require('./helpers/cbor-peer');
const { producedFor, values: known } = require('./helpers/python-values');
const { difference } = require('./helpers/same');

const options = { timeout: 120_000 };
const PEER = path.join(__dirname, 'fixtures', 'cbor2_peer.py');
const python = findPython();
const SKIP = 'no Python with cbor2 (on Debian: apt-get install python3-cbor2)';

/** Talks to the peer in one of its modes. */
const ask = (mode, values) => converse(python, [PEER, mode], values);

/** What comes back of values that Python has fewer kinds for. */
const returned = {
  ...known,
  // An int is an int there, whatever it was in JavaScript; only one of more than 64 bits is a bignum.
  'small BigInt': 5,
  // A datetime is written as text, unless cbor2 is told otherwise.
  date: new Tagged(0, '2025-11-24T12:00:00.123000Z'),
  'old date': new Tagged(0, '1600-02-29T00:00:00Z'),
};

test('Python understands every kind of value', options, async (t) => {
  if (python === null) return t.skip(SKIP);
  const answers = await ask('check', Object.entries(known));
  assert.equal(answers.length, Object.keys(known).length);
  assert.deepEqual(
    answers.filter((answer) => answer !== true),
    [],
  );
});

for (const mode of ['echo', 'share']) {
  test(`what Python sends back is the same (${mode})`, options, async (t) => {
    if (python === null) return t.skip(SKIP);
    // Without marks, cbor2 cannot write what contains itself, and sees no identity.
    const names = Object.keys(known).filter(
      (name) => mode === 'share' || !['cycle', 'shared'].includes(name),
    );
    const answers = await ask(
      mode,
      names.map((name) => known[name]),
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
  const expected = producedFor(arrived);
  assert.deepEqual(Object.keys(arrived), Object.keys(expected));
  for (const name of Object.keys(expected)) {
    assert.equal(difference(expected[name], arrived[name]), null, name);
  }
  assert.equal(arrived.cycle.self, arrived.cycle);
});
