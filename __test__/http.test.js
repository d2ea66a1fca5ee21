'use strict';

/** node:http over our sockets: it expects a net.Socket and looks closely. */

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const http = require('node:http');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const { HOST, TIMEOUT, kit, once } = require('./helpers/kit');
const { pattern } = require('./helpers/pattern');

const opts = { timeout: TIMEOUT };
const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A request with a body; resolves with the whole answer. */
function request(options, body) {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: HOST, ...options }, async (res) => {
      const chunks = [];
      for await (const chunk of res) chunks.push(chunk);
      resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(chunks) });
    });
    req.on('error', reject);
    req.end(body);
  });
}

function echoServer() {
  return http.createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    res.setHeader('x-hash', hash(body));
    res.setHeader('x-port', req.socket.remotePort);
    res.end(body);
  });
}

/** An HTTP server whose connections are accepted by our net server. */
async function serveWithOurs(t) {
  const k = kit(t);
  const web = echoServer();
  const server = await k.listen({ allowHalfOpen: true }, (conn) => web.emit('connection', conn));
  return { port: server.address().port, web };
}

async function serveWithNode(t) {
  const web = echoServer().listen(0, HOST);
  await once(web, 'listening');
  t.after(() => {
    web.closeAllConnections();
    return new Promise((resolve) => web.close(resolve));
  });
  return { port: web.address().port, web };
}

function ourAgent(t, options) {
  const agent = new http.Agent(options);
  agent.createConnection = (opt, callback) => net.createConnection(opt, callback);
  t.after(() => agent.destroy());
  return agent;
}

for (const [name, serve, ours] of [
  ['server', serveWithOurs, false],
  ['agent', serveWithNode, true],
  ['both', serveWithOurs, true],
]) {
  test(`requests with bodies up to megabytes (${name})`, opts, async (t) => {
    const { port } = await serve(t);
    const agent = ours ? ourAgent(t, { keepAlive: false }) : new http.Agent({ keepAlive: false });
    for (const size of [0, 1, 1000, 100_000, 5_000_000]) {
      const body = pattern(size, size + 1);
      const answer = await request({ port, agent, method: 'POST' }, body);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['x-hash'], hash(body));
      assert.ok(answer.body.equals(body), `${size} bytes`);
    }
  });

  test(`keep-alive uses one connection (${name})`, opts, async (t) => {
    const { port } = await serve(t);
    const settings = { keepAlive: true, maxSockets: 1 };
    const agent = ours ? ourAgent(t, settings) : new http.Agent(settings);
    t.after(() => agent.destroy());
    const ports = new Set();
    for (let i = 0; i < 20; i++) {
      const answer = await request({ port, agent, method: 'PUT' }, `body ${i}`);
      assert.equal(String(answer.body), `body ${i}`);
      ports.add(answer.headers['x-port']);
    }
    assert.equal(ports.size, 1);
  });

  test(`many requests at the same time (${name})`, opts, async (t) => {
    const { port } = await serve(t);
    const settings = { keepAlive: true, maxSockets: 20 };
    const agent = ours ? ourAgent(t, settings) : new http.Agent(settings);
    t.after(() => agent.destroy());
    const all = Array.from({ length: 200 }, async (_, i) => {
      const body = pattern(1 + i * 500, i + 1);
      const answer = await request({ port, agent, method: 'POST' }, body);
      assert.ok(answer.body.equals(body));
    });
    await Promise.all(all);
  });
}

test('an aborted request closes our connection', opts, async (t) => {
  const k = kit(t);
  const web = http.createServer(() => {});
  const server = await k.listen({ allowHalfOpen: true }, (conn) => web.emit('connection', conn));
  const req = http.request({ host: HOST, port: server.address().port, agent: false });
  req.on('error', () => {});
  req.end();
  const [incoming] = await once(web, 'request');
  const gone = new Promise((resolve) => incoming.on('error', () => {}).on('close', resolve));
  req.destroy();
  await gone;
  assert.equal(incoming.destroyed, true);
});

test('an upgrade hands the socket over', opts, async (t) => {
  const { port, web } = await serveWithOurs(t);
  web.on('upgrade', (req, socket) => {
    socket.write('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  const agent = ourAgent(t, {});
  const req = http.request({
    host: HOST,
    port,
    agent,
    headers: { Connection: 'Upgrade', Upgrade: 'echo' },
  });
  req.end();
  const [res, socket] = await once(req, 'upgrade');
  assert.equal(res.statusCode, 101);
  socket.write('over there');
  const [chunk] = await once(socket, 'data');
  assert.equal(String(chunk), 'over there');
  const gone = once(socket, 'close');
  socket.end();
  await gone;
});
