'use strict';

/** The end of a connection. The numbers are those of the acceptance cases of the contract. */

const assert = require('node:assert/strict');
const timers = require('node:timers/promises');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { TCPSocket } = require('socket');
const {
  HOST,
  TIMEOUT,
  collect,
  event,
  once,
  readAll,
  readBytes,
  record,
  stalled,
  throwsDom,
  turn,
  until,
  webKit,
} = require('./helpers/web');

const opts = { timeout: TIMEOUT };

test('18: close() is closing at once, and one close later', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  theirs.on('end', () => theirs.end()).resume();
  socket.close();
  assert.equal(socket.readyState, 'closing');
  assert.deepEqual(log, []);
  await event(socket, 'close');
  assert.equal(socket.readyState, 'closed');
  await timers.setTimeout(50);
  assert.deepEqual(log, ['close closed']);
});

test('19: all 5 MB are sent before the end; drain, then close', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  const bytes = Buffer.alloc(5_000_000, 'y');
  assert.equal(socket.send(bytes), false);
  socket.close();
  assert.equal(socket.bufferedAmount, bytes.length);
  await timers.setTimeout(100);
  assert.deepEqual(log, []);
  assert.ok((await readAll(theirs)).equals(bytes));
  theirs.end();
  await event(socket, 'close');
  assert.deepEqual(log, ['drain closing', 'close closed']);
  assert.equal(socket.bufferedAmount, 0);
});

test('20: halfclose(), and an answer a second later', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  const received = collect(socket);
  socket.send('question');
  socket.halfclose();
  assert.equal(socket.readyState, 'halfclosed');
  assert.equal(String(await readAll(theirs)), 'question');
  await timers.setTimeout(1000);
  assert.equal(socket.readyState, 'halfclosed');
  theirs.end('answer');
  await event(socket, 'close');
  assert.equal(received.text(), 'answer');
  assert.deepEqual(log, ['message halfclosed', 'close closed']);
});

test('21: halfclosed: send() throws, close() closes', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  theirs.on('end', () => theirs.end()).resume();
  const log = record(socket);
  socket.halfclose();
  throwsDom(() => socket.send('x'), 'InvalidStateError');
  socket.close();
  assert.equal(socket.readyState, 'closing');
  await event(socket, 'close');
  assert.deepEqual(log, ['close closed']);
});

test('22: halfclose() while connecting: open is seen halfclosed', opts, async (t) => {
  const k = webKit(t);
  const server = await k.listen({ allowHalfOpen: true });
  const accepted = once(server, 'connection');
  const socket = k.connect(server.address().port);
  const log = record(socket);
  socket.halfclose();
  assert.equal(socket.readyState, 'connecting');
  const [theirs] = await accepted;
  assert.equal((await readAll(theirs)).length, 0);
  theirs.end('bye');
  await event(socket, 'close');
  assert.deepEqual(log, ['open halfclosed', 'message halfclosed', 'close closed']);
});

test('24: the peer ends: halfclose, what is sent then arrives, close', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  socket.onhalfclose = (halfclose) => {
    assert.equal(halfclose.cancelable, true);
    socket.send('last words');
  };
  theirs.end('data');
  assert.equal(String(await readAll(theirs)), 'last words');
  await until(() => socket.readyState === 'closed');
  await until(() => log.length === 3);
  assert.deepEqual(log, ['message open', 'halfclose open', 'close closed']);
});

for (const way of ['preventDefault()', 'false', 'allowHalfOpen']) {
  test(`25: … and ${way} keeps the socket open`, opts, async (t) => {
    const { socket, theirs } = await webKit(t).pair({ allowHalfOpen: way === 'allowHalfOpen' });
    if (way === 'preventDefault()') {
      socket.addEventListener('halfclose', (halfclose) => halfclose.preventDefault());
    }
    if (way === 'false') socket.onhalfclose = () => false;
    const log = record(socket);
    theirs.end();
    await event(socket, 'halfclose');
    await timers.setTimeout(100);
    assert.equal(socket.readyState, 'open');
    const received = readBytes(theirs, 5);
    socket.send('later');
    assert.equal(String(await received), 'later');
    assert.deepEqual(log, ['halfclose open']);
    socket.close();
    await event(socket, 'close');
    assert.deepEqual(log, ['halfclose open', 'close closed']);
  });
}

test('26: the peer resets: error, then close', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  const { address, port } = theirs.address();
  theirs.resetAndDestroy();
  const { error } = await event(socket, 'error');
  assert.equal(error.name, 'NetworkError');
  assert.equal(error.cause.code, 'ECONNRESET');
  assert.equal(error.cause.syscall, 'read');
  assert.equal(error.cause.address, address);
  assert.equal(error.cause.port, port);
  assert.ok(error.cause.errno < 0);
  await event(socket, 'close');
  assert.deepEqual(log, ['error closed', 'close closed']);
});

