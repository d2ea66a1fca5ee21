'use strict';

/** Attempts after the first: how many, how long between them, and what is told. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  TIMEOUT,
  closed,
  dataOf,
  errorsOf,
  logOf,
  messageKit,
  messages,
  once,
  peer,
  readAll,
  readBytes,
  told,
  turn,
  until,
} = require('./helpers/messages');

const opts = { timeout: TIMEOUT };
const HOST = '127.0.0.1';

/** A client whose attempts and outcome are written down. */
function watched(m, port, options) {
  const client = m.client(port, options);
  const log = logOf(client);
  client.on('open', () => log.push(['open']));
  client.on('reconnecting', (attempt, delay) => log.push(['reconnecting', attempt, delay]));
  return { client, log };
}

test('B5: three attempts, then one error and no close', opts, async (t) => {
  const m = messageKit(t);
  const port = await m.k.refusedPort();
  const { client, log } = watched(m, port, { reconnectAttempts: 2, reconnectInterval: 50 });
  const start = performance.now();
  client.send('queued');
  const failed = told(client, 'error');
  client.open();
  await failed;
  // A timer may fire up to one millisecond early.
  assert.ok(performance.now() - start >= 98, 'two pauses of 50 ms');
  for (let i = 0; i < 10; i++) await turn();
  assert.deepEqual(log.slice(0, 2), [
    ['reconnecting', 1, 50],
    ['reconnecting', 2, 50],
  ]);
  assert.equal(log.length, 3);
  assert.match(
    errorsOf(log)[0],
    new RegExp(`^Failed to connect: \nconnect ECONNREFUSED .*:${port}`),
  );
  assert.equal(client.isOpen(), false);
  // Closed: the queue is gone, and nothing is queued until open() is called again.
  assert.equal(client.bufferedAmount, 0);
  client.send('late');
  await turn();
  assert.equal(errorsOf(log).at(-1), 'Socket is closed. Cannot send data.');
});

test('the error has a code and the cause', opts, async (t) => {
  const m = messageKit(t);
  const client = m.client(await m.k.refusedPort(), { reconnectAttempts: 0 });
  const got = new Promise((resolve) => client.once('error', (text, err) => resolve([text, err])));
  client.open();
  const [text, err] = await got;
  assert.equal(typeof text, 'string');
  assert.ok(err instanceof Error);
  assert.equal(err.message, text);
  assert.equal(err.code, 'ECONNREFUSED');
  assert.equal(err.cause.code, 'ECONNREFUSED');
  assert.equal(err.cause.syscall, 'connect');
});

test('a name that does not exist is tried again, and then an error', opts, async (t) => {
  const m = messageKit(t);
  const { SocketClient } = messages;
  const client = m.own(
    new SocketClient(1, 'name.invalid', { reconnectAttempts: 1, reconnectInterval: 1 }),
  );
  const log = logOf(client);
  client.on('reconnecting', () => log.push(['reconnecting']));
  client.open();
  await until(() => log.length === 2);
  assert.deepEqual(log[0], ['reconnecting']);
  assert.match(log[1][1], /^Failed to connect: \n.*name\.invalid/);
});

test('port 0 fails at connect time', opts, async (t) => {
  const client = messageKit(t).client(0, { reconnectAttempts: 0 });
  const failed = new Promise((resolve) => client.once('error', resolve));
  client.open();
  assert.match(await failed, /^Failed to connect: \n/);
});

test('B6: the server comes up meanwhile', opts, async (t) => {
  const m = messageKit(t);
  const earlier = await m.rawServer();
  const { port } = earlier.address();
  await new Promise((resolve) => earlier.close(resolve));
  const { client, log } = watched(m, port, { reconnectInterval: 1, reconnectAttempts: -1 });
  client.send('queued ');
  client.open();
  await told(client, 'reconnecting');
  client.send('while waiting');
  const server = m.k.ownServer(peer.createServer());
  const accepted = once(server, 'connection');
  server.listen(port, HOST);
  const [conn] = await accepted;
  const all = readAll(conn);
  await until(() => client.isOpen());
  client.close();
  assert.equal(String(await all), 'queued while waiting');
  await until(() => log.at(-1)[0] === 'close');
  assert.deepEqual(errorsOf(log), []);
  assert.equal(log.filter(([name]) => name === 'open').length, 1);
});

