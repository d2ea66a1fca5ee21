'use strict';

/**
 * Many clients, many values, both ways: case 47 of the contract. SOCKET_LOAD_CLIENTS=1000 SOCKET_LOAD_MESSAGES=1000 is
 * the long form.
 */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./helpers/child');

const CLIENTS = Number(process.env.SOCKET_LOAD_CLIENTS || 200);
const VALUES = Number(process.env.SOCKET_LOAD_MESSAGES || 1000);
const MiB = 1024 * 1024;
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
  const grown = (name) => (after[name] - before[name]) / MiB;
  t.diagnostic(
    `heap ${grown('heap').toFixed(1)}, external ${grown('external').toFixed(1)}, rss ${grown('rss').toFixed(1)} MiB more`,
  );
  assert.ok(after.fds <= before.fds, 'descriptors');
  // 100 bytes a connection would be a leak; one MiB is for what the engine of JavaScript does meanwhile.
  assert.ok(grown('heap') < 1 + (CLIENTS * 100) / MiB, 'the heap grew');
  assert.ok(grown('external') < 4, 'external memory grew');
  assert.ok(grown('rss') < 24, 'resident memory grew');
});
