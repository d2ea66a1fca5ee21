'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, failed, kit, once, peer, readAll } = require('./helpers/kit');

const opts = { timeout: TIMEOUT };

/** Each form gets the port of a server on all addresses and the listener, if it takes one. */
const forms = {
  'connect(port)': (port) => net.connect(port),
  'connect(port, listener)': (port, cb) => net.connect(port, cb),
  'connect(port, host)': (port) => net.connect(port, HOST),
  'connect(port, host, listener)': (port, cb) => net.connect(port, HOST, cb),
  'connect({ port })': (port) => net.connect({ port }),
  'connect({ port }, listener)': (port, cb) => net.connect({ port }, cb),
  'connect({ port, host }, listener)': (port, cb) => net.connect({ port, host: HOST }, cb),
  'connect with the port as a string': (port, cb) => net.connect(String(port), HOST, cb),
  'createConnection(port)': (port) => net.createConnection(port),
  'createConnection(port, listener)': (port, cb) => net.createConnection(port, cb),
  'createConnection(port, host)': (port) => net.createConnection(port, HOST),
  'createConnection(port, host, listener)': (port, cb) => net.createConnection(port, HOST, cb),
  'createConnection({ port, host }, listener)': (port, cb) =>
    net.createConnection({ port, host: HOST }, cb),
  'new Socket().connect(port)': (port) => new net.Socket().connect(port),
  'new Socket().connect(port, host, listener)': (port, cb) =>
    new net.Socket().connect(port, HOST, cb),
  'new Socket().connect({ port, host }, listener)': (port, cb) =>
    new net.Socket().connect({ port, host: HOST }, cb),
  'Socket() without new': (port, cb) => net.Socket().connect(port, HOST, cb),
  'new Stream()': (port, cb) => new net.Stream().connect(port, HOST, cb),
};

for (const [name, form] of Object.entries(forms)) {
  test(`${name} connects`, opts, async (t) => {
    const k = kit(t);
    const server = k.ownServer(peer.createServer((conn) => conn.end('hello')));
    server.listen(0);
    await once(server, 'listening');

    const calls = [];
    const socket = k.own(
      form(server.address().port, function listener(...args) {
        calls.push({ self: this, args });
      }),
    );
    assert.ok(socket instanceof net.Socket);
    const text = readAll(socket);
    await once(socket, 'connect');
    assert.equal(String(await text), 'hello');
    if (form.length === 2) {
      assert.equal(calls.length, 1, 'the listener is called once');
      assert.equal(calls[0].self, socket);
      assert.deepEqual(calls[0].args, []);
    }
  });
}

test('connect returns the socket and Stream is Socket', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const socket = k.own(new net.Socket());
  assert.equal(socket.connect(server.address().port, HOST), socket);
  assert.equal(net.Stream, net.Socket);
  assert.equal(net.connect, net.createConnection);
  await once(socket, 'connect');
});

test('connecting, pending and readyState tell the truth at each stage', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.resume());
  const socket = k.own(new net.Socket());
  const states = [];
  const look = (stage) =>
    states.push([stage, socket.connecting, socket.pending, socket.readyState, socket.destroyed]);

  look('new');
  socket.connect(server.address().port, HOST);
  look('connect()');
  socket.on('connect', () => look('connect'));
  socket.on('ready', () => look('ready'));
  await once(socket, 'ready');
  socket.end();
  look('end()');
  socket.on('end', () => look('end'));
  socket.resume();
  await closed(socket);
  look('close');

  assert.deepEqual(states, [
    ['new', false, true, 'open', false],
    ['connect()', true, true, 'opening', false],
    ['connect', false, false, 'open', false],
    ['ready', false, false, 'open', false],
    ['end()', false, false, 'readOnly', false],
    // Both directions have ended, so the stream is about to be destroyed.
    ['end', false, false, 'closed', false],
    ['close', false, true, 'closed', true],
  ]);
});

