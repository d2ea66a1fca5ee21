'use strict';

/** Value sockets over TLS. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { test } = require('node:test');
const timers = require('node:timers/promises');
const tls = require('node:tls');
const { createSecureContext } = require('..').tls;
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const {
  DataSocket,
  HELLO,
  HOST,
  Reader,
  TIMEOUT,
  dataKit,
  logOf,
  names,
  nextValue,
  told,
  until,
  valueFrame,
} = require('./helpers/datasocket');

const made = NO_OPENSSL ? null : standard();

/** @param {string} name */
const needsOpenssl = (name, body) => test(name, { skip: NO_OPENSSL, timeout: 3 * TIMEOUT }, body);

const serverOptions = () => ({ tls: { cert: made.server.cert, key: made.server.key } });
const clientOptions = (more) => ({ tls: { ca: made.ca.cert, ...more } });

needsOpenssl('values in both directions, small and large', async (t) => {
  const { client, accepted } = await dataKit(t).pair(serverOptions(), clientOptions());
  client.send({ small: 1 });
  assert.deepEqual(await nextValue(accepted), { small: 1 });
  const bytes = Buffer.alloc(10_000_000, 'pattern');
  accepted.send(bytes);
  assert.ok(bytes.equals(await nextValue(client)));
  const sent = logOf(client, ['sent', 'close']);
  client.send(bytes);
  client.close();
  assert.ok(bytes.equals(await nextValue(accepted)));
  await until(() => sent.at(-1)?.[0] === 'close');
  assert.deepEqual(names(sent), ['sent', 'close']);
});

needsOpenssl('a certificate that is not trusted', async (t) => {
  const { connect, listen } = dataKit(t);
  const listener = listen(() => assert.fail('it is not asked'), serverOptions());
  const refused = logOf(listener, ['clienterror']);
  const client = connect(listener, { tls: true });
  const log = logOf(client);
  await until(() => log.at(-1)?.[0] === 'close');
  assert.deepEqual(names(log), ['error', 'close']);
  assert.match(log[0][1].code, /CERT|ISSUER|VERIFY/);
  await until(() => refused.length === 1);
});

needsOpenssl('a peer without TLS, on either side', async (t) => {
  const { connect, listen, raw } = dataKit(t);
  const listener = listen(() => assert.fail('it is not asked'), serverOptions());
  const refused = logOf(listener, ['clienterror']);
  const conn = await raw(listener);
  conn.write(HELLO);
  await until(() => refused.length === 1);
  assert.ok(refused[0][1].code, 'a code');
  const plain = listen();
  const strangers = logOf(plain, ['clienterror']);
  const client = connect(plain, clientOptions());
  await told(client, 'close');
  await until(() => strangers.length === 1);
  assert.match(strangers[0][1].message, /TLS/);
});

needsOpenssl('node:tls on the other side', async (t) => {
  const { connect, k, listen } = dataKit(t);
  const listener = listen((socket) => socket.send('from ours') === true, serverOptions());
  const conn = k.own(
    tls.connect({ port: listener.port, host: HOST, servername: 'localhost', ca: made.ca.cert }),
  );
  await once(conn, 'secureConnect');
  const reader = new Reader(conn);
  conn.write(HELLO);
  assert.deepEqual(await reader.read(12), HELLO);
  assert.equal(await reader.readValue(), 'from ours');
  const server = tls.createServer({ cert: made.server.cert, key: made.server.key });
  k.ownServer(server).listen(0, HOST);
  await once(server, 'listening');
  const accepted = once(server, 'secureConnection');
  const client = connect(server.address().port, clientOptions());
  const [end] = await accepted;
  k.own(end);
  const other = new Reader(end);
  client.send([1n]);
  assert.deepEqual(await other.read(12), HELLO);
  end.write(Buffer.concat([HELLO, valueFrame('from node:tls')]));
  assert.deepEqual(await other.readValue(), [1n]);
  assert.equal(await nextValue(client), 'from node:tls');
  end.end();
  await told(client, 'close');
});

