'use strict';

/** A client before, while and after it connects: what is queued, dropped, refused, and in which order it goes out. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  HOST,
  TIMEOUT,
  closed,
  dataOf,
  errorsOf,
  framesIn,
  logOf,
  messageKit,
  messages,
  once,
  readAll,
  told,
  turn,
  until,
} = require('./helpers/messages');

const { SocketClient } = messages;
const opts = { timeout: TIMEOUT };

/** A raw server that gives all bytes of its first connection. */
async function receiver(t) {
  const m = messageKit(t);
  const server = await m.rawServer();
  const all = once(server, 'connection').then(([conn]) => readAll(conn));
  return { m, port: server.address().port, all };
}

test('B1: the queue goes out before what an open listener sends', opts, async (t) => {
  const { m, port, all } = await receiver(t);
  const client = m.client(port, { sendType: 'unsignedshort' });
  client.on('open', () => {
    client.send(9);
    client.close();
  });
  client.send(1);
  client.send(2);
  client.open();
  client.send(3);
  assert.equal((await all).toString('hex'), '0001000200030009');
});

test('B2: N messages are queued, the one after them is refused', opts, async (t) => {
  const { m, port, all } = await receiver(t);
  const client = m.client(port, { sendType: 'byte', maxUnsentMessages: 3 });
  const results = [1, 2, 3, 4, 5].map((value) => {
    try {
      return client.send(value);
    } catch (err) {
      return err;
    }
  });
  assert.deepEqual(results.slice(0, 3), [true, true, true]);
  for (const err of results.slice(3)) {
    assert.ok(err instanceof Error);
    assert.equal(err.code, 'ERR_MESSAGE_QUEUE_FULL');
    assert.equal(
      err.message,
      'Maximum number of unsent messages has been exceeded: 3. ' +
        'Consider setting discardMessagesBeforeOpen to true.',
    );
  }
  client.on('open', () => client.close());
  client.open();
  assert.equal((await all).toString('hex'), '010203');
});

test(
  'the limit counts while connecting, too, and neither what was refused nor nothing',
  opts,
  async (t) => {
    const { m, port, all } = await receiver(t);
    const client = m.client(port, { sendType: 'byte', maxUnsentMessages: 2 });
    const log = logOf(client);
    client.send('no number');
    client.send(null);
    client.send(1);
    client.open();
    client.send(2);
    assert.throws(() => client.send(3), { code: 'ERR_MESSAGE_QUEUE_FULL' });
    await told(client, 'open');
    for (let i = 4; i < 10; i++) client.send(i);
    client.close();
    assert.equal((await all).toString('hex'), '0102040506070809');
    assert.equal(errorsOf(log).length, 1);
  },
);

test('the default limit is 100, and 0 is none', opts, async (t) => {
  const m = messageKit(t);
  const limited = m.client(1);
  for (let i = 0; i < 100; i++) limited.send('x');
  assert.throws(() => limited.send('x'), /has been exceeded: 100\./);
  const { port, all } = await receiver(t);
  const unlimited = m.client(port, { maxUnsentMessages: 0, rawBytes: false });
  for (let i = 0; i < 5000; i++) unlimited.send(`message ${i}`);
  unlimited.open();
  await told(unlimited, 'open');
  unlimited.close();
  const expected = Array.from({ length: 5000 }, (_, i) => `message ${i}`);
  assert.deepEqual(framesIn(await all).map(String), expected);
});

test('B3: discardMessagesBeforeOpen drops in silence, also while connecting', opts, async (t) => {
  const { m, port, all } = await receiver(t);
  const client = m.client(port, { discardMessagesBeforeOpen: true, maxUnsentMessages: 1 });
  const log = logOf(client);
  client.send('one');
  client.send('two');
  client.open();
  client.send('three');
  await told(client, 'open');
  client.send('four');
  client.close();
  assert.equal(String(await all), 'four');
  await until(() => log.length > 0);
  assert.deepEqual(log, [['close']]);
});

test('what is queued is encoded when it is sent: later changes do not count', opts, async (t) => {
  const { m, port, all } = await receiver(t);
  const client = m.client(port, { sendType: 'unsignedbyte' });
  const list = [1, 2, 3];
  const bytes = Buffer.from([4, 5]);
  client.send(list);
  client.send(bytes);
  list.fill(0);
  bytes.fill(0);
  client.open();
  await told(client, 'open');
  const more = Buffer.alloc(100_000, 6);
  client.send(more);
  more.fill(0);
  client.close();
  const got = await all;
  assert.equal(got.subarray(0, 5).toString('hex'), '0102030405');
  assert.ok(got.subarray(5).equals(Buffer.alloc(100_000, 6)));
});

