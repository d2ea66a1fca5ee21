'use strict';

/** A client from its constructor to `open` or `error`. The numbers are those of the acceptance cases of the contract. */

const assert = require('node:assert/strict');
const dns = require('node:dns');
const { isIP } = require('node:net');
const os = require('node:os');
const timers = require('node:timers/promises');
const { test } = require('node:test');
const { NO_HOLE, hole } = require('./helpers/hole');
const { run } = require('./helpers/child');
const {
  HOST,
  TIMEOUT,
  event,
  once,
  peer,
  readAll,
  record,
  throwsDom,
  until,
  web,
  webKit,
} = require('./helpers/web');

const { ErrorEvent, TCPServerSocket, TCPSocket } = web;
const opts = { timeout: TIMEOUT };

/** Long enough for an event that must not come. */
const QUIET = 500;

test('1: the constructor returns at once, connecting', opts, async (t) => {
  const k = webKit(t);
  const { port } = (await k.listen({ lib: peer })).address();
  const socket = k.connect(port);
  assert.equal(socket.readyState, 'connecting');
  assert.equal(socket.bufferedAmount, 0);
  assert.equal(socket.remoteAddress, HOST);
  assert.strictEqual(socket.remotePort, port);
  assert.equal(socket.localAddress, null);
  assert.equal(socket.localPort, null);
});

test('2: one open, and then the local address is known', opts, async (t) => {
  const k = webKit(t);
  const server = await k.listen({ lib: peer });
  const accepted = once(server, 'connection');
  const socket = k.connect(server.address().port);
  const log = record(socket);
  const [open, [theirs]] = await Promise.all([event(socket, 'open'), accepted]);
  assert.equal(open.constructor, Event);
  assert.equal(socket.localAddress, HOST);
  assert.equal(socket.localPort, theirs.remotePort);
  assert.ok(socket.localPort > 0);
  await timers.setTimeout(50);
  assert.deepEqual(log, ['open open']);
});

test('3: a refused connection is one error, and no close', opts, async (t) => {
  const k = webKit(t);
  const port = await k.refusedPort();
  const socket = k.connect(port);
  const log = record(socket);
  const failed = await event(socket, 'error');
  assert.ok(failed instanceof ErrorEvent);
  const { error } = failed;
  assert.ok(error instanceof DOMException);
  assert.equal(error.name, 'NetworkError');
  assert.equal(error.code, 19);
  assert.equal(failed.name, 'NetworkError');
  assert.equal(failed.message, error.message);
  const { address, code, errno, port: causePort, syscall } = error.cause;
  assert.ok(error.cause instanceof Error);
  assert.deepEqual(
    { address, code, errno, port: causePort, syscall },
    {
      address: HOST,
      code: 'ECONNREFUSED',
      errno: -os.constants.errno.ECONNREFUSED,
      port,
      syscall: 'connect',
    },
  );
  await timers.setTimeout(QUIET);
  assert.deepEqual(log, ['error closed']);
});

test('4: addresses that are none', opts, () => {
  const bad = ['', '[::1]', 'a b', 'host:80', '-x', 'a..b', '127.1', '999.1.1.1', 'x'.repeat(64)];
  const wrong = [undefined, null, 5, {}, 'a\0b', 'a/b', 'http://a', 'user@host', '::1%', '%'];
  for (const address of [...bad, ...wrong]) {
    const err = throwsDom(() => new TCPSocket(address, 80), 'InvalidAccessError');
    assert.equal(err.code, 15);
  }
});

test('5: ports that are none, and one in a string', opts, async (t) => {
  const k = webKit(t);
  const bad = [0, -1, 65_536, 70_000, 1.5, Number.NaN, 'x', '', ' ', null, undefined, {}, true];
  for (const port of bad) throwsDom(() => new TCPSocket(HOST, port), 'InvalidAccessError');
  const { port } = (await k.listen({ lib: peer })).address();
  const socket = k.connect(String(port));
  assert.strictEqual(socket.remotePort, port);
  await event(socket, 'open');
});

test('6: too few arguments, no new, options that are no object', opts, () => {
  assert.throws(() => new TCPSocket(HOST), TypeError);
  assert.throws(() => new TCPSocket(), TypeError);
  assert.throws(() => TCPSocket(HOST, 80), TypeError);
  for (const options of [5, 'x', true, Symbol.iterator]) {
    assert.throws(() => new TCPSocket(HOST, 80, options), TypeError);
  }
  assert.equal(TCPSocket.length, 2);
  assert.equal(TCPServerSocket.length, 0);
});

