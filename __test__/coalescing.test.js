'use strict';

/** Ours alone: all small writes of one tick leave in one system call, without cork(). */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { run } = require('./helpers/child');
const { noStrace, traceCalls } = require('./helpers/system');

const opts = { timeout: 60_000 };

/** The sizes that the child's calls on sockets of one kind have sent, in order. */
async function sends(t, scenario, isUnix = false) {
  const trace = traceCalls(t, 'sendto,sendmsg,sendmmsg,write,writev');
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-coalescing-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const args = isUnix ? [scenario, path.join(dir, 's')] : [scenario];
  const result = await run('coalescing', args, { prefix: trace.prefix, timeout: 40_000 });
  assert.equal(result.code, 0, result.stderr);
  const kind = isUnix ? 'UNIX-STREAM' : 'TCP(?:v6)?';
  const send = new RegExp(
    `^(?:sendto|sendmsg|sendmmsg|write|writev)\\(\\d+<${kind}:.*\\)\\s+= (\\d+)`,
  );
  return trace
    .read()
    .map((line) => send.exec(line))
    .filter(Boolean)
    .map((call) => Number(call[1]));
}

const cases = {
  '100 writes in one tick': [200],
  '100 writes of strings and buffers in one tick': [290],
  '10 ticks of 20 writes each': Array(10).fill(40),
  'write and end in one tick': [4],
  // The first byte is the peer's, which runs in the same process.
  'writes on an accepted socket in its data listener': [1, 100],
  'writes with noDelay': [200],
};
for (const [scenario, expected] of Object.entries(cases)) {
  for (const isUnix of [false, true]) {
    test(`${scenario}${isUnix ? ', over a Unix socket' : ''}`, opts, async (t) => {
      if (!isOurs) return t.skip(SKIP_FOREIGN);
      if (noStrace()) return t.skip(noStrace());
      assert.deepEqual(await sends(t, scenario, isUnix), expected);
    });
  }
}

test('writes of promise jobs and nextTicks leave with those of their tick', opts, async (t) => {
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  if (noStrace()) return t.skip(noStrace());
  const sizes = await sends(t, 'writes in one tick and its promise jobs and nextTicks');
  // A tick queued by a job may come after the end of the tick, but not each on its own.
  assert.ok(sizes.length <= 2, `calls of ${sizes} bytes`);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    6,
  );
});

test('the trace sees what it should: one call per tick of a single write', opts, async (t) => {
  if (noStrace()) return t.skip(noStrace());
  assert.deepEqual(await sends(t, 'a write per turn'), Array(5).fill(3));
});