test('a message that cannot be queued is an error, in a later tick', opts, async (t) => {
  const client = messageKit(t).client(1, { sendType: 'int' });
  const log = logOf(client);
  client.send('seven');
  assert.deepEqual(log, [], 'not inside of send()');
  await turn();
  assert.deepEqual(log, [['error', 'Data cannot be converted to int. It is: string']]);
});

test('open: never before open() has returned, and isOpen says so', opts, async (t) => {
  const { m, port } = await receiver(t);
  const client = m.client(port);
  const log = [];
  client.on('open', () => log.push('open', client.isOpen()));
  assert.equal(client.isOpen(), false);
  assert.equal(client.open(), undefined);
  log.push('returned', client.isOpen());
  await told(client, 'open');
  assert.deepEqual(log, ['returned', false, 'open', true]);
  assert.equal(client.remoteHost(), HOST);
  assert.equal(client.remotePort(), port);
  client.close();
  assert.equal(client.isOpen(), false);
  await closed(client);
  assert.equal(client.remotePort(), port, 'known after the close as well');
});

test('open() while connecting or open does nothing', opts, async (t) => {
  const m = messageKit(t);
  const server = await m.rawServer();
  let connections = 0;
  server.on('connection', () => connections++);
  const client = m.client(server.address().port);
  let opens = 0;
  client.on('open', () => opens++);
  client.open();
  client.open();
  await told(client, 'open');
  client.open();
  await turn();
  await turn();
  assert.deepEqual({ connections, opens }, { connections: 1, opens: 1 });
});

test('close() before any open() drops the queue and tells nothing', opts, async (t) => {
  const { m, port, all } = await receiver(t);
  const client = m.client(port);
  const log = logOf(client);
  client.send('dropped');
  assert.ok(client.bufferedAmount > 0);
  client.close();
  assert.equal(client.bufferedAmount, 0);
  await turn();
  assert.deepEqual(log, []);
  client.send('kept');
  client.open();
  await told(client, 'open');
  client.close();
  assert.equal(String(await all), 'kept');
});

test('close() while connecting: no connection, one close, in a later tick', opts, async (t) => {
  const { m, port } = await receiver(t);
  const client = m.client(port);
  const log = logOf(client);
  client.on('open', () => log.push(['open']));
  client.send('dropped');
  client.open();
  client.close();
  client.close();
  assert.deepEqual(log, []);
  await until(() => log.length > 0);
  for (let i = 0; i < 20; i++) await turn();
  assert.deepEqual(log, [['close']]);
  assert.equal(client.bufferedAmount, 0);
});

test('close() between two attempts: the timer is gone, close once', opts, async (t) => {
  const m = messageKit(t);
  const port = await m.k.refusedPort();
  const client = m.client(port, { reconnectInterval: 600_000 });
  const log = logOf(client);
  const waiting = told(client, 'reconnecting');
  client.open();
  await waiting;
  client.close();
  await closed(client);
  assert.deepEqual(log, [['close']]);
});

test('B9: send() after the close, and between close() and it', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('client');
  conn.resume();
  const errors = [];
  ours.on('error', (text, err) => errors.push([text, err.code, err.message]));
  const expected = [
    'Socket is closed. Cannot send data.',
    'ERR_SOCKET_CLOSED',
    'Socket is closed. Cannot send data.',
  ];
  ours.close();
  assert.equal(ours.send('too late'), false);
  assert.deepEqual(errors, [], 'not inside of send()');
  await closed(ours);
  assert.deepEqual(errors, [expected]);
  ours.send('much too late');
  await turn();
  assert.deepEqual(errors, [expected, expected]);
});

test('B9 on the server', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server');
  conn.end();
  await closed(ours);
  const failed = new Promise((resolve) => ours.once('error', resolve));
  ours.send('too late');
  assert.equal(await failed, 'Socket is closed. Cannot send data.');
});

