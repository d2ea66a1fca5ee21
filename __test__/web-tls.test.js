'use strict';

/** `useSecureTransport`. Peers are node:tls, and OpenSSL where it is said so. */

const assert = require('node:assert/strict');
const tls = require('node:tls');
const { test } = require('node:test');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { tlsKit } = require('./helpers/tls-kit');
const {
  HOST,
  TIMEOUT,
  collect,
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

const { TCPServerSocket, TCPSocket, UDPSocket } = web;
const { ca: authority, certificates, server: identity } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};
const ca = authority?.cert;
const opts = { timeout: TIMEOUT, skip: NO_OPENSSL };
const secure = { useSecureTransport: true };

/** A server of node:tls on a free port. */
async function tlsServer(k, options, listener) {
  const server = k.ownServer(
    tls.createServer({ cert, key, allowHalfOpen: true, ...options }, listener),
  );
  server.on('secureConnection', (theirs) => k.own(theirs).on('error', () => {}));
  server.on('tlsClientError', () => {});
  server.listen(0, HOST);
  await once(server, 'listening');
  return server.address().port;
}

/** In the listener of 'secureConnection' itself, Node.js would end without announcing it. */
const endLater = (theirs, data) => setImmediate(() => theirs.end(data));

for (const host of [HOST, 'localhost']) {
  test(`30: a client of a TLS server: ${host}`, opts, async (t) => {
    const k = webKit(t);
    let theirs;
    const port = await tlsServer(k, {}, (accepted) => {
      theirs = accepted;
      accepted.pipe(accepted);
    });
    const socket = k.connect(port, { ...secure, ca }, host);
    const log = record(socket);
    assert.equal(socket.readyState, 'connecting');
    await event(socket, 'open');
    const received = collect(socket);
    const bytes = Buffer.alloc(300_000, 'secret ');
    assert.equal(socket.send(bytes), false);
    await until(() => received.length === bytes.length);
    assert.ok(received.bytes().equals(bytes));
    assert.equal(theirs.encrypted, true);
    socket.halfclose();
    await event(socket, 'close');
    const others = log.filter((each) => !each.startsWith('message') && !each.startsWith('drain'));
    assert.deepEqual(others, ['open open', 'close closed']);
  });
}

test('30b: no byte is sent in plain', opts, async (t) => {
  const k = webKit(t);
  // What says nothing is no TLS server, and what comes is kept.
  let received = Buffer.alloc(0);
  const server = await k.listen({ lib: peer }, (theirs) => {
    theirs.on('error', () => {});
    theirs.on('data', (chunk) => (received = Buffer.concat([received, chunk])));
  });
  const socket = k.connect(server.address().port, secure, 'localhost');
  await until(() => received.length > 0);
  throwsDom(() => socket.send('plain text'), 'InvalidStateError');
  assert.equal(received[0], 22, 'a TLS handshake');
  assert.equal(socket.readyState, 'connecting');
  socket.close();
  await socket.closed;
  assert.ok(!received.includes('plain'));
});

for (const [why, options, code] of [
  ['nobody trusts it', {}, /^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/],
  ['it is for another host', { ca, serverName: 'example.org' }, /^ERR_TLS_CERT_ALTNAME_INVALID$/],
]) {
  test(`a certificate that is not good is an error, and no close: ${why}`, opts, async (t) => {
    const k = webKit(t);
    const port = await tlsServer(k, {});
    const socket = k.connect(port, { ...secure, ...options, ca: options.ca && ca });
    const log = record(socket);
    const { error } = await event(socket, 'error');
    assert.equal(error.name, 'NetworkError');
    assert.match(error.cause.code, code);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(log, ['error closed']);
  });
}

test('… unless it need not be', opts, async (t) => {
  const k = webKit(t);
  const port = await tlsServer(k, {}, (theirs) => endLater(theirs, 'hello'));
  const socket = k.connect(port, { ...secure, rejectUnauthorized: false });
  const received = collect(socket);
  await event(socket, 'close');
  assert.equal(received.text(), 'hello');
});

