'use strict';

/** What programs that make load have in common, which run with --expose-gc, and the tests that run them. */

const assert = require('node:assert/strict');
const fs = require('node:fs');

const settle = () => new Promise((resolve) => setImmediate(resolve));
const told = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));

/** What this process uses when all is quiet. */
async function sample() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    for (let n = 0; n < 5; n++) await settle();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  let fds = 0;
  try {
    fs.readdirSync('/proc/self/fd').forEach(() => fds++);
  } catch {
    // Not Linux: nothing to count.
  }
  return { heap: heapUsed, external, rss, fds };
}

/** Resident memory that one round more may cost. */
const RSS_LIMIT = 24 * 1024 * 1024;

/**
 * Does the same twice and prints what came of it, and what is used before and after the second time. On a busy machine
 * the engine of JavaScript may take until later to have all the memory that it wants: a leak costs more each time.
 */
async function reportTwice(run) {
  const first = await run();
  let before = await sample();
  let second = await run();
  let after = await sample();
  for (let n = 0; n < 2 && after.rss - before.rss >= RSS_LIMIT; n++) {
    before = after;
    second = await run();
    after = await sample();
  }
  console.log(JSON.stringify({ first, second, before, after }));
}

const MiB = 1024 * 1024;

/** That nothing is left behind. @param {number} connections that were made in between */
function assertFlat(t, before, after, connections) {
  const grown = (name) => (after[name] - before[name]) / MiB;
  t.diagnostic(
    `heap ${grown('heap').toFixed(1)}, external ${grown('external').toFixed(1)}, rss ${grown('rss').toFixed(1)} MiB more`,
  );
  assert.ok(after.fds <= before.fds, 'descriptors');
  // 100 bytes a connection would be a leak; one MiB is for what the engine of JavaScript does meanwhile.
  assert.ok(grown('heap') < 1 + (connections * 100) / MiB, 'the heap grew');
  assert.ok(grown('external') < 4, 'external memory grew');
  assert.ok(grown('rss') < RSS_LIMIT / MiB, 'resident memory grew');
}

module.exports = { assertFlat, reportTwice, told };
