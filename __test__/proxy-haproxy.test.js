'use strict';

/**
 * Behind a real HAProxy: what it says of its clients in PROXY headers is what our sockets say.
 *
 * It gets its listening sockets as descriptors that are open already, so no port has to be guessed.
 */

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { HOST, TIMEOUT, kit, once, peer, readAll } = require('./helpers/kit');
const { pattern } = require('./helpers/pattern');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');

/** Debian puts it where only root looks. */
const haproxy = ['haproxy', '/usr/sbin/haproxy'].find(
  (name) => spawnSync(name, ['-v']).status === 0,
);
const opts = {
  timeout: TIMEOUT,
  skip: (!isOurs && SKIP_FOREIGN) || (!haproxy && 'haproxy is not installed (Debian: haproxy)'),
};

/** Descriptors 0 to 2 of a child are its standard streams; the next ones are what it is given. */
const FIRST_FD = 3;

/**
 * Starts HAProxy with one pair of frontend and backend for each of `routes`.
 * @param {{ listen: object | string, server: string }[]} routes where to listen (what `net.Server` takes), and
 *   the `server` line of the backend
 * @returns {Promise<(string | object)[]>} where each route listens
 */
async function startHaproxy(t, routes) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-haproxy-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const fronts = [];
  for (const { listen } of routes) {
    const front = peer.createServer().listen(listen);
    await once(front, 'listening');
    fronts.push(front);
  }
  const sections = routes.map(
    ({ server }, i) => `
frontend front${i}
  bind fd@${FIRST_FD + i}
  default_backend back${i}
backend back${i}
  ${server}
`,
  );
  const config = path.join(dir, 'haproxy.cfg');
  fs.writeFileSync(
    config,
    `global
  maxconn 200
defaults
  mode tcp
  timeout connect 10s
  timeout client 20s
  timeout server 20s
${sections.join('')}`,
  );
  const child = spawn(haproxy, ['-db', '-f', config], {
    stdio: ['ignore', 'pipe', 'pipe', ...fronts.map((front) => front._handle.fd)],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const end = once(child, 'close');
  end.then(([code]) => code && console.error(`haproxy ended with ${code}: ${output}`));
  t.after(async () => {
    child.kill('SIGKILL');
    await end;
  });
  const places = fronts.map((front) => {
    const place = front.address();
    if (typeof place !== 'string') return place;
    // The path goes with our server, so the socket gets another one.
    fs.linkSync(place, `${place}.haproxy`);
    return `${place}.haproxy`;
  });
  // Ours alone are closed: HAProxy has its own descriptors of the same sockets.
  await Promise.all(fronts.map((front) => new Promise((resolve) => front.close(resolve))));
  return places;
}

/** A server behind the proxy. Each connection is checked and answered by `serve`. */
async function backend(k, serve, listen = { port: 0, host: HOST }) {
  const server = k.ownServer(net.createServer({ proxyProtocol: true, allowHalfOpen: true }, serve));
  server.on('drop', (drop) => assert.fail(`dropped: ${JSON.stringify(drop)}`));
  server.listen(listen);
  await once(server, 'listening');
  return server;
}

/** Answers who the client is and where it connected to, then a hash of all that it sent. */
function describe(socket) {
  const { remoteAddress, remotePort, remoteFamily, localAddress, localPort } = socket;
  const hash = createHash('sha256');
  socket.on('data', (chunk) => hash.update(chunk));
  socket.on('end', () => {
    const ends = { remoteAddress, remotePort, remoteFamily, localAddress, localPort };
    socket.end(JSON.stringify({ ...ends, hash: hash.digest('hex') }));
  });
}

const VERSIONS = [
  ['v1', 'send-proxy'],
  ['v2', 'send-proxy-v2'],
  ['v2 with a checksum and TLVs', 'send-proxy-v2 proxy-v2-options crc32c,authority'],
];
const FAMILIES = [
  ['IPv4', HOST],
  ['IPv6', '::1'],
];

for (const [version, sends] of VERSIONS) {
  for (const [family, host] of FAMILIES) {
    test(`${version}, client over ${family}`, opts, async (t) => {
      const k = kit(t);
      const server = await backend(k, describe);
      const [front] = await startHaproxy(t, [
        {
          listen: { port: 0, host },
          server: `server ours ${HOST}:${server.address().port} ${sends}`,
        },
      ]);
      const bytes = pattern(1_000_000);
      // Several at once: each header belongs to its own connection.
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const client = k.own(peer.connect({ port: front.port, host, allowHalfOpen: true }));
          await once(client, 'connect');
          const { localPort } = client;
          client.end(bytes);
          assert.deepEqual(JSON.parse(String(await readAll(client))), {
            remoteAddress: host,
            remotePort: localPort,
            remoteFamily: family,
            localAddress: host,
            localPort: front.port,
            hash: createHash('sha256').update(bytes).digest('hex'),
          });
        }),
      );
    });
  }
}

