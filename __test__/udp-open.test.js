'use strict';

/** `new UDPSocket()`: what it is bound to, and what is refused. The numbers are those of the acceptance cases of the contract. */

const assert = require('node:assert/strict');
const os = require('node:os');
const { test } = require('node:test');
const { HOST, TIMEOUT, received, throwsDom, udpKit, web } = require('./helpers/udp');

const { UDPSocket } = web;
const opts = { timeout: TIMEOUT };

test('48: what a new socket is', opts, (t) => {
  const socket = udpKit(t).bind({});
  assert.equal(socket.readyState, 'open');
  assert.equal(socket.localAddress, '0.0.0.0');
  assert.ok(socket.localPort > 0);
  assert.equal(socket.remoteAddress, null);
  assert.equal(socket.remotePort, null);
  assert.equal(socket.addressReuse, true);
  assert.equal(socket.loopback, false);
  assert.equal(socket.bufferedAmount, 0);
  assert.deepEqual([socket.ondrain, socket.onerror, socket.onmessage], [null, null, null]);
  for (const options of [undefined, null]) udpKit(t).bind(options);
  const nulls = { localAddress: null, localPort: null, remotePort: null, addressReuse: null };
  assert.equal(udpKit(t).bind(nulls).addressReuse, true);
});

test('48b: without new, and options that are none', opts, () => {
  assert.throws(() => UDPSocket(), TypeError);
  assert.throws(() => new UDPSocket(5), TypeError);
  const { readyState } = Object.getOwnPropertyDescriptors(UDPSocket.prototype);
  assert.throws(() => readyState.get.call({}), TypeError);
});

test('56: addresses and ports that are none', opts, () => {
  for (const options of [
    { localAddress: 'not-an-ip' },
    { localAddress: '' },
    { localAddress: '[::1]' },
    { localPort: 65_536 },
    { localPort: -1 },
    { localPort: 1.5 },
    { localPort: 'x' },
    { remotePort: 0 },
    { remotePort: 70_000 },
    { remoteAddress: 'a b' },
    { remoteAddress: '' },
    { remoteAddress: 5 },
    { localAddress: '::1', remoteAddress: HOST, family: 4 },
    { localAddress: HOST, family: 6 },
  ]) {
    throwsDom(() => new UDPSocket(options), 'InvalidAccessError');
  }
  const foreign = { localAddress: '203.0.113.1' };
  throwsDom(() => new UDPSocket(foreign), 'InvalidAccessError', 'EADDRNOTAVAIL');
});

test('56b: an option of the wrong kind is an error at once', opts, () => {
  for (const options of [
    { ttl: 0 },
    { ttl: 256 },
    { multicastTTL: -1 },
    { sendBufferSize: 0 },
    { receiveBufferSize: 1.5 },
    { family: 5 },
    { dnsQueryType: 'any' },
    { signal: {} },
  ]) {
    assert.throws(() => new UDPSocket(options), { code: /^ERR_/ }, JSON.stringify(options));
  }
  throwsDom(() => new UDPSocket({ multicastInterface: 'nowhere0' }), 'InvalidAccessError');
});

test('57: one port for two sockets, if both want to share it', opts, (t) => {
  const { bind } = udpKit(t);
  const one = bind({ localAddress: HOST, localPort: 0 });
  // Of a socket with a port that the system chose, nobody else can have it.
  const taken = { localAddress: HOST, localPort: one.localPort };
  throwsDom(() => bind(taken), 'InvalidAccessError', 'EADDRINUSE');
  one.close();

  const shared = bind(taken);
  assert.equal(bind(taken).localPort, shared.localPort);
  const alone = { ...taken, addressReuse: false };
  throwsDom(() => bind(alone), 'InvalidAccessError', 'EADDRINUSE');
});

