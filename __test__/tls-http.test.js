'use strict';

/** Node's own HTTP modules over our secure sockets, in both roles. */

const assert = require('node:assert/strict');
const http = require('node:http');
const http2 = require('node:http2');
const https = require('node:https');
const { test } = require('node:test');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { HOST, TIMEOUT, once, ours, tlsKit } = require('./helpers/tls-kit');
const { closed } = require('./helpers/kit');

const options = { skip: NO_OPENSSL, timeout: TIMEOUT };
const { ca, server: identity } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};
const large = Buffer.alloc(1_000_000, 'response ');

async function body(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function get(wishes) {
  const req = https.get({ host: HOST, path: '/', ...wishes });
  const [res] = await once(req, 'response');
  const { socket } = res;
  return { socket, text: await body(res) };
}

test('https.request over our connection, kept alive', options, async (t) => {
  const { ownServer } = tlsKit(t);
  const server = ownServer(https.createServer({ cert, key }, (req, res) => res.end(large)));
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address();
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  const made = [];
  agent.createConnection = (wishes) => {
    const socket = ours.connect({ ...wishes, ca: ca.cert, servername: 'localhost' });
    made.push(socket);
    return socket;
  };
  t.after(() => agent.destroy());
  for (let n = 0; n < 3; n++) {
    const { socket, text } = await get({ port, agent });
    assert.ok(text.equals(large));
    assert.ok(socket === made[0] && socket.authorized);
  }
  assert.equal(made.length, 1);
});

test('an http server behind our server', options, async (t) => {
  const { serve } = tlsKit(t);
  const inner = http.createServer(async (req, res) => {
    assert.equal(req.socket.encrypted, true);
    res.end(await body(req));
  });
  const server = await serve(ours, { cert, key }, (conn) => inner.emit('connection', conn));
  const { port } = server.address();
  const agent = new https.Agent({ keepAlive: true, ca: ca.cert, servername: 'localhost' });
  t.after(() => agent.destroy());
  for (let n = 0; n < 3; n++) {
    const req = https.request({ host: HOST, port, method: 'POST', agent });
    req.end(large);
    const [res] = await once(req, 'response');
    assert.ok((await body(res)).equals(large));
  }
});

test('http2 over our connection', options, async (t) => {
  const { ownServer } = tlsKit(t);
  const server = ownServer(http2.createSecureServer({ cert, key }));
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    stream.end(large);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address();
  const session = http2.connect(`https://localhost:${port}`, {
    createConnection: () =>
      ours.connect({
        port,
        host: HOST,
        ca: ca.cert,
        servername: 'localhost',
        ALPNProtocols: ['h2'],
      }),
  });
  const answers = Array.from({ length: 10 }, () => body(session.request({ ':path': '/' }).end()));
  for (const answer of await Promise.all(answers)) assert.ok(answer.equals(large));
  session.close();
  await closed(session);
});

test('an http2 server behind our server', options, async (t) => {
  const { serve } = tlsKit(t);
  const inner = http2.createServer();
  inner.on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    stream.end(large);
  });
  const server = await serve(ours, { cert, key, ALPNProtocols: ['h2'] }, (conn) => {
    inner.emit('connection', conn);
  });
  const session = http2.connect(`https://localhost:${server.address().port}`, {
    ca: ca.cert,
    lookup: (name, wishes, callback) =>
      wishes.all ? callback(null, [{ address: HOST, family: 4 }]) : callback(null, HOST, 4),
  });
  const answers = Array.from({ length: 10 }, () => body(session.request({ ':path': '/' }).end()));
  for (const answer of await Promise.all(answers)) assert.ok(answer.equals(large));
  session.close();
  await closed(session);
});

test('WebSocket-like upgrade over our connection', options, async (t) => {
  const { ownServer } = tlsKit(t);
  const server = ownServer(https.createServer({ cert, key }));
  server.on('upgrade', (req, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n',
    );
    socket.pipe(socket);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const req = https.request({
    createConnection: () =>
      ours.connect({
        port: server.address().port,
        host: HOST,
        ca: ca.cert,
        servername: 'localhost',
      }),
    headers: { Connection: 'Upgrade', Upgrade: 'echo' },
  });
  req.end();
  const [, socket] = await once(req, 'upgrade');
  socket.write('echo');
  assert.equal(String((await once(socket, 'data'))[0]), 'echo');
  socket.destroy();
});
