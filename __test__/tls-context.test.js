'use strict';

/** What contexts are made of: pass phrases, PKCS#12, wrong pairs; and the exports of the module. */

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');
const { run } = require('./helpers/child');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { TIMEOUT, net, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { closed, readBytes } = require('./helpers/kit');

const options = { skip: NO_OPENSSL, timeout: TIMEOUT };
const { ca, server: identity, certificates } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};

/** Whether a server with that identity is one that `node:tls` trusts. */
async function works(t, wishes, client = {}) {
  const { serve, connect } = tlsKit(t);
  const server = await serve(ours, wishes);
  const socket = connect(peer, server, { ca: ca.cert, ...client });
  await once(socket, 'secureConnect');
  assert.equal(socket.authorized, true);
  const { subject } = socket.getPeerX509Certificate();
  socket.destroy();
  return subject;
}

test('keys in every form that Node takes', options, async (t) => {
  const phrase = 'a pass phrase with spaces and ü';
  const encrypted = certificates.encrypted(identity, phrase);
  const forms = [
    { cert, key },
    { cert: String(cert), key: String(key) },
    { cert: [cert], key: [key] },
    { cert, key: encrypted, passphrase: phrase },
    { cert, key: [{ pem: encrypted, passphrase: phrase }] },
    { cert, key: crypto.createPrivateKey(key) },
    { cert: new crypto.X509Certificate(cert).raw, key },
    { secureContext: ours.createSecureContext({ cert, key }) },
    { pfx: certificates.pfx(identity, phrase), passphrase: phrase },
    { pfx: [{ buf: certificates.pfx(identity, phrase), passphrase: phrase }] },
    { pfx: certificates.pfx(identity, phrase, { legacy: true }), passphrase: phrase },
    { pfx: certificates.pfx(identity, '') },
  ];
  for (const form of forms) assert.equal(await works(t, form), 'CN=localhost');
});

test('a PKCS#12 file brings its chain along', options, async (t) => {
  const middle = certificates.issue('Intermediate', { issuer: ca, ca: true });
  const below = certificates.issue('below', { issuer: middle, names: 'DNS:localhost' });
  const pfx = certificates.pfx(below, 'phrase', { chain: middle });
  assert.equal(await works(t, { pfx, passphrase: 'phrase' }), 'CN=below');
  // As OpenSSL does: the chain is completed from `ca`.
  const parts = { cert: below.cert, key: below.key, ca: [middle.cert, ca.cert] };
  assert.equal(await works(t, parts), 'CN=below');
});

