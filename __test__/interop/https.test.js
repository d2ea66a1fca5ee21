'use strict';

/** node:https over our sockets: an agent, a server, and both. */

const assert = require('node:assert/strict');
const https = require('node:https');
const { pipeline } = require('node:stream/promises');
const { test } = require('node:test');
const tls = require('node:tls');
const { HOST, TIMEOUT, closed, failed, kit, once, until } = require('../helpers/kit');
const { authority } = require('../helpers/certificates');
const { runJson } = require('../helpers/child');
const { ENDS, clientLib, serve } = require('../helpers/ends');
const { MiB, digest, payload, same, streamOf } = require('../helpers/payload');

const opts = { timeout: TIMEOUT };
const certs = authority({ main: ['localhost', HOST] });

/** Answers with the hash of what came, and with as many bytes of its own. */
function createServer(t, answer) {
  const web = https.createServer(certs.main, async (req, res) => {
    const sent = pipeline(streamOf(answer.bytes), res, { end: false });
    const received = await digest(req);
    await sent;
    res.addTrailers({ 'x-hash': received.sha256, 'x-port': req.socket.clientPort });
    res.end();
  });
  let count = 0;
  web.on('secureConnection', (socket) => (socket.clientPort = ++count));
  t.after(() => web.close());
  return web;
}

/** An agent whose TLS runs over sockets of the client's end. */
function createAgent(t, end, options) {
  const agent = new https.Agent({ ca: certs.ca, ...options });
  agent.createConnection = ({ port, host, noDelay, ...rest }) => {
    const socket = kit(t).own(clientLib(end).connect({ port, host, noDelay }));
    return tls.connect({ ...rest, socket, host });
  };
  t.after(() => agent.destroy());
  return agent;
}

async function exchange(options, body) {
  const req = https.request({ host: HOST, method: 'POST', ...options });
  const answered = once(req, 'response');
  const sent = pipeline(streamOf(body.bytes), req);
  const [res] = await answered;
  const received = await digest(res);
  await sent;
  return { ...received, trailers: res.trailers, req };
}

for (const end of ENDS) {
  test(`a body of 32 MiB each way, streamed at the same time (${end})`, opts, async (t) => {
    const up = payload(32 * MiB, 1);
    const down = payload(32 * MiB, 2);
    const port = await serve(t, end, createServer(t, down));
    const agent = createAgent(t, end, {});
    const answer = await exchange({ port, agent }, up);
    same(answer, down);
    assert.equal(answer.trailers['x-hash'], up.sha256);
  });

  test(`keep-alive uses one connection, also for what is queued (${end})`, opts, async (t) => {
    const down = payload(70_000, 3);
    const port = await serve(t, end, createServer(t, down));
    const agent = createAgent(t, end, { keepAlive: true, maxSockets: 1 });
    const connections = new Set();
    const all = Array.from({ length: 40 }, async (_, i) => {
      const up = payload(1 + i * 1000, i + 1);
      const answer = await exchange({ port, agent }, up);
      same(answer, down);
      assert.equal(answer.trailers['x-hash'], up.sha256);
      connections.add(answer.trailers['x-port']);
    });
    await Promise.all(all);
    assert.deepEqual([...connections], ['1']);
  });

  test(`100 requests over 10 connections (${end})`, opts, async (t) => {
    const down = payload(100_000, 4);
    const port = await serve(t, end, createServer(t, down));
    const agent = createAgent(t, end, { keepAlive: true, maxSockets: 10 });
    const all = Array.from({ length: 100 }, async (_, i) => {
      const up = payload(1 + i * 777, i + 1);
      const answer = await exchange({ port, agent }, up);
      same(answer, down);
      assert.equal(answer.trailers['x-hash'], up.sha256);
    });
    await Promise.all(all);
  });

  test(`an idle connection that the server closes is noticed quietly (${end})`, opts, async (t) => {
    const down = payload(10, 5);
    const web = createServer(t, down);
    let secured;
    web.on('secureConnection', (socket) => (secured = socket));
    const port = await serve(t, end, web);
    const agent = createAgent(t, end, { keepAlive: true, maxSockets: 1 });
    same(await exchange({ port, agent }, down), down);
    const idle = () => Object.values(agent.freeSockets).flat();
    await until(() => idle().length === 1);
    // Nobody but the agent listens: an 'error' here would be an uncaught one in many programs.
    const [socket] = idle();
    const errors = [];
    socket.on('error', (err) => errors.push(err));
    const gone = closed(socket);
    secured.end();
    await gone;
    assert.deepEqual(errors, []);
    await until(() => idle().length === 0);
    const next = await exchange({ port, agent }, down);
    same(next, down);
    assert.equal(next.req.reusedSocket, false);
  });

  test(`a request aborted in the middle of its body (${end})`, opts, async (t) => {
    const web = https.createServer(certs.main);
    t.after(() => web.close());
    const port = await serve(t, end, web);
    const agent = createAgent(t, end, {});
    const req = https.request({ host: HOST, port, agent, method: 'POST' });
    const gone = failed(req);
    req.write(Buffer.alloc(MiB));
    const [incoming] = await once(web, 'request');
    await once(incoming, 'data');
    const broken = failed(incoming);
    const connClosed = closed(incoming.socket);
    req.destroy(new Error('enough'));
    assert.equal((await gone).message, 'enough');
    assert.equal((await broken).code, 'ECONNRESET');
    await connClosed;
  });
}

// Requests that come while the server still believes its last answer to be unsent: over a foreign
// stream, Node's server then closes the connection (HPE_PAUSED). Large and odd answers show it best.
for (const size of [100_000, 140_000]) {
  test(`150 requests from another process, answers of ${size} bytes`, opts, async (t) => {
    const down = payload(size, 6);
    const web = createServer(t, down);
    const errors = [];
    web.on('clientError', (err, socket) => {
      errors.push(err.code);
      socket.destroy();
    });
    const port = await serve(t, 'server', web);
    const result = await runJson('https-client', [port], { env: { TEST_CA: certs.ca } });
    assert.deepEqual(errors, []);
    assert.deepEqual(result, { right: 150, hashes: [down.sha256], errors: [] });
  });
}