test('26b: what waits when the peer resets is dropped', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  socket.send(new Uint8Array(30_000_000));
  theirs.pause();
  theirs.resetAndDestroy();
  await event(socket, 'error');
  assert.equal(socket.bufferedAmount, 0);
});

test('27: suspend() and resume()', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  const received = collect(socket);
  socket.suspend();
  socket.suspend();
  theirs.write('one');
  await timers.setTimeout(150);
  theirs.end('two');
  await timers.setTimeout(150);
  assert.deepEqual(log, []);
  assert.equal(socket.readyState, 'open');
  socket.resume();
  assert.deepEqual(log, []);
  await event(socket, 'close');
  assert.equal(received.text(), 'onetwo');
  assert.deepEqual(log.slice(-2), ['halfclose open', 'close closed']);
});

test('27b: nothing is delivered after suspend(), whatever is on its way', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const sent = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 13) % 251));
  const chunks = [];
  let isSuspended = false;
  let suspensions = 0;
  socket.onmessage = ({ data }) => {
    assert.equal(isSuspended, false);
    chunks.push(Buffer.from(data));
    if (chunks.length % 5 !== 0) return;
    isSuspended = true;
    suspensions++;
    socket.suspend();
    setTimeout(() => {
      isSuspended = false;
      socket.resume();
    }, 2);
  };
  socket.onhalfclose = () => assert.equal(isSuspended, false);
  theirs.end(sent);
  await event(socket, 'close');
  assert.ok(suspensions > 0);
  assert.ok(Buffer.concat(chunks).equals(sent));
});

test('27c: suspend() while connecting holds from the start', opts, async (t) => {
  const k = webKit(t);
  const server = await k.listen({}, (theirs) => theirs.end('hello'));
  const socket = k.connect(server.address().port);
  const log = record(socket);
  socket.suspend();
  await event(socket, 'open');
  await timers.setTimeout(100);
  assert.deepEqual(log, ['open open']);
  socket.resume();
  await event(socket, 'close');
  assert.deepEqual(log, ['open open', 'message open', 'halfclose open', 'close closed']);
});

test('27d: close() of a suspended socket', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  socket.suspend();
  theirs.end(Buffer.alloc(1_000_000));
  await timers.setTimeout(50);
  socket.close();
  await event(socket, 'close');
  assert.deepEqual(log, ['close closed']);
});

test('28: suspended, the peer is held back', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  socket.suspend();
  const size = 50_000_000;
  theirs.end(Buffer.alloc(size));
  await stalled(theirs);
  let total = 0;
  socket.onmessage = ({ data }) => (total += data.byteLength);
  socket.resume();
  await event(socket, 'close');
  assert.equal(total, size);
});

