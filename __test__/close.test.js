'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const {
  HOST,
  TIMEOUT,
  closed,
  failed,
  kit,
  once,
  peer,
  readAll,
  record,
  turn,
} = require('./helpers/kit');

const opts = { timeout: TIMEOUT };
const sides = ['client', 'server'];
const EVENTS = ['connect', 'ready', 'end', 'finish', 'error', 'close'];

for (const side of sides) {
  test(`the events of an orderly close (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    const log = record(ours, EVENTS);
    ours.resume();
    theirs.end();
    assert.equal(await closed(ours), false);
    await turn();
    assert.deepEqual(log, ['end', 'finish', 'close']);
    assert.equal(ours.destroyed, true);
    assert.equal(ours.readyState, 'closed');
  });

  test(`destroy() of an open socket: only close, and the peer ends (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    const log = record(ours, EVENTS);
    theirs.resume();
    const peerEnd = once(theirs, 'end');
    assert.equal(ours.destroy(), ours);
    assert.equal(ours.destroyed, true);
    assert.deepEqual(log, [], 'not synchronous');
    assert.equal(await closed(ours), false);
    await peerEnd;
    assert.deepEqual(log, ['close']);
  });

  test(`destroy(err): error, then close with hadError (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    theirs.on('error', () => {});
    const log = record(ours, EVENTS);
    const reason = new Error('my reason');
    const error = failed(ours);
    ours.destroy(reason);
    assert.equal(await closed(ours), true);
    assert.equal(await error, reason);
    await turn();
    assert.deepEqual(log, ['error', 'close']);
  });

  test(`destroy() twice: one close (${side})`, opts, async (t) => {
    const { ours } = await kit(t).pair({ side });
    const log = record(ours, EVENTS);
    ours.destroy();
    ours.destroy(new Error('too late'));
    await closed(ours);
    ours.destroy(new Error('much too late'));
    ours.end();
    await turn();
    assert.deepEqual(log, ['close']);
  });

  test(`destroySoon() sends what is queued first (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    const got = readAll(theirs);
    ours.write(Buffer.alloc(2_000_000, 'd'));
    const end = closed(ours);
    ours.destroySoon();
    ours.destroySoon();
    assert.equal(ours.writable, false);
    assert.equal((await got).length, 2_000_000);
    assert.equal(await end, false);
  });

  test(`resetAndDestroy() resets the peer (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    const log = record(ours, EVENTS);
    theirs.resume();
    const error = failed(theirs);
    assert.equal(ours.resetAndDestroy(), ours);
    assert.equal(ours.destroyed, true);
    assert.equal(await closed(ours), false);
    assert.equal((await error).code, 'ECONNRESET');
    assert.deepEqual(log, ['close']);
  });

  test(`destroy() with unread data resets the peer (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    theirs.resume();
    // Paused without a byte read, so the data stays in the kernel.
    ours.pause();
    await new Promise((resolve) => theirs.write(Buffer.alloc(100_000), resolve));
    const error = failed(theirs);
    ours.destroy();
    assert.equal((await error).code, 'ECONNRESET');
  });
}

test('a socket that never connected can be destroyed', opts, async () => {
  const socket = new net.Socket();
  const log = record(socket, EVENTS);
  socket.destroy();
  // Node says undefined here: there was no handle whose close could have failed.
  assert.ok(!(await closed(socket)));
  assert.deepEqual(log, ['close']);
});

test('destroy() while connecting: no connect event', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  server.on('connection', (conn) => conn.on('error', () => {}));
  for (const when of ['at once', 'next tick', 'next turn']) {
    const socket = new net.Socket();
    const log = record(socket, EVENTS);
    socket.connect(server.address().port, HOST);
    if (when === 'next tick') await new Promise((resolve) => process.nextTick(resolve));
    const end = closed(socket);
    if (when === 'next turn') setImmediate(() => socket.destroy());
    else socket.destroy();
    assert.equal(await end, false);
    await turn();
    // Only the next turn may already have brought the connection.
    if (when !== 'next turn') assert.deepEqual(log, ['close'], when);
    else assert.equal(log.at(-1), 'close');
    assert.equal(socket.connecting, false);
  }
});

