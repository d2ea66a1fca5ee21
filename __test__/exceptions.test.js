'use strict';

/** Listeners that throw: the process learns of it once, nobody else suffers. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run, runJson } = require('./helpers/child');

const opts = { timeout: 60_000 };

const places = [
  'lookup',
  'connect',
  'ready',
  'data',
  'end',
  'close',
  'error',
  'timeout',
  'write callback',
  'connect listener',
  'connection',
  'listening',
  'server close',
  'accepted data',
  'accepted end',
  'accepted close',
];
for (const place of places) {
  test(`a throw in ${place} reaches uncaughtException once, and all goes on`, opts, async () => {
    const { caught, others, closed } = await runJson('throwing-listener', [place]);
    assert.deepEqual(caught, [{ message: `thrown in ${place}`, origin: 'uncaughtException' }]);
    // Five other connections, made before, have their whole conversation after the throw.
    assert.deepEqual(others, Array(5).fill('echo'));
    assert.equal(closed, true, 'every socket has closed, the throwing one too');
  });
}

for (const place of ['connect', 'connection', 'data', 'end', 'close']) {
  test(`a throw in ${place} without a handler: exit code 1 and the stack`, opts, async () => {
    const result = await run('throwing-listener', [place, 'unhandled']);
    assert.equal(result.timedOut, false);
    assert.equal(result.signal, null);
    assert.equal(result.code, 1);
    assert.match(result.stderr, new RegExp(`Error: thrown in ${place}`));
    assert.match(result.stderr, /throwing-listener\.js:\d+/);
  });
}

test('every listener of a batch throws: each is reported, none is lost', opts, async () => {
  const { caught, order } = await runJson('throwing-batch');
  assert.deepEqual(
    [...caught].sort(),
    Array.from({ length: 10 }, (_, i) => `thrown by ${i}`),
  );
  // Each report comes before the next event, as with any callback.
  assert.equal(order.length, 20);
  for (let i = 0; i < order.length; i += 2) {
    assert.equal(order[i + 1], order[i].replace('data', 'caught'));
  }
});

test('a throw in a tick of one event does not lose the next events', opts, async () => {
  const { caught, order } = await runJson('throwing-batch', ['tick']);
  assert.equal(caught.length, 10);
  assert.equal(order.filter((line) => line.startsWith('data')).length, 10);
});

test('faked timers and clocks do not stop the sockets', opts, async () => {
  const { code, stdout, stderr } = await run('faked-timers');
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'done\n');
});
