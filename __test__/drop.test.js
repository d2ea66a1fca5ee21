'use strict';

/** Connections that a server does not take: `maxConnections`, `dropMaxConnection`, block lists. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, kit, once, peer, until } = require('./helpers/kit');

const opts = { timeout: TIMEOUT };

/** A connection of a raw client that is not taken: it ends without a byte. */
async function refused(k, ...target) {
  const client = k.own(peer.connect(...target));
  client.on('error', () => {});
  client.on('data', () => assert.fail('it was taken'));
  client.resume();
  await closed(client);
  return client;
}

for (const dropMaxConnection of [undefined, true, false]) {
  test(`above maxConnections (dropMaxConnection: ${dropMaxConnection})`, opts, async (t) => {
    const k = kit(t);
    const server = await k.listen({}, (conn) => conn.pipe(conn));
    server.maxConnections = 1;
    // It is for the primary of a cluster to heed; one process drops in any case, as in Node.
    server.dropMaxConnection = dropMaxConnection;
    const { port } = server.address();
    const dropped = [];
    server.on('drop', (data) => dropped.push(data));
    const first = k.own(peer.connect(port, HOST));
    await once(server, 'connection');
    const told = once(server, 'drop');
    const client = peer.connect(port, HOST);
    client.on('error', () => {});
    await once(client, 'connect');
    const { localPort } = client;
    await told;
    client.resume();
    await closed(client);
    assert.equal(dropped.length, 1);
    assert.deepEqual(
      { ...dropped[0] },
      {
        localAddress: HOST,
        localPort: port,
        localFamily: 'IPv4',
        remoteAddress: HOST,
        remotePort: localPort,
        remoteFamily: 'IPv4',
      },
    );
    assert.equal(server._connections, 1);
    first.destroy();
    // The limit is of open connections, and may be changed at any time.
    await until(() => server._connections === 0);
    const next = once(server, 'connection');
    k.own(peer.connect(port, HOST));
    await next;
    server.maxConnections = undefined;
    const third = k.own(peer.connect(port, HOST));
    third.write('x');
    const [echo] = await once(third, 'data');
    assert.equal(String(echo), 'x');
    assert.equal(dropped.length, 1);
  });
}

test('maxConnections of 0 lets nobody in', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({}, () => assert.fail('nobody is let in'));
  server.maxConnections = 0;
  const told = once(server, 'drop');
  await refused(k, server.address().port, HOST);
  await told;
});

test("a block list closes without a word: no 'connection', no 'drop'", opts, async (t) => {
  const k = kit(t);
  const blockList = new net.BlockList();
  blockList.addAddress('127.0.0.5');
  const server = await k.listen({ blockList });
  server.on('drop', () => assert.fail('as in Node'));
  const { port } = server.address();
  await refused(k, { port, host: HOST, localAddress: '127.0.0.5' });
  const accepted = once(server, 'connection');
  k.own(peer.connect({ port, host: HOST, localAddress: '127.0.0.6' }));
  const [conn] = await accepted;
  assert.equal(conn.remoteAddress, '127.0.0.6');
});

test('a Unix socket has no addresses to tell', opts, async (t) => {
  if (process.platform === 'win32') return t.skip('no Unix sockets here');
  const k = kit(t);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-drop-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const server = k.ownServer(net.createServer());
  server.maxConnections = 0;
  server.listen(path.join(dir, 's'));
  await once(server, 'listening');
  const told = once(server, 'drop');
  await refused(k, path.join(dir, 's'));
  assert.deepEqual(await told, []);
});