test('addresses of both ends agree', opts, async (t) => {
  for (const side of ['client', 'server', 'both']) {
    const { client, conn, server } = await kit(t).pair({ side });
    assert.equal(client.remoteAddress, HOST);
    assert.equal(client.remoteFamily, 'IPv4');
    assert.equal(client.remotePort, server.address().port);
    assert.equal(client.localAddress, HOST);
    assert.equal(client.localFamily, 'IPv4');
    assert.equal(conn.remotePort, client.localPort);
    assert.equal(conn.remoteAddress, HOST);
    assert.equal(conn.remoteFamily, 'IPv4');
    assert.equal(conn.localPort, client.remotePort);
    assert.equal(conn.localAddress, HOST);
    assert.deepEqual(client.address(), {
      address: HOST,
      family: 'IPv4',
      port: client.localPort,
    });
    assert.deepEqual(conn.address(), { address: HOST, family: 'IPv4', port: conn.localPort });
  }
});

test('addresses are undefined before the connection', opts, () => {
  const socket = new net.Socket();
  assert.equal(socket.remoteAddress, undefined);
  assert.equal(socket.remotePort, undefined);
  assert.equal(socket.remoteFamily, undefined);
  assert.equal(socket.localAddress, undefined);
  assert.equal(socket.localPort, undefined);
  assert.deepEqual(socket.address(), {});
});

test('localAddress and localPort choose the near end', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  // A port that was free a moment ago; if another program got it meanwhile, take the next one.
  for (let tries = 5; ; tries--) {
    const probe = peer.createServer().listen(0, '127.0.0.2');
    await once(probe, 'listening');
    const { port } = probe.address();
    probe.close();
    await once(probe, 'close');

    const accepted = once(server, 'connection');
    const socket = k.own(
      net.connect({
        port: server.address().port,
        host: HOST,
        localAddress: '127.0.0.2',
        localPort: port,
      }),
    );
    try {
      await once(socket, 'connect');
    } catch (err) {
      if (err.code === 'EADDRINUSE' && tries > 0) continue;
      throw err;
    }
    assert.equal(socket.localAddress, '127.0.0.2');
    assert.equal(socket.localPort, port);
    const [conn] = await accepted;
    assert.equal(conn.remoteAddress, '127.0.0.2');
    assert.equal(conn.remotePort, port);
    return;
  }
});

test('localAddress alone gets any port', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const socket = k.own(
    net.connect({ port: server.address().port, host: HOST, localAddress: '127.0.0.3' }),
  );
  await once(socket, 'connect');
  assert.equal(socket.localAddress, '127.0.0.3');
  assert.ok(socket.localPort > 0);
});

test('a socket can connect again after close', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.end('again'));
  const socket = k.own(new net.Socket());
  const got = [];
  socket.on('data', (chunk) => got.push(String(chunk)));
  for (let round = 0; round < 3; round++) {
    socket.connect(server.address().port, HOST);
    assert.equal(socket.connecting, true);
    await once(socket, 'connect');
    await closed(socket);
  }
  assert.deepEqual(got, ['again', 'again', 'again']);
});

test('many connects at once all succeed', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.pipe(conn));
  const replies = Array.from({ length: 100 }, async (_, i) => {
    const socket = k.own(net.connect(server.address().port, HOST));
    socket.end(`number ${i}`);
    return String(await readAll(socket));
  });
  assert.deepEqual(
    await Promise.all(replies),
    Array.from({ length: 100 }, (_, i) => `number ${i}`),
  );
});

test('connect works from inside listeners of another socket', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.end('x'));
  const { port } = server.address();
  const seen = [];
  await new Promise((resolve) => {
    const first = k.own(net.connect(port, HOST, () => seen.push('first')));
    first.resume();
    first.on('close', () => {
      const second = k.own(net.connect(port, HOST, () => seen.push('second')));
      second.resume().on('close', resolve);
    });
  });
  assert.deepEqual(seen, ['first', 'second']);
});

test('an aborted signal destroys the socket with AbortError', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const controller = new AbortController();
  const socket = k.own(
    net.connect({ port: server.address().port, host: HOST, signal: controller.signal }),
  );
  await once(socket, 'connect');
  const end = closed(socket);
  const error = failed(socket);
  controller.abort();
  const err = await error;
  assert.equal(err.name, 'AbortError');
  assert.equal(err.code, 'ABORT_ERR');
  assert.equal(await end, true);
});

test('a signal aborted beforehand fails the new socket', opts, async (t) => {
  const socket = kit(t).own(new net.Socket({ signal: AbortSignal.abort() }));
  // Not in the constructor: this listener is in time.
  const err = await failed(socket);
  assert.equal(err.name, 'AbortError');
  assert.equal(err.code, 'ABORT_ERR');
});
