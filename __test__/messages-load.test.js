'use strict';

/**
 * Many clients, many messages, both ways: all arrive in order, and nothing is left behind.
 * SOCKET_LOAD_CLIENTS=1000 SOCKET_LOAD_MESSAGES=1000 is the long form.
 */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const path = require('node:path');
const { runJson } = require('./helpers/child');
const { assertFlat } = require('./helpers/load');
const { HOST, TIMEOUT, messageKit, peer, turn, until } = require('./helpers/messages');

const CLIENTS = Number(process.env.SOCKET_LOAD_CLIENTS || 200);
const MESSAGES = Number(process.env.SOCKET_LOAD_MESSAGES || 300);
const timeout = 60_000 + CLIENTS * MESSAGES * 0.1;

test(`${CLIENTS} clients, ${MESSAGES} messages each, there and back`, { timeout }, async (t) => {
  const { first, second, before, after } = await runJson(
    'message-load',
    [String(CLIENTS), String(MESSAGES)],
    { execArgv: ['--expose-gc'], timeout: timeout - 5000 },
  );
  const expected = { echoed: CLIENTS * MESSAGES, wrong: [] };
  assert.deepEqual(first, expected);
  assert.deepEqual(second, expected);
  assertFlat(t, before, after, CLIENTS);
});

test(
  'a worker is terminated in the middle of message traffic',
  { timeout: 3 * TIMEOUT },
  async (t) => {
    const m = messageKit(t);
    const { server, port } = await m.server({ rawBytes: false });
    let echoed = 0;
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('data', (text) => {
        echoed++;
        socket.send(text);
      });
    });
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(path.join(__dirname, 'fixtures', 'message-worker.js'), {
        workerData: { port, host: HOST },
      });
      const [own] = await new Promise((resolve, reject) => {
        worker.once('message', (message) => resolve([message]));
        worker.once('error', reject);
      });
      // Also to its own server, from outside.
      const conn = m.k.own(peer.connect(own, HOST));
      conn.on('error', () => {});
      conn.write('\u0004ping'.repeat(1000));
      conn.resume();
      const before = echoed;
      await until(() => echoed > before + 100);
      assert.equal(await worker.terminate(), 1);
      // Its connections are closed, its port is free.
      await until(() => server.connections.length === 0 && conn.destroyed);
      const refused = m.k.own(peer.connect(own, HOST));
      const err = await new Promise((resolve) => refused.once('error', resolve));
      assert.equal(err.code, 'ECONNREFUSED');
    }
    await turn();
  },
);