test('57b: nor does one that was alone share later on', opts, (t) => {
  const { bind } = udpKit(t);
  const probe = bind();
  const where = { localAddress: HOST, localPort: probe.localPort };
  probe.close();
  const alone = bind({ ...where, addressReuse: false });
  assert.equal(alone.addressReuse, false);
  const error = throwsDom(() => bind(where), 'InvalidAccessError', 'EADDRINUSE');
  assert.equal(error.cause.syscall, 'bind');
  assert.equal(error.cause.address, HOST);
  assert.equal(error.cause.port, where.localPort);
  alone.close();
  // The port is free as soon as close() returns.
  bind({ ...where, addressReuse: false });
});

test('58: 4,000 sockets have 4,000 ports', { timeout: 60_000 }, (t) => {
  const { bind } = udpKit(t);
  const ports = new Set();
  try {
    while (ports.size < 4000) {
      const { localPort } = bind({});
      assert.ok(!ports.has(localPort), `port ${localPort} was given out twice`);
      ports.add(localPort);
    }
  } catch (err) {
    if (err.cause?.code !== 'EMFILE') throw err;
    // So many descriptors are allowed here, and no more; the error is the right one.
    assert.equal(err.name, 'NetworkError');
    assert.ok(ports.size > 500);
  }
});

test('66: IPv6', opts, async (t) => {
  const { bind } = udpKit(t);
  const one = bind({ localAddress: '::1' });
  const other = bind({ localAddress: '::1' });
  assert.equal(one.localAddress, '::1');
  const { atLeast } = received(other);
  one.send('six', '::1', other.localPort);
  one.send('six', '0:0:0:0:0:0:0:1', other.localPort);
  const [{ data, address, port }] = await atLeast(2);
  assert.deepEqual([data.toString(), address, port], ['six', '::1', one.localPort]);
  throwsDom(() => one.send('four', HOST, 9), 'InvalidAccessError');
  throwsDom(() => bind().send('six', '::1', 9), 'InvalidAccessError');
});

test('66b: "::" takes IPv4 as well, and says so in IPv4\'s words', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  for (const options of [{ localAddress: '::' }, { family: 6 }, { remoteAddress: '::1' }]) {
    const socket = bind(options);
    assert.equal(socket.localAddress, '::');
    const four = await peer();
    const mine = received(socket);
    four.socket.send('to six', socket.localPort, HOST);
    const [{ address, port }] = await mine.atLeast(1);
    assert.deepEqual([address, port], [HOST, four.port]);
    socket.send('back', address, port);
    await four.received.atLeast(1);
    assert.deepEqual(four.received.texts(), ['back']);
  }
});

test('66c: with ipv6Only it does not', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind({ localAddress: '::', ipv6Only: true });
  throwsDom(() => socket.send('x', HOST, 9), 'InvalidAccessError');
  // The same port is free in IPv4.
  const four = await peer('udp4', HOST, { port: socket.localPort });
  const six = await peer('udp6');
  const mine = received(socket);
  const other = await peer();
  other.socket.send('not for six', socket.localPort, HOST);
  six.socket.send('for six', socket.localPort, '::1');
  await Promise.all([mine.atLeast(1), four.received.atLeast(1)]);
  assert.deepEqual(mine.texts(), ['for six']);
});

test('66d: a link-local address with its interface', opts, async (t) => {
  const all = Object.entries(os.networkInterfaces()).flatMap(([name, addresses]) =>
    addresses
      .filter(({ address }) => address.startsWith('fe80:'))
      .map(({ address }) => ({ name, address })),
  );
  if (all.length === 0) {
    t.skip('there is no link-local address here');
    return;
  }
  const { bind } = udpKit(t);
  const [{ name, address }] = all;
  const text = `${address}%${name}`;
  const one = bind({ localAddress: text });
  assert.equal(one.localAddress, text);
  const mine = received(one);
  bind({ family: 6 }).send('link', text, one.localPort);
  const [{ address: source }] = await mine.atLeast(1);
  assert.equal(source, text);
});
