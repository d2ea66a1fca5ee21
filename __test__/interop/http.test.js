'use strict';

/** node:http over our sockets: it expects a net.Socket and looks closely. */

const assert = require('node:assert/strict');
const http = require('node:http');
const { pipeline } = require('node:stream/promises');
const { test } = require('node:test');
const {
  HOST,
  TIMEOUT,
  closed,
  failed,
  once,
  readAll,
  readBytes,
  until,
} = require('../helpers/kit');
const { ENDS, clientLib, dial, serve: serveAny } = require('../helpers/ends');
const { MiB, digest, hash, payload, same, streamOf } = require('../helpers/payload');
const { runJson } = require('../helpers/child');

const opts = { timeout: TIMEOUT };

/** A request with a body; resolves with the whole answer. */
function request(options, body) {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: HOST, ...options }, async (res) => {
      const chunks = [];
      for await (const chunk of res) chunks.push(chunk);
      resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(chunks), req });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** As an HTTP server of Node's own accepts: it answers clients that have ended already. */
const serve = (t, end, web) => serveAny(t, end, web, { allowHalfOpen: true });

/** An HTTP server; its connections come from `serve`. */
function createWeb(t, listener) {
  const web = http.createServer(listener);
  // Its own look at idle connections would otherwise go on after the test.
  t.after(() => web.close());
  return web;
}

async function echo(req, res) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  res.setHeader('x-hash', hash(body));
  res.setHeader('x-port', req.socket.remotePort);
  res.end(body);
}

function createAgent(t, end, options) {
  const agent = new http.Agent(options);
  const lib = clientLib(end);
  agent.createConnection = (opt, callback) => lib.createConnection(opt, callback);
  t.after(() => agent.destroy());
  return agent;
}

