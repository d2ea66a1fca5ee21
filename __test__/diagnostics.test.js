'use strict';

/** The diagnostics channels of `node:net`, which tell of these sockets as well. */

const assert = require('node:assert/strict');
const diagnostics = require('node:diagnostics_channel');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const { HOST, TIMEOUT, kit, once, peer } = require('./helpers/kit');

const opts = { timeout: TIMEOUT };

/** What is published until the test ends. */
function heard(t, name) {
  const messages = [];
  const listener = (message) => messages.push(message);
  diagnostics.subscribe(name, listener);
  t.after(() => diagnostics.unsubscribe(name, listener));
  return messages;
}

test('net.client.socket and net.server.socket', opts, async (t) => {
  const clients = heard(t, 'net.client.socket');
  const servers = heard(t, 'net.server.socket');
  const { client, conn } = await kit(t).pair({ side: 'both' });
  assert.ok(clients.some(({ socket }) => socket === client));
  assert.ok(servers.some(({ socket }) => socket === conn));
});

test('tracing:net.server.listen', opts, async (t) => {
  // Node 20 does not have them yet.
  const [asyncStart, asyncEnd, error] = ['asyncStart', 'asyncEnd', 'error'].map((event) =>
    heard(t, `tracing:net.server.listen:${event}`),
  );
  const k = kit(t);
  const taken = await k.listen({ lib: peer });
  const { port } = taken.address();
  const server = net.createServer();
  server.listen(port, HOST);
  const [err] = await once(server, 'error');
  k.ownServer(server).listen(0, HOST);
  await once(server, 'listening');
  const of = (messages) => messages.filter((message) => message.server === server);
  assert.deepEqual(
    of(asyncStart).map(({ options }) => options.port),
    [port, 0],
  );
  assert.equal(of(asyncEnd).length, 1);
  assert.deepEqual(
    of(error).map((message) => message.error),
    [err],
  );
});