test('-1 goes on for ever', opts, async (t) => {
  const m = messageKit(t);
  const port = await m.k.refusedPort();
  const { client, log } = watched(m, port, { reconnectInterval: 1, reconnectAttempts: -1 });
  client.open();
  await until(() => log.length >= 30);
  client.close();
  await closed(client);
  assert.deepEqual(errorsOf(log), []);
});

test('back-off: each pause twice the one before, up to the maximum', opts, async (t) => {
  const m = messageKit(t);
  const { client, log } = watched(m, await m.k.refusedPort(), {
    reconnectAttempts: 7,
    reconnectInterval: 2,
    reconnectBackoff: { factor: 3, max: 20, jitter: 0 },
  });
  const failed = new Promise((resolve) => client.once('error', resolve));
  client.open();
  await failed;
  const delays = log.filter(([name]) => name === 'reconnecting').map(([, , delay]) => delay);
  assert.deepEqual(delays, [2, 6, 18, 20, 20, 20, 20]);
});

test('back-off: jitter stays within its bounds, and varies', opts, async (t) => {
  const m = messageKit(t);
  const delays = [];
  const port = await m.k.refusedPort();
  for (let i = 0; i < 30; i++) {
    const { client } = watched(m, port, {
      reconnectInterval: 100_000,
      reconnectBackoff: { jitter: 0.5 },
    });
    client.open();
    const [attempt, delay] = await told(client, 'reconnecting');
    assert.equal(attempt, 1);
    delays.push(delay);
    client.close();
  }
  // `max` is 30000 by default, but never less than the interval.
  for (const delay of delays) assert.ok(delay >= 50_000 && delay <= 150_000, `${delay}`);
  assert.ok(new Set(delays).size > 10, 'they vary');
});

test('a drop is a close, unless reconnectOnDrop', opts, async (t) => {
  const m = messageKit(t);
  const { ours, conn } = await m.pair('client', { reconnectInterval: 1 });
  const log = logOf(ours);
  ours.on('reconnecting', () => log.push(['reconnecting']));
  conn.end('last words');
  await closed(ours);
  assert.deepEqual(log.at(-1), ['close']);
  assert.equal(dataOf(log).join(''), 'last words');
  assert.equal(
    log.some(([name]) => name === 'reconnecting'),
    false,
  );
});

for (const how of ['end', 'resetAndDestroy']) {
  test(`reconnectOnDrop after the peer's ${how}`, opts, async (t) => {
    const m = messageKit(t);
    const { ours, conn, listening } = await m.pair('client', {
      rawBytes: false,
      reconnectOnDrop: true,
      reconnectInterval: 20,
    });
    const log = logOf(ours);
    ours.on('open', () => log.push(['open']));
    ours.on('reconnecting', (attempt, delay) => log.push(['reconnecting', attempt, delay]));
    const accepted = once(listening, 'connection');
    // The beginning of a message: the next connection begins anew. (A reset may overtake it.)
    conn.write('\u0005ab');
    conn[how]();
    await told(ours, 'reconnecting');
    assert.equal(ours.isOpen(), false);
    ours.send('queued');
    const [next] = await accepted;
    assert.equal(String(await readBytes(next, 7)), '\u0006queued');
    next.write('\u0002hi');
    await until(() => dataOf(log).length === 1);
    const names = log.filter(([name]) => name !== 'error');
    assert.deepEqual(names, [['reconnecting', 1, 20], ['open'], ['data', 'hi']]);
    if (how === 'end') assert.match(errorsOf(log)[0], /middle of a message/);
    ours.close();
    await closed(ours);
  });
}

test('reconnectOnDrop: after the last attempt an error, then close', opts, async (t) => {
  const m = messageKit(t);
  const { ours, conn, listening } = await m.pair('client', {
    reconnectOnDrop: true,
    reconnectInterval: 1,
    reconnectAttempts: 2,
  });
  const log = logOf(ours);
  listening.close();
  conn.destroy();
  await closed(ours);
  assert.deepEqual(
    log.map(([name]) => name),
    ['error', 'close'],
  );
  assert.match(log[0][1], /^Failed to connect: \nconnect ECONNREFUSED/);
});