test('what is no TLS server is an error, and no close', opts, async (t) => {
  const k = webKit(t);
  const server = await k.listen({ lib: peer }, (theirs) => {
    theirs.on('error', () => {});
    theirs.end('220 hello\r\n');
  });
  const socket = k.connect(server.address().port, { ...secure, ca });
  const log = record(socket);
  const { error } = await event(socket, 'error');
  assert.equal(error.name, 'NetworkError');
  assert.match(error.cause.code, /^ERR_SSL_/);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(log, ['error closed']);
});

test('a client with a certificate, and another server name', opts, async (t) => {
  const k = webKit(t);
  const client = certificates.issue('client', { issuer: authority });
  let name;
  const options = { ca, requestCert: true, rejectUnauthorized: true };
  const port = await tlsServer(k, options, (theirs) => {
    name = theirs.servername;
    endLater(theirs, theirs.getPeerCertificate().subject.CN);
  });
  const socket = k.connect(port, {
    ...secure,
    ca,
    cert: client.cert,
    key: client.key,
    serverName: 'localhost',
  });
  const received = collect(socket);
  await event(socket, 'close');
  assert.equal(received.text(), 'client');
  assert.equal(name, 'localhost');
});

test('a connection that is cut without a word is lost', opts, async (t) => {
  const k = webKit(t);
  let raw;
  const port = await tlsServer(k, {}, (theirs) => theirs.write('hello'));
  const relay = await k.listen({ lib: peer }, (theirs) => {
    raw = theirs;
    const upstream = k.own(peer.connect(port, HOST));
    theirs.pipe(upstream, { end: false }).on('error', () => {});
    upstream.pipe(theirs, { end: false }).on('error', () => {});
  });
  const socket = k.connect(relay.address().port, { ...secure, ca });
  const log = record(socket);
  await event(socket, 'message');
  raw.end();
  const { error } = await event(socket, 'error');
  assert.equal(error.cause.code, 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING');
  await until(() => log.length === 4);
  assert.deepEqual(log, ['open open', 'message open', 'error closed', 'close closed']);
});

test('suspend() during the handshake holds from the start', opts, async (t) => {
  const k = webKit(t);
  const port = await tlsServer(k, {}, (theirs) => endLater(theirs, 'hello'));
  const socket = k.connect(port, { ...secure, ca });
  const log = record(socket);
  socket.suspend();
  await event(socket, 'open');
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(log, ['open open']);
  socket.resume();
  await event(socket, 'close');
  assert.deepEqual(log, ['open open', 'message open', 'halfclose open', 'close closed']);
});

for (const form of ['cert and key', 'pfx']) {
  test(`a secure server with ${form}`, opts, async (t) => {
    const k = webKit(t);
    const options =
      form === 'pfx'
        ? { pfx: certificates.pfx(identity, 'word'), passphrase: 'word' }
        : { cert, key };
    const server = k.serve({ ...secure, ...options });
    server.onconnect = ({ connectedSocket }) => {
      assert.equal(connectedSocket.readyState, 'open');
      connectedSocket.onmessage = ({ data }) => connectedSocket.send(data);
    };
    const theirs = k.own(
      tls.connect({ port: server.localPort, host: HOST, ca, servername: 'localhost' }),
    );
    theirs.end('secret');
    assert.equal(String(await readAll(theirs)), 'secret');
    assert.equal(theirs.authorized, true);
  });
}

test('a client that speaks no TLS is no connection, and disturbs nobody', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve({ ...secure, cert, key });
  const log = record(server);
  const plain = k.own(peer.connect(server.localPort, HOST));
  plain.on('error', () => {}).resume();
  plain.write('GET / HTTP/1.0\r\n\r\n');
  await new Promise((resolve) => plain.once('close', resolve));
  assert.deepEqual(log, []);
  const socket = k.connect(server.localPort, { ...secure, ca });
  await Promise.all([event(socket, 'open'), event(server, 'connect')]);
});