for (const outcome of ['connected', 'refused']) {
  test(`destroy() when the news is already on its way: ${outcome}`, opts, async (t) => {
    const k = kit(t);
    const server = await k.listen({ lib: peer });
    server.on('connection', (conn) => conn.on('error', () => {}));
    const port = outcome === 'refused' ? await k.refusedPort() : server.address().port;
    const sockets = Array.from({ length: 20 }, () => k.own(net.connect(port, HOST)));
    const logs = sockets.map((socket) => record(socket, EVENTS));
    const ends = sockets.map(closed);
    // The attempts start in a tick; their results come while this thread is busy.
    await new Promise((resolve) => process.nextTick(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    for (const socket of sockets) socket.destroy();
    assert.deepEqual(new Set(await Promise.all(ends)), new Set([false]));
    await turn();
    for (const log of logs) assert.deepEqual(log, ['close']);
  });
}

test('destroy() in each listener still closes once', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => {
    conn.on('error', () => {});
    conn.end('hello');
  });
  for (const name of ['connect', 'ready', 'data', 'end', 'finish']) {
    const socket = k.own(net.connect(server.address().port, HOST));
    const log = record(socket, EVENTS);
    socket.on(name, () => socket.destroy());
    socket.resume();
    assert.equal(await closed(socket), false, name);
    await turn();
    assert.equal(log.at(-1), 'close', name);
    assert.equal(log.filter((each) => each === 'close').length, 1, name);
    assert.ok(!log.includes('error'), name);
    // Node fires 'ready' with 'connect', whatever its listeners did.
    if (name === 'connect') assert.deepEqual(log, ['connect', 'ready', 'close']);
    if (name === 'data') assert.ok(!log.includes('end'));
  }
});

test('nothing is delivered after destroy()', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  theirs.on('error', () => {});
  let chunks = 0;
  ours.on('data', () => {
    chunks++;
    ours.destroy();
  });
  ours.on('end', () => assert.fail('end after destroy()'));
  for (let i = 0; i < 50; i++) theirs.write(Buffer.alloc(100_000));
  await closed(ours);
  await turn();
  assert.equal(chunks, 1);
});

test('write after end(): ERR_STREAM_WRITE_AFTER_END', opts, async (t) => {
  const { ours } = await kit(t).pair({ side: 'client' });
  const error = failed(ours);
  ours.end();
  const fromCallback = new Promise((resolve) => ours.write('late', resolve));
  const err = await fromCallback;
  assert.equal(err.code, 'ERR_STREAM_WRITE_AFTER_END');
  assert.equal(err.message, 'write after end');
  assert.equal((await error).code, 'ERR_STREAM_WRITE_AFTER_END');
});

test('write after the peer has ended: EPIPE', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  theirs.end();
  ours.resume();
  await once(ours, 'end');
  // Without allowHalfOpen this side has ended as well.
  const error = failed(ours);
  const fromCallback = new Promise((resolve) => ours.write('late', resolve));
  const err = await error;
  assert.equal(err.code, 'EPIPE');
  assert.equal(err.message, 'This socket has been ended by the other party');
  assert.match(err.stack, /^Error: This/);
  assert.equal((await fromCallback).code, 'EPIPE');
});

test('write after destroy(): ERR_STREAM_DESTROYED to the callback', opts, async (t) => {
  const { ours } = await kit(t).pair({ side: 'client' });
  ours.on('error', () => assert.fail('error event'));
  ours.destroy();
  const err = await new Promise((resolve) => ours.write('late', resolve));
  assert.equal(err.code, 'ERR_STREAM_DESTROYED');
  await turn();
});

test('write on a socket that was never connected: ERR_SOCKET_CLOSED', opts, async () => {
  const socket = new net.Socket();
  const error = failed(socket);
  const fromCallback = new Promise((resolve) => socket.write('void', resolve));
  assert.equal((await error).code, 'ERR_SOCKET_CLOSED');
  assert.equal((await fromCallback).code, 'ERR_SOCKET_CLOSED');
});

