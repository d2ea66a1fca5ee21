'use strict';

/** `for await (const socket of server)`. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, kit, once, peer, readAll, turn, until } = require('./helpers/kit');

const opts = { timeout: TIMEOUT, skip: !isOurs && SKIP_FOREIGN };

/** Connections that wait before no more are accepted, and those that may be on their way then. */
const MANY = 64;
const AHEAD = 512;

/** A server of `socket/promises`, which keeps connections for a loop from the start. */
async function listening(k, options = {}) {
  const server = await net.promises.listen({ port: 0, host: HOST, ...options });
  k.ownServer(server);
  // `ownServer` listens to 'connection', and here that would mean something.
  server.removeAllListeners('connection');
  return server;
}

/** A raw client that says who it is. */
function client(k, server, name = '') {
  const socket = k.own(peer.connect(server.address().port, HOST));
  socket.on('error', () => {});
  if (name) socket.write(name);
  return socket;
}

async function clients(k, server, count) {
  const all = Array.from({ length: count }, () => client(k, server).resume());
  await Promise.all(all.map((socket) => once(socket, 'connect')));
  return all;
}

const count = (server) => new Promise((resolve) => server.getConnections((_, n) => resolve(n)));

/** Takes connections until the server is closed, and answers how many there were. */
async function loop(server, each = (socket) => socket.destroy()) {
  let taken = 0;
  for await (const socket of server) {
    taken++;
    await each(socket);
  }
  return taken;
}

const NOTHING = Symbol('nothing');
/** What a promise has come to by now. */
const now = async (promise) => {
  await turn();
  return Promise.race([promise, Promise.resolve(NOTHING)]);
};

test('a loop gets every connection, in the order in which they came', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const names = [];
  const over = loop(server, async (socket) => {
    const [name] = await once(socket, 'data');
    names.push(String(name));
    socket.end('bye');
  });
  for (const name of ['a', 'b', 'c']) {
    const socket = client(k, server, name);
    assert.equal(String(await readAll(socket)), 'bye');
  }
  server.close();
  assert.equal(await over, 3);
  assert.deepEqual(names, ['a', 'b', 'c']);
});

test('createServer() has it as well', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen();
  server.removeAllListeners('connection');
  const iterator = server[Symbol.asyncIterator]();
  assert.equal(iterator[Symbol.asyncIterator](), iterator);
  await clients(k, server, 2);
  const first = await iterator.next();
  assert.ok(first.value instanceof net.Socket);
  assert.equal(first.done, false);
  assert.equal((await iterator.next()).value.server, server);
  const last = iterator.next();
  server.closeAllConnections();
  server.close();
  assert.deepEqual(await last, { done: true, value: undefined });
  assert.deepEqual(await iterator.next(), { done: true, value: undefined });
});

test('connections wait for the loop, with what they have said', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  for (const name of ['a', 'b', 'c']) client(k, server, name).end();
  await until(() => server._connections === 3);
  const said = [];
  const over = loop(server, async (socket) => said.push(String(await readAll(socket))));
  await until(() => said.length === 3);
  server.close();
  await over;
  assert.deepEqual(said, ['a', 'b', 'c']);
});

test('what waits is not read, however much a peer sends', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const sender = client(k, server);
  const block = Buffer.alloc(1024 * 1024);
  let sent = 0;
  const send = () => {
    while (sender.write(block)) sent++;
    sent++;
  };
  sender.on('drain', send);
  send();
  await until(() => server._connections === 1);
  // The system takes what it has room for, and then no more: it has stood still for a while.
  let before = -1;
  while (before !== sent) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const [socket] = await take(server, 1);
  assert.ok(socket.bytesRead <= 64 * 1024, `${socket.bytesRead} bytes`);
  assert.equal(socket.readableLength, socket.bytesRead);
  // Now it is, like any other.
  const got = until(() => socket.bytesRead > 8 * block.length);
  socket.resume();
  await got;
});

