'use strict';

/** The extension options: what they do, and what is refused. */

const assert = require('node:assert/strict');
const timers = require('node:timers/promises');
const { test } = require('node:test');
const { inside, noSs, socketsWhere, timerOf } = require('./helpers/system');
const { NO_HOLE, hole } = require('./helpers/hole');
const {
  HOST,
  TIMEOUT,
  event,
  once,
  peer,
  readAll,
  record,
  throwsDom,
  web,
  webKit,
} = require('./helpers/web');

const { TCPServerSocket, TCPSocket } = web;
const opts = { timeout: TIMEOUT };
const withSs = { ...opts, skip: noSs() };

test('numbers that are none', opts, () => {
  const wrong = {
    closeTimeout: [-1, 1.5, '5', Number.NaN],
    keepAliveDelay: [0, 999, -1, 2 ** 31, 'x'],
    maxBufferedAmount: [-1, 1.5, 'x'],
    receiveBufferSize: [0, -1, 1.5, '1'],
    sendBufferSize: [0, -1, 2 ** 31],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.throws(() => new TCPSocket(HOST, 9, { [name]: value }), {
        code: /^ERR_(?:OUT_OF_RANGE|INVALID_ARG_TYPE)$/,
      });
    }
  }
  for (const backlog of [0, -1, 1.5, '5']) {
    assert.throws(() => new TCPServerSocket({ backlog }), {
      code: /^ERR_(?:OUT_OF_RANGE|INVALID_ARG_TYPE)$/,
    });
  }
  assert.throws(() => new TCPSocket(HOST, 9, { signal: 5 }), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('keepAliveDelay', { ...opts, skip: process.platform !== 'linux' }, async (t) => {
  const k = webKit(t);
  const { socket } = await k.pair({ keepAliveDelay: 100_000 });
  const { kind, seconds } = timerOf(socket.localPort, socket.remotePort);
  assert.equal(kind, 2);
  assert.ok(seconds > 80 && seconds <= 100, String(seconds));
  const named = k.connect(socket.remotePort, { keepAliveDelay: 100_000 }, 'localhost');
  await event(named, 'open');
  assert.equal(timerOf(named.localPort, named.remotePort).kind, 2);
  const accepted = await k.acceptedPair({ keepAliveDelay: 50_000 });
  const timer = timerOf(accepted.socket.localPort, accepted.socket.remotePort);
  assert.equal(timer.kind, 2);
  assert.ok(timer.seconds > 30 && timer.seconds <= 50);
  const plain = await k.pair();
  assert.notEqual(timerOf(plain.socket.localPort, plain.socket.remotePort).kind, 2);
});

test('sendBufferSize and receiveBufferSize', withSs, async (t) => {
  const k = webKit(t);
  const sizes = { sendBufferSize: 20_000, receiveBufferSize: 30_000 };
  const check = ({ socket }) => {
    const { recvBuffer, sendBuffer } = inside(socket.localPort, socket.remotePort);
    // Linux doubles them.
    assert.deepEqual({ recvBuffer, sendBuffer }, { recvBuffer: 60_000, sendBuffer: 40_000 });
  };
  const { socket } = await k.pair(sizes);
  check({ socket });
  const named = k.connect(socket.remotePort, sizes, 'localhost');
  await event(named, 'open');
  check({ socket: named });
  check(await k.acceptedPair(sizes));
});

test('backlog', withSs, (t) => {
  const server = webKit(t).serve({ backlog: 37 });
  const [listener] = socketsWhere(`sport = :${server.localPort}`, 'listening');
  assert.match(listener, /^0\s+37\s/);
});

test('noDelay: a small piece behind another does not wait', opts, async (t) => {
  // What the system has is not to be seen from outside; that the options are taken is.
  const k = webKit(t);
  const { socket, theirs } = await k.pair({ noDelay: true });
  const received = readAll(theirs);
  socket.send('a');
  await timers.setTimeout(1);
  socket.send('b');
  socket.close();
  assert.equal(String(await received), 'ab');
  theirs.end();
  const accepted = await k.acceptedPair({ noDelay: true });
  const answer = readAll(accepted.theirs);
  accepted.socket.send('c');
  accepted.socket.close();
  assert.equal(String(await answer), 'c');
});

test('ipv6Only', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve({ localAddress: '::', ipv6Only: true });
  const client = k.own(peer.connect(server.localPort, HOST));
  const [err] = await once(client, 'error');
  assert.equal(err.code, 'ECONNREFUSED');
  const connected = event(server, 'connect');
  k.own(peer.connect(server.localPort, '::1'));
  const { connectedSocket } = await connected;
  assert.equal(connectedSocket.remoteAddress, '::1');
  assert.equal(connectedSocket.localAddress, '::1');
});

test('allowHalfOpen of a server is inherited', opts, async (t) => {
  const { socket, theirs } = await webKit(t).acceptedPair({ allowHalfOpen: true });
  theirs.end();
  await event(socket, 'halfclose');
  await timers.setTimeout(50);
  assert.equal(socket.readyState, 'open');
  const received = readAll(theirs);
  socket.send('later');
  socket.close();
  assert.equal(String(await received), 'later');
});

test('signal: already aborted, the constructor throws its reason', opts, async (t) => {
  const k = webKit(t);
  const server = await k.listen({ lib: peer });
  let connections = 0;
  server.on('connection', () => connections++);
  const { port } = server.address();
  const reason = new Error('mine');
  assert.throws(
    () => new TCPSocket(HOST, port, { signal: AbortSignal.abort(reason) }),
    (thrown) => thrown === reason,
  );
  throwsDom(() => new TCPSocket(HOST, port, { signal: AbortSignal.abort() }), 'AbortError');
  await timers.setTimeout(50);
  assert.equal(connections, 0);
});

test('signal: a connection is lost', opts, async (t) => {
  const k = webKit(t);
  const controller = new AbortController();
  const { socket, theirs } = await k.pair({ signal: controller.signal });
  const log = record(socket);
  const gone = new Promise((resolve) => theirs.once('error', resolve));
  theirs.resume();
  const reason = new Error('mine');
  controller.abort(reason);
  assert.equal(socket.readyState, 'closed');
  assert.deepEqual(log, []);
  const { error } = await event(socket, 'error');
  assert.equal(error.name, 'NetworkError');
  assert.equal(error.cause.name, 'AbortError');
  assert.equal(error.cause.cause, reason);
  assert.equal((await gone).code, 'ECONNRESET');
  await assert.rejects(socket.closed, { name: 'NetworkError' });
  assert.deepEqual(log, ['error closed', 'close closed']);
});

test('signal: an attempt is called off', { ...opts, skip: NO_HOLE }, async (t) => {
  const { port } = await hole(t, HOST);
  const k = webKit(t);
  for (const host of [HOST, 'localhost']) {
    const controller = new AbortController();
    const socket = k.connect(port, { signal: controller.signal }, host);
    const log = record(socket);
    await timers.setTimeout(30);
    controller.abort();
    const { error } = await event(socket, 'error');
    assert.equal(error.cause.name, 'AbortError');
    await timers.setTimeout(30);
    assert.deepEqual(log, ['error closed']);
  }
});

test('signal: a closed socket does not listen to it any more', opts, async (t) => {
  const k = webKit(t);
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  t.mock.method(signal, 'addEventListener', function addEventListener(...args) {
    listeners++;
    return EventTarget.prototype.addEventListener.apply(this, args);
  });
  t.mock.method(signal, 'removeEventListener', function removeEventListener(...args) {
    listeners--;
    return EventTarget.prototype.removeEventListener.apply(this, args);
  });
  const { socket, theirs } = await k.pair({ signal });
  const refused = k.connect(await k.refusedPort(), { signal });
  assert.equal(listeners, 2);
  theirs.end();
  await Promise.all([event(socket, 'close'), event(refused, 'error')]);
  assert.equal(listeners, 0);
  const log = [...record(socket), ...record(refused)];
  controller.abort();
  await timers.setTimeout(30);
  assert.deepEqual(log, []);
});
