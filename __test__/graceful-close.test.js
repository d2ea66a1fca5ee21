'use strict';

/** `server.close({ grace })` and `server.closeAllConnections()`. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { run, start } = require('./helpers/child');
const { HOST, TIMEOUT, closed, kit, once, peer, roundTrip, turn } = require('./helpers/kit');

const opts = { timeout: TIMEOUT, skip: !isOurs && SKIP_FOREIGN };

/** A grace that no test waits for, and one that every test can, in milliseconds. */
const LONG = 60_000;
const SHORT = 50;

/** A server with `count` open connections. */
async function withConnections(k, count, options = {}) {
  const server = await k.listen(options);
  const clients = [];
  const sockets = [];
  for (let i = 0; i < count; i++) {
    const accepted = once(server, 'connection');
    const client = k.own(peer.connect(server.address().port, HOST));
    client.on('error', () => {});
    client.resume();
    sockets.push((await accepted)[0].resume());
    clients.push(client);
  }
  return { server, clients, sockets };
}

const closeEvents = (server) => {
  const log = [];
  server.on('close', (...args) => log.push(args));
  return log;
};

test('what is left after the grace is destroyed', opts, async (t) => {
  const { server, clients, sockets } = await withConnections(kit(t), 3);
  const log = closeEvents(server);
  const ends = Promise.all([...clients, ...sockets].map(closed));
  const begin = performance.now();
  const answer = await new Promise((resolve) => {
    assert.equal(
      server.close({ grace: SHORT }, (...args) => resolve(args)),
      server,
    );
    assert.equal(server.listening, false);
    assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 0);
  });
  assert.ok(performance.now() - begin >= SHORT - 1, 'not before');
  assert.deepEqual(answer, []);
  assert.deepEqual(await ends, Array(6).fill(false), 'without errors');
  await turn();
  assert.deepEqual(log, [[]]);
});

test('no connection is taken during the grace', opts, async (t) => {
  const k = kit(t);
  const { server, clients, sockets } = await withConnections(k, 1);
  const { port } = server.address();
  server.close({ grace: LONG });
  const late = k.own(peer.connect(port, HOST));
  const [err] = await once(late, 'error');
  assert.equal(err.code, 'ECONNREFUSED');
  await roundTrip(clients[0], sockets[0]);
});

test('connections that end by themselves make an end of the grace', opts, async (t) => {
  const { server, clients } = await withConnections(kit(t), 3);
  const log = closeEvents(server);
  const over = closed(server);
  server.close({ grace: LONG });
  for (const client of clients) client.end();
  await over;
  await turn();
  assert.deepEqual(log, [[]]);
});

test('a grace of 0 is none', opts, async (t) => {
  const { server, clients, sockets } = await withConnections(kit(t), 2);
  const log = closeEvents(server);
  const ends = Promise.all(clients.map(closed));
  const over = closed(server);
  server.close({ grace: 0 });
  assert.ok(sockets.every(({ destroyed }) => destroyed));
  assert.deepEqual(log, [], 'no event inside of the call');
  await over;
  await ends;
  await turn();
  assert.deepEqual(log, [[]]);
});

test('a server without connections closes at once', opts, async (t) => {
  const server = await kit(t).listen();
  for (const grace of [0, LONG]) {
    const log = closeEvents(server);
    await new Promise((resolve) => server.close({ grace }, resolve));
    await turn();
    assert.deepEqual(log, [[]]);
    server.removeAllListeners('close');
    server.listen(0, HOST);
    await once(server, 'listening');
  }
});

test('a server that does not listen: as without a grace', opts, async () => {
  const server = new net.Server();
  const err = await new Promise((resolve) => server.close({ grace: LONG }, resolve));
  assert.equal(err.code, 'ERR_SERVER_NOT_RUNNING');
});

test('the shorter of two graces holds, in whatever order they are given', opts, async (t) => {
  for (const graces of [
    [LONG, SHORT],
    [SHORT, LONG],
    [LONG, 0],
  ]) {
    const { server, sockets } = await withConnections(kit(t), 1);
    const over = closed(server);
    const first = new Promise((resolve) => server.close({ grace: graces[0] }, resolve));
    const second = new Promise((resolve) => server.close({ grace: graces[1] }, resolve));
    await over;
    assert.equal(await first, undefined);
    assert.equal((await second).code, 'ERR_SERVER_NOT_RUNNING');
    assert.ok(sockets[0].destroyed);
  }
});

