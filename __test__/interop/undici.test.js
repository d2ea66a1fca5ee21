'use strict';

/** undici, Node's other HTTP client: it takes what its `connect` function gives it. */

const assert = require('node:assert/strict');
const http = require('node:http');
const { PassThrough, Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { test } = require('node:test');
const tls = require('node:tls');
const { Agent, Client, Pool, fetch, request, upgrade } = require('undici');
const { HOST, TIMEOUT, closed, failed, kit, once, until } = require('../helpers/kit');
const { authority } = require('../helpers/certificates');
const { digest, hash, MiB, payload, same, streamOf } = require('../helpers/payload');
const { net } = require('../helpers/subject');

const opts = { timeout: TIMEOUT };
const certs = authority({ main: ['localhost', HOST] });

/** What a program gives to undici: a function that makes connected sockets. */
function connector(t, sockets = []) {
  return ({ hostname, port, protocol }, callback) => {
    const raw = kit(t).own(net.connect({ host: hostname, port: Number(port), noDelay: true }));
    sockets.push(raw);
    const secure = protocol === 'https:';
    const socket = secure ? tls.connect({ socket: raw, host: hostname, ca: certs.ca }) : raw;
    socket.once(secure ? 'secureConnect' : 'connect', () => callback(null, socket));
    socket.once('error', (err) => callback(err, null));
  };
}

/** Answers with what came; its hash is in a header. */
async function echo(req, res) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  res.setHeader('x-hash', hash(body));
  res.end(body);
}

async function serve(t, listener = echo, module = http) {
  const web = module.createServer(certs.main, listener);
  web.listen(0, HOST);
  await once(web, 'listening');
  t.after(() => {
    web.closeAllConnections();
    return new Promise((resolve) => web.close(resolve));
  });
  return { web, origin: `${module === http ? 'http' : 'https'}://${HOST}:${web.address().port}` };
}

/** Closed with the test. */
function own(t, dispatcher) {
  t.after(() => dispatcher.destroy());
  return dispatcher;
}

for (const [name, module] of [
  ['http', http],
  ['https', require('node:https')],
]) {
  test(`a body of 32 MiB each way in a stream (${name})`, opts, async (t) => {
    const body = payload(32 * MiB, 1);
    const { origin } = await serve(t, (req, res) => pipeline(req, res).catch(() => {}), module);
    const client = own(t, new Client(origin, { connect: connector(t) }));
    const answer = await client.request({
      path: '/',
      method: 'POST',
      body: streamOf(body.bytes),
    });
    same(await digest(answer.body), body);
  });

  test(`keep-alive and pipelining: one connection for all (${name})`, opts, async (t) => {
    const sockets = [];
    const { origin } = await serve(t, echo, module);
    const client = own(t, new Client(origin, { connect: connector(t, sockets), pipelining: 10 }));
    const all = Array.from({ length: 100 }, async (_, i) => {
      const body = payload(1 + i * 1000, i + 1);
      // Only methods that may be sent again are pipelined.
      const answer = await client.request({ path: '/', method: 'PUT', body: body.bytes });
      assert.equal(answer.headers['x-hash'], body.sha256);
      same(await digest(answer.body), body);
    });
    await Promise.all(all);
    assert.equal(sockets.length, 1);
    const gone = closed(sockets[0]);
    await client.close();
    await gone;
  });

  test(`a pool of 8 connections for 200 requests (${name})`, opts, async (t) => {
    const sockets = [];
    const { origin } = await serve(t, echo, module);
    const pool = own(t, new Pool(origin, { connect: connector(t, sockets), connections: 8 }));
    const all = Array.from({ length: 200 }, async (_, i) => {
      const body = payload(1 + i * 500, i + 1);
      const answer = await pool.request({ path: '/', method: 'POST', body: body.bytes });
      same(await digest(answer.body), body);
    });
    await Promise.all(all);
    assert.equal(sockets.length, 8);
  });
}