for (const side of sides) {
  test(`pending write callbacks get an error on destroy (${side})`, opts, async (t) => {
    const { ours } = await kit(t).pair({ side });
    // The peer does not read: the buffers of the kernel fill up, then writes wait.
    const results = [];
    let n = 0;
    while (n < 100) {
      const i = n++;
      const flowing = ours.write(Buffer.alloc(1_000_000), (err) => results.push([i, err?.code]));
      if (!flowing) await turn();
    }
    ours.destroy();
    await closed(ours);
    await turn();
    assert.equal(results.length, n, 'every callback is called');
    assert.deepEqual(
      results.map(([i]) => i),
      [...results.keys()],
      'in order',
    );
    const codes = results.map(([, code]) => code);
    const taken = codes.filter((code) => code === undefined).length;
    assert.ok(taken < n, 'the kernel did not take it all');
    // First those that were taken, then what was on its way, then those still queued.
    const kinds = codes.filter((code, i) => i === 0 || code !== codes[i - 1]);
    const rest = kinds.filter((code) => code !== undefined);
    assert.deepEqual(kinds, taken ? [undefined, ...rest] : rest);
    const allowed = [
      ['ERR_STREAM_DESTROYED'],
      ['ECANCELED'],
      ['ECANCELED', 'ERR_STREAM_DESTROYED'],
    ];
    assert.ok(allowed.map(String).includes(String(rest)), String(rest));
  });

  test(`pending write callbacks get the error of a reset (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    const results = [];
    for (let i = 0; i < 30; i++) {
      ours.write(Buffer.alloc(1_000_000), (err) => results.push(err?.code));
    }
    const error = failed(ours);
    theirs.resetAndDestroy();
    const { code } = await error;
    assert.ok(['ECONNRESET', 'EPIPE'].includes(code), code);
    await closed(ours);
    assert.equal(results.length, 30);
    assert.ok(['ECONNRESET', 'EPIPE'].includes(results.at(-1)), results.at(-1));
  });
}

test('the end callback gets an error when the socket is destroyed first', opts, async (t) => {
  const { ours } = await kit(t).pair({ side: 'client' });
  const answered = new Promise((resolve) => ours.end(Buffer.alloc(50_000_000), resolve));
  ours.destroy();
  // The second when the write was already under way (Node 24 and later).
  const { code } = await answered;
  assert.ok(['ERR_STREAM_DESTROYED', 'ECANCELED'].includes(code), code);
});

test('resetAndDestroy() while connecting resets after the connection', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const accepted = once(server, 'connection');
  const socket = net.connect(server.address().port, HOST);
  const log = record(socket, EVENTS);
  socket.resetAndDestroy();
  const [conn] = await accepted;
  conn.resume();
  assert.equal((await failed(conn)).code, 'ECONNRESET');
  // `closed` is true before the event, so the event itself is what to wait for.
  if (!log.includes('close')) await closed(socket);
  assert.equal(log.at(-1), 'close');
});

test('resetAndDestroy() of a socket that has no connection', opts, async (t) => {
  const fresh = new net.Socket();
  const error = failed(fresh);
  fresh.resetAndDestroy();
  assert.equal((await error).code, 'ERR_SOCKET_CLOSED');

  const { ours } = await kit(t).pair({ side: 'client' });
  ours.destroy();
  const late = failed(ours);
  ours.resetAndDestroy();
  await closed(ours);
  // Already destroyed: nothing more to report.
  const first = await Promise.race([late, turn().then(() => 'nothing')]);
  assert.equal(first, 'nothing');
});

test('_handle is there while the socket is open only', opts, async (t) => {
  const { ours } = await kit(t).pair({ side: 'client' });
  assert.ok(ours._handle);
  ours.destroy();
  await closed(ours);
  assert.equal(ours._handle, null);
});

test('await using closes a socket', opts, async (t) => {
  const { ours } = await kit(t).pair({ side: 'client' });
  await ours[Symbol.asyncDispose]();
  assert.equal(ours.destroyed, true);
});