test('close() during a grace does not call it off', opts, async (t) => {
  const { server } = await withConnections(kit(t), 1);
  const over = closed(server);
  server.close({ grace: SHORT });
  server.close();
  await over;
});

test('a server that listens again keeps its new connections', opts, async (t) => {
  const k = kit(t);
  const { server, sockets } = await withConnections(k, 1);
  const { port } = server.address();
  const end = closed(sockets[0]);
  server.close({ grace: SHORT });
  server.listen(port, HOST);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = k.own(peer.connect(port, HOST));
  const [socket] = await accepted;
  await end;
  await roundTrip(client, socket);
  // A second grace is about them as well.
  const over = closed(server);
  server.close({ grace: SHORT });
  await over;
  assert.ok(socket.destroyed);
});

test('what was written goes out before the connection is destroyed', opts, async (t) => {
  const { server, clients, sockets } = await withConnections(kit(t), 1);
  const got = once(clients[0], 'data');
  sockets[0].write('last words');
  server.close({ grace: 0 });
  assert.equal(String((await got)[0]), 'last words');
});

test('closeAllConnections() destroys this server’s connections and goes on', opts, async (t) => {
  const k = kit(t);
  const { server, clients, sockets } = await withConnections(k, 3);
  const other = await withConnections(k, 1);
  // An outgoing connection to the server is no connection of the server's.
  const accepted = once(other.server, 'connection');
  const outgoing = k.own(net.connect(other.server.address().port, HOST));
  await accepted;
  const ends = Promise.all(clients.map(closed));
  const kept = sockets[1];
  kept.destroy();
  assert.equal(server.closeAllConnections(), undefined);
  assert.ok(sockets.every(({ destroyed }) => destroyed));
  assert.deepEqual(await ends, [false, false, false]);
  assert.equal(server.listening, true);
  assert.equal(await new Promise((resolve) => server.getConnections((_, n) => resolve(n))), 0);
  assert.equal(outgoing.destroyed, false);
  await roundTrip(other.clients[0], other.sockets[0]);
  // It takes new ones, and can be called when there are none.
  server.closeAllConnections();
  const next = once(server, 'connection');
  const client = k.own(peer.connect(server.address().port, HOST));
  const [socket] = await next;
  await roundTrip(client, socket);
});

test('closeAllConnections() ends a close() that waits', opts, async (t) => {
  const { server } = await withConnections(kit(t), 2);
  const over = closed(server);
  server.close();
  server.closeAllConnections();
  await over;
  new net.Server().closeAllConnections();
});

test('async disposal waits for the grace of a close() before it', opts, async (t) => {
  const dispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
  const { server, sockets } = await withConnections(kit(t), 1);
  const disposed = server[dispose]();
  server.close({ grace: SHORT });
  await disposed;
  assert.ok(sockets[0].destroyed);
  // As in Node, there is nothing to wait for when it is not listening.
  await server[dispose]();
});

test('wrong graces are said at once, and change nothing', opts, async (t) => {
  const server = await kit(t).listen();
  const wrong = [
    ['1s', 'ERR_INVALID_ARG_TYPE'],
    [true, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [Number.NaN, 'ERR_OUT_OF_RANGE'],
    [Number.POSITIVE_INFINITY, 'ERR_OUT_OF_RANGE'],
  ];
  for (const [grace, code] of wrong) {
    assert.throws(() => server.close({ grace }), { code, message: /options\.grace/ });
    assert.equal(server.listening, true);
  }
  assert.equal(server.listenerCount('close'), 0);
});

test('whatever else close() is given is passed over, as in Node', async (t) => {
  for (const extra of [
    undefined,
    null,
    'SIGTERM',
    15,
    {},
    { grace: undefined },
    new Event('abort'),
  ]) {
    const server = await kit(t).listen();
    const over = closed(server);
    assert.equal(server.close(extra), server);
    await over;
  }
});

test('a grace does not keep the process alive', { ...opts, timeout: 30_000 }, async () => {
  const result = await run('refs', ['a grace and unref’d connections'], { timeout: 10_000 });
  assert.equal(result.timedOut, false, 'something keeps the process alive');
  assert.equal(result.stdout, 'ready\nexit\n', result.stderr);
});

test('its connections do', { ...opts, timeout: 30_000 }, async (t) => {
  const { child, done } = start('refs', ['a grace and a connection'], { timeout: 10_000 });
  t.after(() => child.kill('SIGKILL'));
  for await (const text of child.stdout) if (String(text).includes('still here')) break;
  child.kill('SIGTERM');
  assert.equal((await done).signal, 'SIGTERM');
});