/** The next connections, by a loop that is left then. */
async function take(server, wanted) {
  const sockets = [];
  for await (const socket of server) {
    sockets.push(socket);
    if (sockets.length === wanted) break;
  }
  return sockets;
}

test('a peer that resets while it waits does no harm', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const first = client(k, server, 'first');
  await once(first, 'connect');
  await until(() => server._connections === 1);
  first.resetAndDestroy();
  await closed(first);
  client(k, server, 'second');
  const seen = new Set();
  const over = loop(server, (socket) => {
    socket.on('error', (err) => seen.add(err.code));
    socket.on('data', (data) => seen.add(String(data)));
  });
  await until(() => seen.has('ECONNRESET') && seen.has('second'));
  server.closeAllConnections();
  server.close();
  assert.equal(await over, 2);
});

test('a connection that is destroyed while it waits is passed over', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const gone = await clients(k, server, 2);
  await until(() => server._connections === 2);
  const ends = Promise.all(gone.map(closed));
  server.closeAllConnections();
  await ends;
  const third = client(k, server);
  await once(third, 'connect');
  const [socket] = await take(server, 1);
  assert.equal(socket.remotePort, third.localPort);
});

test('accepting pauses when many wait, and goes on', { ...opts, timeout: 60_000 }, async (t) => {
  const k = kit(t);
  const server = await listening(k, { backlog: 2000 });
  const all = MANY + AHEAD + 300;
  const waiting = [];
  for (let i = 0; i < all; i += 40)
    waiting.push(...(await clients(k, server, Math.min(40, all - i))));
  // All are connected, as the system has it; the server has not taken them all.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const accepted = await count(server);
  assert.ok(accepted >= MANY, `${accepted} accepted`);
  assert.ok(accepted <= MANY + AHEAD, `${accepted} accepted`);
  let taken = 0;
  for await (const socket of server) {
    socket.destroy();
    if (++taken === all) break;
  }
  assert.equal(server.listening, true);
});

test('break leaves the server listening, and the rest for the next loop', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  await clients(k, server, 3);
  const first = await take(server, 2);
  assert.equal(first.length, 2);
  assert.equal(server.listening, true);
  await clients(k, server, 1);
  const rest = await take(server, 2);
  assert.deepEqual(new Set([...first, ...rest]).size, 4);
  // A throw is no different.
  await clients(k, server, 2);
  const err = new Error('of the body');
  await assert.rejects(
    loop(server, () => {
      throw err;
    }),
    err,
  );
  assert.equal((await take(server, 1)).length, 1);
});

test('two loops share: each connection goes to one, in turn', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const taken = { a: [], b: [] };
  const loops = ['a', 'b'].map((name) => loop(server, (socket) => taken[name].push(socket)));
  for (let i = 0; i < 10; i++) {
    await clients(k, server, 1);
    await until(() => taken.a.length + taken.b.length === i + 1);
  }
  assert.deepEqual([taken.a.length, taken.b.length], [5, 5]);
  assert.equal(new Set([...taken.a, ...taken.b]).size, 10);
  server.closeAllConnections();
  server.close();
  assert.deepEqual(await Promise.all(loops), [5, 5]);
});

test('a loop that is slow does not hold up the other', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  let release;
  const stuck = loop(server, () => new Promise((resolve) => (release = resolve)));
  await clients(k, server, 1);
  await until(() => release);
  let quick = 0;
  const other = loop(server, () => quick++);
  await clients(k, server, 5);
  await until(() => quick === 5);
  server.closeAllConnections();
  server.close();
  assert.equal(await other, 5);
  release();
  assert.equal(await stuck, 1);
});

test('close() ends the loop when what waits has been given out', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  await clients(k, server, 3);
  await until(() => server._connections === 3);
  const sockets = [];
  for await (const socket of server) {
    sockets.push(socket);
    // Those who wait have been accepted: they are still given out.
    server.close();
  }
  assert.equal(sockets.length, 3);
  assert.ok(sockets.every((socket) => !socket.destroyed));
  // A new loop has nothing to wait for.
  assert.equal(await loop(server), 0);
});

