'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, kit, once, peer, readAll, turn } = require('./helpers/kit');

const opts = { timeout: TIMEOUT };

/** Each form starts the server; those that take a listener get `cb`. */
const forms = {
  'listen()': (s) => s.listen(),
  'listen(listener)': (s, cb) => s.listen(cb),
  'listen(undefined, listener)': (s, cb) => s.listen(undefined, cb),
  'listen(null, listener)': (s, cb) => s.listen(null, cb),
  'listen(0)': (s) => s.listen(0),
  'listen("0")': (s) => s.listen('0'),
  'listen(0, listener)': (s, cb) => s.listen(0, cb),
  'listen(0, backlog)': (s) => s.listen(0, 5),
  'listen(0, backlog, listener)': (s, cb) => s.listen(0, 5, cb),
  'listen(0, host)': (s) => s.listen(0, HOST),
  'listen(0, host, listener)': (s, cb) => s.listen(0, HOST, cb),
  'listen(0, host, backlog)': (s) => s.listen(0, HOST, 5),
  'listen(0, host, backlog, listener)': (s, cb) => s.listen(0, HOST, 5, cb),
  'listen(0, undefined, listener)': (s, cb) => s.listen(0, undefined, cb),
  'listen({ port })': (s) => s.listen({ port: 0 }),
  'listen({ port }, listener)': (s, cb) => s.listen({ port: 0 }, cb),
  'listen({ port: undefined })': (s) => s.listen({ port: undefined }),
  'listen({ port, host })': (s) => s.listen({ port: 0, host: HOST }),
  'listen({ port, host, backlog, exclusive }, listener)': (s, cb) =>
    s.listen({ port: 0, host: HOST, backlog: 5, exclusive: true }, cb),
};

for (const [name, form] of Object.entries(forms)) {
  test(`${name} serves`, opts, async (t) => {
    const k = kit(t);
    const server = k.ownServer(net.createServer((conn) => conn.end('served')));
    const calls = [];
    const returned = form(server, function listener(...args) {
      calls.push({ self: this, args });
    });
    assert.equal(returned, server);
    assert.equal(calls.length, 0, 'not called inside listen()');
    await once(server, 'listening');
    assert.equal(server.listening, true);
    const client = k.own(peer.connect(server.address().port, HOST));
    assert.equal(String(await readAll(client)), 'served');
    if (form.length === 2) {
      assert.equal(calls.length, 1);
      assert.equal(calls[0].self, server);
      assert.deepEqual(calls[0].args, []);
    }
  });
}

test('address() is known right after listen(0), on ::', opts, async (t) => {
  const k = kit(t);
  const server = k.ownServer(net.createServer());
  assert.equal(server.address(), null);
  assert.equal(server.listening, false);
  server.listen(0);
  const { address, family, port } = server.address();
  assert.equal(server.listening, true);
  assert.equal(address, '::');
  assert.equal(family, 'IPv6');
  assert.ok(Number.isInteger(port) && port > 0 && port < 65536);
  await once(server, 'listening');
  assert.deepEqual(server.address(), { address, family, port });
});

test('a client may connect in the tick of listen(0)', opts, async (t) => {
  const k = kit(t);
  const server = k.ownServer(net.createServer((conn) => conn.end('early')));
  server.listen(0);
  const client = k.own(peer.connect(server.address().port, HOST));
  assert.equal(String(await readAll(client)), 'early');
});

test('address() of a server on one address', opts, async (t) => {
  const server = await kit(t).listen();
  const { port } = server.address();
  assert.deepEqual(server.address(), { address: HOST, family: 'IPv4', port });
});

test('a host name is resolved', opts, async (t) => {
  const server = await kit(t).listen({ host: 'localhost' });
  assert.ok(['127.0.0.1', '::1'].includes(server.address().address));
});

test('the same port is given when asked for', opts, async (t) => {
  const k = kit(t);
  const first = await k.listen({ lib: peer });
  const { port } = first.address();
  await new Promise((resolve) => first.close(resolve));
  const server = k.ownServer(net.createServer());
  server.listen(port, HOST);
  await once(server, 'listening');
  assert.equal(server.address().port, port);
});

test('ipv6Only keeps IPv4 clients out', opts, async (t) => {
  const k = kit(t);
  const server = k.ownServer(net.createServer());
  server.listen({ port: 0, host: '::', ipv6Only: true });
  try {
    await once(server, 'listening');
  } catch (err) {
    assert.equal(err.code, 'EAFNOSUPPORT');
    t.skip('no IPv6 on this machine');
    return;
  }
  const client = k.own(peer.connect(server.address().port, HOST));
  await assert.rejects(once(client, 'connect'), { code: 'ECONNREFUSED' });
});

