'use strict';

/** Peers that do not keep to the rules, and those that only speak what is not safe any more. */

const assert = require('node:assert/strict');
const net = require('node:net');
const { inspect } = require('node:util');
const { test } = require('node:test');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { HOST, TIMEOUT, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { closed, readAll, until } = require('./helpers/kit');

const options = { skip: NO_OPENSSL, timeout: TIMEOUT };
const { ca, server: identity } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};

/** A raw TCP server that does `play` with its connection. */
async function rawServer(kit, play) {
  const server = kit.ownServer(
    net.createServer((conn) => {
      conn.on('error', () => {});
      play(conn);
    }),
  );
  server.listen(0, HOST);
  await once(server, 'listening');
  return server;
}

/** A connection to our server that says something else than TLS. */
function rawClient(kit, server, bytes) {
  const socket = kit.own(net.connect(server.address().port, HOST));
  socket.on('error', () => {});
  socket.resume().write(bytes);
  return socket;
}

test('TLS 1.1 is refused, by both sides', options, async (t) => {
  const { serve, connect, opensslServer, program } = tlsKit(t);
  const server = await serve(ours, { cert, key });
  const failed = once(server, 'tlsClientError');
  const client = program('openssl', [
    's_client',
    '-connect',
    `${HOST}:${server.address().port}`,
    '-tls1_1',
    '-cipher',
    'DEFAULT:@SECLEVEL=0',
  ]);
  assert.equal((await failed)[0].code, 'ERR_SSL_UNSUPPORTED_PROTOCOL');
  assert.equal(await client.ended, 1);
  assert.match(client.output(), /alert (protocol version|handshake failure)/);

  const old = await opensslServer(identity, ['-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0']);
  const socket = connect(ours, old.port, { ca: ca.cert });
  const [err] = await once(socket, 'error');
  assert.match(err.code, /^ERR_SSL_(TLSV1_ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL)$/);
});

test('a version below TLS 1.2 cannot be asked for', () => {
  const invalid = { code: 'ERR_INVALID_ARG_VALUE' };
  assert.throws(() => ours.createSecureContext({ maxVersion: 'TLSv1.1' }), invalid);
  assert.throws(
    () => ours.createSecureContext({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }),
    invalid,
  );
  assert.throws(() => ours.createSecureContext({ minVersion: 'SSLv3' }), {
    code: 'ERR_TLS_INVALID_PROTOCOL_VERSION',
  });
});

test('garbage instead of a hello ends that connection and no other', options, async (t) => {
  const kit = tlsKit(t);
  const server = await kit.serve(ours, { cert, key }, (conn) => conn.end('still here'));
  const codes = [];
  server.on('tlsClientError', (err, socket) => {
    codes.push(err.code);
    assert.ok(socket instanceof ours.TLSSocket);
    assert.equal(socket.destroyed, true);
  });
  const length = Buffer.from([0x16, 3, 1, 0xff, 0xff]);
  const hello = Buffer.concat([Buffer.from([0x16, 3, 1, 0, 200]), Buffer.alloc(200, 0xff)]);
  // A hello of 16 MB, in records as large as they may be.
  const record = Buffer.concat([Buffer.from([0x16, 3, 1, 0x40, 0]), Buffer.alloc(0x4000, 1)]);
  const endless = Buffer.concat(Array.from({ length: 20 }, () => record));
  endless.set([1, 0xff, 0xff, 0xff], 5);
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', Buffer.alloc(1000, 0), length, hello, endless]) {
    const before = codes.length;
    const socket = rawClient(kit, server, bytes);
    await closed(socket);
    await until(() => codes.length > before);
  }
  for (const code of codes) assert.match(code, /^ERR_SSL_/);
  assert.equal(codes[0], 'ERR_SSL_WRONG_VERSION_NUMBER');
  const good = kit.connect(peer, server, { ca: ca.cert });
  assert.equal(String(await readAll(good)), 'still here');
});

test('a server that does not speak TLS', options, async (t) => {
  const kit = tlsKit(t);
  const seen = [];
  const server = await rawServer(kit, (conn) => {
    conn.on('data', (data) => seen.push(data));
    conn.write('220 hello, this is a mail server\r\n');
  });
  const socket = kit.connect(ours, server, { ca: ca.cert });
  socket.write('a secret');
  const [err] = await once(socket, 'error');
  assert.equal(err.code, 'ERR_SSL_WRONG_VERSION_NUMBER');
  assert.equal(err.library, 'SSL routines');
  await closed(socket);
  assert.equal(Buffer.concat(seen).includes('a secret'), false);
});

test('a server that goes away in the handshake', options, async (t) => {
  const kit = tlsKit(t);
  const server = await rawServer(kit, (conn) => conn.once('data', () => conn.end()));
  const expected = {
    code: 'ECONNRESET',
    message: 'Client network socket disconnected before secure TLS connection was established',
  };
  for (const lib of [peer, ours]) {
    const socket = kit.connect(lib, server, { ca: ca.cert });
    const [err] = await once(socket, 'error');
    assert.deepEqual({ code: err.code, message: err.message }, expected);
    assert.equal(err.host, HOST);
    assert.equal(err.port, server.address().port);
  }
});

