'use strict';

/** Arguments, subscriptions and properties: cases 35 to 39, 41 and 46 of the contract. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { inspect } = require('node:util');
const {
  DataSocket,
  HOST,
  TIMEOUT,
  dataKit,
  logOf,
  names,
  told,
  turn,
  until,
} = require('./helpers/datasocket');
const { run } = require('./helpers/child');

const opts = { timeout: TIMEOUT };

/** Sends so many values and waits until they are through. */
async function sendAndWait(from, to, count = 1) {
  const before = [];
  const counting = (value) => before.push(value);
  to.on('data.counting', counting);
  for (let i = 0; i < count; i++) from.send(i);
  await until(() => before.length === count);
  to.off('.counting');
}

test('35: namespaces', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const log = [];
  const a = () => log.push('a');
  const b = () => log.push('b');
  accepted.on('data.a', a).on('data.b', b);
  accepted.off('.a');
  await sendAndWait(client, accepted);
  assert.deepEqual(log.splice(0), ['b']);
  accepted.on('data', a).off('data.b');
  await sendAndWait(client, accepted);
  assert.deepEqual(log.splice(0), ['a']);
  accepted.on('data.x.y', b).off('.x').off('data.x');
  await sendAndWait(client, accepted);
  assert.deepEqual(log.splice(0), ['a', 'b'], 'a namespace is compared whole');
  accepted.off('.x.y');
  await sendAndWait(client, accepted);
  assert.deepEqual(log.splice(0), ['a']);
  accepted.on('data.b', b).off('data');
  await sendAndWait(client, accepted);
  assert.deepEqual(log.splice(0), []);
  accepted.on('data', a).on('data.n', a).on('close', a).on('data', b).off(a);
  await sendAndWait(client, accepted);
  assert.deepEqual(log.splice(0), ['b']);
  accepted.on('data.m', b).off('data', b);
  await sendAndWait(client, accepted);
  assert.deepEqual(log.splice(0), []);
});

test('off(".a") is for all events', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const log = [];
  accepted.on('data.a', () => log.push('data')).on('close.a', () => log.push('close a'));
  accepted.on('close.b', () => log.push('close b')).off('.a');
  client.send(1);
  accepted.on('data', () => accepted.close());
  await told(accepted, 'close');
  assert.deepEqual(log, ['close b']);
});

test('36: once is once, also with a namespace, and can be taken off', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const log = [];
  const never = () => log.push('never');
  accepted.once('data', (value) => log.push(value));
  accepted.once('data.mine', (value) => log.push(value + 10));
  accepted.once('data', never).off(never);
  accepted.once('data.gone', never).off('.gone');
  await sendAndWait(client, accepted, 2);
  assert.deepEqual(log, [0, 10]);
});

test('once is removed before its call', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const log = [];
  accepted.once('data', function first(value) {
    log.push(value);
    if (value === 0) accepted.once('data', first);
  });
  await sendAndWait(client, accepted, 3);
  assert.deepEqual(log, [0, 1]);
});

test('37: the other names of events', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const log = [];
  client.on('send', (...args) => log.push(['send', args.length]));
  accepted.on('receive', (value) => log.push(['receive', value]));
  client.send('hello');
  await until(() => log.length === 2);
  assert.deepEqual(log.sort(), [
    ['receive', 'hello'],
    ['send', 0],
  ]);
  client.off('sent');
  accepted.off('data');
  accepted.once('receive.x', (value) => log.push(value));
  client.send('again');
  await until(() => log.length === 3);
  assert.equal(log[2], 'again');
});