test('7: a host name', opts, async (t) => {
  const k = webKit(t);
  const { port } = (await k.listen({ lib: peer })).address();
  const socket = k.connect(port, undefined, 'localhost');
  await event(socket, 'open');
  assert.equal(socket.remoteAddress, 'localhost');
  assert.equal((await socket.opened).remoteAddress, HOST);
});

/** Has every name mean these addresses. */
function resolveTo(t, ...addresses) {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  t.mock.method(dns, 'lookup', (host, options, callback) => {
    const found = all.filter(({ family }) => !options.family || options.family === family);
    if (options.all) setImmediate(callback, null, found);
    else setImmediate(callback, null, found[0].address, found[0].family);
  });
}

test('7b: of several addresses the first that answers', opts, async (t) => {
  const k = webKit(t);
  const server = await k.listen({ lib: peer });
  resolveTo(t, '127.0.0.3', '127.0.0.2', HOST);
  const socket = k.connect(server.address().port, undefined, 'example.org');
  await event(socket, 'open');
  assert.equal((await socket.opened).remoteAddress, HOST);
  assert.equal(socket.remoteAddress, 'example.org');
});

test('7c: of several that refuse, an error in the shape of one', opts, async (t) => {
  const k = webKit(t);
  const port = await k.refusedPort();
  resolveTo(t, '127.0.0.3', HOST);
  const { error } = await event(k.connect(port, undefined, 'example.org'), 'error');
  assert.equal(error.name, 'NetworkError');
  const { address, code, syscall } = error.cause;
  assert.deepEqual(
    { address, code, port: error.cause.port, syscall },
    { address: '127.0.0.3', code: 'ECONNREFUSED', port, syscall: 'connect' },
  );
  assert.equal(error.cause.errors.length, 2);
  assert.match(error.message, /127\.0\.0\.3.*127\.0\.0\.1/);
});

