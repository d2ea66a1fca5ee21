'use strict';

/**
 * Nothing grows however many connections have come and gone.
 * SOCKET_STRESS_CYCLES=100000 is the long form.
 */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./helpers/child');

const CYCLES = Number(process.env.SOCKET_STRESS_CYCLES || 3000);
const opts = { timeout: 60_000 + CYCLES * 10 };
const MiB = 1024 * 1024;

for (const how of ['orderly', 'destroyed', 'refused', 'unread', 'listen']) {
  // The main case is run in full, the others are variations of it.
  const cycles = how === 'orderly' ? CYCLES : Math.min(CYCLES, Math.ceil(CYCLES / 5) + 400);
  test(`${cycles} cycles leave nothing behind (${how})`, opts, async (t) => {
    const { samples } = await runJson('cycles', [how, String(cycles)], {
      execArgv: ['--expose-gc'],
      timeout: opts.timeout - 5000,
    });
    // Two fifths warm up; from then on each sample is one fifth later.
    const [first, ...later] = samples.slice(1);
    const last = later.at(-1);
    t.diagnostic(
      `heap ${(first.heap / MiB).toFixed(1)} → ${(last.heap / MiB).toFixed(1)} MiB, ` +
        `external ${(first.external / MiB).toFixed(1)} → ${(last.external / MiB).toFixed(1)} MiB, ` +
        `rss ${(first.rss / MiB).toFixed(1)} → ${(last.rss / MiB).toFixed(1)} MiB`,
    );
    for (const sample of later) assert.ok(sample.fds <= first.fds, 'descriptors');
    // 100 bytes per cycle would be a leak; one MiB is for what the engine of JS does meanwhile.
    const allowed = MiB + 100 * cycles * 0.6;
    assert.ok(last.heap - first.heap < allowed, `the heap grew by ${last.heap - first.heap} bytes`);
    assert.ok(
      last.external - first.external < 4 * MiB,
      `external memory grew by ${last.external - first.external} bytes`,
    );
    // RSS is coarse, because allocators keep what they had once.
    assert.ok(
      last.rss - first.rss < 24 * MiB + allowed,
      `RSS grew by ${Math.round((last.rss - first.rss) / MiB)} MiB`,
    );
  });
}
