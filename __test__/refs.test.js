'use strict';

/** Who keeps the process alive. Each case is a child; one that must stay is asked to answer first. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const { run, start } = require('./helpers/child');

const opts = { timeout: 30_000 };

const letsGo = [
  'server.unref()',
  'server.unref() before listen',
  'server.unref() in listening',
  'socket.unref() of a client',
  'socket.unref() before connect',
  'unref() of all ends',
  'unref() of accepted sockets and the server',
  'unref(), ref(), unref()',
  'unref() twice',
  'setTimeout on an unref’d socket',
  'paused and unref’d',
  'unref() after data',
  'unref() amid a flood',
  'data of an unref’d socket beside a timer',
];
for (const scenario of letsGo) {
  test(`lets the process go: ${scenario}`, opts, async () => {
    const result = await run('refs', [scenario], { timeout: 10_000 });
    assert.equal(result.timedOut, false, 'something keeps the process alive');
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stdout, 'ready\nexit\n');
  });
}

const holds = [
  'a listening server',
  'server.ref() after unref()',
  'an idle client',
  'an idle accepted socket',
  'a paused client',
  'a client that never had a listener',
  'socket.ref() after unref()',
  'socket.ref() after unref() before connect',
  'one of two sockets unref’d',
  'ref() twice, unref() not at all',
];
for (const scenario of holds) {
  test(`keeps the process: ${scenario}`, opts, async (t) => {
    const { child, ready, done } = start('refs', [scenario], { timeout: 10_000 });
    t.after(() => child.kill('SIGKILL'));
    assert.equal(await ready, 'ready');
    // An unref'd timer of the child proves that its loop turns for the sake of the socket alone.
    const result = await Promise.race([
      done,
      new Promise((resolve) => {
        child.stdout.on('data', (text) => {
          if (String(text).includes('still here')) resolve('still here');
        });
      }),
    ]);
    assert.equal(result, 'still here');
    child.kill('SIGTERM');
    assert.equal((await done).signal, 'SIGTERM');
  });
}

test('ref and unref return the socket and the server, at any time', opts, async () => {
  const socket = new net.Socket();
  assert.equal(socket.ref(), socket);
  assert.equal(socket.unref(), socket);
  socket.destroy();
  await new Promise((resolve) => socket.once('close', resolve));
  assert.equal(socket.ref(), socket);
  assert.equal(socket.unref(), socket);

  const server = net.createServer();
  assert.equal(server.ref(), server);
  assert.equal(server.unref(), server);
  server.listen(0);
  assert.equal(server.ref(), server);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(server.unref(), server);
});