test('dnsQueryType chooses among the addresses of a name', opts, async (t) => {
  const k = webKit(t);
  const { port } = (await k.listen({ lib: peer, host: '::' })).address();
  resolveTo(t, '::1', HOST);
  const peers = { ipv4: HOST, ipv6: '::1' };
  for (const [dnsQueryType, address] of Object.entries(peers)) {
    const socket = k.connect(port, { dnsQueryType }, 'example.org');
    assert.equal((await socket.opened).remoteAddress, address);
  }
  // A local address chooses as well.
  const socket = k.connect(port, { localAddress: HOST }, 'example.org');
  assert.equal((await socket.opened).remoteAddress, HOST);
  assert.throws(() => new TCPSocket(HOST, port, { dnsQueryType: 'ipv5' }), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
  throwsDom(
    () => new TCPSocket('x.org', port, { dnsQueryType: 'ipv6', localAddress: HOST }),
    'InvalidAccessError',
  );
});

test('8: an unknown name is an error, and no close', opts, async (t) => {
  const k = webKit(t);
  const socket = k.connect(80, undefined, 'no-such-host.invalid');
  const log = record(socket);
  const { error } = await event(socket, 'error');
  assert.equal(error.name, 'NetworkError');
  assert.match(error.cause.code, /^(?:ENOTFOUND|EAI_AGAIN)$/);
  await timers.setTimeout(QUIET);
  assert.deepEqual(log, ['error closed']);
});

test('9: nothing is sent while connecting', opts, async (t) => {
  const k = webKit(t);
  const server = await k.listen({ lib: peer, allowHalfOpen: true });
  const accepted = once(server, 'connection');
  const socket = k.connect(server.address().port);
  const err = throwsDom(() => socket.send('x'), 'InvalidStateError');
  assert.equal(err.code, 11);
  assert.equal(socket.bufferedAmount, 0);
  await event(socket, 'open');
  const [theirs] = await accepted;
  socket.close();
  assert.equal((await readAll(theirs)).length, 0);
  theirs.end();
});

test('31: a local port that is taken, a local address that is not ours', opts, async (t) => {
  const k = webKit(t);
  const { port } = (await k.listen({ lib: peer })).address();
  const taken = throwsDom(
    () => new TCPSocket(HOST, port, { localAddress: HOST, localPort: port }),
    'InvalidAccessError',
    'EADDRINUSE',
  );
  assert.equal(taken.cause.syscall, 'bind');
  assert.equal(taken.cause.port, port);
  assert.equal(taken.cause.address, HOST);
  throwsDom(
    () => new TCPSocket(HOST, port, { localAddress: '192.0.2.1' }),
    'InvalidAccessError',
    'EADDRNOTAVAIL',
  );
  // The same where the host is a name, and nothing is connected to yet.
  throwsDom(
    () => new TCPSocket('localhost', port, { localAddress: HOST, localPort: port }),
    'InvalidAccessError',
    'EADDRINUSE',
  );
  throwsDom(
    () => new TCPSocket('localhost', port, { localAddress: '192.0.2.1' }),
    'InvalidAccessError',
    'EADDRNOTAVAIL',
  );
  for (const localAddress of ['nope', '', 'localhost', 5]) {
    throwsDom(() => new TCPSocket(HOST, port, { localAddress }), 'InvalidAccessError');
  }
  for (const localPort of [-1, 65_536, 'x', Number.NaN]) {
    throwsDom(() => new TCPSocket(HOST, port, { localPort }), 'InvalidAccessError');
  }
  throwsDom(() => new TCPSocket(HOST, port, { localAddress: '::1' }), 'InvalidAccessError');
});

for (const host of [HOST, 'localhost']) {
  test(`31b: connects from where it is told to: ${host}`, opts, async (t) => {
    const k = webKit(t);
    const server = await k.listen({ lib: peer });
    const free = await freePort(k);
    const accepted = once(server, 'connection');
    const socket = k.connect(
      server.address().port,
      { localAddress: HOST, localPort: String(free) },
      host,
    );
    assert.equal(socket.localAddress, HOST);
    assert.strictEqual(socket.localPort, free);
    const [[theirs]] = await Promise.all([accepted, event(socket, 'open')]);
    assert.equal(theirs.remotePort, free);
    assert.equal(socket.localPort, free);
  });
}

async function freePort(k) {
  const server = await k.listen({ lib: peer });
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('null options and null members are absent ones', opts, async (t) => {
  const k = webKit(t);
  const { port } = (await k.listen({ lib: peer })).address();
  await event(k.connect(port, null), 'open');
  const names = ['localAddress', 'localPort', 'useSecureTransport', 'noDelay', 'keepAliveDelay'];
  const more = ['dnsQueryType', 'sendBufferSize', 'signal', 'closeTimeout', 'maxBufferedAmount'];
  const options = Object.fromEntries([...names, ...more].map((name) => [name, null]));
  const socket = k.connect(port, options);
  assert.equal(socket.localPort, null);
  await event(socket, 'open');
  assert.equal(k.connect(port, { localPort: 0 }).localPort, null);
});

test('23: close() of an attempt that hangs', { ...opts, skip: NO_HOLE }, async (t) => {
  const { port } = await hole(t, HOST);
  const k = webKit(t);
  const socket = k.connect(port);
  const log = record(socket);
  await timers.setTimeout(50);
  assert.equal(socket.readyState, 'connecting');
  socket.close();
  assert.equal(socket.readyState, 'closing');
  await event(socket, 'close');
  await timers.setTimeout(50);
  assert.deepEqual(log, ['close closed']);
});

test('23b: … lets the process end', { ...opts, skip: NO_HOLE }, async (t) => {
  const { port } = await hole(t, HOST);
  const { code, stdout, timedOut } = await run('web-hang', [String(port)]);
  assert.equal(timedOut, false);
  assert.equal(code, 0);
  assert.equal(stdout, 'close\n');
});

test('handlers that are set in the same tick miss nothing', opts, async (t) => {
  const k = webKit(t);
  const port = await k.refusedPort();
  const sockets = [
    () => k.connect(port),
    () => k.connect(port, undefined, 'localhost'),
    () => k.connect(80, undefined, 'no-such-host.invalid'),
  ].map((make) => make());
  const log = [];
  // In a promise job: still the same tick.
  await Promise.resolve();
  for (const socket of sockets) socket.onerror = () => log.push(socket.readyState);
  await until(() => log.length === 3);
  assert.deepEqual(log, ['closed', 'closed', 'closed']);
});
