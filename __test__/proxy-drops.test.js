'use strict';

/** The PROXY protocol on a server: headers that are bad, late, too many or not wanted. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, kit, once, readAll, roundTrip, until } = require('./helpers/kit');
const {
  CLIENT,
  CLIENT6,
  COMMAND,
  FAMILY,
  FRONT,
  FRONT6,
  addresses,
  behindProxy,
  say,
  v1Tcp,
  v2,
  v2Tcp,
} = require('./helpers/proxy-header');

const opts = { timeout: TIMEOUT, skip: !isOurs && SKIP_FOREIGN };

const LONGEST = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
const MALFORMED = [
  ['HTTP', 'GET / HTTP/1.1\r\nHost: example\r\n\r\n'],
  ['TLS', Buffer.from('16030102000100', 'hex').toString('latin1') + 'x'.repeat(500)],
  ['a lower case signature', 'proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n'],
  ['no signature but white space', ' PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n'],
  ['no protocol', 'PROXY \r\n                      '],
  ['another protocol', 'PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n'],
  ['a protocol of the wrong family', 'PROXY TCP4 ::1 ::1 1 2\r\n'],
  ['an address that is none', 'PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n'],
  ['a name', 'PROXY TCP4 localhost 2.2.2.2 1 2\r\n'],
  ['a port that is none', 'PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n'],
  ['a port with a sign', 'PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n'],
  ['a port with a zero before it', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 02\r\n'],
  ['too few fields', 'PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n'],
  ['too many fields', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n'],
  ['two spaces', 'PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n'],
  ['a line that ends with LF alone', `PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n${'x'.repeat(200)}`],
  ['a line that ends with CR alone', 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\rx'],
  ['a line of 108 bytes', `PROXY UNKNOWN ${LONGEST} ${LONGEST} 65535 655350\r\n`],
  ['a line without an end', `PROXY UNKNOWN ${'x'.repeat(1000)}`],
  ['a v2 signature with a fault', '\r\n\r\n\0\r\nQUIX\n\x21\x11\0\x0c'],
  ['v2, version 1', v2(0x11, FAMILY.TCP4, addresses(CLIENT, FRONT))],
  ['v2, another command', v2(0x22, FAMILY.TCP4, addresses(CLIENT, FRONT))],
  ['v2, another family', v2(COMMAND.PROXY, 0x41, addresses(CLIENT, FRONT))],
  ['v2, another transport', v2(COMMAND.PROXY, 0x13, addresses(CLIENT, FRONT))],
  ['v2, too short for its family', v2(COMMAND.PROXY, FAMILY.TCP6, addresses(CLIENT, FRONT))],
  ['v2, longer than 4,096 bytes', v2Tcp(CLIENT, FRONT, Buffer.alloc(4096 - 16 - 12 + 1))],
];

/** What `'drop'` says of a connection without a good header. */
function dropOf(client, server, reason) {
  const { address, port } = server.address();
  return {
    localAddress: address,
    localPort: port,
    localFamily: 'IPv4',
    remoteAddress: HOST,
    remotePort: client.localPort,
    remoteFamily: 'IPv4',
    reason,
  };
}

for (const [name, bytes] of MALFORMED) {
  test(`malformed: ${name}`, opts, async (t) => {
    const k = kit(t);
    const server = await behindProxy(k);
    server.on('connection', () => assert.fail('it is not let in'));
    const dropped = once(server, 'drop');
    const client = say(k, server);
    await once(client, 'connect');
    const expected = dropOf(client, server, 'proxy-header-malformed');
    const gone = closed(client);
    client.write(bytes, 'latin1');
    const [drop] = await dropped;
    assert.deepEqual({ ...drop }, expected);
    client.resume();
    await gone;
  });
}

test('the longest headers are good', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k);
  const line = `PROXY UNKNOWN ${LONGEST} ${LONGEST} 65535 65535\r\n`;
  assert.equal(line.length, 107);
  const longest = v2Tcp(CLIENT, FRONT, Buffer.alloc(4096 - 16 - 12));
  assert.equal(longest.length, 4096);
  for (const header of [Buffer.from(line), longest]) {
    const accepted = once(server, 'connection');
    say(k, server, Buffer.concat([header, Buffer.from('payload')])).end();
    const [socket] = await accepted;
    assert.equal(String(await readAll(socket)), 'payload');
  }
});

test('a header that comes too late', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k, { proxyTimeout: 100 });
  server.on('connection', () => assert.fail('it is not let in'));
  for (const bytes of ['', 'PROXY TCP4 1.1.1.1 2.2.', v2Tcp(CLIENT, FRONT).subarray(0, -1)]) {
    const dropped = once(server, 'drop');
    const client = say(k, server, bytes);
    const gone = closed(client);
    client.resume();
    const [drop] = await dropped;
    assert.equal(drop.reason, 'proxy-header-timeout');
    assert.equal(drop.remoteAddress, HOST);
    await gone;
  }
});