test('38: on, once and off give the socket; a name is needed', opts, async (t) => {
  const { listen } = dataKit(t);
  const socket = listen();
  const fn = () => {};
  assert.equal(socket.on('data', fn), socket);
  assert.equal(socket.once('data', fn), socket);
  assert.equal(socket.off('data'), socket);
  assert.equal(socket.off(fn), socket);
  assert.equal(socket.ref(), socket);
  assert.equal(socket.unref(), socket);
  for (const method of ['on', 'once']) {
    for (const name of ['', '.x', 5, undefined, Symbol('data')]) {
      assert.throws(() => socket[method](name, fn), TypeError, String(name));
    }
    assert.throws(() => socket[method]('data'), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => socket[method]('data', 'fn'), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  assert.throws(() => socket.off(''), TypeError);
  assert.throws(() => socket.off(), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => socket.off('data', 5), { code: 'ERR_INVALID_ARG_TYPE' });
});

test(
  '39: what is removed by a callback is not called any more, what is added not yet',
  opts,
  async (t) => {
    const { client, accepted } = await dataKit(t).pair();
    const log = [];
    const second = () => log.push('second');
    accepted.on('data', () => {
      log.push('first');
      accepted.off(second);
      accepted.on('data.late', () => log.push('late'));
    });
    accepted.on('data', second);
    accepted.on('data', () => log.push('third'));
    await sendAndWait(client, accepted);
    assert.deepEqual(log, ['first', 'third']);
  },
);

test('the same callback twice is called twice', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  let calls = 0;
  const fn = () => calls++;
  accepted.on('data', fn).on('data', fn);
  await sendAndWait(client, accepted);
  assert.equal(calls, 2);
});

test('in a callback, this is the socket', opts, async (t) => {
  const { connect, listen } = dataKit(t);
  const seen = [];
  const listener = listen(function () {
    seen.push(this);
    return true;
  });
  const client = connect(listener);
  client.on('connect', function (...args) {
    seen.push(this, args.length);
  });
  await until(() => seen.length === 3);
  assert.deepEqual(seen, [listener, client, 0]);
});

test('41: what is wrong with arguments is said at once', opts, async (t) => {
  const { listen } = dataKit(t);
  const listener = listen();
  assert.throws(() => DataSocket.listen(() => true, listener.port), {
    code: 'EADDRINUSE',
    syscall: 'listen',
  });
  for (const port of [70_000, 0, -1, 1.5, NaN]) {
    assert.throws(
      () => DataSocket.connect(port),
      (err) => err instanceof RangeError && err.code === 'ERR_SOCKET_BAD_PORT',
      String(port),
    );
  }
  assert.throws(() => DataSocket.listen(() => true, 65_536), { code: 'ERR_SOCKET_BAD_PORT' });
  for (const text of ['70000', '0']) {
    assert.throws(() => DataSocket.connect(text), { code: 'ERR_SOCKET_BAD_PORT' });
  }
  const noPath = {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /the port and the host as two arguments/,
  };
  for (const text of ['localhost:80', '127.0.0.1:80', '[::1]:80', ':80', '::1']) {
    assert.throws(() => DataSocket.connect(text), noPath);
    assert.throws(() => DataSocket.listen(() => true, text), noPath);
  }
  const wrong = [
    () => DataSocket.listen(5),
    () => DataSocket.listen(),
    () => DataSocket.listen(() => true),
    () => DataSocket.connect(),
    () => DataSocket.connect({}),
    () => DataSocket.connect(1, 2),
    () => DataSocket.connect('localhost', '80'),
    () => DataSocket.connect(1, 'localhost', 5),
    () => DataSocket.connect(1, { maxMessageSize: 'x' }),
    () => DataSocket.connect(1, { noDelay: 1 }),
    () => DataSocket.connect(1, { signal: 1 }),
    () => DataSocket.connect(1, { codec: 1 }),
    () => DataSocket.listen(() => true, 0, { tls: true }),
  ];
  for (const call of wrong) {
    assert.throws(
      call,
      (err) => err instanceof TypeError && err.code === 'ERR_INVALID_ARG_TYPE',
      String(call),
    );
  }
  for (const options of [
    { maxMessageSize: 0 },
    { maxMessageSize: 2 ** 31 },
    { maxDepth: 0 },
    { handshakeTimeout: -1 },
    { keepAliveDelay: 1.5 },
  ]) {
    assert.throws(() => DataSocket.connect(1, options), { code: 'ERR_OUT_OF_RANGE' });
  }
  assert.throws(() => DataSocket.connect(1, { codec: 'xml' }), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.throws(() => DataSocket.connect(''), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.throws(() => DataSocket.connect('a\0b'), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.throws(() => new DataSocket(), { name: 'TypeError', code: 'ERR_ILLEGAL_CONSTRUCTOR' });
  assert.throws(() => new DataSocket(1), TypeError);
});

test('46: an error that nobody listens for is silent', opts, async (t) => {
  const { connect, k } = dataKit(t);
  const client = connect(await k.refusedPort());
  await told(client, 'close');
  assert.equal(client.active, false);
});

test(
  'a callback that throws does not keep the others from their call',
  { timeout: 3 * TIMEOUT },
  async () => {
    const result = await run('datasocket-throwing', [], {});
    assert.equal(result.stderr, '');
    assert.deepEqual(JSON.parse(result.stdout), [
      'first 1',
      'second 1',
      'uncaught first',
      'uncaught third',
      'first 2',
      'second 2',
      'uncaught first',
      'uncaught third',
      'sent',
      'uncaught sent',
      'close',
    ]);
  },
);

test('properties are read-only', opts, async (t) => {
  const { client, listener } = await dataKit(t).pair();
  assert.equal(client.state, true);
  assert.equal(client.remoteAddress, HOST);
  assert.equal(client.port, listener.port);
  for (const name of ['active', 'state', 'address', 'remoteAddress', 'port', 'bufferedAmount']) {
    assert.throws(() => (client[name] = 1), TypeError, name);
  }
  assert.equal(Object.keys(client).length, 0);
});

test('an aborted signal is an error, then close', opts, async (t) => {
  const { connect, echo, listen } = dataKit(t);
  const listener = echo();
  const outcome = async (socket) => {
    const log = logOf(socket);
    await until(() => log.at(-1)?.[0] === 'close');
    assert.deepEqual(names(log).slice(-2), ['error', 'close']);
    const err = log.at(-2)[1];
    assert.equal(err.name, 'AbortError');
    assert.equal(err.code, 'ABORT_ERR');
    return err.cause;
  };
  const aborted = connect(listener, { signal: AbortSignal.abort('at once') });
  assert.equal(aborted.active, false);
  assert.equal(await outcome(aborted), 'at once');
  const connecting = new AbortController();
  const early = outcome(connect(listener, { signal: connecting.signal }));
  connecting.abort('connecting');
  assert.equal(await early, 'connecting');
  const connected = new AbortController();
  const client = connect(listener, { signal: connected.signal });
  await told(client, 'connect');
  client.send(Buffer.alloc(10_000_000));
  const late = outcome(client);
  connected.abort('connected');
  assert.throws(() => client.send(1), { code: 'ERR_SOCKET_CLOSED' });
  assert.equal(await late, 'connected');
  const listening = new AbortController();
  const server = outcome(listen(undefined, { signal: listening.signal }));
  listening.abort('listening');
  assert.equal(await server, 'listening');
});

test('a signal does not keep what is closed', opts, async (t) => {
  const { connect, echo } = dataKit(t);
  const { signal } = new AbortController();
  const counts = { add: 0, remove: 0 };
  const watched = new Proxy(signal, {
    get(target, name) {
      if (name === 'addEventListener') counts.add++;
      if (name === 'removeEventListener') counts.remove++;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const client = connect(echo(), { signal: watched });
  await told(client, 'connect');
  client.close();
  await told(client, 'close');
  await turn();
  assert.deepEqual(counts, { add: 1, remove: 1 });
});

test('inspect shows what a socket is', opts, async (t) => {
  const { client, listener } = await dataKit(t).pair();
  const { port } = client;
  const shown = (object) => inspect(object, { breakLength: Infinity });
  assert.equal(
    shown(client),
    `DataSocket { active: true, address: '127.0.0.1', port: ${port}, bufferedAmount: 0 }`,
  );
  assert.equal(
    shown(listener),
    `DataSocket { listening: true, address: '127.0.0.1', port: ${port} }`,
  );
  assert.equal(inspect({ a: { b: { c: client } } }, { depth: 2 }).includes('[DataSocket]'), true);
  client.mine = 'too';
  assert.match(shown(client), /mine: 'too'/);
  assert.equal(shown(Object.create(DataSocket.prototype)), 'DataSocket {}');
});

test('asyncDispose closes and waits for close, whoever else does', opts, async (t) => {
  const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
  const { client, accepted, listener } = await dataKit(t).pair();
  const log = logOf(client, ['close']);
  const values = logOf(accepted, ['data']);
  client.send('before');
  const disposed = client[asyncDispose]();
  assert.equal(client.active, false);
  client.off('sent');
  await disposed;
  assert.deepEqual(names(log), ['close']);
  await until(() => values.length === 1);
  // Again, and of sockets that are closed by others, or with their callbacks taken off.
  await client[asyncDispose]();
  const ended = accepted[asyncDispose]();
  accepted.off('close');
  await ended;
  await listener[asyncDispose]();
  assert.equal(listener.active, false);
});
