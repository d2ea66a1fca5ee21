'use strict';

/** What UDP sockets keep alive, and how they end. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run, start } = require('./helpers/child');
const { HOST, TIMEOUT, udpKit, until } = require('./helpers/udp');

const opts = { timeout: TIMEOUT };
const clean = (code) => ({ code, signal: null, stderr: '', timedOut: false });

async function ends(what, code = 0, ...args) {
  const { stdout: _, ...how } = await run('udp-life', [what, ...args]);
  assert.deepEqual(how, clean(code));
}

test('a closed socket keeps no process alive', opts, () => ends('closed'));
test('an open one does not either, after unref()', opts, () => ends('unref'));
test('nor one that gets more than it can take', opts, () => ends('floodedUnref'));
test('process.exit() with datagrams under way', opts, () => ends('exit', 7));

for (const what of ['open', 'suspended']) {
  test(`an open socket keeps the process alive (${what})`, opts, async () => {
    const { child, ready, done } = start('udp-life', [what]);
    await ready;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(child.exitCode, null);
    child.kill();
    assert.equal((await done).signal, 'SIGTERM');
  });
}

test('what was sent in the last turn of a process goes out', opts, async (t) => {
  const { port, received } = await udpKit(t).peer();
  await ends('lastWords', 0, String(port));
  await received.atLeast(2);
  assert.deepEqual(received.texts(), ['last words', 'from the exit handler']);
});

test('worker.terminate() with datagrams under way', { timeout: 60_000 }, async () => {
  const { stdout, ...how } = await run('udp-life', ['workers'], { timeout: 50_000 });
  assert.deepEqual(how, clean(0));
  assert.equal(stdout, 'done\n');
});

test('sockets come and go', { timeout: 60_000 }, async (t) => {
  const { bind, peer } = udpKit(t);
  const { socket: theirs } = await peer();
  let count = 0;
  for (let i = 0; i < 500; i++) {
    const socket = bind();
    socket.onmessage = () => {
      count++;
      socket.close();
    };
    theirs.send('x', socket.localPort, HOST);
    if (i % 50 === 49) await until(() => count === i + 1);
  }
});