test("a server's readable has the handshakes that are over after close()", opts, async (t) => {
  const k = webKit(t);
  const server = k.serve({ ...secure, cert, key });
  const { localPort } = server;
  const reader = (await server.opened).readable.getReader();
  const raws = [0, 1].map(() => k.own(peer.connect(localPort, HOST)));
  await Promise.all(raws.map((raw) => once(raw, 'connect')));
  const secured = { ca, servername: 'localhost' };
  // Where this one is taken, the others have been accepted.
  const client = k.own(tls.connect({ port: localPort, host: HOST, ...secured }));
  k.track((await reader.read()).value);
  const [second, last] = [reader.read(), reader.read()];
  server.close();
  await server.closed;
  const late = k.own(tls.connect({ socket: raws[0], ...secured }));
  const { value: socket } = await second;
  k.track(socket).send('welcome');
  assert.equal(String((await once(late, 'data'))[0]), 'welcome');
  raws[1].destroy();
  assert.equal((await last).done, true);
  client.destroy();
});

test('openssl s_client', opts, async (t) => {
  const k = webKit(t);
  const { program } = tlsKit(t);
  const server = k.serve({ ...secure, cert, key });
  server.onconnect = ({ connectedSocket }) => {
    connectedSocket.onmessage = ({ data }) => connectedSocket.send(data);
  };
  const address = `${HOST}:${server.localPort}`;
  const client = program('openssl', [
    's_client',
    '-connect',
    address,
    '-quiet',
    '-CAfile',
    authority.certFile,
  ]);
  client.write('hello from openssl\n');
  await until(() => client.output().includes('hello from openssl'));
});

test('options that cannot be used throw at once', opts, () => {
  const bad = [
    {},
    { cert },
    { key },
    { cert: null, key: null, pfx: null },
    { cert: 'x', key },
    { cert, key: 'x' },
    { cert, key: certificates.issue('other').key },
    { pfx: Buffer.from('x') },
    { pfx: certificates.pfx(identity, 'word'), passphrase: 'wrong' },
  ];
  for (const options of bad) {
    throwsDom(() => new TCPServerSocket({ ...secure, ...options }), 'InvalidAccessError');
  }
  for (const options of [{ ca: 'x' }, { cert, key: 'x' }, { ca: 5 }, { serverName: 5 }]) {
    throwsDom(() => new TCPSocket(HOST, 9, { ...secure, ...options }), 'InvalidAccessError');
  }
});

test('clients that are to show a certificate are not let in without being asked', opts, () => {
  for (const wish of [{ ca }, { requestCert: true }, { clientAuth: 'required' }]) {
    for (const options of [wish, { ...secure, cert, key, ...wish }]) {
      throwsDom(() => new TCPServerSocket(options), 'InvalidAccessError');
    }
  }
  const off = { requestCert: false, clientAuth: 'none', ca: null };
  new TCPServerSocket({ localAddress: HOST, ...secure, cert, key, ...off }).close();
});

test('TLS in other words, or without useSecureTransport, is refused and not passed over', () => {
  for (const options of [{ tls: true }, { tls: { ca: 'x' } }, { sslTls: true }]) {
    for (const flag of [{}, { useSecureTransport: true }, { useSecureTransport: false }]) {
      const given = { ...options, ...flag };
      throwsDom(() => new TCPSocket(HOST, 9, given), 'InvalidAccessError');
      throwsDom(() => new TCPServerSocket(given), 'InvalidAccessError');
      throwsDom(() => new UDPSocket(given), 'InvalidAccessError');
    }
  }
  throwsDom(() => new UDPSocket(secure), 'InvalidAccessError');
  for (const options of [
    { ca: 'x' },
    { cert: 'x' },
    { key: 'x' },
    { serverName: 'localhost' },
    { rejectUnauthorized: false },
  ]) {
    throwsDom(() => new TCPSocket(HOST, 9, options), 'InvalidAccessError');
  }
  for (const options of [{ cert: 'x', key: 'x' }, { pfx: 'x' }, { passphrase: 'x' }]) {
    throwsDom(() => new TCPServerSocket(options), 'InvalidAccessError');
    // Plaintext is what was asked for here.
    const plain = { localAddress: HOST, useSecureTransport: false, tls: false, ...options };
    new TCPServerSocket(plain).close();
  }
});