test('reconnectOnDrop: close() is a close', opts, async (t) => {
  const m = messageKit(t);
  const { ours, conn } = await m.pair('client', { reconnectOnDrop: true, reconnectInterval: 1 });
  const log = logOf(ours);
  ours.on('reconnecting', () => log.push(['reconnecting']));
  conn.resume();
  ours.close();
  await closed(ours);
  for (let i = 0; i < 20; i++) await turn();
  assert.deepEqual(log, [['close']]);
});

test('reconnectOnDrop: close() in a reconnecting listener', opts, async (t) => {
  const m = messageKit(t);
  const { ours, conn } = await m.pair('client', { reconnectOnDrop: true, reconnectInterval: 1 });
  const log = logOf(ours);
  ours.on('reconnecting', () => ours.close());
  ours.on('open', () => log.push(['open']));
  conn.destroy();
  await closed(ours);
  for (let i = 0; i < 20; i++) await turn();
  assert.deepEqual(log, [['close']]);
});

test('reconnectOnDrop: a message that is too large is an error and a close', opts, async (t) => {
  const m = messageKit(t);
  const { ours, conn } = await m.pair('client', {
    rawBytes: false,
    reconnectOnDrop: true,
    maxMessageSize: 10,
  });
  conn.on('error', () => {});
  const log = logOf(ours);
  conn.write('\u000bhello world');
  await closed(ours);
  assert.deepEqual(log, [
    ['error', 'A message of 11 bytes came in, more than maxMessageSize (10)'],
    ['close'],
  ]);
});

test('reconnectOnDrop: a drop in the middle of a run of messages', opts, async (t) => {
  const m = messageKit(t);
  const { ours, conn, listening } = await m.pair('client', {
    reconnectOnDrop: true,
    reconnectInterval: 1,
    rawBytes: false,
  });
  const log = logOf(ours);
  // The listener sends to a peer that is gone: sooner or later that fails while messages are still being delivered.
  ours.on('data', () => ours.send('x'.repeat(5000)));
  const again = once(listening, 'connection');
  conn.write(Buffer.from('\u0002ab'.repeat(2000)));
  conn.resetAndDestroy();
  await again;
  await until(() => ours.isOpen());
  assert.deepEqual(errorsOf(log), []);
});

test('connectTimeout limits each attempt', opts, async (t) => {
  const m = messageKit(t);
  // A listener whose queue is full: connections to it are neither accepted nor refused.
  const full = await fullBacklog(m);
  const { client, log } = watched(m, full, {
    connectTimeout: 100,
    reconnectAttempts: 1,
    reconnectInterval: 1,
  });
  client.open();
  const late = new Promise((resolve) => setTimeout(resolve, 5000).unref());
  await Promise.race([new Promise((resolve) => client.once('error', resolve)), late]);
  client.close();
  assert.deepEqual(log[0], ['reconnecting', 1, 1]);
  assert.match(errorsOf(log)[0], /^Failed to connect: \n.*ETIMEDOUT/);
});

/** The port of a listener in a stopped process, whose queue of connections is full. */
async function fullBacklog(m) {
  const { start } = require('./helpers/child');
  const { child, ready } = start('deaf-server', [], { timeout: TIMEOUT });
  m.k.own({ on() {}, destroy: () => child.kill('SIGKILL') });
  const port = Number(await ready);
  for (let i = 0; i < 4; i++) {
    const filler = m.k.own(peer.connect(port, HOST));
    filler.on('error', () => {});
  }
  for (let i = 0; i < 20; i++) await turn();
  return port;
}

for (const size of [1, 8 * 1024 * 1024]) {
  test(
    `reconnectOnDrop: a peer that only ends its half gets all (${size} bytes)`,
    opts,
    async (t) => {
      const m = messageKit(t);
      const listening = await m.rawServer({ allowHalfOpen: true });
      const accepted = once(listening, 'connection');
      const { client, log } = watched(m, listening.address().port, {
        reconnectOnDrop: true,
        reconnectInterval: 1,
      });
      client.once('data', () => client.send('x'.repeat(size)));
      client.open();
      const [conn] = await accepted;
      const again = once(listening, 'connection');
      // What is sent while the request is delivered is sent before the end that came with it.
      conn.end('request');
      const [next] = await again;
      const all = await readAll(conn);
      assert.equal(all.length, size);
      // The next connection has nothing of it.
      const rest = readAll(next);
      await until(() => client.isOpen());
      client.send('next');
      client.close();
      assert.equal(String(await rest), 'next');
      next.end();
      await closed(client);
      assert.deepEqual(errorsOf(log), []);
    },
  );
}

