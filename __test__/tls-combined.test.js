'use strict';

/** TLS together with what else a connection may have: PROXY headers, Unix sockets, loops, options of the descriptor. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const plain = require('node:net');
const { test } = require('node:test');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { HOST, TIMEOUT, net, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { CLIENT, FRONT, v2Tcp } = require('./helpers/proxy-header');
const { readAll } = require('./helpers/kit');
const { inside, noSs } = require('./helpers/system');

const opts = { timeout: TIMEOUT, skip: NO_OPENSSL };
const { ca, server: identity } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};
const trust = { ca: ca?.cert, servername: 'localhost' };

const V1 = Buffer.from(
  `PROXY TCP4 ${CLIENT.address} ${FRONT.address} ${CLIENT.port} ${FRONT.port}\r\n`,
);

for (const [version, header] of [
  ['v1', V1],
  ['v2', v2Tcp(CLIENT, FRONT)],
]) {
  test(`a PROXY header ${version}, in the clear, before the handshake`, opts, async (t) => {
    const k = tlsKit(t);
    const server = await k.serve(ours, { cert, key, proxyProtocol: true }, (socket) => {
      const { remoteAddress, remotePort, localAddress, localPort } = socket;
      socket.end(JSON.stringify([remoteAddress, remotePort, localAddress, localPort]));
    });
    const socket = k.own(plain.connect(server.address().port, HOST));
    socket.write(header);
    const client = k.own(peer.connect({ socket, ...trust }));
    const answer = JSON.parse(String(await readAll(client)));
    assert.deepEqual(answer, [CLIENT.address, CLIENT.port, FRONT.address, FRONT.port]);
  });
}

test('a handshake without the header is dropped', opts, async (t) => {
  const k = tlsKit(t);
  const server = await k.serve(ours, { cert, key, proxyProtocol: true }, () => {
    assert.fail('nobody comes in without the header');
  });
  const dropped = once(server, 'drop');
  const client = k.connect(peer, server, trust);
  client.on('error', () => {});
  const [drop] = await dropped;
  assert.equal(drop.reason, 'proxy-header-malformed');
});

test('over a Unix socket, either end ours', opts, async (t) => {
  const k = tlsKit(t);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-tls-unix-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  for (const [serverLib, clientLib] of [
    [ours, peer],
    [peer, ours],
    [ours, ours],
  ]) {
    const file = path.join(folder, `${fs.readdirSync(folder).length}`);
    const server = k.ownServer(
      serverLib.createServer({ cert, key }, (socket) => k.own(socket).pipe(socket)),
    );
    server.listen(file);
    await once(server, 'listening');
    const client = k.own(clientLib.connect({ path: file, ...trust }));
    const bytes = Buffer.alloc(3_000_000, 'bytes');
    client.end(bytes);
    assert.ok(bytes.equals(await readAll(client)));
    server.close();
  }
});

test('promises and a loop over connections whose handshake is over', opts, async (t) => {
  const k = tlsKit(t);
  const server = await net.promises.listen({ host: HOST, tls: { cert, key } });
  k.ownServer(server);
  const { port } = server.address();
  // Never says a word: it is not for the loop.
  k.own(plain.connect(port, HOST));
  const options = { port, host: HOST, tls: trust };
  const clients = await Promise.all([1, 2, 3].map(() => net.promises.connect(options)));
  for (const client of clients) {
    assert.equal(k.own(client).authorized, true);
    client.end('hello');
  }
  let count = 0;
  for await (const socket of server) {
    assert.equal(socket.getProtocol(), 'TLSv1.3');
    assert.equal(String(await readAll(socket)), 'hello');
    if (++count === clients.length) break;
  }
  server.closeAllConnections();
  await server.close();
});

test('a promise of a connection is rejected where the certificate is not good', opts, async (t) => {
  const k = tlsKit(t);
  const server = await k.serve(peer, { cert, key });
  server.on('tlsClientError', () => {});
  const { port } = server.address();
  await assert.rejects(
    net.promises.connect({ port, host: HOST, tls: { servername: 'localhost', ca: [] } }),
    (err) => typeof err.code === 'string' && /UNABLE_TO|SELF_SIGNED|ISSUER/.test(err.code),
  );
});

test('options of the descriptor are for the one beneath', opts, async (t) => {
  if (process.platform !== 'linux') return t.skip('of Linux alone');
  if (noSs()) return t.skip(noSs());
  const k = tlsKit(t);
  const sizes = { sendBufferSize: 50_000, recvBufferSize: 30_000 };
  const server = await k.serve(ours, { cert, key, ...sizes });
  const accepted = once(server, 'secureConnection');
  const client = k.connect(ours, server, { ...trust, ...sizes, userTimeout: 5000 });
  await once(client, 'secureConnect');
  await accepted;
  client.setUserTimeout(7000);
  const { localPort, remotePort } = client;
  for (const ends of [
    [localPort, remotePort],
    [remotePort, localPort],
  ]) {
    const { sendBuffer, recvBuffer } = inside(...ends);
    // Linux doubles the numbers, for what it needs itself.
    assert.deepEqual([sendBuffer, recvBuffer], [100_000, 60_000]);
  }
});
