'use strict';

/** TLS of message sockets, by the options of the original: files, with `node:tls` on the other side. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const { after, test } = require('node:test');
const tls = require('node:tls');
const { pathToFileURL } = require('node:url');
const { SocketClient, SocketServer } = require('..');
const { until } = require('./helpers/kit');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');

const PASSWORD = 'a pass phrase';

/** @param {string} name */
const needsOpenssl = (name, body) => test(name, { skip: NO_OPENSSL, timeout: 60_000 }, body);

const made = NO_OPENSSL ? null : makeFiles();

function makeFiles() {
  const { certificates, ca, server } = standard();
  const client = certificates.issue('a client', { issuer: ca });
  const stranger = certificates.issue('a stranger');
  const other = certificates.issue('elsewhere', { issuer: ca, names: 'DNS:elsewhere.example' });
  const pfx = (name, identity) => {
    const file = certificates.file(name);
    fs.writeFileSync(file, certificates.pfx(identity, PASSWORD));
    return file;
  };
  return {
    ca,
    server,
    client,
    caFile: ca.certFile,
    serverPfx: pfx('server.pfx', server),
    otherPfx: pfx('other.pfx', other),
    clientPfx: pfx('client.pfx', client),
    strangerPfx: pfx('stranger.pfx', stranger),
    nothing: certificates.file('no such file'),
    noPfx: ca.certFile,
  };
}

const toClose = [];
after(() => toClose.forEach((close) => close()));

function serve(options) {
  const server = new SocketServer({
    port: 0,
    hostInterface: '127.0.0.1',
    rawBytes: false,
    sslTls: true,
    pfxKeyCertPath: made.serverPfx,
    pfxKeyCertPassword: PASSWORD,
    ...options,
  });
  toClose.push(() => server.stop());
  return server;
}

async function listening(options) {
  const server = serve(options);
  server.start();
  const [port] = await once(server, 'listening');
  return { server, port };
}

function connect(port, options, host = 'localhost') {
  const client = new SocketClient(port, host, {
    rawBytes: false,
    sslTls: true,
    trustedCACertPath: made?.caFile,
    reconnectAttempts: 0,
    ...options,
  });
  toClose.push(() => client.close());
  client.open();
  return client;
}

/** The error that ends an attempt: its text and its code. */
async function failure(client) {
  client.on('open', () => assert.fail('it must not open'));
  const [text, err] = await once(client, 'error');
  assert.equal(text, err.message);
  return err;
}

/** A server of Node's. */
async function nodeServer(options, onSocket) {
  const server = tls.createServer({ cert: made.server.cert, key: made.server.key, ...options });
  server.on('secureConnection', onSocket);
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  toClose.push(() => server.close());
  await once(server, 'listening');
  return server.address().port;
}

const frame = (text) => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);

needsOpenssl(
  'a client talks to a TLS server, and what was sent before it opened goes first',
  async () => {
    let bytes = Buffer.alloc(0);
    const port = await nodeServer({}, (socket) => {
      socket.on('data', (data) => {
        bytes = Buffer.concat([bytes, data]);
        if (bytes.length === 10) socket.end(frame('answer'));
      });
      socket.on('error', () => {});
    });
    const client = connect(port);
    client.send('early');
    client.once('open', () => client.send('now'));
    const [answer] = await once(client, 'data');
    assert.equal(answer, 'answer');
    await once(client, 'close');
    assert.deepEqual(bytes, Buffer.concat([frame('early'), frame('now')]));
  },
);

needsOpenssl('a server talks to a TLS client, in messages large and small', async () => {
  const { server, port } = await listening();
  server.on('connection', (socket) => socket.on('data', (text) => socket.send(text)));
  const client = connect(port);
  const texts = ['', 'short', 'é'.repeat(300), 'x'.repeat(3_000_000)];
  texts.forEach((text) => client.send(text));
  const got = [];
  client.on('data', (text) => {
    got.push(text);
    if (got.length === texts.length) client.close();
  });
  await once(client, 'close');
  assert.deepEqual(got, texts);
});

needsOpenssl('files may be named by URLs', async () => {
  const { server, port } = await listening({ pfxKeyCertPath: pathToFileURL(made.serverPfx).href });
  server.on('connection', (socket) => socket.send('hello'));
  const client = connect(port, { trustedCACertPath: pathToFileURL(made.caFile).href });
  assert.deepEqual(await once(client, 'data'), ['hello']);
});