for (const end of ENDS) {
  test(`requests with bodies up to megabytes (${end})`, opts, async (t) => {
    const port = await serve(t, end, createWeb(t, echo));
    const agent = createAgent(t, end, { keepAlive: false });
    for (const size of [0, 1, 1000, 100_000, 5_000_000]) {
      const body = payload(size, size + 1);
      const answer = await request({ port, agent, method: 'POST' }, body.bytes);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['x-hash'], body.sha256);
      same(answer.body, body);
    }
  });

  test(`a body of 48 MiB each way, streamed at the same time (${end})`, opts, async (t) => {
    const up = payload(48 * MiB, 1);
    const down = payload(48 * MiB, 2);
    const web = createWeb(t, async (req, res) => {
      const sent = pipeline(streamOf(down.bytes), res, { end: false });
      const received = await digest(req);
      await sent;
      // Only now: Node's server closes a connection whose answer is done before its request.
      res.addTrailers({ 'x-hash': received.sha256 });
      res.end();
    });
    const port = await serve(t, end, web);
    const createConnection = clientLib(end).connect;
    const req = http.request({ host: HOST, port, method: 'POST', createConnection });
    const sent = pipeline(streamOf(up.bytes), req);
    const [res] = await once(req, 'response');
    same(await digest(res), down);
    await sent;
    assert.equal(res.trailers['x-hash'], up.sha256);
  });

  test(`keep-alive uses one connection (${end})`, opts, async (t) => {
    const port = await serve(t, end, createWeb(t, echo));
    const agent = createAgent(t, end, { keepAlive: true, maxSockets: 1 });
    const ports = new Set();
    for (let i = 0; i < 50; i++) {
      const answer = await request({ port, agent, method: 'PUT' }, `body ${i}`);
      assert.equal(String(answer.body), `body ${i}`);
      assert.equal(answer.req.reusedSocket, i > 0);
      ports.add(answer.headers['x-port']);
    }
    assert.equal(ports.size, 1);
  });

  test(`an idle connection that the server closes is not used again (${end})`, opts, async (t) => {
    let accepted;
    const web = createWeb(t, (req, res) => {
      accepted = req.socket;
      echo(req, res);
    });
    const port = await serve(t, end, web);
    const agent = createAgent(t, end, { keepAlive: true, maxSockets: 1 });
    const first = await request({ port, agent, method: 'PUT' }, 'one');
    await until(() => Object.values(agent.freeSockets).flat().length === 1);
    accepted.destroy();
    await until(() => Object.values(agent.freeSockets).flat().length === 0);
    const second = await request({ port, agent, method: 'PUT' }, 'two');
    assert.equal(String(second.body), 'two');
    assert.equal(second.req.reusedSocket, false);
    assert.notEqual(second.headers['x-port'], first.headers['x-port']);
  });

  test(`many requests at the same time (${end})`, opts, async (t) => {
    const port = await serve(t, end, createWeb(t, echo));
    const agent = createAgent(t, end, { keepAlive: true, maxSockets: 20 });
    const all = Array.from({ length: 200 }, async (_, i) => {
      const body = payload(1 + i * 500, i + 1);
      const answer = await request({ port, agent, method: 'POST' }, body.bytes);
      same(answer.body, body);
    });
    await Promise.all(all);
  });

  test(`pipelined requests are answered in their order (${end})`, opts, async (t) => {
    const COUNT = 200;
    const web = createWeb(t, (req, res) => {
      const n = Number(req.url.slice(1));
      const { bytes, sha256 } = payload(1 + n * 97, n + 1);
      // The later ones are ready first.
      setTimeout(() => res.setHeader('x-hash', sha256).end(bytes), n % 2 ? 0 : 2);
    });
    const port = await serve(t, end, web);
    const socket = await dial(t, end, port);
    const answers = readAll(socket);
    for (let n = 0; n < COUNT; n++) {
      const last = n === COUNT - 1 ? 'Connection: close\r\n' : '';
      socket.write(`GET /${n} HTTP/1.1\r\nHost: a\r\n${last}\r\n`);
    }
    let rest = await answers;
    for (let n = 0; n < COUNT; n++) {
      const at = rest.indexOf('\r\n\r\n') + 4;
      const head = rest.toString('latin1', 0, at);
      const length = Number(/^content-length: (\d+)/im.exec(head)[1]);
      same(rest.subarray(at, at + length), payload(1 + n * 97, n + 1), `answer ${n}`);
      rest = rest.subarray(at + length);
    }
    assert.equal(rest.length, 0);
  });

  test(`100-continue: the body waits for the server's word (${end})`, opts, async (t) => {
    const body = payload(3 * MiB);
    const log = [];
    const web = createWeb(t);
    web.on('checkContinue', async (req, res) => {
      if (req.url === '/no') {
        res.writeHead(417).end();
        return;
      }
      log.push('asked');
      res.writeContinue();
      log.push('answered');
      const got = await digest(req);
      res.end(got.sha256);
    });
    const port = await serve(t, end, web);
    const agent = createAgent(t, end, { keepAlive: false });
    const headers = { Expect: '100-continue', 'Content-Length': body.size };
    const ask = (path) =>
      http
        .request({ host: HOST, port, agent, method: 'POST', path, headers })
        .on('error', () => {});

    const req = ask('/yes');
    req.flushHeaders();
    await once(req, 'continue');
    log.push('continue');
    req.end(body.bytes);
    const [res] = await once(req, 'response');
    assert.equal(String(await readAll(res)), body.sha256);
    assert.deepEqual(log, ['asked', 'answered', 'continue']);

    const refused = ask('/no');
    refused.on('continue', () => assert.fail('it was refused'));
    refused.flushHeaders();
    const [no] = await once(refused, 'response');
    assert.equal(no.statusCode, 417);
    refused.destroy();
  });

  test(`a request aborted in the middle of its body (${end})`, opts, async (t) => {
    const web = createWeb(t);
    const port = await serve(t, end, web);
    const agent = createAgent(t, end, { keepAlive: true });
    const req = http.request({ host: HOST, port, agent, method: 'POST' });
    const gone = failed(req);
    req.write(Buffer.alloc(MiB));
    const [incoming] = await once(web, 'request');
    await once(incoming, 'data');
    const broken = failed(incoming);
    const connClosed = closed(incoming.socket);
    req.destroy(new Error('enough'));
    assert.equal((await gone).message, 'enough');
    const err = await broken;
    assert.equal(err.code, 'ECONNRESET');
    assert.equal(err.message, 'aborted');
    await connClosed;
    // The server goes on for others.
    web.on('request', echo);
    assert.equal(String((await request({ port, agent, method: 'PUT' }, 'next')).body), 'next');
  });

  test(`an answer broken off in the middle (${end})`, opts, async (t) => {
    const body = payload(4 * MiB);
    const web = createWeb(t, (req, res) => {
      res.writeHead(200, { 'Content-Length': body.size + 1 });
      res.write(body.bytes, () => res.socket.destroySoon());
    });
    const port = await serve(t, end, web);
    const agent = createAgent(t, end, { keepAlive: true });
    const req = http.get({ host: HOST, port, agent });
    const [res] = await once(req, 'response');
    const chunks = [];
    res.on('data', (chunk) => chunks.push(chunk));
    const err = await failed(res);
    assert.equal(err.code, 'ECONNRESET');
    assert.equal(err.message, 'aborted');
    same(Buffer.concat(chunks), body, 'what was sent before arrives');
  });

  test(`an upgrade hands the socket over, with all that came (${end})`, opts, async (t) => {
    const up = payload(16 * MiB, 3);
    const web = createWeb(t);
    let first;
    web.on('upgrade', (req, socket, head) => {
      first = head;
      socket.write('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello');
      socket.pipe(socket);
    });
    const port = await serve(t, end, web);
    const agent = createAgent(t, end, {});
    const headers = { Connection: 'Upgrade', Upgrade: 'echo' };
    const req = http.request({ host: HOST, port, agent, headers });
    req.end();
    const [res, socket, head] = await once(req, 'upgrade');
    assert.equal(res.statusCode, 101);
    if (head.length > 0) socket.unshift(head);
    assert.equal(String(await readBytes(socket, 5 - first.length)), 'hello');
    const answer = digest(socket);
    await pipeline(streamOf(up.bytes), socket);
    same(await answer, up);
  });

  test(`CONNECT makes a tunnel (${end})`, opts, async (t) => {
    const body = payload(8 * MiB);
    const web = createWeb(t);
    const target = createWeb(t, echo).listen(0, HOST);
    await once(target, 'listening');
    web.on('connect', (req, socket, head) => {
      const [host, port] = req.url.split(':');
      const further = clientLib(end).connect({ host, port }, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        further.write(head);
        pipeline(socket, further, socket).catch(() => {});
      });
    });
    const port = await serve(t, end, web);
    const agent = createAgent(t, end, {});
    const path = `${HOST}:${target.address().port}`;
    const req = http.request({ host: HOST, port, agent, method: 'CONNECT', path });
    req.end();
    const [res, socket] = await once(req, 'connect');
    assert.equal(res.statusCode, 200);
    const createConnection = () => socket;
    const answer = await request({ method: 'POST', createConnection }, body.bytes);
    same(answer.body, body);
  });

  test(`timeouts of http: a silent server, a silent client (${end})`, opts, async (t) => {
    const web = createWeb(t, () => {});
    const port = await serve(t, end, web);
    const agent = createAgent(t, end, { keepAlive: true });
    const req = http.get({ host: HOST, port, agent, timeout: 60 });
    await once(req, 'timeout');
    const gone = failed(req);
    req.destroy();
    assert.equal((await gone).code, 'ECONNRESET');

    web.setTimeout(60);
    const silent = await dial(t, end, port);
    silent.write('GET / HTTP/1.1\r\n');
    silent.resume();
    await once(silent, 'end');
  });
}

test('an idle keep-alive connection does not keep the program alive', opts, async () => {
  const result = await runJson('http-agent', []);
  assert.deepEqual(result, { answers: ['1', '2'], reused: true });
});