test('createServer and Server take options and listener, with and without new', opts, async (t) => {
  const makers = [
    (cb) => net.createServer(cb),
    (cb) => net.createServer({}, cb),
    (cb) => new net.Server(cb),
    (cb) => new net.Server({}, cb),
    (cb) => net.Server(cb),
    (cb) => net.Server({ allowHalfOpen: true }, cb),
    (cb) => net.createServer().on('connection', cb),
  ];
  for (const make of makers) {
    const k = kit(t);
    const got = [];
    const server = k.ownServer(
      make(function onConnection(...args) {
        got.push({ self: this, args });
        args[0].end();
      }),
    );
    assert.ok(server instanceof net.Server);
    server.listen(0, HOST);
    await once(server, 'listening');
    const client = k.own(peer.connect(server.address().port, HOST));
    client.resume();
    await closed(client);
    assert.equal(got.length, 1);
    assert.equal(got[0].self, server);
    assert.equal(got[0].args.length, 1);
    assert.ok(got[0].args[0] instanceof net.Socket);
    assert.equal(got[0].args[0].server, server);
  }
});

test('options may be inherited, or have getters', opts, async (t) => {
  const k = kit(t);
  class Settings {
    #host = HOST;
    get host() {
      return this.#host;
    }
    get port() {
      return 0;
    }
  }
  for (const options of [new Settings(), Object.create({ host: HOST, port: 0, backlog: 5 })]) {
    const server = k.ownServer(net.createServer()).listen(options);
    await once(server, 'listening');
    assert.equal(server.address().address, HOST);
  }
});

test('what is nothing, in other words', opts, async (t) => {
  const k = kit(t);
  for (const listener of [false, '', 0, null]) {
    for (const reusePort of [undefined, null, 0, false]) {
      const server = k.ownServer(net.createServer({}, listener));
      server.listen({ port: 0, host: HOST, reusePort });
      await once(server, 'listening');
    }
  }
});

test('a second listen throws ERR_SERVER_ALREADY_LISTEN', opts, async (t) => {
  const server = kit(t).ownServer(net.createServer());
  server.listen(0);
  assert.throws(() => server.listen(0), { code: 'ERR_SERVER_ALREADY_LISTEN', name: 'Error' });
  await once(server, 'listening');
  assert.throws(() => server.listen(), { code: 'ERR_SERVER_ALREADY_LISTEN' });
});

test('close of a server that never listened', opts, async () => {
  const server = net.createServer();
  server.on('error', () => assert.fail('event error'));
  const err = await new Promise((resolve) => assert.equal(server.close(resolve), server));
  assert.equal(err.code, 'ERR_SERVER_NOT_RUNNING');
  assert.equal(err.message, 'Server is not running.');
});

test('close answers its callback and the event, once each, not synchronously', opts, async (t) => {
  const server = kit(t).ownServer(net.createServer());
  server.listen(0);
  const log = [];
  server.on('close', (...args) => log.push(['event', ...args]));
  await once(server, 'listening');
  const done = new Promise((resolve) => {
    server.close((...args) => {
      log.push(['callback', ...args]);
      resolve();
    });
  });
  assert.equal(server.listening, false);
  assert.equal(server.address(), null);
  assert.deepEqual(log, []);
  await done;
  await turn();
  assert.deepEqual(log, [['event'], ['callback']]);
  const err = await new Promise((resolve) => server.close(resolve));
  assert.equal(err.code, 'ERR_SERVER_NOT_RUNNING');
});

test('close waits for the open connections and takes no new ones', opts, async (t) => {
  const k = kit(t);
  const { server, client, conn } = await k.pair({ side: 'server' });
  const { port } = server.address();
  const log = [];
  server.close(() => log.push('server'));
  const late = k.own(peer.connect(port, HOST));
  await assert.rejects(once(late, 'connect'), { code: 'ECONNREFUSED' });
  assert.deepEqual(log, []);

  // The open connection still works.
  client.write('still');
  assert.equal(String((await once(conn, 'data'))[0]), 'still');
  assert.deepEqual(log, []);
  const ends = Promise.all([closed(server), closed(conn)]);
  client.end();
  conn.end();
  await ends;
  assert.deepEqual(log, ['server']);
});

test('the port is free in the tick of close()', opts, async (t) => {
  const k = kit(t);
  const first = k.ownServer(net.createServer());
  first.listen(0);
  await once(first, 'listening');
  const { port } = first.address();
  const second = k.ownServer(net.createServer((conn) => conn.end('second')));
  first.close();
  second.listen(port);
  assert.equal(second.address().port, port);
  await once(second, 'listening');
  const client = k.own(peer.connect(port, HOST));
  assert.equal(String(await readAll(client)), 'second');
});

test('the port is free in the close callback, and the server can listen again', opts, async (t) => {
  const k = kit(t);
  const server = k.ownServer(net.createServer((conn) => conn.end('again')));
  server.listen(0);
  await once(server, 'listening');
  const { port } = server.address();
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => server.close(() => server.listen(port, resolve)));
    assert.equal(server.address().port, port);
    const client = k.own(peer.connect(port, HOST));
    assert.equal(String(await readAll(client)), 'again');
    await closed(client);
  }
});