test('a peer that goes before its header is complete', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k);
  for (const leave of [(client) => client.end(), (client) => client.resetAndDestroy()]) {
    const dropped = once(server, 'drop');
    const client = say(k, server);
    await once(client, 'connect');
    const expected = dropOf(client, server, 'proxy-header-incomplete');
    await new Promise((resolve) => client.write('PROXY TCP4', resolve));
    leave(client);
    const [drop] = await dropped;
    assert.deepEqual({ ...drop }, expected);
  }
});

test('close() drops what is pending, and says so before it is closed', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k);
  const accepted = once(server, 'connection');
  const pending = [say(k, server), say(k, server, 'PROXY'), say(k, server)];
  await Promise.all(pending.map((client) => once(client, 'connect')));
  // Connections are accepted in order, so those are pending when this one is here.
  const client = say(k, server, v1Tcp(CLIENT, FRONT));
  const [socket] = await accepted;
  const log = [];
  server.on('drop', ({ reason }) => log.push(reason));
  const ends = Promise.all(pending.map((each) => closed(each.resume())));
  const over = closed(server);
  server.close(() => log.push('callback'));
  server.on('close', () => log.push('close'));
  await ends;
  // The open connection is not touched.
  await roundTrip(client, socket);
  assert.deepEqual(log, ['server-closed', 'server-closed', 'server-closed']);
  client.end();
  await over;
  assert.deepEqual(log.slice(3), ['callback', 'close']);
});

test('close() without a connection: drops come first all the same', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k);
  const clients = [say(k, server), say(k, server)];
  await Promise.all(clients.map((client) => once(client, 'connect')));
  // A connection that comes and goes shows that the others were accepted.
  const passing = once(server, 'connection');
  say(k, server, 'PROXY UNKNOWN\r\n').end();
  const [socket] = await passing;
  const end = closed(socket);
  socket.resume();
  socket.end();
  await end;
  const log = [];
  server.on('drop', ({ reason }) => log.push(reason));
  server.on('close', () => log.push('close'));
  const over = closed(server);
  const { port } = server.address();
  assert.equal(server.close(), server);
  assert.equal(server.listening, false);
  await over;
  assert.deepEqual(log, ['server-closed', 'server-closed', 'close']);
  // And again: it closes and listens like any other server.
  server.listen(port, HOST);
  await once(server, 'listening');
  const again = once(server, 'connection');
  say(k, server, v1Tcp(CLIENT, FRONT)).end();
  assert.equal((await again)[0].remoteAddress, CLIENT.address);
});

test(
  'connections without a header keep those with one from nothing',
  { ...opts, timeout: 60_000 },
  async (t) => {
    const k = kit(t);
    const server = await behindProxy(k);
    const reasons = [];
    server.on('drop', ({ reason }) => reasons.push(reason));
    // More than may be pending; in turns, so that the system's own queue does not overflow.
    const silent = [];
    for (let turn = 0; turn < 11; turn++) {
      const some = Array.from({ length: 100 }, () => say(k, server));
      await Promise.all(some.map((client) => once(client, 'connect')));
      silent.push(...some);
    }
    const accepted = once(server, 'connection');
    say(k, server, v1Tcp(CLIENT, FRONT));
    const [socket] = await accepted;
    assert.equal(socket.remoteAddress, CLIENT.address);
    // 1,101 came, 1,024 may wait: the oldest had to go.
    const isGone = (client) => client.destroyed;
    await until(() => silent.filter(isGone).length === 77 && reasons.length === 77);
    assert.ok(silent.slice(0, 77).every(isGone));
    assert.deepEqual(reasons, Array(77).fill('proxy-header-overload'));
  },
);

test('maxConnections counts connections, not headers that are awaited', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k);
  server.maxConnections = 1;
  const pending = say(k, server);
  await once(pending, 'connect');
  const accepted = once(server, 'connection');
  say(k, server, v1Tcp(CLIENT, FRONT));
  await accepted;
  assert.equal(await new Promise((resolve) => server.getConnections((_, n) => resolve(n))), 1);
  // One too many, and its header is known: `'drop'` is as without a proxy, and names the client.
  const dropped = once(server, 'drop');
  pending.write(v1Tcp(CLIENT6, FRONT6));
  const [drop] = await dropped;
  assert.deepEqual(
    { ...drop },
    {
      localAddress: FRONT6.address,
      localPort: FRONT6.port,
      localFamily: 'IPv6',
      remoteAddress: CLIENT6.address,
      remotePort: CLIENT6.port,
      remoteFamily: 'IPv6',
    },
  );
});

test('blockList is about the client, not about the proxy', opts, async (t) => {
  const k = kit(t);
  const blockList = new net.BlockList();
  blockList.addAddress(CLIENT.address);
  blockList.addSubnet('127.0.0.0', 8);
  const server = await behindProxy(k, { blockList });
  const accepted = once(server, 'connection');
  const blocked = say(k, server, v1Tcp(CLIENT, FRONT));
  await closed(blocked.resume());
  // Where the header names nobody, the connection is the proxy's own.
  await closed(say(k, server, 'PROXY UNKNOWN\r\n').resume());
  say(k, server, v1Tcp({ ...CLIENT, address: '203.0.113.8' }, FRONT));
  const [socket] = await accepted;
  assert.equal(socket.remoteAddress, '203.0.113.8');
});
