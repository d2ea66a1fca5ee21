'use strict';

/** Who keeps the process alive. Each case is a child. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run, start } = require('./helpers/child');
const { framesIn, messageKit, once, readAll } = require('./helpers/messages');
const { SocketClient, SocketServer } = require('../lib/messages');

const opts = { timeout: 30_000 };

for (const scenario of [
  'unref before open',
  'unref of an open client',
  'unref while waiting for the next attempt',
  'unref of a server',
  'never opened',
  'an idle timeout alone',
]) {
  test(`lets the process go: ${scenario}`, opts, async () => {
    const result = await run('message-exit', [scenario], { timeout: 10_000 });
    assert.equal(result.timedOut, false, 'something keeps the process alive');
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stdout, 'ready\nexit\n');
  });
}

for (const scenario of [
  'an open client',
  'ref after unref',
  'a listening server',
  'a client that waits for the next attempt',
]) {
  test(`keeps the process: ${scenario}`, opts, async (t) => {
    const { child, ready, done } = start('message-exit', [scenario], { timeout: 10_000 });
    t.after(() => child.kill('SIGKILL'));
    assert.equal(await ready, 'ready');
    const outcome = await Promise.race([
      done,
      new Promise((resolve) => {
        child.stdout.on('data', (text) => String(text).includes('still here') && resolve('alive'));
      }),
    ]);
    assert.equal(outcome, 'alive');
  });
}

test('what was sent before process.exit(), and at it, goes out', opts, async (t) => {
  const server = await messageKit(t).rawServer();
  const all = once(server, 'connection').then(([conn]) => readAll(conn));
  const result = await run('message-exit', ['exit after send', String(server.address().port)]);
  assert.equal(result.code, 7, result.stderr);
  const texts = framesIn(await all).map(String);
  assert.equal(texts.length, 101);
  assert.equal(texts[99], 'message 99');
  assert.equal(texts[100], 'at the exit');
});

test('ref and unref answer the client and the server, at any time', opts, () => {
  for (const each of [new SocketClient(1), new SocketServer()]) {
    assert.equal(each.ref(), each);
    assert.equal(each.unref(), each);
  }
});