needsOpenssl('a context chosen by the name that the client asks for', async (t) => {
  const { connect, listen } = dataKit(t);
  const asked = [];
  const context = createSecureContext({ cert: made.server.cert, key: made.server.key });
  const listener = listen(() => true, {
    tls: {
      ...serverOptions().tls,
      SNICallback(name, callback) {
        asked.push(name);
        setImmediate(() => {
          if (name === 'localhost') callback(null, context);
          else callback(new Error('an unknown name'));
        });
      },
    },
  });
  await told(connect(listener, clientOptions({ servername: 'localhost' })), 'connect');
  const refused = told(listener, 'clienterror');
  const client = connect(listener, clientOptions({ servername: 'elsewhere.example' }));
  await told(client, 'close');
  assert.equal((await refused)[0].message, 'an unknown name');
  assert.deepEqual(asked, ['localhost', 'elsewhere.example']);
});

needsOpenssl('silence in the handshake ends in time', async (t) => {
  const { connect, listen, raw, rawServer } = dataKit(t);
  const listener = listen(() => true, { ...serverOptions(), handshakeTimeout: 100 });
  const refused = logOf(listener, ['clienterror']);
  await raw(listener);
  await until(() => refused.length === 1);
  const client = connect(await rawServer(() => {}), { ...clientOptions(), handshakeTimeout: 100 });
  const [err] = await told(client, 'error');
  assert.equal(err.code, 'ETIMEDOUT');
});

needsOpenssl('values that nobody has listened for yet survive a cut without a word', async (t) => {
  const { k, listen } = dataKit(t);
  let accepted;
  const listener = listen((socket) => {
    accepted = socket;
    return true;
  }, serverOptions());
  const tcp = k.own(net.connect(listener.port, HOST));
  const conn = k.own(tls.connect({ socket: tcp, servername: 'localhost', ca: made.ca.cert }));
  conn.on('error', () => {});
  await once(conn, 'secureConnect');
  const reader = new Reader(conn);
  conn.write(HELLO);
  await reader.read(12);
  const log = logOf(accepted, ['error', 'close']);
  conn.write(Buffer.concat([valueFrame(1), valueFrame(2)]));
  // TCP's end, and not TLS's.
  tcp.end();
  await timers.setTimeout(300);
  const values = [];
  accepted.on('data', (value) => values.push(value));
  await until(() => log.at(-1)?.[0] === 'close');
  assert.deepEqual(values, [1, 2]);
  assert.deepEqual(names(log), ['error', 'close']);
});

test('a listener with TLS but no certificate is refused at once', () => {
  for (const given of [{}, { cert: 'without its key' }, { contexts: {} }]) {
    assert.throws(() => DataSocket.listen(() => true, 0, { tls: given }), {
      name: 'TypeError',
      code: 'ERR_MISSING_ARGS',
    });
  }
});

test('TLS in the words of another API, or in the wrong place, is refused and not passed over', () => {
  const secret = '-----BEGIN PRIVATE KEY-----';
  const wrong = [
    { useSecureTransport: true },
    { sslTls: true },
    { ca: 'x' },
    { cert: 'x', key: secret },
    { key: secret },
    { pfx: 'x' },
    { rejectUnauthorized: false },
    { servername: 'localhost' },
  ];
  const refused = (err) => {
    assert.equal(err.name, 'TypeError');
    assert.equal(err.code, 'ERR_INVALID_ARG_VALUE');
    assert.match(err.message, /the option 'tls'/);
    assert.ok(!err.message.includes(secret));
    return true;
  };
  for (const options of wrong) {
    assert.throws(() => DataSocket.connect(9, HOST, options), refused);
    assert.throws(() => DataSocket.listen(() => true, 0, options), refused);
  }
});

needsOpenssl('who is to show a certificate is asked for it, wherever that is said', () => {
  for (const wish of [{ requestCert: true }, { clientAuth: 'required' }, { ca: made.ca.cert }]) {
    const invalid = { code: 'ERR_INVALID_ARG_VALUE', message: /the option 'tls'/ };
    assert.throws(() => DataSocket.listen(() => true, 0, { ...serverOptions(), ...wish }), invalid);
  }
});