test('open() again after the close: the same listeners, the same options', opts, async (t) => {
  const m = messageKit(t);
  const server = await m.rawServer();
  const client = m.client(server.address().port, { rawBytes: false });
  const log = logOf(client);
  for (let round = 0; round < 3; round++) {
    const accepted = once(server, 'connection');
    client.open();
    const [conn] = await accepted;
    if (!client.isOpen()) await told(client, 'open');
    conn.write('\u0003abc');
    await until(() => dataOf(log).length === round + 1);
    // What is left of the old connection does not leak into the new one.
    conn.write('\u0009xyz');
    await turn();
    client.close();
    await closed(client);
  }
  assert.deepEqual(dataOf(log), ['abc', 'abc', 'abc']);
  assert.deepEqual(errorsOf(log), []);
});

test('open() in a close listener', opts, async (t) => {
  const m = messageKit(t);
  const server = await m.rawServer();
  server.on('connection', (conn) => conn.end('bye'));
  const client = m.client(server.address().port);
  let closes = 0;
  client.on('close', () => {
    if (++closes < 3) client.open();
  });
  client.open();
  await until(() => closes === 3);
});

test('no arguments: port 4000 on localhost', opts, () => {
  for (const client of [new SocketClient(), new SocketClient(null, null, null)]) {
    assert.deepEqual([client.port, client.host], [4000, 'localhost']);
  }
  assert.equal(new SocketClient(5, '').host, 'localhost');
  assert.equal(new SocketClient('5').port, 5);
});

test('localhost reaches a server that only listens on IPv4', opts, async (t) => {
  const { m, port } = await receiver(t);
  const client = m.own(new SocketClient(port));
  client.open();
  await told(client, 'open');
  assert.match(client.remoteHost(), /127\.0\.0\.1$/);
});

test('an aborted signal closes: before, while connecting, while open', opts, async (t) => {
  const { m, port } = await receiver(t);
  const before = m.client(port, { signal: AbortSignal.abort() });
  const log = logOf(before);
  before.on('open', () => log.push(['open']));
  before.open();
  await closed(before);
  assert.deepEqual(log, [['close']]);

  const early = new AbortController();
  const connecting = m.client(port, { signal: early.signal });
  connecting.open();
  early.abort();
  await closed(connecting);

  const late = new AbortController();
  const open = m.client(port, { signal: late.signal });
  open.open();
  await told(open, 'open');
  late.abort();
  assert.equal(open.isOpen(), false);
  await closed(open);
  // It stays aborted: there is no other life.
  const again = logOf(open);
  open.open();
  await closed(open);
  assert.deepEqual(again, [['close']]);
});

test('a signal that lives on does not keep closed clients', opts, async (t) => {
  const { getEventListeners } = require('node:events');
  const m = messageKit(t);
  const server = await m.rawServer();
  server.on('connection', (conn) => conn.resume());
  const { signal } = new AbortController();
  for (let i = 0; i < 5; i++) {
    const client = m.client(server.address().port, { signal });
    client.open();
    await told(client, 'open');
    client.close();
    await closed(client);
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('await using: closes and waits', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('client');
  const all = readAll(conn);
  ours.send('last');
  let isClosed = false;
  ours.on('close', () => (isClosed = true));
  await ours[Symbol.asyncDispose]();
  assert.equal(isClosed, true);
  assert.equal(String(await all), 'last');
  await ours[Symbol.asyncDispose]();
  const fresh = new SocketClient(1);
  fresh.send('dropped');
  await fresh[Symbol.asyncDispose]();
  assert.equal(fresh.bufferedAmount, 0);
});

for (const [what, act, names] of [
  ['open()', (client) => client.open(), ['close']],
  ['send()', (client) => client.send('late'), ['error', 'close']],
]) {
  test(`close() while connecting, and ${what} before close has come`, opts, async (t) => {
    const m = messageKit(t);
    const listening = await m.rawServer();
    const client = m.client(listening.address().port);
    const log = logOf(client);
    client.on('open', () => log.push(['open']));
    client.open();
    client.close();
    act(client);
    client.close();
    await closed(client);
    for (let i = 0; i < 20; i++) await turn();
    assert.deepEqual(
      log.map(([name]) => name),
      names,
    );
    // Now it may.
    client.open();
    await told(client, 'open');
  });
}

test('a host or port that is none any more when it connects is an error', opts, async (t) => {
  const m = messageKit(t);
  const client = m.client(4000);
  for (const change of [{ host: 'a\0b' }, { host: 'localhost', port: -1 }]) {
    Object.assign(client, change);
    const failed = told(client, 'error');
    client.open();
    const [, err] = await failed;
    assert.match(err.code, /^ERR_/);
    assert.equal(client.isOpen(), false);
  }
  const listening = await m.rawServer();
  client.port = listening.address().port;
  client.open();
  await told(client, 'open');
});
