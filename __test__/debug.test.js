'use strict';

/** Ours alone: NODE_DEBUG=socket tells the life of each handle on stderr. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { run } = require('./helpers/child');

const opts = { timeout: 60_000 };

test('NODE_DEBUG=socket traces listen, accept, connect and close', opts, async (t) => {
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  const result = await run('exit-scenarios', ['client ended'], { env: { NODE_DEBUG: 'socket' } });
  assert.equal(result.code, 0);
  const lines = result.stderr.split('\n').filter((line) => line.startsWith('SOCKET'));
  for (const word of [/listen/i, /accept/i, /connect/i, /close/i]) {
    assert.ok(
      lines.some((line) => word.test(line)),
      `no line with ${word} in:\n${result.stderr}`,
    );
  }
  // Every line names its handle, so that one life can be followed.
  for (const line of lines) assert.match(line, /#?\d+/);
});

test('without NODE_DEBUG nothing is printed', opts, async () => {
  const result = await run('exit-scenarios', ['client ended']);
  assert.equal(result.code, 0);
  assert.equal(result.stderr, '');
});

test('NODE_DEBUG of another section prints nothing of ours', opts, async () => {
  const result = await run('exit-scenarios', ['client ended'], { env: { NODE_DEBUG: 'sockets' } });
  assert.equal(result.code, 0);
  assert.ok(!/SOCKET \d/.test(result.stderr));
});