test('close() ends a loop that waits', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const over = loop(server);
  assert.equal(await now(over), NOTHING);
  server.close();
  assert.equal(await over, 0);
});

test('close() resets what nobody will take', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const waiting = await clients(k, server, 3);
  await take(server, 1).then(([socket]) => socket.destroy());
  await until(() => server._connections === 2);
  const ends = Promise.all(waiting.slice(1).map((socket) => once(socket, 'error')));
  const over = closed(server);
  server.close();
  await over;
  for (const [err] of await ends) assert.equal(err.code, 'ECONNRESET');
});

test('a loop that is left after close() leaves nothing behind', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  await clients(k, server, 3);
  await until(() => server._connections === 3);
  const over = closed(server);
  for await (const socket of server) {
    server.close();
    socket.destroy();
    break;
  }
  await over;
});

test('a server that listens again can be iterated again', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const { port } = server.address();
  const over = loop(server);
  server.close();
  await over;
  server.listen(port, HOST);
  await once(server, 'listening');
  await clients(k, server, 1);
  assert.equal((await take(server, 1)).length, 1);
});

test('an iteration may begin before the server listens', opts, async (t) => {
  const k = kit(t);
  const server = new net.Server();
  t.after(() => server.close());
  const taken = take(server, 1);
  server.listen(0, HOST);
  await clients(k, server, 1);
  assert.equal((await taken)[0].server, server);
});

test('an error ends every loop by throwing', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const idle = loop(server);
  let release;
  const busy = loop(server, () => new Promise((resolve) => (release = resolve)));
  // The idle loop asked first; a second connection finds the other one.
  await clients(k, server, 2);
  await until(() => release);
  const err = new Error('of the server');
  server.emit('error', err);
  await assert.rejects(idle, err);
  release();
  await assert.rejects(busy, err);
  // The server is none the worse, and nobody listens to its errors any more.
  assert.equal(server.listenerCount('error'), 0);
  await clients(k, server, 1);
  assert.equal((await take(server, 1)).length, 1);
});

test('a failure to listen is thrown by the loop', opts, async (t) => {
  const k = kit(t);
  const taken = await k.listen({ lib: peer });
  const server = new net.Server();
  server.listen(taken.address().port, HOST);
  await assert.rejects(loop(server), { code: 'EADDRINUSE' });
});

test('with a listener of connection: both get it while a loop runs', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const heard = [];
  server.on('connection', (socket) => heard.push(socket));
  // Nobody iterates: the listener is enough, and nothing waits.
  await clients(k, server, 2);
  await until(() => heard.length === 2);
  const taken = take(server, 1);
  await clients(k, server, 1);
  const [socket] = await taken;
  assert.equal(heard.length, 3);
  assert.equal(heard[2], socket);
  // The loop has been left: again, the listener is enough.
  await clients(k, server, MANY + 10);
  await until(() => heard.length === MANY + 13);
});

test('what waits is given to a listener that comes later', opts, async (t) => {
  const k = kit(t);
  const server = await listening(k);
  const ports = [];
  for (let i = 0; i < 3; i++) ports.push((await clients(k, server, 1))[0].localPort);
  await until(() => server._connections === 3);
  const [first] = await once(server, 'connection');
  assert.equal(first.remotePort, ports[0]);
  const heard = [];
  server.on('connection', (socket) => heard.push(socket.remotePort));
  await until(() => heard.length === 2);
  assert.deepEqual(heard, ports.slice(1));
});

test('return() ends calls of next() that wait', opts, async (t) => {
  const server = await listening(kit(t));
  const iterator = server[Symbol.asyncIterator]();
  const waiting = [iterator.next(), iterator.next()];
  assert.deepEqual(await iterator.return('value'), { done: true, value: 'value' });
  for (const each of waiting) assert.deepEqual(await each, { done: true, value: undefined });
  assert.deepEqual(await iterator.return(), { done: true, value: undefined });
});
