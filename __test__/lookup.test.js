'use strict';

const assert = require('node:assert/strict');
const dns = require('node:dns');
const os = require('node:os');
const { test } = require('node:test');
const { SKIP_FOREIGN, isOurs, net } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, failed, kit, once, peer, turn } = require('./helpers/kit');

const opts = { timeout: TIMEOUT };
const hasIPv6 = Object.values(os.networkInterfaces()).some((list) =>
  list.some((entry) => entry.address === '::1'),
);
const opts6 = { ...opts, skip: hasIPv6 ? false : 'no IPv6 loopback on this machine' };

/** A lookup function that answers from a list, in whichever form it is asked. */
function answer(...addresses) {
  const records = addresses.map((address) => ({ address, family: peer.isIP(address) }));
  const calls = [];
  function lookup(host, options, callback) {
    calls.push({ host, options });
    if (options.all) setImmediate(callback, null, records);
    else setImmediate(callback, null, records[0].address, records[0].family);
  }
  lookup.calls = calls;
  return lookup;
}

test('lookup is asked for the host and its answer is used', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const lookup = answer(HOST);
  const socket = k.own(net.connect({ port: server.address().port, host: 'name.invalid', lookup }));
  const events = [];
  socket.on('lookup', (...args) => events.push(args));
  await once(socket, 'connect');
  assert.equal(lookup.calls.length, 1);
  assert.equal(lookup.calls[0].host, 'name.invalid');
  assert.deepEqual(events, [[null, HOST, 4, 'name.invalid']]);
  assert.equal(socket.remoteAddress, HOST);
});

test('family and hints reach lookup', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const lookup = answer(HOST);
  const socket = k.own(
    net.connect({
      port: server.address().port,
      host: 'name.invalid',
      family: 4,
      hints: dns.ADDRCONFIG,
      lookup,
    }),
  );
  await once(socket, 'connect');
  assert.equal(lookup.calls[0].options.family, 4);
  assert.equal(lookup.calls[0].options.hints, dns.ADDRCONFIG);
});

test('lookup is not asked for an address', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const socket = k.own(
    net.connect({
      port: server.address().port,
      host: HOST,
      lookup: () => assert.fail('asked'),
    }),
  );
  socket.on('lookup', () => assert.fail("event 'lookup'"));
  await once(socket, 'connect');
});

test('a failing lookup fails the connection with its error', opts, async (t) => {
  const k = kit(t);
  const reason = Object.assign(new Error('getaddrinfo ENOTFOUND name.invalid'), {
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    hostname: 'name.invalid',
  });
  const socket = k.own(
    net.connect({
      port: 1,
      host: 'name.invalid',
      lookup: (host, options, callback) => setImmediate(callback, reason),
    }),
  );
  const log = [];
  socket.on('lookup', (err, address, family, host) => log.push(['lookup', err, host]));
  socket.on('error', (err) => log.push(['error', err]));
  socket.on('connect', () => assert.fail('connected'));
  assert.equal(await closed(socket), true);
  assert.deepEqual(log, [
    ['lookup', reason, 'name.invalid'],
    ['error', reason],
  ]);
  assert.equal(socket.connecting, false);
});

test('the error of a lookup that answers at once is still not synchronous', opts, async (t) => {
  const k = kit(t);
  const socket = k.own(
    net.connect({
      port: 1,
      host: 'name.invalid',
      lookup: (host, options, callback) => callback(new Error('no')),
    }),
  );
  // A listener added after connect() must be in time.
  assert.equal((await failed(socket)).message, 'no');
});

for (const autoSelectFamily of [true, false]) {
  test(`an answer that is no address (autoSelectFamily ${autoSelectFamily})`, opts, async (t) => {
    const k = kit(t);
    const socket = k.own(
      net.connect({
        port: 1,
        host: 'name.invalid',
        autoSelectFamily,
        lookup(host, options, callback) {
          if (options.all) callback(null, [{ address: 'nonsense', family: 4 }]);
          else callback(null, 'nonsense', 4);
        },
      }),
    );
    const err = await failed(socket);
    assert.equal(err.code, 'ERR_INVALID_IP_ADDRESS');
    assert.ok(err instanceof TypeError);
    assert.equal(err.message, 'Invalid IP address: nonsense');
  });
}

test('an answer that comes twice, or too late, counts for nothing', opts, async (t) => {
  // There the second one is a second connect(), which fails; and the late one is taken for the next.
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const { port } = server.address();
  for (const autoSelectFamily of [true, false]) {
    const callbacks = [];
    const lookup = (host, options, callback) => {
      const [address, family] = [HOST, 4];
      callbacks.push(
        options.all
          ? () => callback(null, [{ address, family }])
          : () => callback(null, address, family),
      );
    };
    const socket = k.own(net.connect({ port, host: 'name.invalid', lookup, autoSelectFamily }));
    const names = [];
    socket.on('lookup', (err, address, family, host) => names.push(host));
    callbacks[0]();
    callbacks[0]();
    await once(socket, 'connect');
    callbacks[0]();
    socket.destroy();
    await closed(socket);
    socket.connect({ port, host: 'first.invalid', lookup, autoSelectFamily });
    socket.destroy();
    await closed(socket);
    socket.connect({ port, host: 'second.invalid', lookup, autoSelectFamily });
    callbacks[1]();
    callbacks[2]();
    await once(socket, 'connect');
    assert.deepEqual(names, ['name.invalid', 'second.invalid']);
    socket.destroy();
  }
});

