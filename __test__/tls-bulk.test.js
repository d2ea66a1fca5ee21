'use strict';

/** Much of it: a gigabyte each way at the same time, with `node:tls` in another process; and back-pressure. */

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const { test } = require('node:test');
const { start } = require('./helpers/child');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { pattern } = require('./helpers/pattern');
const { HOST, TIMEOUT, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { until } = require('./helpers/kit');

const MUCH = 1024 * 1024 * 1024;
const LONG = 240_000;
const { ca, server: identity, certificates } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};
const block = pattern(1024 * 1024, 7);

function hashOf(total) {
  const hash = crypto.createHash('sha1');
  for (let at = 0; at < total; at += block.length) hash.update(block);
  return hash.digest('hex');
}

/** Sends `total` bytes and receives until the end; answers how many came and their hash. */
async function exchange(socket, total) {
  const hash = crypto.createHash('sha1');
  let received = 0;
  socket.on('data', (data) => {
    hash.update(data);
    received += data.length;
  });
  const ended = once(socket, 'end');
  for (let sent = 0; sent < total; sent += block.length) {
    if (!socket.write(block)) await once(socket, 'drain');
  }
  socket.end();
  await ended;
  return `${received} ${hash.digest('hex')}`;
}

function bundle() {
  const file = certificates.file('bundle.pem');
  fs.writeFileSync(file, Buffer.concat([cert, key, ca.cert]));
  return file;
}

test('a gigabyte each way, our client', { skip: NO_OPENSSL, timeout: LONG }, async (t) => {
  const { connect } = tlsKit(t);
  const child = start('tls-peer', ['serve', bundle(), String(MUCH)], { timeout: LONG });
  const socket = connect(ours, Number(await child.ready), { ca: ca.cert, allowHalfOpen: true });
  const expected = `${MUCH} ${hashOf(MUCH)}`;
  assert.equal(await exchange(socket, MUCH), expected);
  const { stdout } = await child.done;
  assert.equal(stdout.split('\n')[1], expected);
});

test('a gigabyte each way, our server', { skip: NO_OPENSSL, timeout: LONG }, async (t) => {
  const { serve } = tlsKit(t);
  const server = await serve(ours, { cert, key, allowHalfOpen: true });
  const { port } = server.address();
  const child = start('tls-peer', [String(port), bundle(), String(MUCH)], { timeout: LONG });
  const [conn] = await once(server, 'secureConnection');
  const expected = `${MUCH} ${hashOf(MUCH)}`;
  assert.equal(await exchange(conn, MUCH), expected);
  const { stdout } = await child.done;
  assert.equal(stdout.split('\n')[1], expected);
});

test(
  'who does not read is not sent to, in both directions',
  { skip: NO_OPENSSL, timeout: TIMEOUT },
  async (t) => {
    const { serve, connect } = tlsKit(t);
    // We do not read: what the peer writes stays with it.
    const server = await serve(peer, { cert, key });
    const accepted = once(server, 'secureConnection');
    const client = connect(ours, server, { ca: ca.cert });
    const [conn] = await accepted;
    const large = Buffer.alloc(64 * 1024 * 1024);
    conn.write(large);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.ok(client.bytesRead < 4 * 1024 * 1024, `${client.bytesRead} bytes were read`);
    assert.ok(conn.writableLength > 0);
    // The peer does not read: our write waits.
    conn.pause();
    let isWritten = false;
    client.write(large, () => (isWritten = true));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(isWritten, false);
    // And goes on when it does.
    let got = 0;
    client.on('data', (data) => (got += data.length));
    conn.resume();
    await until(() => isWritten && got === large.length);
  },
);

test(
  'many small writes of a tick, and many connections',
  { skip: NO_OPENSSL, timeout: TIMEOUT },
  async (t) => {
    const { serve, connect } = tlsKit(t);
    const server = await serve(ours, { cert, key }, (conn) => conn.pipe(conn));
    server.maxConnections = 1000;
    const clients = [];
    for (let n = 0; n < 100; n++) clients.push(connect(peer, server, { ca: ca.cert }));
    await Promise.all(clients.map((client) => once(client, 'secureConnect')));
    const echoes = clients.map(async (client, n) => {
      let got = '';
      client.setEncoding('utf8').on('data', (text) => (got += text));
      let sent = '';
      for (let i = 0; i < 50; i++) {
        sent += `${n}:${i};`;
        client.write(`${n}:${i};`);
      }
      await until(() => got.length >= sent.length);
      assert.equal(got, sent);
    });
    await Promise.all(echoes);
    assert.equal(server._connections, 100);
    assert.equal(HOST, clients[0].remoteAddress);
  },
);
