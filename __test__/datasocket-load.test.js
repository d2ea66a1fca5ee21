'use strict';

/**
 * Many clients, many values, both ways: case 47 of the contract. SOCKET_LOAD_CLIENTS=1000 SOCKET_LOAD_MESSAGES=1000 is
 * the long form.
 */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./helpers/child');
const { assertFlat } = require('./helpers/load');

const CLIENTS = Number(process.env.SOCKET_LOAD_CLIENTS || 200);
const VALUES = Number(process.env.SOCKET_LOAD_MESSAGES || 1000);
const timeout = 60_000 + CLIENTS * VALUES * 0.2;

test(`47: ${CLIENTS} clients, ${VALUES} values each, both ways`, { timeout }, async (t) => {
  const { first, second, before, after } = await runJson(
    'datasocket-load',
    [String(CLIENTS), String(VALUES)],
    { execArgv: ['--expose-gc'], timeout: timeout - 5000 },
  );
  const count = CLIENTS * VALUES;
  const expected = { echoed: count, sent: count, wrong: [] };
  assert.deepEqual(first, expected);
  assert.deepEqual(second, expected);
  assertFlat(t, before, after, CLIENTS);
});
