'use strict';

/** AsyncLocalStorage: listeners run in the context of their own socket, never of another one. */

const assert = require('node:assert/strict');
const { AsyncLocalStorage, AsyncResource, executionAsyncId } = require('node:async_hooks');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { runJson } = require('./helpers/child');
const { HOST, TIMEOUT, closed, kit, once, peer, turn } = require('./helpers/kit');

const opts = { timeout: TIMEOUT };
const als = new AsyncLocalStorage();

const EACH_IN_ITS_OWN = ['A in A', 'B in B', 'C in C', 'D in D'];
const EXPECTED = { tick: ['of tick in tick'] };

/** Logs the store in which each event fires. */
function watch(emitter, names) {
  const seen = {};
  for (const name of names) emitter.on(name, () => (seen[name] = als.getStore()));
  return seen;
}

test('each client sees the store in which it was connected', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.end('hello'));
  const { port } = server.address();
  const names = ['connect', 'ready', 'data', 'end', 'finish', 'close'];
  const all = Array.from({ length: 10 }, (_, i) =>
    als.run(`request ${i}`, () => {
      const socket = k.own(net.connect(port, HOST));
      return { socket, seen: watch(socket, names), end: closed(socket) };
    }),
  );
  await Promise.all(all.map(({ end }) => end));
  all.forEach(({ seen }, i) => {
    assert.deepEqual(seen, Object.fromEntries(names.map((name) => [name, `request ${i}`])));
  });
});

test('connect() decides, not the constructor', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.end('hello'));
  const socket = als.run('constructor', () => k.own(new net.Socket()));
  const seen = watch(socket, ['connect', 'data', 'close']);
  const end = closed(socket);
  als.run('connect', () => socket.connect(server.address().port, HOST));
  await end;
  assert.deepEqual(seen, { connect: 'connect', data: 'connect', close: 'connect' });
});

test('listeners added in another context still run in the socket’s', opts, async (t) => {
  const { client, conn } = await als.run('socket', () => kit(t).pair({ side: 'client' }));
  const seen = als.run('listener', () => watch(client, ['data', 'end']));
  const end = once(client, 'end');
  conn.end('x');
  await end;
  assert.deepEqual(seen, { data: 'socket', end: 'socket' });
});

test('accepted sockets run in the context of their server', opts, async (t) => {
  const k = kit(t);
  const server = k.ownServer(net.createServer());
  const seenByServer = watch(server, ['listening', 'connection', 'close']);
  let seen;
  let end;
  server.on('connection', (conn) => {
    seen = watch(conn, ['data', 'end', 'finish', 'close']);
    end = closed(conn);
  });
  als.run('server', () => server.listen(0));
  await once(server, 'listening');
  const client = als.run('client', () => k.own(peer.connect(server.address().port, HOST)));
  const gone = closed(client);
  client.resume().end('hello');
  await gone;
  await end;
  const all = closed(server);
  als.run('closer', () => server.close());
  await all;
  // Node creates the handle before it enters the server's context, so its accepted sockets have
  // none; ours have the server's (a settled point of the specification).
  const store = isOurs ? 'server' : undefined;
  assert.deepEqual(seen, { data: store, end: store, finish: store, close: store });
  assert.equal(seenByServer.listening, 'server');
  assert.equal(seenByServer.connection, 'server');
});

test('a write callback runs in the context of its write', opts, async (t) => {
  const { client, conn } = await als.run('socket', () => kit(t).pair({ side: 'client' }));
  conn.resume();
  for (const size of [1, 10_000, 5_000_000]) {
    const store = await als.run(
      `write of ${size}`,
      () =>
        new Promise((resolve) => client.write(Buffer.alloc(size), () => resolve(als.getStore()))),
    );
    assert.equal(store, `write of ${size}`);
  }
});

test('what end() leads to runs in the context of end()', opts, async (t) => {
  for (const chunk of [undefined, 'bye', Buffer.alloc(5_000_000)]) {
    const { client, conn } = await als.run('socket', () => kit(t).pair({ side: 'client' }));
    conn.resume();
    const seen = await als.run('ender', () => {
      const stores = [];
      const finished = once(client, 'finish');
      client.on('finish', () => stores.push(als.getStore()));
      client.end(chunk, () => stores.push(als.getStore()));
      return finished.then(() => stores);
    });
    assert.deepEqual(seen, ['ender', 'ender']);
  }
});

