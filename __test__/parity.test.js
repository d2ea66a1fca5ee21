'use strict';

/**
 * Parity: each scenario of `parity/` runs in a child on node:net and in another one on the
 * subject. What the emitters did (events, arguments, errors, state at that moment, ticks between)
 * must be the same, line by line. With node:net as the subject this shows that a scenario is
 * deterministic. A scenario with `since` is about what older versions of Node do otherwise.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { runJson } = require('./helpers/child');

const opts = { timeout: 60_000 };
const scenarios = fs
  .readdirSync(path.join(__dirname, 'parity'))
  .filter((file) => file.endsWith('.js'))
  .map((file) => path.basename(file, '.js'));

for (const scenario of scenarios) {
  const { since = 0 } = require(path.join(__dirname, 'parity', scenario));
  test(`parity: ${scenario}`, opts, async (t) => {
    if (Number.parseInt(process.versions.node, 10) < since) return t.skip(`needs Node ${since}`);
    const subject = process.env.SOCKET_TEST_SUBJECT ?? '';
    const [expected, actual] = await Promise.all([
      runJson('run-parity', [scenario], { env: { SOCKET_TEST_SUBJECT: 'node:net' } }),
      runJson('run-parity', [scenario], { env: { SOCKET_TEST_SUBJECT: subject } }),
    ]);
    const names = Object.keys(expected);
    assert.ok(names.length > 0 && names.every((name) => expected[name].length > 0));
    assert.deepEqual(Object.keys(actual), names);
    for (const name of names) assert.deepEqual(actual[name], expected[name], name);
  });
}

test('there are scenarios', () => assert.ok(scenarios.length >= 16));