/** In a thread of its own: sends for ever. */
const FLOOD = `
  const net = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const block = Buffer.alloc(65_536);
  const server = net.createServer((conn) => {
    conn.on('error', () => {});
    const pump = () => {
      while (conn.write(block));
      conn.once('drain', pump);
    };
    pump();
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

test('28b: after resume(), no more is received than is delivered', opts, async (t) => {
  const flood = new Worker(FLOOD, { eval: true });
  t.after(() => flood.terminate());
  const [port] = await once(flood, 'message');
  const socket = new TCPSocket(HOST, port);
  const busy = (ms) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  // The engine reads ahead, so there is something on its way when it is suspended, which is queued.
  let ahead = 0;
  await new Promise((resolve) => {
    socket.onmessage = () => {
      if (++ahead < 200) return;
      busy(50);
      socket.suspend();
      resolve();
    };
  });
  await timers.setTimeout(200);
  const before = process.memoryUsage().arrayBuffers;
  let [messages, most] = [0, 0];
  const enough = new Promise((resolve) => {
    socket.onmessage = () => {
      busy(0.5); // Long enough for more to come than this was.
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      if (++messages === 3000) resolve();
    };
  });
  socket.resume();
  await enough;
  socket.closeImmediately();
  t.diagnostic(`${most} bytes more at most`);
  // What the collector of garbage has not looked at yet is among them.
  assert.ok(most < 200_000_000, `${most} bytes more`);
});

test('29: a peer that never closes has closeTimeout', opts, async (t) => {
  const k = webKit(t);
  const pairs = await Promise.all([k.pair(), k.pair({ closeTimeout: 100 })]);
  const times = await Promise.all(
    pairs.map(async ({ socket, theirs }) => {
      theirs.resume();
      const begin = performance.now();
      socket.close();
      await event(socket, 'close');
      return performance.now() - begin;
    }),
  );
  assert.ok(times[0] > 4900 && times[0] < 6000, String(times[0]));
  assert.ok(times[1] > 90 && times[1] < 4000, String(times[1]));
});

test('29b: while closing, input is thrown away', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  const errors = [];
  theirs.on('error', (err) => errors.push(err));
  const closed = event(socket, 'close');
  const received = readAll(theirs);
  socket.send('x'.repeat(100_000));
  socket.close();
  for (let i = 0; i < 20; i++) {
    theirs.write(Buffer.alloc(100_000));
    await timers.setTimeout(2);
  }
  theirs.end();
  assert.equal((await received).length, 100_000);
  await closed;
  assert.deepEqual(
    log.filter((each) => each !== 'drain closing'),
    ['close closed'],
  );
  assert.deepEqual(errors, []);
});

test('34: closed, every method does nothing', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  theirs.end();
  await event(socket, 'close');
  const log = record(socket);
  for (const name of ['close', 'halfclose', 'suspend', 'resume', 'closeImmediately']) {
    assert.equal(socket[name](), undefined);
    assert.equal(socket.readyState, 'closed');
  }
  assert.equal(socket.ref().unref(), socket);
  await timers.setTimeout(50);
  assert.deepEqual(log, []);
  throwsDom(() => socket.send('x'), 'InvalidStateError');
  assert.equal(socket.bufferedAmount, 0);
});

/** Resets the connection; its other end has the reset on return, but has not been told. */
function reset(theirs) {
  theirs.resetAndDestroy();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
}

for (const size of [0, 1, 100_000]) {
  test(`ending what is lost already, with ${size} bytes to send`, opts, async (t) => {
    const k = webKit(t);
    const { socket, theirs } = await k.pair();
    const log = record(socket);
    const { writable } = await socket.opened;
    await turn();
    reset(theirs);
    if (size > 0) socket.send(new Uint8Array(size));
    const ended = assert.rejects(writable.close(), { name: 'NetworkError' });
    assert.equal(socket.readyState, 'halfclosed');
    await assert.rejects(socket.closed, { name: 'NetworkError' });
    await ended;
    assert.deepEqual(log, ['error closed', 'close closed']);

    const { socket: other, theirs: others } = await k.pair();
    const otherLog = record(other);
    reset(others);
    if (size > 0) other.send(new Uint8Array(size));
    other.close();
    await event(other, 'close');
    assert.deepEqual(otherLog, ['close closed']);
  });
}

test('halfclose() of what is lost behind its end', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair({ allowHalfOpen: true });
  const log = record(socket);
  const ended = event(socket, 'halfclose');
  theirs.end();
  await ended;
  reset(theirs);
  socket.halfclose();
  await assert.rejects(socket.closed, { name: 'NetworkError' });
  assert.deepEqual(log, ['halfclose open', 'error closed', 'close closed']);
});

test('closeImmediately() resets', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  const failed = once(theirs, 'error');
  theirs.resume();
  socket.closeImmediately();
  assert.equal(socket.readyState, 'closing');
  const [err] = await failed;
  assert.equal(err.code, 'ECONNRESET');
  await until(() => socket.readyState === 'closed');
  assert.deepEqual(log, ['close closed']);
});

test('closeImmediately() drops what waits', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const size = 30_000_000;
  const closed = event(socket, 'close');
  let received = 0;
  theirs.on('data', ({ length }) => (received += length));
  const gone = new Promise((resolve) => theirs.once('close', resolve));
  theirs.on('end', () => theirs.end());
  socket.send(new Uint8Array(size));
  socket.close();
  assert.ok(socket.bufferedAmount > 0);
  socket.closeImmediately();
  assert.equal(socket.bufferedAmount, 0);
  await Promise.all([closed, gone]);
  assert.ok(received < size, String(received));
});

test('what was sent in the tick of close() and halfclose() is sent', opts, async (t) => {
  const k = webKit(t);
  for (const way of ['close', 'halfclose']) {
    const { socket, theirs } = await k.pair();
    socket.send('a');
    socket.send(new Uint8Array([98]));
    socket[way]();
    assert.equal(String(await readAll(theirs)), 'ab');
    theirs.end();
  }
});

test('data and the end before a reset: all that came is delivered first', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  const received = collect(socket);
  socket.suspend();
  theirs.write('data');
  await timers.setTimeout(50);
  socket.resume();
  await until(() => received.length === 4);
  theirs.resetAndDestroy();
  await until(() => log.length === 3);
  assert.deepEqual(log, ['message open', 'error closed', 'close closed']);
});