test('events of one batch each have their own context', opts, async (t) => {
  const k = kit(t);
  const pairs = [];
  for (let i = 0; i < 10; i++) {
    pairs.push(await als.run(i, () => k.pair({ side: 'client' })));
  }
  const log = [];
  const all = pairs.map(({ client }, i) => {
    client.on('data', () => {
      log.push([i, als.getStore()]);
      // Not even a context that is entered and never left reaches the next event.
      als.enterWith('intruder');
      process.nextTick(() => als.enterWith('intruder in a tick'));
    });
    return once(client, 'data');
  });
  for (const { conn } of pairs) conn.write('x');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  await Promise.all(all);
  assert.equal(log.length, 10);
  for (const [i, store] of log) assert.equal(store, i);
});

test('what a listener starts goes on in its context', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.write('x'));
  const stores = await als.run('origin', async () => {
    const socket = k.own(net.connect(server.address().port, HOST));
    return new Promise((resolve) => {
      socket.on('data', async () => {
        const list = [als.getStore()];
        await Promise.resolve();
        list.push(als.getStore());
        await new Promise((go) => process.nextTick(go));
        list.push(als.getStore());
        await new Promise((go) => setImmediate(go));
        list.push(als.getStore());
        resolve(list);
      });
    });
  });
  assert.deepEqual(stores, Array(4).fill('origin'));
});

test('errors and timeouts too', opts, async (t) => {
  const k = kit(t);
  const port = await k.refusedPort();
  const server = await k.listen({ lib: peer });
  const [error, idle] = als.run('caller', () => [
    net.connect(port, HOST),
    k.own(net.connect({ port: server.address().port, host: HOST, timeout: 20 })),
  ]);
  const seen = watch(error, ['error', 'close']);
  const seenIdle = watch(idle, ['timeout']);
  await Promise.all([closed(error), once(idle, 'timeout')]);
  assert.deepEqual(seen, { error: 'caller', close: 'caller' });
  assert.deepEqual(seenIdle, { timeout: 'caller' });
});

test('the context of another request does not stick to the engine', opts, async (t) => {
  // The first use of the module in this process happens in somebody's request.
  const k = kit(t);
  const first = await als.run('first', () => k.pair({ side: 'client' }));
  first.client.destroy();
  const { client, conn } = await k.pair({ side: 'client' });
  const seen = watch(client, ['data']);
  const got = once(client, 'data');
  conn.write('x');
  await got;
  assert.deepEqual(seen, { data: undefined });
});

test('AsyncResource.bind and execution ids work as in any callback', opts, async (t) => {
  const { client, conn } = await kit(t).pair({ side: 'client' });
  const bound = als.run('bound', () => AsyncResource.bind(() => als.getStore()));
  const result = new Promise((resolve) => {
    client.once('data', () => resolve([bound(), executionAsyncId() > 0]));
  });
  conn.write('x');
  assert.deepEqual(await result, ['bound', true]);
  await turn();
});

test('an uncaught exception is seen in the context of its socket', opts, async () => {
  // Whoever logs it with the id of the request must not name another request.
  assert.deepEqual(await runJson('throw-context'), [
    ['data of first', 'first'],
    ['close of first', 'first'],
    ['data of second', 'second'],
    ['close of second', 'second'],
  ]);
});

for (const what of ['write callback', 'drain', 'tick', 'close without a connection']) {
  test(`so is one at the end of a tick, or outside of an event: ${what}`, opts, async (t) => {
    if (what === 'drain' && !isOurs) return t.skip(SKIP_FOREIGN);
    const seen = await runJson('throw-elsewhere', [what]);
    assert.deepEqual(Object.keys(seen).sort(), EXPECTED[what] ?? EACH_IN_ITS_OWN);
  });
}

for (const what of ['events of values', 'held values']) {
  test(`so is one of a value socket: ${what}`, opts, async (t) => {
    if (!isOurs) return t.skip(SKIP_FOREIGN);
    const seen = await runJson('throw-elsewhere', [what]);
    assert.deepEqual(Object.keys(seen).sort(), EACH_IN_ITS_OWN);
    assert.deepEqual(Object.values(seen), [10, 10, 10, 10]);
  });
}

for (const what of ['messages', 'values', 'datagrams']) {
  for (const how of ['job', 'rejection']) {
    test(`${what} that come behind an exception keep their context (${how})`, opts, async (t) => {
      if (!isOurs) return t.skip(SKIP_FOREIGN);
      assert.deepEqual(await runJson('throw-in-jobs', [what, how]), { receiver: 200 });
    });
  }
}