needsOpenssl(
  'a server whose certificate is for another name is refused, unless that does not matter',
  async () => {
    const { server, port } = await listening({ pfxKeyCertPath: made.otherPfx });
    server.on('connection', (socket) => socket.send('hello'));
    const err = await failure(connect(port));
    assert.equal(err.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.match(err.message, /^Failed to connect: \n/);
    assert.deepEqual(await once(connect(port, { verifyHost: false }), 'data'), ['hello']);
  },
);

needsOpenssl(
  'a certificate that the trusted ones did not sign is refused, unless all are trusted',
  async () => {
    const { server, port } = await listening({ pfxKeyCertPath: made.strangerPfx });
    server.on('connection', (socket) => socket.send('hello'));
    assert.equal((await failure(connect(port))).code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    // Without a file the system's roots are trusted, and they know nothing of this one.
    const bySystem = connect(port, { trustedCACertPath: '' });
    assert.equal((await failure(bySystem)).code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.deepEqual(await once(connect(port, { trustAll: true }), 'data'), ['hello']);
  },
);

needsOpenssl('a failed handshake is not tried again', async () => {
  let connections = 0;
  const plain = net.createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.end('this is no TLS, and long enough for a record');
  });
  plain.listen(0, '127.0.0.1');
  toClose.push(() => plain.close());
  await once(plain, 'listening');
  const client = connect(plain.address().port, { reconnectAttempts: 5, reconnectInterval: 1 });
  const err = await failure(client);
  assert.match(err.message, /^Failed to connect: \n/);
  assert.equal(connections, 1);
});

needsOpenssl('a handshake that stalls runs into connectTimeout', async () => {
  const silent = net.createServer((socket) => socket.on('error', () => {}).resume());
  silent.listen(0, '127.0.0.1');
  toClose.push(() => silent.close());
  await once(silent, 'listening');
  const err = await failure(connect(silent.address().port, { connectTimeout: 100 }));
  assert.equal(err.code, 'ETIMEDOUT');
});

needsOpenssl('a plaintext client never gets to a TLS server, and others do', async () => {
  const { server, port } = await listening();
  const accepted = [];
  server.on('connection', (socket) => accepted.push(socket));
  const plain = net.connect(port, '127.0.0.1');
  plain.on('error', () => {}).resume();
  plain.write(frame('hello'));
  plain.end('and more, so that it cannot be the beginning of a record');
  // It may hear of it by a reset.
  await new Promise((resolve) => plain.once('close', resolve));
  assert.equal(accepted.length, 0);
  await once(connect(port), 'open');
});

for (const [clientAuth, withNone, withOurs, withStrangers] of [
  ['none', true, true, true],
  ['request', true, true, false],
  [' Required ', false, true, false],
]) {
  needsOpenssl(`client certificates: ${clientAuth.trim()}`, async () => {
    const { server, port } = await listening({ clientAuth, trustedCACertPath: made.caFile });
    server.on('connection', (socket) => socket.send('welcome'));
    for (const [pfxKeyCertPath, isWelcome] of [
      [undefined, withNone],
      [made.clientPfx, withOurs],
      [made.strangerPfx, withStrangers],
    ]) {
      const client = connect(port, { pfxKeyCertPath, pfxKeyCertPassword: PASSWORD });
      const outcome = await new Promise((resolve) => {
        client.once('data', resolve);
        // With TLS 1.3 a client learns of it only after its own handshake is over.
        client.once('error', (text, err) => resolve(err));
      });
      assert.equal(outcome === 'welcome', isWelcome, `${pfxKeyCertPath}: ${outcome}`);
    }
  });
}

needsOpenssl('a connection that is cut without a word is an error', async () => {
  const port = await nodeServer({}, (socket) => {
    socket.on('error', () => {});
    socket.write(frame('hello'), () => {
      // The descriptor beneath, without the words that end TLS.
      setTimeout(() => socket._handle && socket.destroy(), 50);
    });
  });
  const proxy = net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1');
    near.on('error', () => {});
    far.on('error', () => {});
    near.pipe(far);
    far.on('data', (data) => near.write(data));
    near.cut = () => near.end();
    proxy.near = near;
  });
  proxy.listen(0, '127.0.0.1');
  toClose.push(() => proxy.close());
  await once(proxy, 'listening');
  const client = connect(proxy.address().port);
  await once(client, 'data');
  const failed = once(client, 'error');
  proxy.near.cut();
  const [, err] = await failed;
  assert.ok(err.code, `${err}`);
  await once(client, 'close');
});

