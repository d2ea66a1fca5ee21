'use strict';

/** TLS with other programs on the other side: openssl, curl, and Node's own. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const http = require('node:http');
const nodeNet = require('node:net');
const { test } = require('node:test');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { HOST, TIMEOUT, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { closed, readAll, readBytes, until } = require('./helpers/kit');

const options = { skip: NO_OPENSSL, timeout: TIMEOUT };
const NO_CURL = spawnSync('curl', ['--version']).status === 0 ? false : 'curl is not installed';
const { ca, server: identity, certificates } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  const flag = `-${version.toLowerCase().replace('v', '').replace('.', '_')}`;

  test(`openssl s_client talks to our server, ${version}`, options, async (t) => {
    const { serve, program } = tlsKit(t);
    const server = await serve(ours, { cert, key }, (conn) => conn.pipe(conn));
    const { port } = server.address();
    const client = program('openssl', [
      's_client',
      '-connect',
      `${HOST}:${port}`,
      '-CAfile',
      ca.certFile,
      flag,
      '-servername',
      'localhost',
      '-verify_return_error',
      '-quiet',
    ]);
    const [socket] = await once(server, 'secureConnection');
    assert.equal(socket.getProtocol(), version);
    assert.equal(socket.servername, 'localhost');
    client.write('over there and back\n');
    await until(() => client.output().includes('over there and back\n'));
    // An end that is said, so that openssl ends well.
    socket.end();
    assert.equal(await client.ended, 0, client.output());
  });

  test(`our client talks to openssl s_server, ${version}`, options, async (t) => {
    const { connect, opensslServer } = tlsKit(t);
    const server = await opensslServer(identity, [flag, '-rev']);
    const socket = connect(ours, server.port, { ca: ca.cert });
    await once(socket, 'secureConnect');
    assert.equal(socket.getProtocol(), version);
    assert.equal(socket.getCipher().version, version);
    const answer = readBytes(socket, 7);
    socket.write('abcdef\n');
    assert.equal(String(await answer), 'fedcba\n');
    socket.end();
    await closed(socket);
  });
}

test('both sides agree with node:tls on what was agreed', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  for (const [serverLib, clientLib] of [
    [ours, peer],
    [peer, ours],
  ]) {
    const server = await serve(serverLib, { cert, key, ALPNProtocols: ['h2', 'mine'] });
    const accepted = once(server, 'secureConnection');
    const client = connect(clientLib, server, { ca: ca.cert, ALPNProtocols: ['mine', 'other'] });
    const [[conn]] = await Promise.all([accepted, once(client, 'secureConnect')]);
    assert.equal(client.getProtocol(), conn.getProtocol());
    assert.deepEqual(client.getCipher(), conn.getCipher());
    assert.equal(client.alpnProtocol, 'mine');
    assert.equal(conn.alpnProtocol, 'mine');
    assert.equal(conn.servername, 'localhost');
    assert.equal(client.encrypted && conn.encrypted, true);
    assert.equal(client.getPeerCertificate().subject.CN, 'localhost');
    assert.deepEqual(conn.getPeerCertificate(), {});
    assert.equal(conn.authorized, false);
  }
});

test('getPeerCertificate is what node:tls gives', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(peer, { cert: Buffer.concat([cert, ca.cert]), key });
  const both = [];
  for (const lib of [ours, peer]) {
    const client = connect(lib, server, { ca: ca.cert });
    await once(client, 'secureConnect');
    both.push([client.getPeerCertificate(), client.getPeerCertificate(true)]);
    assert.equal(client.getPeerX509Certificate().subject, 'CN=localhost');
  }
  assert.deepEqual(both[0], both[1]);
});

test('no common application protocol ends the handshake', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(ours, { cert, key, ALPNProtocols: ['mine'] });
  const failed = once(server, 'tlsClientError');
  const client = connect(peer, server, { ca: ca.cert, ALPNProtocols: ['yours'] });
  const [err] = await once(client, 'error');
  assert.equal(err.code, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  assert.equal((await failed)[0].code, 'ERR_SSL_NO_APPLICATION_PROTOCOL');
});

test('versions are those that were asked for', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  for (const [serverLib, clientLib] of [
    [ours, peer],
    [peer, ours],
    [ours, ours],
  ]) {
    const old = await serve(serverLib, { cert, key, maxVersion: 'TLSv1.2' });
    const both = connect(clientLib, old, { ca: ca.cert });
    await once(both, 'secureConnect');
    assert.equal(both.getProtocol(), 'TLSv1.2');
    const modern = connect(clientLib, old, { ca: ca.cert, minVersion: 'TLSv1.3' });
    const [err] = await once(modern, 'error');
    assert.match(err.code, /^ERR_SSL_(TLSV1_ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL)$/);
  }
});

test(
  'curl over our server, and our client at an https server',
  { ...options, skip: NO_OPENSSL || NO_CURL },
  async (t) => {
    const { serve, program } = tlsKit(t);
    const inner = http.createServer((req, res) => res.end(`you asked for ${req.url}`));
    const server = await serve(ours, { cert, key }, (conn) => inner.emit('connection', conn));
    const curl = program('curl', [
      '-sS',
      '--cacert',
      ca.certFile,
      '--resolve',
      `localhost:${server.address().port}:${HOST}`,
      '--http1.1',
      `https://localhost:${server.address().port}/this`,
    ]);
    assert.equal(await curl.ended, 0, curl.output());
    assert.equal(curl.output(), 'you asked for /this');
    // Without the CA it must not.
    const careful = program('curl', ['-sS', `https://${HOST}:${server.address().port}/`]);
    assert.equal(await careful.ended, 60, careful.output());
  },
);

test('keys of every kind', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  for (const kind of ['rsa', 'ed25519', 'ec']) {
    const one = certificates.issue('localhost', { issuer: ca, names: 'DNS:localhost', kind });
    const server = await serve(ours, { cert: one.cert, key: one.key });
    for (const lib of [ours, peer]) {
      const client = connect(lib, server, { ca: ca.cert });
      await once(client, 'secureConnect');
      assert.equal(client.authorized, true);
      client.end();
      await closed(client);
    }
  }
});

test(
  'two identities of different kinds: each client gets what it understands',
  options,
  async (t) => {
    const { serve, program } = tlsKit(t);
    const rsa = certificates.issue('localhost', {
      issuer: ca,
      names: 'DNS:localhost',
      kind: 'rsa',
    });
    // In another order than their keys.
    const server = await serve(ours, { cert: [cert, rsa.cert], key: [rsa.key, key] });
    for (const [algorithms, found] of [
      ['RSA-PSS+SHA256', 'rsaEncryption'],
      ['ECDSA+SHA256', 'id-ecPublicKey'],
    ]) {
      const client = program('openssl', [
        's_client',
        '-connect',
        `${HOST}:${server.address().port}`,
        '-sigalgs',
        algorithms,
        '-CAfile',
        ca.certFile,
        '-showcerts',
      ]);
      client.child.stdin.end();
      await client.ended;
      assert.ok(client.output().includes(`PKEY: ${found}`), client.output());
    }
  },
);

test('a server answers each name with its own context', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const issue = (name) => {
    const made = certificates.issue(name, { issuer: ca, names: `DNS:${name}` });
    return { cert: made.cert, key: made.key };
  };
  const server = await serve(ours, { cert, key, contexts: { 'one.test': issue('one.test') } });
  server.addContext('*.many.test', issue('*.many.test'));
  const subject = async (servername) => {
    const client = connect(peer, server, { ca: ca.cert, servername, rejectUnauthorized: false });
    await once(client, 'secureConnect');
    const { CN } = client.getPeerCertificate().subject;
    client.destroy();
    return CN;
  };
  assert.equal(await subject('one.test'), 'one.test');
  assert.equal(await subject('ONE.test'), 'one.test');
  assert.equal(await subject('a.many.test'), '*.many.test');
  assert.equal(await subject('a.b.many.test'), 'localhost');
  assert.equal(await subject('localhost'), 'localhost');
  server.setSecureContext(issue('renewed.test'));
  assert.equal(await subject('localhost'), 'renewed.test');
});

test('SNICallback chooses, later too, or refuses', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const late = certificates.issue('late.test', { issuer: ca, names: 'DNS:late.test' });
  const context = ours.createSecureContext({ cert: late.cert, key: late.key });
  const server = await serve(ours, {
    cert,
    key,
    SNICallback(name, callback) {
      if (name === 'late.test') setTimeout(callback, 30, null, context);
      else if (name === 'bad.test') callback(new Error('no such name'));
      else callback(null, undefined);
    },
  });
  for (const [servername, CN] of [
    ['late.test', 'late.test'],
    ['localhost', 'localhost'],
    ['', 'localhost'],
  ]) {
    const client = connect(peer, server, {
      ca: ca.cert,
      servername,
      checkServerIdentity: () => {},
    });
    await Promise.all([once(client, 'secureConnect'), once(server, 'secureConnection')]);
    assert.equal(client.getPeerCertificate().subject.CN, CN);
    client.destroy();
  }
  const failed = once(server, 'tlsClientError');
  const refused = connect(peer, server, { ca: ca.cert, servername: 'bad.test' });
  refused.on('error', () => {});
  assert.equal((await failed)[0].message, 'no such name');
  await closed(refused);
});

for (const [name, lib] of [
  ['ours', ours],
  ['node:tls', peer],
]) {
  test(`what a peer makes the program's own code throw: ${name}`, options, async (t) => {
    const { serve, connect } = tlsKit(t);
    const context = lib.createSecureContext({ cert, key });
    let again;
    const server = await serve(
      lib,
      {
        cert,
        key,
        captureRejections: true,
        SNICallback(servername, callback) {
          if (servername === 'throws.test') throw new Error('no such file');
          callback(null, context);
          if (servername === 'twice.test') callback(null, context);
          again = callback;
        },
      },
      async (conn) => {
        await new Promise((resolve) => conn.once('data', resolve));
        throw new Error('not understood');
      },
    );
    const dropped = async (servername) => {
      const failure = once(server, 'tlsClientError');
      const client = connect(peer, server, { ca: ca.cert, servername });
      client.on('error', () => {});
      await closed(client);
      const [err, socket] = await failure;
      assert.equal(socket.destroyed, true);
      return err;
    };
    assert.equal((await dropped('throws.test')).message, 'no such file');
    assert.equal((await dropped('twice.test')).code, 'ERR_MULTIPLE_CALLBACK');

    // One that answers once more when all is agreed, and a listener that fails: that connection is closed.
    const acts = [() => again(null, context)];
    // Servers of Node have that option only by way of `events.captureRejections`.
    if (lib === ours) acts.push((client) => client.write('what?'));
    for (const act of acts) {
      const accepted = once(server, 'secureConnection');
      const client = connect(peer, server, { ca: ca.cert });
      client.on('error', () => {});
      const [conn] = await accepted;
      conn.resume();
      act(client);
      await Promise.all([closed(conn), closed(client)]);
    }
  });

  test(
    `an accepted connection that fails is nobody's unhandled error: ${name}`,
    options,
    async (t) => {
      const kit = tlsKit(t);
      const server = kit.ownServer(lib.createServer({ cert, key }));
      server.listen(0, HOST);
      await once(server, 'listening');
      const accepted = once(server, 'secureConnection');
      const raw = kit.own(nodeNet.connect(server.address().port, HOST));
      const client = kit.own(peer.connect({ socket: raw, ca: ca.cert, servername: 'localhost' }));
      client.on('error', () => {});
      const [conn] = await accepted;
      conn.resume();
      // Behind the session tickets.
      conn.write('hello');
      await once(client, 'data');
      raw.resetAndDestroy();
      assert.equal(await closed(conn), true);
      conn.destroy();
    },
  );
}

test('bytes and their ends in every order', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  for (const [serverLib, clientLib] of [
    [ours, peer],
    [peer, ours],
    [ours, ours],
  ]) {
    // Our half-closed socket still receives.
    const server = await serve(serverLib, { cert, key, allowHalfOpen: true }, (conn) => {
      readAll(conn).then(
        (got) => conn.end(`got ${got.length}`),
        () => {},
      );
    });
    const client = connect(clientLib, server, { ca: ca.cert, allowHalfOpen: true });
    const answer = readAll(client);
    // Before the handshake, in one go.
    client.end(Buffer.alloc(100_000, 'x'));
    assert.equal(String(await answer), 'got 100000');
  }
});