test('an answer of an unknown family', opts, async (t) => {
  const k = kit(t);
  const socket = k.own(
    net.connect({
      port: 1,
      host: 'name.invalid',
      autoSelectFamily: false,
      lookup: (host, options, callback) => callback(null, HOST, 100),
    }),
  );
  const err = await failed(socket);
  assert.equal(err.code, 'ERR_INVALID_ADDRESS_FAMILY');
  assert.ok(err instanceof RangeError);
  assert.equal(err.host, 'name.invalid');
  assert.equal(err.port, 1);
});

test('destroy during lookup ends it without a connection', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  let answerNow;
  const socket = k.own(
    net.connect({
      port: server.address().port,
      host: 'name.invalid',
      lookup(host, options, callback) {
        answerNow = () =>
          options.all ? callback(null, [{ address: HOST, family: 4 }]) : callback(null, HOST, 4);
      },
    }),
  );
  socket.on('connect', () => assert.fail('connected'));
  let accepted = 0;
  server.on('connection', () => accepted++);
  const end = closed(socket);
  await turn();
  socket.destroy();
  assert.equal(await end, false);
  answerNow();

  // Connections are accepted in order: after a later one, none can be missing.
  const later = k.own(peer.connect(server.address().port, HOST));
  const seen = once(server, 'connection');
  await once(later, 'connect');
  await seen;
  assert.equal(accepted, 1);
});

test('IPv6: both ends', opts6, async (t) => {
  for (const side of ['client', 'server']) {
    const k = kit(t);
    const lib = side === 'server' ? net : peer;
    const server = await k.listen({ lib, host: '::1' });
    const accepted = once(server, 'connection');
    const client = k.own((side === 'client' ? net : peer).connect(server.address().port, '::1'));
    await once(client, 'connect');
    const [conn] = await accepted;
    assert.equal(client.remoteAddress, '::1');
    assert.equal(client.remoteFamily, 'IPv6');
    assert.equal(client.localAddress, '::1');
    assert.equal(conn.remoteAddress, '::1');
    assert.equal(conn.remoteFamily, 'IPv6');
    assert.deepEqual(conn.address(), {
      address: '::1',
      family: 'IPv6',
      port: server.address().port,
    });
  }
});

test('IPv4 client of a server on all addresses is seen as mapped', opts6, async (t) => {
  const k = kit(t);
  const server = k.ownServer(net.createServer()).listen(0);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = k.own(peer.connect(server.address().port, HOST));
  await once(client, 'connect');
  const [conn] = await accepted;
  assert.equal(conn.remoteAddress, '::ffff:127.0.0.1');
  assert.equal(conn.remoteFamily, 'IPv6');
  assert.equal(conn.localAddress, '::ffff:127.0.0.1');
});

test('localhost reaches a server on 127.0.0.1', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const socket = k.own(net.connect({ port: server.address().port, host: 'localhost', family: 4 }));
  const [err, address, family, host] = await once(socket, 'lookup');
  assert.equal(err, null);
  assert.equal(address, HOST);
  assert.equal(family, 4);
  assert.equal(host, 'localhost');
  await once(socket, 'connect');
});

test('autoSelectFamily tries the next address when the first refuses', opts6, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const { port } = server.address();
  const socket = k.own(
    net.connect({
      port,
      host: 'name.invalid',
      autoSelectFamily: true,
      lookup: answer('::1', HOST),
    }),
  );
  await once(socket, 'connect');
  assert.equal(socket.remoteAddress, HOST);
  assert.deepEqual(socket.autoSelectFamilyAttemptedAddresses, [`::1:${port}`, `${HOST}:${port}`]);
});

test('autoSelectFamily reports all failures when every address refuses', opts6, async (t) => {
  const k = kit(t);
  const port = await k.refusedPort();
  const socket = k.own(
    net.connect({
      port,
      host: 'name.invalid',
      autoSelectFamily: true,
      lookup: answer('::1', HOST),
    }),
  );
  const err = await failed(socket);
  assert.ok(err instanceof AggregateError);
  assert.equal(err.code, 'ECONNREFUSED');
  assert.deepEqual(
    err.errors.map((each) => each.message),
    [`connect ECONNREFUSED ::1:${port}`, `connect ECONNREFUSED ${HOST}:${port}`],
  );
});

test('autoSelectFamily false uses the first address only', opts6, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const socket = k.own(
    net.connect({
      port: server.address().port,
      host: 'name.invalid',
      autoSelectFamily: false,
      lookup: answer('::1', HOST),
    }),
  );
  const err = await failed(socket);
  assert.equal(err.code, 'ECONNREFUSED');
  assert.equal(err.address, '::1');
});