test('close right after listen: no listening event, but close', opts, async (t) => {
  const server = kit(t).ownServer(net.createServer());
  server.listen(0);
  const { port } = server.address();
  server.on('listening', () => assert.fail('listening after close()'));
  await new Promise((resolve) => server.close(resolve));
  const other = kit(t).ownServer(peer.createServer());
  other.listen(port);
  await once(other, 'listening');
});

test('no connection event after close(), whatever was waiting', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen();
  let accepted = 0;
  const end = closed(server);
  server.on('connection', (conn) => {
    accepted++;
    server.close();
    conn.destroy();
  });
  const clients = Array.from({ length: 10 }, () =>
    k.own(peer.connect(server.address().port, HOST)),
  );
  const gone = clients.map((client) => {
    client.on('error', () => {});
    client.resume();
    return closed(client);
  });
  // All ten wait before the first event is delivered.
  await new Promise((resolve) => process.nextTick(resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  await Promise.all([end, ...gone]);
  assert.equal(accepted, 1);
});

test('getConnections counts, asynchronously', opts, async (t) => {
  const k = kit(t);
  const { server, client, conn } = await k.pair({ side: 'server' });
  const count = () =>
    new Promise((resolve, reject) => {
      let sync = true;
      const returned = server.getConnections((err, n) => {
        assert.equal(sync, false);
        if (err) reject(err);
        else resolve(n);
      });
      assert.equal(returned, server);
      sync = false;
    });
  assert.equal(await count(), 1);
  const second = k.own(peer.connect(server.address().port, HOST));
  await once(server, 'connection');
  assert.equal(await count(), 2);
  client.end();
  conn.end();
  await closed(conn);
  assert.equal(await count(), 1);
  second.destroy();
  assert.equal(await new Promise((resolve) => server.getConnections((_, n) => resolve(n))), 1);
});

test('maxConnections drops what is too much and says so', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen();
  server.maxConnections = 1;
  const first = k.own(peer.connect(server.address().port, HOST));
  const [conn] = await once(server, 'connection');
  server.on('connection', () => assert.fail('one too many'));

  const dropped = once(server, 'drop');
  const second = k.own(peer.connect(server.address().port, HOST));
  second.on('error', () => {});
  const { localPort } = await new Promise((resolve) =>
    second.on('connect', () => resolve({ localPort: second.localPort })),
  );
  const [info] = await dropped;
  assert.deepEqual(
    { ...info },
    {
      localAddress: HOST,
      localPort: server.address().port,
      localFamily: 'IPv4',
      remoteAddress: HOST,
      remotePort: localPort,
      remoteFamily: 'IPv4',
    },
  );
  second.resume();
  await closed(second);

  // With room again, the next one is accepted.
  server.removeAllListeners('connection');
  first.end();
  conn.resume();
  await closed(conn);
  const third = k.own(peer.connect(server.address().port, HOST));
  const [next] = await once(server, 'connection');
  k.own(next);
  assert.equal(next.remotePort, third.localPort);
});

test('a signal closes the server', opts, async (t) => {
  const k = kit(t);
  const controller = new AbortController();
  const server = k.ownServer(net.createServer());
  server.listen({ port: 0, signal: controller.signal });
  await once(server, 'listening');
  const end = closed(server);
  controller.abort();
  await end;
  assert.equal(server.listening, false);
});

test('a signal aborted beforehand closes the server', opts, async (t) => {
  const server = kit(t).ownServer(net.createServer());
  const end = closed(server);
  server.listen({ port: 0, signal: AbortSignal.abort() });
  await end;
  assert.equal(server.listening, false);
});

test('await using closes the server', opts, async (t) => {
  const server = await kit(t).listen();
  await server[Symbol.asyncDispose]();
  assert.equal(server.listening, false);
});

test('a burst of connections is accepted completely', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({}, (conn) => conn.end(`to ${conn.remotePort}`));
  const all = Array.from({ length: 300 }, async () => {
    const client = k.own(peer.connect(server.address().port, HOST));
    await once(client, 'connect');
    const mine = `to ${client.localPort}`;
    assert.equal(String(await readAll(client)), mine);
  });
  await Promise.all(all);
});

test('pauseOnConnect delivers nothing until resume()', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ pauseOnConnect: true });
  const accepted = once(server, 'connection');
  const client = k.own(peer.connect(server.address().port, HOST));
  client.write('waits');
  const [conn] = await accepted;
  let got = '';
  conn.on('data', (chunk) => (got += chunk));
  // A whole connection comes and goes meanwhile, so the bytes had their chance.
  const other = await k.listen({ lib: peer }, (c) => c.end('x'));
  await readAll(k.own(peer.connect(other.address().port, HOST)));
  await turn();
  assert.equal(got, '');
  conn.resume();
  await once(conn, 'data');
  assert.equal(got, 'waits');
});