needsOpenssl('files that are missing, or hold something else', async () => {
  const key = "Can't find the server key-certificate.";
  const cases = [
    [
      serve({ pfxKeyCertPath: '' }),
      `Empty pemCertPath option. ${key} Set pfxKeyCertPath to a PKCS#12 file.`,
    ],
    [
      serve({ pfxKeyCertPath: made.nothing }),
      `Failed to find the server key-certificate at ${made.nothing} (pfxKeyCertPath): ENOENT`,
    ],
    [
      serve({ pfxKeyCertPath: made.noPfx }),
      `Failed to find the server key-certificate at ${made.noPfx} (pfxKeyCertPath): `,
    ],
    [
      serve({ pfxKeyCertPassword: 'wrong' }),
      `Failed to find the server key-certificate at ${made.serverPfx} (pfxKeyCertPath): `,
    ],
    [
      serve({ clientAuth: 'required' }),
      "Empty trustedCACertPath option. Can't find the trusted CA certificate.",
    ],
  ];
  for (const [server, text] of cases) {
    server.on('listening', () => assert.fail('it must not listen'));
    server.start();
    const [message, err] = await once(server, 'error');
    assert.ok(message.startsWith(text), message);
    assert.ok(message.length > text.length || !text.endsWith(': '));
    if (err.cause) assert.ok(message.endsWith(`: ${err.cause.message}`), message);
    assert.equal(err.code, 'ERR_MESSAGE_TLS_OPTION');
    assert.doesNotMatch(`${err.message} ${err.cause}`, /wrong|pass phrase/);
    assert.equal(server.address(), null);
  }
  for (const [options, text] of [
    [
      { trustedCACertPath: made.nothing },
      `Failed to find the trusted CA certificate at ${made.nothing} (trustedCACertPath): ENOENT`,
    ],
    [
      { pfxKeyCertPath: made.nothing },
      `Failed to find the server key-certificate at ${made.nothing} (pfxKeyCertPath): ENOENT`,
    ],
  ]) {
    const err = await failure(connect(1, options));
    assert.ok(err.message.startsWith(text), err.message);
  }
});

needsOpenssl('a clientAuth that options are changed to, and that is none', async () => {
  const server = serve({});
  server.options.clientAuth = 'require';
  server.on('listening', () => assert.fail('it must not listen'));
  server.start();
  const [, err] = await once(server, 'error');
  assert.equal(err.code, 'ERR_INVALID_ARG_VALUE');
});

needsOpenssl('a server that is stopped closes handshakes that are under way', async () => {
  const { server, port } = await listening();
  const silent = net.connect(port, '127.0.0.1');
  silent.on('error', () => {});
  await once(silent, 'connect');
  await once(connect(port), 'open');
  server.stop();
  await Promise.all([once(server, 'close'), once(silent.resume(), 'close')]);
});

needsOpenssl('raw numbers and raw images over TLS', async () => {
  const port = await nodeServer({}, (socket) => {
    socket.on('error', () => {});
    // Node says no farewell in TLS when this is done inside of the event.
    setImmediate(() => socket.end(Buffer.from([0, 1, 255, 255])));
  });
  const numbers = [];
  const client = connect(port, { rawBytes: true, receiveType: 'short' });
  client.on('data', (number) => numbers.push(number));
  await once(client, 'close');
  assert.deepEqual(numbers, [1, -1]);

  const pieces = [];
  const images = connect(port, { rawBytes: true, receiveType: 'image' });
  images.on('data', (piece) => pieces.push(piece));
  await once(images, 'close');
  assert.deepEqual(Buffer.concat(pieces), Buffer.from([0, 1, 255, 255]));
});

needsOpenssl('pause(): what is held comes in order, and so does the end', async () => {
  const texts = Array.from({ length: 5000 }, (_, i) => `text ${i}`);
  const port = await nodeServer({}, (socket) => {
    socket.on('error', () => {});
    socket.end(Buffer.concat(texts.map(frame)));
  });
  const client = connect(port);
  const got = [];
  const errors = [];
  let isPaused = false;
  client.on('data', (text) => {
    assert.equal(isPaused, false);
    got.push(text);
    if (got.length % 100 !== 0) return;
    client.pause();
    isPaused = true;
    setImmediate(() => {
      isPaused = false;
      client.resume();
    });
  });
  client.on('error', (text) => errors.push(text));
  await once(client, 'close');
  assert.deepEqual(got, texts);
  assert.deepEqual(errors, []);
});

needsOpenssl(
  'reconnectOnDrop: a peer that only ends its half gets all, and the end of TLS',
  async () => {
    let bytes = 0;
    let hasEnded = false;
    let connections = 0;
    const port = await nodeServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', (err) => assert.fail(err));
      if (++connections > 1) return;
      socket.on('data', (data) => (bytes += data.length));
      socket.on('end', () => (hasEnded = true));
      // Node says no farewell in TLS when this is done inside of the event.
      setImmediate(() => socket.end(frame('request')));
    });
    const client = connect(port, { reconnectOnDrop: true, reconnectAttempts: 1 });
    client.once('data', () => client.send('x'.repeat(3_000_000)));
    await once(client, 'reconnecting');
    await until(() => hasEnded);
    assert.equal(bytes, 3_000_005);
    client.close();
  },
);
