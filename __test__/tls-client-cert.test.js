'use strict';

/** Client certificates, in all the ways a server may ask for them. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { HOST, TIMEOUT, net, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { closed } = require('./helpers/kit');

const options = { skip: NO_OPENSSL, timeout: TIMEOUT };
const { ca, server: identity, certificates } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};
const stranger = NO_OPENSSL ? null : certificates.issue('stranger');
const known = NO_OPENSSL ? null : certificates.issue('friend', { issuer: ca });
const clients = {
  known: { cert: known?.cert, key: known?.key },
  stranger: { cert: stranger?.cert, key: stranger?.key },
  none: {},
};

/** What a server makes of a client: `{ authorized, authorizationError, CN }`, or `{ code }`. */
async function verdict(t, serverLib, clientLib, wishes, client) {
  const { serve, connect } = tlsKit(t);
  const server = await serve(serverLib, { cert, key, ca: ca.cert, ...wishes });
  const result = new Promise((resolve) => {
    server.once('tlsClientError', (err) => resolve({ code: err.code }));
    server.once('secureConnection', (conn) => {
      const { authorized, authorizationError } = conn;
      resolve({ authorized, authorizationError, CN: conn.getPeerCertificate()?.subject?.CN });
    });
  });
  const socket = connect(clientLib, server, { ca: ca.cert, ...client });
  socket.on('error', () => {});
  const answer = await result;
  socket.destroy();
  await closed(socket);
  return answer;
}

const modes = {
  none: {},
  tolerant: { requestCert: true, rejectUnauthorized: false },
  request: { clientAuth: 'request' },
  required: { requestCert: true },
  'clientAuth: required': { clientAuth: 'required' },
  'clientAuth: none': { clientAuth: 'none' },
};
const good = { authorized: true, authorizationError: null, CN: 'friend' };
const missing = 'UNABLE_TO_GET_ISSUER_CERT';

/** [mode, client, expected, whether Node has that mode and says the same] */
const table = [
  ['none', 'none', { authorized: false, authorizationError: null, CN: undefined }, true],
  ['none', 'known', { authorized: false, authorizationError: null, CN: undefined }, true],
  ['tolerant', 'none', { authorized: false, authorizationError: missing, CN: undefined }, true],
  ['tolerant', 'known', good, true],
  [
    'tolerant',
    'stranger',
    { authorized: false, authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT', CN: 'stranger' },
    true,
  ],
  ['request', 'none', { authorized: false, authorizationError: missing, CN: undefined }, false],
  ['request', 'known', good, false],
  ['request', 'stranger', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, false],
  ['required', 'none', { code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' }, true],
  ['required', 'known', good, true],
  // Node says only that the socket hung up, because it hung up.
  ['required', 'stranger', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, false],
  ['clientAuth: required', 'none', { code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE' }, false],
  ['clientAuth: required', 'known', good, false],
  [
    'clientAuth: none',
    'known',
    { authorized: false, authorizationError: null, CN: undefined },
    false,
  ],
];

for (const [mode, who, expected, isNode] of table) {
  test(`mode ${mode}, client ${who}`, options, async (t) => {
    const run = (serverLib, clientLib) =>
      verdict(t, serverLib, clientLib, modes[mode], clients[who]);
    if (isNode) assert.deepEqual(await run(peer, peer), expected, 'node:tls');
    assert.deepEqual(await run(ours, peer), expected, 'our server');
    assert.deepEqual(await run(ours, ours), expected, 'both ours');
    if (isNode) assert.deepEqual(await run(peer, ours), expected, 'our client');
  });
}

test('the client hears why it was refused', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(ours, { cert, key, ca: ca.cert, requestCert: true });
  for (const [client, code] of [
    [{}, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
    [clients.stranger, 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'],
  ]) {
    for (const lib of [ours, peer]) {
      const socket = connect(lib, server, { ca: ca.cert, ...client });
      const [err] = await once(socket, 'error');
      assert.equal(err.code, code);
    }
  }
});

test(
  'openssl shows its certificate to our server, and asks our client for one',
  options,
  async (t) => {
    const { serve, connect, opensslServer, program } = tlsKit(t);
    const server = await serve(ours, { cert, key, ca: ca.cert, requestCert: true });
    program('openssl', [
      's_client',
      '-connect',
      `${HOST}:${server.address().port}`,
      '-CAfile',
      ca.certFile,
      '-cert',
      known.certFile,
      '-key',
      known.keyFile,
    ]);
    const [conn] = await once(server, 'secureConnection');
    assert.equal(conn.authorized, true);
    assert.equal(conn.getPeerCertificate().subject.CN, 'friend');

    const theirs = await opensslServer(identity, ['-Verify', '1', '-CAfile', ca.certFile, '-rev']);
    const socket = connect(ours, theirs.port, { ca: ca.cert, ...clients.known });
    await once(socket, 'secureConnect');
    socket.write('ab\n');
    assert.equal(String((await once(socket, 'data'))[0]), 'ba\n');
  },
);

test(
  'a wish that is not understood is refused, and does not let everybody in',
  options,
  async (t) => {
    const { ownServer } = tlsKit(t);
    const wrong = [
      ...['require', 'REQUIRED', 'required ', 'optional', '', true, 1, ['none'], {}].map(
        (clientAuth) => ({ clientAuth }),
      ),
      { clientAuth: 'none', requestCert: true },
      { clientAuth: 'required', rejectUnauthorized: false },
    ];
    for (const wish of wrong) {
      const given = { cert, key, ca: ca.cert, ...wish };
      const invalid = { code: 'ERR_INVALID_ARG_VALUE', message: /'options\.clientAuth'/ };
      assert.throws(() => ownServer(ours.createServer(given)), invalid);
      assert.throws(() => ownServer(net.createServer({ tls: given })), invalid);
      assert.throws(() => net.DataSocket.listen(() => true, 0, { tls: given }).close(), invalid);
      await assert.rejects(
        async () => ownServer(await net.promises.listen({ tls: given })),
        invalid,
      );
    }
  },
);
