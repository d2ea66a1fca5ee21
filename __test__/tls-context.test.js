'use strict';

/** What contexts are made of: pass phrases, PKCS#12, wrong pairs; and the exports of the module. */

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');
const { run } = require('./helpers/child');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { HOST, TIMEOUT, net, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { closed, readAll, readBytes } = require('./helpers/kit');

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

test('the option tls where it would be passed over is refused, and not shown', options, () => {
  const refused = (name) => (err) => {
    assert.equal(err.code, 'ERR_INVALID_ARG_VALUE');
    assert.match(err.message, /options\.tls.*net\.createServer\(\) and net\.connect\(\)/);
    assert.ok(err.message.includes(name));
    assert.doesNotMatch(err.stack, /BEGIN/);
    return true;
  };
  for (const tls of [{ cert, key }, true]) {
    assert.throws(() => new net.Server({ tls }), refused('new Server()'));
    assert.throws(() => net.Server({ tls }), refused('new Server()'));
    assert.throws(() => new ours.Server({ tls }), refused('new Server()'));
    assert.throws(() => new net.Socket({ tls }), refused('new Socket()'));
    const socket = new net.Socket({ tls: false });
    assert.throws(() => socket.connect({ port: 9, tls }), refused('socket.connect()'));
    assert.equal(socket.connecting, false);
  }
});

test('the option tls of a server needs something to show', options, async (t) => {
  const { ownServer } = tlsKit(t);
  const missing = { name: 'TypeError', code: 'ERR_MISSING_ARGS' };
  for (const given of [true, {}, { ca: ca.cert }, { cert }, { key }, { contexts: {} }]) {
    assert.throws(() => net.createServer({ tls: given }), missing);
    await assert.rejects(net.promises.listen({ tls: given }), missing);
  }
  const invalid = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
  for (const given of ['x', 5]) {
    assert.throws(() => net.createServer({ tls: given }), invalid);
    assert.throws(() => net.connect({ port: 9, tls: given }), invalid);
  }
  // It may come by a name, by a callback, or in a context.
  const secureContext = ours.createSecureContext({ cert, key });
  for (const given of [
    { contexts: { localhost: { cert, key } } },
    { SNICallback: (_name, callback) => callback(null, secureContext) },
    { secureContext },
  ]) {
    ownServer(net.createServer({ tls: given }));
  }
});

test('a tls.Server gets its certificate whenever it likes, as in node:tls', options, async (t) => {
  const { connect, serve } = tlsKit(t);
  for (const give of ['setSecureContext', 'addContext']) {
    for (const lib of [peer, ours]) {
      const server = await serve(lib);
      server[give](...(give === 'addContext' ? ['localhost'] : []), { cert, key });
      const socket = connect(ours, server, { ca: ca.cert });
      await once(socket, 'secureConnect');
      socket.destroy();
      await closed(socket);
    }
  }
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
  for (const name of ['CLIENT_RENEG_LIMIT', 'CLIENT_RENEG_WINDOW', 'DEFAULT_ECDH_CURVE']) {
    assert.equal(ours[name], peer[name], name);
  }
  const suites = peer.getCiphers();
  for (const name of ours.DEFAULT_CIPHERS.split(':'))
    assert.ok(suites.includes(name.toLowerCase()));
  const server = ours.Server();
  assert.ok(server instanceof net.Server);
  const socket = ours.TLSSocket();
  assert.ok(socket instanceof net.Socket);
  assert.equal(socket.encrypted, true);
  assert.equal(socket.getProtocol(), null);
  assert.equal(socket.getCipher(), undefined);
  socket.destroy();
});

test('setServername, before there is a handshake', options, async (t) => {
  const { serve, own } = tlsKit(t);
  const server = await serve(peer, { cert, key }, (conn) => {
    // At once would be without its last word in TLS.
    setImmediate(() => conn.end(conn.servername || 'none'));
  });
  const target = { port: server.address().port, host: HOST };
  // The name is that of the certificate as well, before and after connect().
  const early = own(new ours.TLSSocket(undefined, { ca: ca.cert }));
  early.setServername('localhost');
  early.connect(target);
  const late = own(ours.connect({ ...target, ca: ca.cert, servername: 'elsewhere.test' }));
  late.setServername('localhost');
  for (const socket of [early, late]) {
    assert.equal(String(await readAll(socket)), 'localhost');
    assert.equal(socket.authorized, true);
  }
  assert.throws(() => early.setServername(7), { code: 'ERR_INVALID_ARG_TYPE' });
  const accepted = own(new ours.TLSSocket(own(net.connect(target)), { isServer: true, cert, key }));
  assert.throws(() => accepted.setServername('localhost'), { code: 'ERR_TLS_SNI_FROM_SERVER' });
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
