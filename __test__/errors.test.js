'use strict';

/** Faults of the network: one 'error' event with Node's code, errno, syscall, address and text. */

const assert = require('node:assert/strict');
const dns = require('node:dns');
const fs = require('node:fs');
const os = require('node:os');
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
  readBytes,
  record,
} = require('./helpers/kit');
const { runJson } = require('./helpers/child');

const opts = { timeout: TIMEOUT };
const hasIPv6 = Object.values(os.networkInterfaces()).some((list) =>
  list.some((entry) => entry.address === '::1'),
);

/** An address that belongs to nobody (RFC 5737), so it cannot be bound. */
const FOREIGN = '203.0.113.1';

/** Compares what a program may read from a system error. */
function check(err, expected) {
  assert.ok(err instanceof Error);
  assert.equal(err.name, 'Error');
  const { code, syscall, address, port, message } = err;
  assert.deepEqual({ code, syscall, address, port, message }, expected);
  assert.equal(err.errno, -os.constants.errno[code]);
}

/** A socket that fails must say so once, then close with hadError, and do nothing else. */
async function failure(socket) {
  const log = [];
  for (const name of ['connect', 'ready', 'data', 'end', 'error', 'close']) {
    socket.on(name, () => log.push(name));
  }
  const errors = [];
  socket.on('error', (err) => errors.push(err));
  const hadError = await closed(socket);
  assert.equal(hadError, true);
  assert.deepEqual(log, ['error', 'close']);
  assert.equal(socket.destroyed, true);
  assert.equal(socket.connecting, false);
  return errors[0];
}

test('connect: ECONNREFUSED', opts, async (t) => {
  const k = kit(t);
  const port = await k.refusedPort();
  const err = await failure(net.connect(port, HOST));
  check(err, {
    code: 'ECONNREFUSED',
    syscall: 'connect',
    address: HOST,
    port,
    message: `connect ECONNREFUSED ${HOST}:${port}`,
  });
});

test('connect: ECONNREFUSED with IPv6', opts, async (t) => {
  if (!hasIPv6) return t.skip('no IPv6 loopback on this machine');
  // Nobody listens on this port of ::1: the IPv4-only server holds it for this test.
  const server = await kit(t).listen({ lib: peer });
  const { port } = server.address();
  const err = await failure(net.connect(port, '::1'));
  check(err, {
    code: 'ECONNREFUSED',
    syscall: 'connect',
    address: '::1',
    port,
    message: `connect ECONNREFUSED ::1:${port}`,
  });
});

test('connect: the callback is not called on failure', opts, async (t) => {
  const port = await kit(t).refusedPort();
  const socket = net.connect(port, HOST, () => assert.fail('connected'));
  await failure(socket);
});

test('connect: ECONNREFUSED hands the error to pending writes', opts, async (t) => {
  const port = await kit(t).refusedPort();
  const socket = net.connect(port, HOST);
  const results = [];
  socket.write('one', (err) => results.push(err?.code));
  socket.write('two', (err) => results.push(err?.code));
  socket.end('three', (err) => results.push(err?.code));
  const err = await failure(socket);
  assert.equal(err.code, 'ECONNREFUSED');
  // The first one was on its way and waited for the connection; the others were still queued.
  assert.deepEqual(results, [
    'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
    'ECONNREFUSED',
    'ECONNREFUSED',
  ]);
});

test('connect: a broadcast address is unreachable', opts, async (t) => {
  if (process.platform !== 'linux') return t.skip('the code differs between systems');
  const err = await failure(net.connect(9, '255.255.255.255'));
  check(err, {
    code: 'ENETUNREACH',
    syscall: 'connect',
    address: '255.255.255.255',
    port: 9,
    message: err.message,
  });
  // Node adds the near end, which depends on how far the system got.
  assert.match(err.message, /^connect ENETUNREACH 255\.255\.255\.255:9( - Local \(.*\))?$/);
});

test('connect: a localAddress that is not ours', opts, async (t) => {
  const server = await kit(t).listen({ lib: peer });
  const err = await failure(
    net.connect({ port: server.address().port, host: HOST, localAddress: FOREIGN }),
  );
  check(err, {
    code: 'EADDRNOTAVAIL',
    syscall: 'bind',
    address: FOREIGN,
    port: undefined,
    message: `bind EADDRNOTAVAIL ${FOREIGN}`,
  });
});

test('connect: a localPort in use', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const busy = await k.listen({ lib: peer });
  const localPort = busy.address().port;
  const err = await failure(
    net.connect({ port: server.address().port, host: HOST, localAddress: HOST, localPort }),
  );
  // Linux tells at bind() or only at connect(), depending on socket options.
  assert.equal(err.code, 'EADDRINUSE');
  assert.ok(['bind', 'connect'].includes(err.syscall), err.syscall);
});

test('connect: a name that does not resolve', opts, async (t) => {
  const reason = Object.assign(new Error('getaddrinfo ENOTFOUND no.invalid'), {
    errno: -3008,
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    hostname: 'no.invalid',
  });
  const lookup = (host, options, callback) => process.nextTick(callback, reason);
  const socket = kit(t).own(net.connect({ port: 1, host: 'no.invalid', lookup }));
  assert.equal(await failure(socket), reason, 'the same object');
});