test('fetch with an Agent of ours', opts, async (t) => {
  const { origin } = await serve(t);
  const dispatcher = own(t, new Agent({ connect: connector(t) }));
  const body = payload(5 * MiB, 2);
  const answer = await fetch(origin, { method: 'POST', body: body.bytes, dispatcher });
  assert.equal(answer.headers.get('x-hash'), body.sha256);
  same(Buffer.from(await answer.arrayBuffer()), body);
});

test('a slow reader of the body holds the server back', opts, async (t) => {
  const body = payload(32 * MiB, 3);
  let written = 0;
  const { origin } = await serve(t, (req, res) => {
    async function* counted() {
      for await (const chunk of streamOf(body.bytes)) {
        written += chunk.length;
        yield chunk;
      }
    }
    pipeline(Readable.from(counted()), res).catch(() => {});
  });
  const client = own(t, new Client(origin, { connect: connector(t) }));
  const answer = await client.request({ path: '/', method: 'GET' });
  let before = -1;
  // It stands still when every buffer along the way is full.
  while (written !== before) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.ok(written < body.size, `${written} bytes went to a reader that does not read`);
  same(await digest(answer.body), body);
});

test('an aborted request closes its connection, and the client goes on', opts, async (t) => {
  const sockets = [];
  const { web, origin } = await serve(t, (req, res) => {
    if (req.url === '/next') res.end('next');
    else res.write('begun');
  });
  const client = own(t, new Client(origin, { connect: connector(t, sockets) }));
  const abort = new AbortController();
  const arrived = once(web, 'request');
  const answer = await client.request({ path: '/', method: 'GET', signal: abort.signal });
  const [incoming] = await arrived;
  const gone = [closed(sockets[0]), closed(incoming.socket)];
  const broken = failed(answer.body);
  abort.abort();
  assert.equal((await broken).name, 'AbortError');
  await Promise.all(gone);
  const next = await client.request({ path: '/next', method: 'GET' });
  assert.equal(await next.body.text(), 'next');
  assert.equal(sockets.length, 2);
});

test('a connection that the server breaks off is an error with its code', opts, async (t) => {
  const { origin } = await serve(t, (req) => req.socket.resetAndDestroy());
  const client = own(t, new Client(origin, { connect: connector(t) }));
  await assert.rejects(client.request({ path: '/', method: 'GET' }), (err) =>
    ['ECONNRESET', 'UND_ERR_SOCKET'].includes(err.code),
  );
});

test('a connection that is refused is an error with its code', opts, async (t) => {
  const port = await kit(t).refusedPort();
  const client = own(t, new Client(`http://${HOST}:${port}`, { connect: connector(t) }));
  await assert.rejects(client.request({ path: '/', method: 'GET' }), { code: 'ECONNREFUSED' });
});

test('an upgrade hands our socket over', opts, async (t) => {
  const body = payload(8 * MiB, 4);
  const sockets = [];
  const { web, origin } = await serve(t);
  web.on('upgrade', (req, socket) => {
    socket.write('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  const dispatcher = own(t, new Agent({ connect: connector(t, sockets) }));
  const { socket } = await upgrade(origin, { protocol: 'echo', dispatcher });
  assert.equal(socket, sockets[0]);
  const answer = digest(socket);
  await pipeline(streamOf(body.bytes), socket);
  same(await answer, body);
});

test('stream() writes the body where it is told', opts, async (t) => {
  const body = payload(4 * MiB, 5);
  const { origin } = await serve(t);
  const client = own(t, new Client(origin, { connect: connector(t) }));
  const sink = new PassThrough();
  const received = digest(sink);
  await client.stream({ path: '/', method: 'PUT', body: body.bytes }, () => sink);
  same(await received, body);
});

test('the keep-alive of the server is heeded', opts, async (t) => {
  const sockets = [];
  const { web, origin } = await serve(t);
  const dispatcher = own(t, new Agent({ connect: connector(t, sockets) }));
  await (await request(origin, { dispatcher })).body.dump();
  web.closeIdleConnections();
  await until(() => sockets[0].destroyed);
  await (await request(origin, { dispatcher })).body.dump();
  assert.equal(sockets.length, 2);
});
