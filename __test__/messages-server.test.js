'use strict';

/** `SocketServer`: starting, stopping, its connections, and what is told when it cannot listen. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  HOST,
  TIMEOUT,
  closed,
  logOf,
  messageKit,
  messages,
  once,
  peer,
  readAll,
  told,
  turn,
  until,
} = require('./helpers/messages');

const { SocketServer } = messages;
const opts = { timeout: TIMEOUT };

test('B4: port 0 is told as the real one', opts, async (t) => {
  const m = messageKit(t);
  const server = m.own(new SocketServer({ port: 0, hostInterface: HOST }));
  let heard = null;
  server.on('listening', (...args) => (heard = args));
  assert.equal(server.start(), undefined);
  assert.equal(heard, null, 'not inside of start()');
  assert.equal(server.address(), null);
  await once(server, 'listening');
  assert.equal(heard.length, 1);
  assert.ok(Number.isInteger(heard[0]) && heard[0] > 0);
  assert.deepEqual(server.address(), { address: HOST, family: 'IPv4', port: heard[0] });
  await m.raw(heard[0]);
});

test('the default interface is all of IPv4', opts, async (t) => {
  const m = messageKit(t);
  const server = m.own(new SocketServer({ port: 0 }));
  assert.equal(server.options.hostInterface, '0.0.0.0');
  server.start();
  const [port] = await once(server, 'listening');
  assert.equal(server.address().address, '0.0.0.0');
  const conn = m.k.own(peer.connect(port, '127.0.0.3'));
  await once(conn, 'connect');
});

for (const [name, address] of [
  ['127.0.0.2', '127.0.0.2'],
  ['localhost', /^(127\.0\.0\.1|::1)$/],
  ['::1', '::1'],
]) {
  test(`hostInterface ${name}`, opts, async (t) => {
    const m = messageKit(t);
    const server = m.own(new SocketServer({ port: 0, hostInterface: name }));
    server.start();
    await Promise.race([
      once(server, 'listening'),
      told(server, 'error').then(([text]) => assert.fail(text)),
    ]);
    if (typeof address === 'string') assert.equal(server.address().address, address);
    else assert.match(server.address().address, address);
  });
}

test('a name that does not exist', opts, async (t) => {
  const server = messageKit(t).own(new SocketServer({ port: 0, hostInterface: 'name.invalid' }));
  server.start();
  const [text, err] = await told(server, 'error');
  assert.match(text, /^Failed to start server listening: .*name\.invalid/);
  assert.equal(err.message, text);
  assert.match(err.code, /ENOTFOUND|EAI_AGAIN/);
});

test('B10: a port in use is an error, and a later start() may succeed', opts, async (t) => {
  const m = messageKit(t);
  const { server: first, port } = await m.server();
  const second = m.own(new SocketServer({ port, hostInterface: HOST }));
  const log = logOf(second);
  second.start();
  const [text, err] = await told(second, 'error');
  assert.match(text, new RegExp(`^Failed to start server listening: listen EADDRINUSE.*${port}$`));
  assert.equal(err.code, 'EADDRINUSE');
  assert.equal(err.cause.syscall, 'listen');
  await turn();
  assert.equal(log.length, 1, 'no close: it never listened');
  first.stop();
  await closed(first);
  second.start();
  assert.deepEqual(await once(second, 'listening'), [port]);
});

test('without an error listener it is a warning, not an exception', opts, async (t) => {
  const m = messageKit(t);
  const { port } = await m.server();
  const second = m.own(new SocketServer({ port, hostInterface: HOST }));
  const warned = told(process, 'warning');
  second.start();
  const [warning] = await warned;
  assert.match(warning.message, /^Failed to start server listening: /);
});

test('start() twice listens once', opts, async (t) => {
  const m = messageKit(t);
  const server = m.own(new SocketServer({ port: 0, hostInterface: HOST }));
  let count = 0;
  server.on('listening', () => count++);
  server.start();
  server.start();
  await once(server, 'listening');
  server.start();
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(count, 1);
});

test('stop() before start(), twice, and before it listens', opts, async (t) => {
  const m = messageKit(t);
  const server = m.own(new SocketServer({ port: 0, hostInterface: HOST }));
  const log = [];
  server.on('listening', () => log.push('listening'));
  server.on('close', () => log.push('close'));
  server.stop();
  await turn();
  assert.deepEqual(log, []);
  server.start();
  assert.equal(server.stop(), undefined);
  server.stop();
  await until(() => log.length > 0);
  await turn();
  assert.deepEqual(log, ['close'], 'it never listened');
});

test('start() after stop(): at once, and after the close', opts, async (t) => {
  const m = messageKit(t);
  const { server, port } = await m.server();
  server.options.port = port;
  server.stop();
  server.start();
  assert.deepEqual(await once(server, 'listening'), [port]);
  const conn = await m.raw(port);
  conn.resume();
  await until(() => server.connections.length === 1);
  server.stop();
  await closed(server);
  server.start();
  await once(server, 'listening');
  await m.raw(port);
});

test('stop() after stop() and start(): it stays stopped', opts, async (t) => {
  const m = messageKit(t);
  const { server } = await m.server();
  server.stop();
  server.start();
  server.stop();
  await closed(server);
  for (let i = 0; i < 10; i++) await turn();
  assert.equal(server.address(), null);
});

test('B7: stop() closes the connections, ours and the peers’, then close', opts, async (t) => {
  const m = messageKit(t);
  const { server, port } = await m.server();
  const log = [];
  server.on('connection', (socket) => {
    socket.send('bye');
    socket.on('close', () => log.push('socket'));
  });
  const conns = [await m.raw(port), await m.raw(port)];
  const client = m.client(port);
  client.open();
  await told(client, 'open');
  await until(() => server.connections.length === 3);
  const all = conns.map((conn) => readAll(conn));
  const clientsEnd = closed(client);
  server.on('close', () => log.push('server'));
  server.stop();
  assert.deepEqual((await Promise.all(all)).map(String), ['bye', 'bye']);
  await clientsEnd;
  await until(() => log.length === 4);
  assert.deepEqual(log, ['socket', 'socket', 'socket', 'server']);
  assert.deepEqual(server.connections, []);
  // Nobody listens there any more.
  const refused = m.k.own(peer.connect(port, HOST));
  const [err] = await once(refused, 'error').catch((reason) => [reason]);
  assert.equal(err.code, 'ECONNREFUSED');
});

test('connections: the open ones, as a list of the caller’s own', opts, async (t) => {
  const m = messageKit(t);
  const { server, port } = await m.server();
  assert.deepEqual(server.connections, []);
  const conn = await m.raw(port);
  await until(() => server.connections.length === 1);
  server.connections.pop();
  assert.equal(server.connections.length, 1);
  assert.ok(server.connections[0] instanceof messages.Socket);
  conn.end();
  await until(() => server.connections.length === 0);
});

test('a socket knows its peer, after the close as well', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server');
  assert.equal(ours.remoteHost(), HOST);
  assert.equal(ours.remotePort(), conn.localPort);
  const { localPort } = conn;
  conn.end();
  await closed(ours);
  assert.deepEqual([ours.remoteHost(), ours.remotePort()], [HOST, localPort]);
});

test('no data before the connection listener has returned', opts, async (t) => {
  const m = messageKit(t);
  const { server, port } = await m.server();
  const log = [];
  server.on('connection', (socket) => {
    log.push('in');
    socket.on('data', (text) => log.push(text));
    log.push('out');
  });
  const conn = m.k.own(peer.connect(port, HOST));
  conn.write('early');
  await until(() => log.length === 3);
  assert.deepEqual(log, ['in', 'out', 'early']);
});

test(
  'a connection listener that throws: uncaughtException, the next connection is told',
  opts,
  async () => {
    const { runJson } = require('./helpers/child');
    const result = await runJson('message-events', ['throwing connection']);
    assert.deepEqual(result, { uncaught: ['1'], connections: 2 });
  },
);

test('B11: every instance has options of its own', opts, () => {
  const one = new messages.SocketClient(1, HOST, { receiveType: 'int', idleTimeout: 5 });
  const two = new messages.SocketClient(2, HOST, { receiveType: 'short' });
  const three = new messages.SocketClient(3, HOST);
  assert.deepEqual(
    [one, two, three].map(({ options }) => [options.receiveType, options.idleTimeout]),
    [
      ['int', 5],
      ['short', 0],
      ['string', 0],
    ],
  );
  const given = { receiveType: 'int' };
  assert.notEqual(new SocketServer(given).options, given);
  assert.deepEqual(given, { receiveType: 'int' });
});

test('two clients with different options on one server', opts, async (t) => {
  const m = messageKit(t);
  const server = await m.rawServer();
  server.on('connection', (conn) => conn.end(Buffer.from([0, 1, 0, 2])));
  const { port } = server.address();
  const [shorts, bytes] = ['short', 'byte'].map((receiveType) => {
    const client = m.client(port, { receiveType });
    const log = logOf(client);
    client.open();
    return log;
  });
  await until(() => shorts.length === 3 && bytes.length === 5);
  assert.deepEqual(shorts, [['data', 1], ['data', 2], ['close']]);
  assert.deepEqual(bytes, [['data', 0], ['data', 1], ['data', 0], ['data', 2], ['close']]);
});

test('await using: stops and waits', opts, async (t) => {
  const m = messageKit(t);
  const { server, port } = await m.server();
  const conn = await m.raw(port);
  conn.resume();
  await until(() => server.connections.length === 1);
  await server[Symbol.asyncDispose]();
  assert.equal(server.address(), null);
  assert.deepEqual(server.connections, []);
  await server[Symbol.asyncDispose]();
});

test('a server closes though the program took all listeners of a socket', opts, async (t) => {
  const m = messageKit(t);
  const { server, port } = await m.server();
  server.on('connection', (socket) => socket.removeAllListeners());
  const conn = await m.raw(port);
  await until(() => server.connections.length === 1);
  conn.end();
  await until(() => server.connections.length === 0);
  server.stop();
  await closed(server);
});

test('a server closes though a close listener of a socket throws', opts, async () => {
  const { runJson } = require('./helpers/child');
  assert.deepEqual(await runJson('message-events', ['throwing close']), { uncaught: ['close'] });
});

for (const [what, act, expected] of [
  ['dispose', (server) => server[Symbol.asyncDispose](), ['close']],
  ['stop()', (server) => server.stop(), ['close']],
  [
    'stop() and start()',
    (server) => {
      server.stop();
      server.start();
    },
    ['close', 'error'],
  ],
]) {
  test(`${what} right behind a start() that is going to fail`, opts, async (t) => {
    const m = messageKit(t);
    // TLS without a certificate.
    const server = m.own(new SocketServer({ port: 0, hostInterface: HOST, sslTls: true }));
    const log = [];
    server.on('listening', () => log.push('listening'));
    server.on('error', () => log.push('error'));
    server.on('close', () => log.push('close'));
    server.start();
    await act(server);
    await until(() => log.length >= expected.length);
    for (let i = 0; i < 5; i++) await turn();
    assert.deepEqual(log, expected);
  });
}

test('sockets are made by servers', () => {
  const expected = { name: 'TypeError', code: 'ERR_ILLEGAL_CONSTRUCTOR', message: /SocketServer/ };
  assert.throws(() => new messages.Socket(), expected);
  assert.throws(() => new messages.Socket({}), expected);
});
