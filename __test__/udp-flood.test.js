'use strict';

/**
 * More datagrams than a consumer can take: memory is bounded, and none is missing that nobody counts. The long form has
 * ten million of them: `SOCKET_LONG_TESTS=1 npm run test:js -- udp-flood`.
 */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./helpers/child');

const MIB = 1024 * 1024;
const isLong = Boolean(process.env.SOCKET_LONG_TESTS);
const COUNT = isLong ? 10_000_000 : 300_000;
const LIMIT = isLong ? 270_000 : 60_000;

for (const size of isLong ? [64] : [64, 1400]) {
  test(`${COUNT} datagrams of ${size} bytes`, { timeout: LIMIT }, async (t) => {
    const args = [String(COUNT), String(size)];
    const result = await runJson('udp-flood', args, { timeout: LIMIT - 5000 });
    t.diagnostic(JSON.stringify(result));
    const { received, memory, system, most } = result;
    assert.ok(received > 0);
    assert.equal(memory, 0);
    // 4 MiB of chunks, and what waits for the garbage collector.
    assert.ok(most < 150 * MIB, `memory grew by ${Math.round(most / MIB)} MiB`);
    if (system === null) {
      t.diagnostic('this system does not tell what it drops');
      return;
    }
    assert.ok(system > 0, 'the consumer was fast enough');
    // Of those that say that it is over, some may have been dropped as well.
    const missing = received + system - COUNT;
    assert.ok(missing >= 0 && missing < 20, `${received} + ${system} of ${COUNT}`);
  });
}
