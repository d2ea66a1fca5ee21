'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, kit, once, peer } = require('./helpers/kit');

const opts = { timeout: TIMEOUT };
const sides = ['client', 'server'];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

for (const side of sides) {
  test(`an idle socket gets 'timeout' and stays open (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    const calls = [];
    const began = process.hrtime.bigint();
    assert.equal(
      ours.setTimeout(30, (...args) => calls.push(args)),
      ours,
    );
    assert.equal(ours.timeout, 30);
    await once(ours, 'timeout');
    // Timers of Node count in whole milliseconds, so one may be missing.
    assert.ok(process.hrtime.bigint() - began > 28_000_000n, 'too early');
    assert.deepEqual(calls, [[]]);
    assert.equal(ours.destroyed, false);
    theirs.resume();
    await new Promise((resolve) => ours.write('still open', resolve));
  });

  test(`activity puts the timeout off (${side})`, { timeout: 60_000 }, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    theirs.resume();
    ours.resume();
    for (const act of [
      () => new Promise((resolve) => ours.write('out', resolve)),
      async () => {
        theirs.write('in');
        await once(ours, 'data');
      },
    ]) {
      const limit = 1000;
      ours.setTimeout(limit);
      let last = performance.now();
      let fired = false;
      ours.on('timeout', () => (fired = performance.now()));
      for (let i = 0; i < 8; i++) {
        await wait(limit / 5);
        // On a stalled machine the limit may truly have passed; then there is nothing to see.
        if (performance.now() - last > limit * 0.8) break;
        assert.equal(fired, false, 'timeout although there was activity');
        await act();
        last = performance.now();
      }
      await once(ours, 'timeout');
      assert.ok(performance.now() - last > limit - 20, 'the last activity did not count');
      ours.removeAllListeners('timeout');
    }
  });
}

test("'timeout' comes again after the next activity only", opts, async (t) => {
  const { ours } = await kit(t).pair();
  let count = 0;
  ours.on('timeout', () => count++);
  ours.setTimeout(20);
  await once(ours, 'timeout');
  await wait(100);
  assert.equal(count, 1);
  await new Promise((resolve) => ours.write('x', resolve));
  await once(ours, 'timeout');
  assert.equal(count, 2);
});

test('setTimeout(0) turns it off and removes the listener given', opts, async (t) => {
  const { ours } = await kit(t).pair();
  const never = () => assert.fail('timeout');
  ours.setTimeout(30, never);
  assert.equal(ours.listenerCount('timeout'), 1);
  ours.setTimeout(0, never);
  assert.equal(ours.timeout, 0);
  assert.equal(ours.listenerCount('timeout'), 0);
  ours.on('timeout', never);
  // Another socket's longer timeout passes meanwhile.
  const other = (await kit(t).pair()).ours;
  other.setTimeout(80);
  await once(other, 'timeout');
});

test('the callback is called once only', opts, async (t) => {
  const { ours } = await kit(t).pair();
  let calls = 0;
  ours.setTimeout(20, () => calls++);
  await once(ours, 'timeout');
  await new Promise((resolve) => ours.write('x', resolve));
  await once(ours, 'timeout');
  assert.equal(calls, 1);
});

test('a timeout set before connect counts', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const socket = k.own(new net.Socket());
  socket.setTimeout(30);
  assert.equal(socket.timeout, 30);
  socket.connect(server.address().port, HOST);
  await once(socket, 'connect');
  await once(socket, 'timeout');
});

test('the option timeout of connect', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const socket = k.own(net.connect({ port: server.address().port, host: HOST, timeout: 30 }));
  assert.equal(socket.timeout, 30);
  await once(socket, 'timeout');
});

test('no timeout after destroy', opts, async (t) => {
  const { ours } = await kit(t).pair();
  ours.on('timeout', () => assert.fail('timeout'));
  ours.setTimeout(30);
  ours.destroy();
  await closed(ours);
  const other = (await kit(t).pair()).ours;
  other.setTimeout(80);
  await once(other, 'timeout');
});

test('timeout is undefined unless set, and may be assigned', opts, async () => {
  const socket = new net.Socket();
  assert.equal(socket.timeout, undefined);
  socket.timeout = 5;
  assert.equal(socket.timeout, 5);
});

test('a timeout that is too long for a timer warns and is not 1 ms', opts, async (t) => {
  const { ours } = await kit(t).pair();
  const warning = once(process, 'warning');
  ours.on('timeout', () => assert.fail('timeout'));
  ours.setTimeout(2 ** 31);
  const [{ name }] = await warning;
  assert.equal(name, 'TimeoutOverflowWarning');
  const other = (await kit(t).pair()).ours;
  other.setTimeout(50);
  await once(other, 'timeout');
});

test('connecting counts as activity', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const begin = Date.now();
  let found = 0;
  const lookup = (_host, options, callback) => {
    setTimeout(() => {
      found = Date.now();
      callback(null, options.all ? [{ address: HOST, family: 4 }] : HOST, 4);
    }, 80);
  };
  const socket = k.own(net.connect({ port: server.address().port, host: 'name.test', lookup }));
  socket.setTimeout(120);
  await once(socket, 'timeout');
  // A timer that was not started again at the connection would have gone off 40 ms after the lookup.
  assert.ok(Date.now() - found >= 110, `${found - begin} ms, then ${Date.now() - found} ms`);
});
