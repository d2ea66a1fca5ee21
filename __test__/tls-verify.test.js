'use strict';

/** Whom a client trusts: every case is asked of `node:tls` as well, and the answers have to be the same. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Certificates, NO_OPENSSL } = require('./helpers/tls-certificates');
const { TIMEOUT, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { closed } = require('./helpers/kit');

const names = 'DNS:localhost,DNS:*.wild.test,IP:127.0.0.1';
let cases = null;

function identities() {
  if (cases) return cases;
  const certificates = new Certificates();
  const ca = certificates.issue('Root', { ca: true });
  const other = certificates.issue('Other root', { ca: true });
  const middle = certificates.issue('Intermediate', { ca: true, issuer: ca });
  const good = certificates.issue('localhost', { issuer: ca, names });
  const below = certificates.issue('localhost', { issuer: middle, names });
  const selfSigned = certificates.issue('localhost', { names });
  const selfSignedCa = certificates.issue('localhost', { names, ca: true });
  const chained = (one, ...rest) => ({
    ...one,
    cert: Buffer.concat([one, ...rest].map((c) => c.cert)),
  });
  cases = {
    ca,
    other,
    middle,
    good,
    below,
    selfSigned,
    selfSignedCa,
    chained,
    expired: certificates.issue('localhost', { issuer: ca, names, days: [-10, -5] }),
    future: certificates.issue('localhost', { issuer: ca, names, days: [5, 10] }),
    nameless: certificates.issue('localhost', { issuer: ca }),
    expiredSelf: certificates.issue('localhost', { names, days: [-10, -5] }),
  };
  return cases;
}

/** What a client of `lib` makes of the server: an error's code, or what it says about authorization. */
async function outcome(t, lib, server, options) {
  const { connect } = tlsKit(t);
  const socket = connect(lib, server, options);
  return new Promise((resolve) => {
    socket.once('error', (err) => {
      resolve({ error: err.code, authorizationError: socket.authorizationError });
    });
    socket.once('secureConnect', () => {
      const { authorized, authorizationError } = socket;
      resolve({ authorized, authorizationError });
    });
  });
}

/** [name, server's identity, client's options, what is to come out] */
const table = (c) => [
  ['a good one', c.good, { ca: c.ca.cert }, null],
  ['an address as name', c.good, { ca: c.ca.cert, servername: undefined }, null],
  ['a wildcard', c.good, { ca: c.ca.cert, servername: 'a.wild.test' }, null],
  [
    'a wrong name',
    c.good,
    { ca: c.ca.cert, servername: 'example.com' },
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  [
    'a name below a wildcard',
    c.good,
    { ca: c.ca.cert, servername: 'a.b.wild.test' },
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ],
  ['the common name alone', c.nameless, { ca: c.ca.cert }, null],
  ['an expired one', c.expired, { ca: c.ca.cert }, 'CERT_HAS_EXPIRED'],
  ['one of the future', c.future, { ca: c.ca.cert }, 'CERT_NOT_YET_VALID'],
  ['a root that is not known', c.good, { ca: c.other.cert }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['a missing intermediate', c.below, { ca: c.ca.cert }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['an intermediate', c.chained(c.below, c.middle), { ca: c.ca.cert }, null],
  ['an intermediate that the client has', c.below, { ca: [c.ca.cert, c.middle.cert] }, null],
  ['two in one file', c.below, { ca: Buffer.concat([c.middle.cert, c.ca.cert]) }, null],
  [
    'a chain with an unknown root',
    c.chained(c.below, c.middle, c.ca),
    { ca: c.other.cert },
    'SELF_SIGNED_CERT_IN_CHAIN',
  ],
  ['a self-signed one', c.selfSigned, { ca: c.other.cert }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['a self-signed one that is trusted', c.selfSigned, { ca: c.selfSigned.cert }, null],
  ['a self-signed CA as server', c.selfSignedCa, { ca: c.selfSignedCa.cert }, null],
  ['an expired one that is trusted', c.expiredSelf, { ca: c.expiredSelf.cert }, 'CERT_HAS_EXPIRED'],
  ['the roots of the system', c.good, {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
];

const CASES = NO_OPENSSL ? [] : table(identities());

test('certificates need openssl', { skip: NO_OPENSSL }, () => assert.ok(CASES.length > 0));

for (const [name, identity, options, code] of CASES) {
  test(`a server with ${name}`, { timeout: TIMEOUT }, async (t) => {
    const { serve } = tlsKit(t);
    const { cert, key } = identity;
    const server = await serve(peer, { cert, key });
    const expected =
      code === null
        ? { authorized: true, authorizationError: null }
        : { error: code, authorizationError: code };
    assert.deepEqual(await outcome(t, peer, server, options), expected, 'node:tls');
    assert.deepEqual(await outcome(t, ours, server, options), expected, 'socket/tls');
  });

  test(`a server with ${name}, whatever it is`, { timeout: TIMEOUT }, async (t) => {
    const { serve } = tlsKit(t);
    const { cert, key } = identity;
    const server = await serve(peer, { cert, key });
    const expected = { authorized: code === null, authorizationError: code };
    const tolerant = { ...options, rejectUnauthorized: false };
    assert.deepEqual(await outcome(t, peer, server, tolerant), expected, 'node:tls');
    assert.deepEqual(await outcome(t, ours, server, tolerant), expected, 'socket/tls');
  });
}

test(
  'checkServerIdentity decides, and sees the certificate',
  { skip: NO_OPENSSL, timeout: TIMEOUT },
  async (t) => {
    const { serve, connect } = tlsKit(t);
    const { good, ca } = identities();
    const server = await serve(peer, { cert: good.cert, key: good.key });
    const asked = [];
    const allow = (host, certificate) => {
      asked.push([host, certificate.subject.CN, certificate.issuerCertificate?.subject.CN]);
    };
    const socket = connect(ours, server, {
      ca: ca.cert,
      servername: 'elsewhere.test',
      checkServerIdentity: allow,
    });
    await once(socket, 'secureConnect');
    assert.equal(socket.authorized, true);
    assert.deepEqual(asked, [['elsewhere.test', 'localhost', undefined]]);

    const refusal = new Error('not you');
    const refused = connect(ours, server, { ca: ca.cert, checkServerIdentity: () => refusal });
    const [err] = await once(refused, 'error');
    assert.equal(err, refusal);
  },
);

test(
  'nothing that was written reaches a server that is not trusted',
  { skip: NO_OPENSSL, timeout: TIMEOUT },
  async (t) => {
    const { serve, connect } = tlsKit(t);
    const { good, ca, other } = identities();
    const received = [];
    const server = await serve(peer, { cert: good.cert, key: good.key }, (conn) => {
      conn.on('data', (data) => received.push(String(data)));
    });
    const wrong = [
      { ca: other.cert },
      { ca: ca.cert, servername: 'example.com' },
      { ca: ca.cert, checkServerIdentity: () => new Error('no') },
    ];
    for (const options of wrong) {
      const socket = connect(ours, server, options);
      socket.write('a secret');
      socket.on('error', () => {});
      await closed(socket);
    }
    // Whatever had been sent would be there before this.
    const right = connect(ours, server, { ca: ca.cert });
    right.end('no secret');
    await closed(right);
    assert.deepEqual(received, ['no secret']);
  },
);