test('TLS behind the header', opts, async (t) => {
  if (NO_OPENSSL) return t.skip(NO_OPENSSL);
  const k = kit(t);
  const { cert, key } = standard().server;
  const options = { proxyProtocol: true, tls: { cert, key } };
  const server = k.ownServer(
    net.createServer(options, (socket) => {
      const { remoteAddress, remotePort, localPort } = socket;
      const ends = [remoteAddress, remotePort, localPort, socket.getProtocol()];
      socket.once('data', () => socket.end(JSON.stringify(ends)));
    }),
  );
  server.listen({ port: 0, host: HOST });
  await once(server, 'listening');
  const fronts = await startHaproxy(
    t,
    VERSIONS.map(([, sends]) => ({
      listen: { port: 0, host: HOST },
      server: `server ours ${HOST}:${server.address().port} ${sends} ssl verify none`,
    })),
  );
  for (const front of fronts) {
    const client = k.own(peer.connect(front.port, HOST));
    await once(client, 'connect');
    const { localPort } = client;
    client.write('bytes');
    const answer = JSON.parse(String(await readAll(client)));
    assert.deepEqual(answer, [HOST, localPort, front.port, 'TLSv1.3']);
  }
});

test('our server on a Unix socket', opts, async (t) => {
  const k = kit(t);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-behind-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 's');
  await backend(k, describe, file);
  const fronts = await startHaproxy(
    t,
    ['send-proxy', 'send-proxy-v2'].map((sends) => ({
      listen: { port: 0, host: HOST },
      server: `server ours unix@${file} ${sends}`,
    })),
  );
  for (const front of fronts) {
    const client = k.own(peer.connect(front.port, HOST));
    await once(client, 'connect');
    const { localPort } = client;
    client.end('bytes');
    const answer = JSON.parse(String(await readAll(client)));
    assert.deepEqual([answer.remoteAddress, answer.remotePort], [HOST, localPort]);
    assert.deepEqual([answer.localAddress, answer.localPort], [HOST, front.port]);
  }
});

for (const [version, sends] of VERSIONS) {
  test(`a client without an IP address is as good as HAProxy (${version})`, opts, async (t) => {
    const k = kit(t);
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-front-'));
    t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
    const server = await backend(k, describe);
    const { port } = server.address();
    const [front] = await startHaproxy(t, [
      { listen: path.join(dir, 's'), server: `server ours ${HOST}:${port} ${sends}` },
    ]);
    const client = k.own(peer.connect(front));
    client.end('bytes');
    const answer = JSON.parse(String(await readAll(client)));
    assert.deepEqual([answer.remoteAddress, answer.localPort], [HOST, port]);
  });
}

for (const [version, sends] of VERSIONS) {
  test(`a health check is a connection of HAProxy's own (${version})`, opts, async (t) => {
    const k = kit(t);
    const server = await backend(k, (socket) => socket.on('error', () => {}).end());
    // A check that is given up before it has sent its header is a connection without one.
    server.removeAllListeners('drop');
    const { port } = server.address();
    await startHaproxy(t, [
      {
        listen: { port: 0, host: HOST },
        server: `server ours ${HOST}:${port} ${sends} check check-send-proxy inter 50ms`,
      },
    ]);
    for (let i = 0; i < 3; i++) {
      const [socket] = await once(server, 'connection');
      assert.deepEqual([socket.localAddress, socket.localPort], [HOST, port]);
      // A check ends with a reset, and then there is no peer to ask for any more.
      assert.ok([HOST, undefined].includes(socket.remoteAddress), socket.remoteAddress);
    }
  });
}