test('a client that goes away in the handshake', options, async (t) => {
  const kit = tlsKit(t);
  for (const lib of [peer, ours]) {
    const server = await kit.serve(lib, { cert, key });
    const failed = once(server, 'tlsClientError');
    rawClient(kit, server, Buffer.from([0x16, 3, 1])).end();
    const [err] = await failed;
    assert.equal(err.code, 'ECONNRESET');
    assert.equal(err.message, 'socket hang up');
  }
});

test('a peer that stalls in the handshake is given up', options, async (t) => {
  const kit = tlsKit(t);
  const server = await kit.serve(ours, { cert, key, handshakeTimeout: 200 });
  const failed = once(server, 'tlsClientError');
  const client = rawClient(kit, server, Buffer.from([0x16, 3, 1]));
  assert.equal((await failed)[0].code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
  await closed(client);

  const mute = await rawServer(kit, () => {});
  const socket = kit.connect(ours, mute, { ca: ca.cert, handshakeTimeout: 200 });
  const [err] = await once(socket, 'error');
  assert.equal(err.code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
});

/** Relays between a client and `target`, and cuts when `when(bytes so far)` says so. */
async function cuttingRelay(kit, target, when) {
  return rawServer(kit, (front) => {
    const back = kit.own(net.connect(target.address().port, HOST));
    back.on('error', () => {});
    front.pipe(back, { end: false });
    back.on('data', (data) => {
      front.write(data);
      if (when(data)) front.end();
    });
  });
}

test('a connection that is cut is an error and not an end', options, async (t) => {
  const kit = tlsKit(t);
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    let isSent = false;
    const server = await kit.serve(peer, { cert, key, maxVersion: version }, (conn) => {
      conn.write('only half of', () => (isSent = true));
    });
    const relay = await cuttingRelay(kit, server, () => isSent);
    const client = kit.connect(ours, relay, { ca: ca.cert });
    let got = '';
    let ended = false;
    client.on('data', (data) => (got += data));
    client.on('end', () => (ended = true));
    // One more packet, for the relay to cut after.
    client.once('data', () => server.emit('more'));
    server.once('more', () => {});
    const conn = await new Promise((resolve) => {
      client.once('secureConnect', () => resolve(client));
    });
    assert.equal(conn, client);
    client.write('?');
    const failed = once(client, 'error');
    await until(() => isSent);
    const [err] = await failed;
    assert.equal(err.code, 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING');
    assert.equal(got, 'only half of');
    assert.equal(ended, false);
  }
});

test('an end that was said is no error', options, async (t) => {
  const kit = tlsKit(t);
  // Not at once: then Node's own server does not say it.
  const server = await kit.serve(peer, { cert, key }, (conn) => {
    setImmediate(() => conn.end('all of it'));
  });
  const client = kit.connect(ours, server, { ca: ca.cert });
  assert.equal(String(await readAll(client)), 'all of it');
  assert.equal(await closed(client), false);
});

test('bytes that were changed on the way are not delivered', options, async (t) => {
  const kit = tlsKit(t);
  const server = await kit.serve(peer, { cert, key }, (conn) => {
    conn.on('data', () => conn.write('the answer'));
  });
  let isEvil = false;
  const relay = await rawServer(kit, (front) => {
    const back = kit.own(net.connect(server.address().port, HOST));
    back.on('error', () => {});
    front.pipe(back);
    back.on('data', (data) => {
      if (isEvil) data[data.length - 1] ^= 1;
      front.write(data);
    });
  });
  const client = kit.connect(ours, relay, { ca: ca.cert });
  await once(client, 'secureConnect');
  client.on('data', () => assert.fail('nothing is to come'));
  isEvil = true;
  client.write('?');
  const [err] = await once(client, 'error');
  assert.equal(err.code, 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC');
});

test('renegotiation is refused', options, async (t) => {
  const { serve, program } = tlsKit(t);
  const server = await serve(ours, { cert, key }, (conn) => conn.resume());
  const client = program('openssl', [
    's_client',
    '-connect',
    `${HOST}:${server.address().port}`,
    '-tls1_2',
    '-CAfile',
    ca.certFile,
    '-legacy_server_connect',
  ]);
  await until(() => client.output().includes('Verify return code'));
  client.write('R\n');
  await client.ended;
  assert.match(client.output(), /RENEGOTIATING/);
  assert.match(client.output(), /no renegotiation/);
});

test('secrets are in no error', options, () => {
  const phrase = 'the-pass-phrase-of-this-test';
  const words = String(key).split('\n')[1];
  const wrong = [
    { cert, key: NO_OPENSSL ? '' : String(key).replace(words, words.toLowerCase()) },
    { cert: ca.cert, key },
    { pfx: Buffer.from('no such file'), passphrase: phrase },
  ];
  for (const each of wrong) {
    assert.throws(
      () => ours.createSecureContext(each),
      (err) => {
        const shown = `${err.stack} ${JSON.stringify(err)}`;
        assert.equal(shown.includes(phrase), false);
        assert.equal(shown.includes(words), false);
        assert.ok(err.code);
        return true;
      },
    );
  }
  const socket = ours.connect({ port: 1, host: HOST, cert, key: String(key), passphrase: phrase });
  socket.on('error', () => {});
  const server = ours.createServer({ cert, key: String(key), passphrase: phrase });
  for (const each of [ours.createSecureContext({ cert, key }), socket, server]) {
    const shown = inspect(each, { depth: 9, showHidden: false });
    assert.equal(shown.includes(words) || shown.includes(phrase), false);
  }
  socket.destroy();
});