test('reconnectOnDrop: a peer that ends its half and takes nothing is let go', opts, async (t) => {
  const m = messageKit(t);
  const listening = await m.rawServer({ allowHalfOpen: true });
  const accepted = once(listening, 'connection');
  const { client } = watched(m, listening.address().port, {
    reconnectOnDrop: true,
    reconnectInterval: 1,
    sendBufferSize: 16 * 1024,
  });
  const size = 16 * 1024 * 1024;
  client.once('data', () => client.send('x'.repeat(size)));
  client.open();
  const [conn] = await accepted;
  conn.on('error', () => {});
  const again = once(listening, 'connection');
  conn.end('request');
  await again;
  // Its patience is two seconds; nobody tells when it is over.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  let got = 0;
  conn.on('data', (chunk) => (got += chunk.length));
  await closed(conn);
  assert.ok(got < size, `${got} bytes`);
});

for (const [what, act] of [
  [
    'throws',
    () => {
      throw new Error('of the listener');
    },
  ],
  ['calls open()', (client) => client.open()],
  ['sends', (client) => client.send('late')],
]) {
  test(`reconnectOnDrop: close comes though the last error's listener ${what}`, opts, async (t) => {
    const m = messageKit(t);
    const { ours, conn, listening } = await m.pair('client', {
      reconnectOnDrop: true,
      reconnectAttempts: 0,
    });
    const uncaught = [];
    const { emit } = process;
    t.after(() => (process.emit = emit));
    process.emit = function (name, err, ...rest) {
      if (name !== 'uncaughtException') return emit.call(this, name, err, ...rest);
      uncaught.push(err.message);
      return true;
    };
    const log = logOf(ours);
    ours.on('open', () => log.push(['open']));
    ours.once('error', () => act(ours));
    listening.close();
    conn.destroy();
    await closed(ours);
    for (let i = 0; i < 20; i++) await turn();
    const expected = { throws: ['error'], 'calls open()': ['error'], sends: ['error', 'error'] };
    assert.deepEqual(
      log.map(([name]) => name),
      [...expected[what], 'close'],
    );
    assert.deepEqual(uncaught, what === 'throws' ? ['of the listener'] : []);
    assert.equal(ours.isOpen(), false);
  });
}

test('pauses are no longer than their limits, whatever the jitter', opts, async (t) => {
  const m = messageKit(t);
  t.mock.method(Math, 'random', () => 1);
  const port = await m.k.refusedPort();
  const longest = 2 ** 31 - 1;
  for (const [options, expected] of [
    [{ reconnectInterval: 100, reconnectBackoff: { max: 100, jitter: 0.2 } }, 100],
    [{ reconnectInterval: 100, reconnectBackoff: { max: 110, jitter: 0.2 } }, 110],
    [{ reconnectInterval: 100, reconnectBackoff: { max: 50, jitter: 0.2 } }, 100],
    [{ reconnectInterval: 100, reconnectBackoff: { jitter: 0.2 } }, 120],
    [{ reconnectInterval: longest, reconnectBackoff: { max: longest, jitter: 1 } }, longest],
  ]) {
    const client = m.client(port, options);
    client.open();
    const [attempt, delay] = await told(client, 'reconnecting');
    assert.deepEqual([attempt, delay], [1, expected]);
    client.close();
  }
});

for (const how of ['end', 'resetAndDestroy']) {
  test(
    `reconnectOnDrop: who waits for drain gets it from the next connection (${how})`,
    opts,
    async (t) => {
      const m = messageKit(t);
      const { ours, conn, listening } = await m.pair('client', {
        reconnectOnDrop: true,
        reconnectInterval: 1,
        sendBufferSize: 16 * 1024,
      });
      conn.on('error', () => {});
      conn.pause();
      const log = [];
      ours.on('drain', () => log.push('drain'));
      ours.on('open', () => log.push('open'));
      while (ours.send('x'.repeat(100_000)));
      const accepted = once(listening, 'connection');
      if (how === 'end') {
        conn.end();
        conn.resume();
      } else conn.resetAndDestroy();
      const [next] = await accepted;
      next.resume();
      await until(() => log.length >= 2);
      assert.equal(ours.send('y'), true);
      // Where the first peer took all of it in time, it was that one's.
      assert.deepEqual([...log].sort(), ['drain', 'open']);
    },
  );
}