test('what cannot be right throws at once, as in node:tls', options, () => {
  const phrase = 'right';
  const encrypted = certificates.encrypted(identity, phrase);
  const stranger = certificates.issue('stranger');
  const wrong = [
    { cert, key: stranger.key },
    { cert, key: encrypted, passphrase: 'wrong' },
    { cert: 'no certificate', key },
    { cert, key: 'no key' },
  ];
  for (const each of wrong) {
    let expected;
    try {
      peer.createSecureContext(each);
    } catch (err) {
      expected = err.code;
    }
    assert.ok(expected, 'node:tls throws');
    // OpenSSL has several codes for a text that is not PEM.
    const code = /PEM|DECODER|UNSUPPORTED/.test(expected)
      ? /PEM|DECODER|UNSUPPORTED/
      : new RegExp(expected);
    assert.throws(
      () => ours.createSecureContext(each),
      (err) => code.test(err.code),
      expected,
    );
  }
  const pfx = certificates.pfx(identity, phrase);
  const mac = { message: /mac verify failure/ };
  assert.throws(() => peer.createSecureContext({ pfx, passphrase: 'wrong' }), mac);
  assert.throws(() => ours.createSecureContext({ pfx, passphrase: 'wrong' }), mac);
  assert.throws(() => ours.createSecureContext({ ca: 'nothing' }), {
    code: 'ERR_OSSL_PEM_NO_START_LINE',
  });
  for (const each of [{ key: 7, cert }, { cert: 7, key }, { ca: 7 }, { pfx: 7 }]) {
    assert.throws(() => ours.createSecureContext(each), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  assert.throws(() => ours.createSecureContext({ crl: 'a list' }), {
    code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
  });
  assert.throws(() => ours.connect({ port: 1, secureContext: peer.createSecureContext() }), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
});

test('a server without a certificate has no handshake', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(ours, {});
  const failed = once(server, 'tlsClientError');
  const socket = connect(peer, server, { ca: ca.cert });
  const [err] = await once(socket, 'error');
  assert.match(err.code, /^ERR_SSL_/);
  assert.equal((await failed)[0].code, 'ERR_SSL_NO_SHARED_CIPHER');
});

test('sessions are resumed where they were kept, and the peer sees it', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  for (const [serverLib, clientLib] of [
    [peer, ours],
    [ours, peer],
    [ours, ours],
  ]) {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const server = await serve(serverLib, { cert, key, maxVersion: version }, (conn) => {
        conn.resume().write(String(conn.isSessionReused()));
      });
      // One context, as a program that resumes has it.
      const secureContext = clientLib.createSecureContext({ ca: ca.cert });
      const visit = async (session) => {
        const socket = connect(clientLib, server, { secureContext, session });
        let kept = null;
        socket.on('session', (one) => (kept = one));
        const [answer] = await once(socket, 'data');
        const own = socket.isSessionReused();
        socket.end();
        await closed(socket);
        return {
          peer: String(answer),
          own,
          authorized: socket.authorized,
          kept,
        };
      };
      const first = await visit();
      assert.deepEqual([first.peer, first.own], ['false', false]);
      assert.ok(Buffer.isBuffer(first.kept), `${version}: there is a session`);
      const second = await visit(first.kept);
      assert.deepEqual([second.peer, second.own, second.authorized], ['true', true, true]);
      const third = await visit();
      assert.deepEqual([third.peer, third.own], ['false', false]);
      const stale = await visit(Buffer.from('no session at all'));
      assert.equal(stale.own, false);
    }
  }
});

test('net.connect and net.createServer with the option tls', options, async (t) => {
  const { own, ownServer } = tlsKit(t);
  const server = ownServer(net.createServer({ tls: { cert, key } }, (conn) => conn.pipe(conn)));
  assert.ok(server instanceof ours.Server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const socket = own(
    net.connect({ port, host: '127.0.0.1', tls: { ca: ca.cert, servername: 'localhost' } }),
  );
  assert.ok(socket instanceof ours.TLSSocket);
  await once(socket, 'secureConnect');
  const answer = readBytes(socket, 5);
  socket.write('hello');
  assert.equal(String(await answer), 'hello');
});

test('the surface of tls', () => {
  for (const name of ['connect', 'createServer', 'createSecureContext', 'checkServerIdentity']) {
    assert.equal(typeof ours[name], 'function', name);
  }
  assert.equal(require('socket/tls'), ours);
  assert.equal(require('socket').tls, ours);
  assert.equal(ours.DEFAULT_MIN_VERSION, 'TLSv1.2');
  assert.equal(ours.DEFAULT_MAX_VERSION, 'TLSv1.3');
  assert.deepEqual(ours.rootCertificates, peer.rootCertificates);
  const server = ours.Server();
  assert.ok(server instanceof net.Server);
  const socket = ours.TLSSocket();
  assert.ok(socket instanceof net.Socket);
  assert.equal(socket.encrypted, true);
  assert.equal(socket.getProtocol(), null);
  assert.equal(socket.getCipher(), undefined);
  socket.destroy();
});

test('wrong arguments throw', () => {
  const invalid = { code: 'ERR_INVALID_ARG_TYPE' };
  assert.throws(() => ours.createServer('no options'), invalid);
  assert.throws(() => ours.createServer({ SNICallback: 7 }), invalid);
  assert.throws(() => ours.createServer({ handshakeTimeout: 'long' }), invalid);
  assert.throws(() => new ours.TLSSocket({}), invalid);
  assert.throws(() => ours.connect({ port: 1, checkServerIdentity: 7 }), invalid);
  assert.throws(() => ours.connect({ port: 1, servername: 7 }), invalid);
  assert.throws(() => ours.connect({}), { code: 'ERR_MISSING_ARGS' });
});

test('a package that is loaded twice, both of which go on', options, async () => {
  const { stdout, stderr } = await run('loaded-twice');
  assert.equal(stdout, 'two copies\nhello\nhello\nhello\n', stderr);
});