test('listen: EADDRINUSE', opts, async (t) => {
  const k = kit(t);
  const busy = await k.listen({ lib: peer });
  const { port } = busy.address();
  const server = k.ownServer(net.createServer());
  server.on('listening', () => assert.fail('listening'));
  server.on('close', () => assert.fail('closed'));
  server.listen(port, HOST);
  const err = await failed(server);
  check(err, {
    code: 'EADDRINUSE',
    syscall: 'listen',
    address: HOST,
    port,
    message: `listen EADDRINUSE: address already in use ${HOST}:${port}`,
  });
  // In the order in which it is printed.
  assert.deepEqual(Object.keys(err), ['code', 'errno', 'syscall', 'address', 'port']);
  assert.equal(server.listening, false);
  assert.equal(server.address(), null);

  // The same server can try again.
  server.removeAllListeners();
  server.listen(0, HOST);
  await once(server, 'listening');
});

test('listen: EADDRINUSE on all addresses, also between two of ours', opts, async (t) => {
  const k = kit(t);
  const first = k.ownServer(net.createServer());
  first.listen(0);
  await once(first, 'listening');
  const { port } = first.address();
  const second = k.ownServer(net.createServer());
  second.listen(port);
  // Not inside listen(): the listener comes after it.
  const err = await failed(second);
  check(err, {
    code: 'EADDRINUSE',
    syscall: 'listen',
    address: '::',
    port,
    message: `listen EADDRINUSE: address already in use :::${port}`,
  });
});

test('listen: EADDRNOTAVAIL', opts, async (t) => {
  const server = kit(t).ownServer(net.createServer());
  server.listen(0, FOREIGN);
  const err = await failed(server);
  assert.equal(err.code, 'EADDRNOTAVAIL');
  assert.equal(err.syscall, 'listen');
  assert.equal(err.address, FOREIGN);
  assert.match(err.message, /^listen EADDRNOTAVAIL: address not available 203\.0\.113\.1/);
});

test('listen: a name that does not resolve', opts, async (t) => {
  const reason = Object.assign(new Error('getaddrinfo ENOTFOUND no.invalid'), {
    code: 'ENOTFOUND',
  });
  // listen() has no option `lookup`; it must use the public function.
  t.mock.method(dns, 'lookup', (...args) => process.nextTick(args.at(-1), reason));
  const server = kit(t).ownServer(net.createServer());
  server.listen(0, 'no.invalid');
  assert.equal(await failed(server), reason);
});

test('listen: EACCES on a port of the system', opts, async (t) => {
  if (process.platform !== 'linux') return t.skip('needs the rules of Linux');
  const first = Number(fs.readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  if (first < 2) return t.skip('all ports are open to everybody here');
  const { code, syscall, message, address, port } = await runJson('eacces');
  assert.deepEqual(
    { code, syscall, message, address, port },
    {
      code: 'EACCES',
      syscall: 'listen',
      message: `listen EACCES: permission denied ${HOST}:1`,
      address: HOST,
      port: 1,
    },
  );
});

for (const side of ['client', 'server']) {
  test(`read: ECONNRESET when the peer resets (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    theirs.resetAndDestroy();
    ours.resume();
    const err = await failure(ours);
    check(err, {
      code: 'ECONNRESET',
      syscall: 'read',
      address: undefined,
      port: undefined,
      message: 'read ECONNRESET',
    });
  });

  test(`write: EPIPE or ECONNRESET after the peer is gone (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({
      side,
      server: { allowHalfOpen: true },
      client: { allowHalfOpen: true },
    });
    // The peer closes both ways: the first write draws a reset, a later one finds the pipe broken.
    theirs.destroy();
    const end = once(ours, 'end');
    ours.resume();
    await end;
    const results = [];
    const over = failure(ours);
    const more = () => {
      if (ours.destroyed) return;
      ours.write('anybody there?', (err) => {
        results.push(err?.code);
        setImmediate(more);
      });
    };
    more();
    const err = await over;
    assert.ok(['EPIPE', 'ECONNRESET'].includes(err.code), err.code);
    assert.ok(['write', 'read'].includes(err.syscall), err.syscall);
    assert.equal(err.message, `${err.syscall} ${err.code}`);
    assert.equal(err.errno, -os.constants.errno[err.code]);
    assert.ok(results.length > 0);
    assert.equal(results[0], undefined, 'the first write was taken');
  });
}

test('an error without a listener is thrown', opts, async () => {
  const { code, origin } = await runJson('unlistened-error');
  assert.equal(code, 'ECONNREFUSED');
  assert.equal(origin, 'uncaughtException');
});

test('data that came before the reset may be read', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  const got = readBytes(ours, 5);
  theirs.write('hello');
  assert.equal(String(await got), 'hello');
  theirs.resetAndDestroy();
  assert.equal((await failed(ours)).code, 'ECONNRESET');
});

test('what connect(2) itself refuses names our end in the message, as in Node', opts, async (t) => {
  const k = kit(t);
  // Nothing is sent to it: TCP cannot be broadcast.
  const socket = k.own(net.connect(9, '255.255.255.255'));
  const log = record(socket, ['connectionAttempt', 'connectionAttemptFailed', 'error', 'close']);
  const err = await failed(socket);
  assert.match(err.message, /^connect E\w+ 255\.255\.255\.255:9 - Local \(0\.0\.0\.0:0\)$/);
  assert.deepEqual([err.address, err.port, err.localPort], ['255.255.255.255', 9, undefined]);
  await closed(socket);
  assert.deepEqual(log, ['connectionAttempt', 'error', 'close']);
});

test('an aborted socket has an AbortError with its cause', opts, async (t) => {
  const { client } = await kit(t).pair();
  const controller = new AbortController();
  const cause = new Error('enough');
  const socket = new net.Socket({ signal: controller.signal });
  controller.abort(cause);
  const err = await failed(socket);
  assert.deepEqual(
    [err.name, err.code, err.constructor.name],
    ['AbortError', 'ABORT_ERR', 'AbortError'],
  );
  assert.equal(err.cause, cause);
  assert.equal(client.destroyed, false);
});
