'use strict';

/** How messages are told: ticks between them, whose async context, exceptions, batches. */

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { test } = require('node:test');
const { runJson } = require('./helpers/child');
const {
  HOST,
  TIMEOUT,
  closed,
  dataOf,
  frame,
  framesIn,
  hex,
  logOf,
  messageKit,
  messages,
  readAll,
  told,
  turn,
  until,
} = require('./helpers/messages');

const opts = { timeout: TIMEOUT };
const als = new AsyncLocalStorage();

for (const [mode, options, bytes, expected] of [
  ['framed text', { rawBytes: false }, '\u0001a\u0001b\u0001c', ['a', 'b', 'c']],
  ['framed numbers', { rawBytes: false, receiveType: 'byte' }, '\u0001\u0001\u0001\u0002', [1, 2]],
  ['raw numbers', { receiveType: 'byte' }, '\u0001\u0002\u0003', [1, 2, 3]],
  ['raw JSON', { receiveType: 'json' }, '[1][2][3]', [[1], [2], [3]]],
]) {
  test(`between two messages of one read ticks and promise jobs run: ${mode}`, opts, async (t) => {
    const { ours, conn } = await messageKit(t).pair('server', options);
    const log = [];
    ours.on('data', (value) => {
      log.push(value);
      process.nextTick(() => log.push('tick'));
      Promise.resolve().then(() => log.push('job'));
      queueMicrotask(() => queueMicrotask(() => log.push('second job')));
    });
    conn.write(bytes);
    await until(() => log.length >= expected.length * 4);
    const wanted = expected.flatMap((value) => [value, 'tick', 'job', 'second job']);
    assert.deepEqual(log, wanted);
  });
}

test('listeners run in the async context in which the client was opened', opts, async (t) => {
  const m = messageKit(t);
  const server = await m.rawServer();
  const { port } = server.address();
  const storage = new AsyncLocalStorage();
  const seen = [];
  const open = (name) => {
    const client = m.client(port, { rawBytes: false, sendType: 'int' });
    for (const event of ['open', 'data', 'error', 'close']) {
      client.on(event, () => seen.push(`${name} ${event} ${storage.getStore()}`));
    }
    storage.run(name, () => client.open());
    return client;
  };
  const conns = [];
  server.on('connection', (conn) => conns.push(conn));
  const clients = [open('A'), open('B')];
  await until(() => conns.length === 2 && clients.every((client) => client.isOpen()));
  for (const conn of conns) conn.write('\u0001x\u0001y');
  await until(() => seen.filter((line) => line.includes('data')).length === 4);
  for (const conn of conns) conn.end();
  await until(() => seen.filter((line) => line.includes('close')).length === 2);
  for (const line of seen) {
    const [name, , context] = line.split(' ');
    assert.equal(context, name, line);
  }
});

test('a server’s listeners run in the context in which it was started', opts, async (t) => {
  const storage = new AsyncLocalStorage();
  const m = messageKit(t);
  const { SocketServer } = messages;
  const server = m.own(new SocketServer({ port: 0, hostInterface: HOST }));
  const seen = [];
  const see = (name) => seen.push(`${name} ${storage.getStore()}`);
  server.on('listening', () => see('listening'));
  server.on('connection', (socket) => {
    see('connection');
    socket.on('data', () => see('data'));
    socket.on('close', () => see('close'));
  });
  storage.run('start', () => server.start());
  const [port] = await told(server, 'listening');
  for (let i = 0; i < 2; i++) {
    const conn = await storage.run('peer', () => m.raw(port));
    conn.end('x');
    await until(() => seen.length === 4 + 3 * i);
  }
  assert.deepEqual(seen, [
    'listening start',
    'connection start',
    'data start',
    'close start',
    'connection start',
    'data start',
    'close start',
  ]);
});

test('a listener that throws does not keep the later messages from coming', opts, async () => {
  const [text, numbers, error] = await Promise.all([
    runJson('message-events', ['throwing data']),
    runJson('message-events', ['throwing data of raw numbers']),
    runJson('message-events', ['throwing error']),
  ]);
  const expected = { uncaught: ['2', '4'], values: [1, 2, 3, 4, 5] };
  assert.deepEqual(text, expected);
  assert.deepEqual(numbers, expected);
  assert.deepEqual(error, { uncaught: ['not JSON', 'not JSON'], values: [1, 2, 3] });
});

test('nor in batches', opts, async () => {
  const [errors, batches] = await Promise.all([
    runJson('message-events', ['throwing error in batches']),
    runJson('message-events', ['throwing messages']),
  ]);
  assert.deepEqual(errors, { uncaught: ['not JSON', 'not JSON'], values: [1, 2, 3] });
  assert.deepEqual(batches, { uncaught: ['batch'], values: ['a', 'b', 'c', 'd'] });
});

test('errorMonitor hears errors, with a listener and without', opts, async (t) => {
  const { errorMonitor } = require('node:events');
  const { ours } = await messageKit(t).pair('server', { sendType: 'int' });
  const heard = [];
  ours.on(errorMonitor, (text, err) => heard.push(['monitor', text, err.code]));
  const warned = told(process, 'warning');
  ours.send('1');
  const [warning] = await warned;
  assert.equal(warning.code, 'ERR_MESSAGE_INVALID_VALUE');
  ours.on('error', (text, err) => heard.push(['error', text, err.code]));
  ours.send('2');
  await until(() => heard.length === 3);
  const text = 'Data cannot be converted to int. It is: string';
  const code = 'ERR_MESSAGE_INVALID_VALUE';
  assert.deepEqual(heard, [
    ['monitor', text, code],
    ['monitor', text, code],
    ['error', text, code],
  ]);
});

test('without an error listener errors are warnings', opts, async () => {
  const { uncaught, warnings } = await runJson('message-events', ['no error listener']);
  assert.deepEqual(uncaught, []);
  assert.deepEqual(
    warnings.map(([, code]) => code),
    ['ERR_MESSAGE_INVALID_VALUE', 'ERR_MESSAGE_INCOMPLETE', 'ERR_SOCKET_CLOSED'],
  );
});

test('batch: the event is messages, with an array', opts, async (t) => {
  for (const [options, bytes, expected] of [
    [{ rawBytes: false }, '\u0001a\u0000\u0002bc', ['a', '', 'bc']],
    [{ rawBytes: false, receiveType: 'short' }, hex('02 0001 04 00020003 00'), [1, [2, 3], []]],
    [{ receiveType: 'short' }, hex('0001 0002 0003'), [1, 2, 3]],
    [{ receiveType: 'byte', emitBatchDataAsAvailable: true }, hex('010203'), [[1, 2, 3]]],
    [{ receiveType: 'json' }, '[1] {"a":2} ', [[1], { a: 2 }]],
    [{ receiveType: 'image' }, 'abc', [Buffer.from('abc')]],
    [{}, 'abc', ['abc']],
  ]) {
    const { ours, conn } = await messageKit(t).pair('server', { batch: true, ...options });
    const log = logOf(ours);
    conn.end(bytes);
    await closed(ours);
    assert.ok(
      log.every(([name]) => name === 'messages' || name === 'close'),
      'no data',
    );
    assert.deepEqual(
      log.slice(0, -1).flatMap(([, values]) => values),
      expected,
    );
  }
});

test('batch: many messages of one read are one event', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { batch: true, rawBytes: false });
  let [events, count] = [0, 0];
  ours.on('messages', (list) => {
    events++;
    count += list.length;
  });
  conn.end('\u0003abc'.repeat(100_000));
  await closed(ours);
  assert.equal(count, 100_000);
  assert.ok(events < 1000, `${events} events`);
});

test('batch: a large message comes by itself, in its place', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { batch: true, rawBytes: false });
  const log = [];
  ours.on('messages', (list) => log.push(...list.map((text) => text.length)));
  const large = 'y'.repeat(500_000);
  conn.end(Buffer.concat([frame('a'), frame(large), frame('bc'), frame(large), frame('def')]));
  await closed(ours);
  assert.deepEqual(log, [1, 500_000, 2, 500_000, 3]);
});

test('echo in data listeners arrives whole and in order', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { rawBytes: false });
  ours.on('data', (text) => ours.send(text));
  const all = readAll(conn);
  const texts = Array.from({ length: 20_000 }, (_, i) => `message ${i}`);
  conn.end(Buffer.concat(texts.map((text) => frame(text))));
  // A FIN of the peer ends the connection: what is sent in the listeners before goes out.
  assert.deepEqual(framesIn(await all).map(String), texts);
});

test('sends of one tick leave together', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('client', { rawBytes: false });
  const sizes = [];
  conn.on('data', (chunk) => sizes.push(chunk.length));
  for (let i = 0; i < 1000; i++) ours.send('0123456789');
  await until(() => sizes.reduce((sum, size) => sum + size, 0) === 11_000);
  assert.ok(sizes.length < 20, `${sizes.length} pieces`);
});

test('what an error listener of one connection sends on another is not lost', opts, async (t) => {
  const m = messageKit(t);
  const { server, port } = await m.server({ rawBytes: false });
  const sockets = [];
  server.on('connection', (socket) => sockets.push(socket));
  const conns = [];
  for (let i = 0; i < 3; i++) {
    conns.push(await m.raw(port));
    await until(() => sockets.length === i + 1);
  }
  const alls = conns.slice(1).map((conn) => readAll(conn));
  const gone = told(sockets[0], 'close');
  sockets[0].on('error', () => {
    for (const socket of sockets.slice(1)) socket.send('somebody is gone');
  });
  conns[0].resetAndDestroy();
  // All of them send until the dead one is noticed: by a write that fails, or by the reset.
  let rounds = 0;
  while (sockets[0].isOpen()) {
    rounds++;
    for (const socket of sockets) socket.send(`round ${rounds}`);
    await turn();
  }
  await gone;
  for (const socket of sockets.slice(1)) socket.close();
  for (const all of alls) {
    const texts = framesIn(await all).map(String);
    assert.equal(texts.filter((text) => text === 'somebody is gone').length, 1);
    assert.equal(texts.length, rounds + 1);
  }
});

test('a rejected async listener is an error with captureRejections', opts, async (t) => {
  const events = require('node:events');
  const before = events.captureRejections;
  events.captureRejections = true;
  t.after(() => (events.captureRejections = before));
  const { ours, conn } = await messageKit(t).pair('server');
  const failed = told(ours, 'error');
  ours.on('data', async () => {
    throw new Error('of the listener');
  });
  conn.write('x');
  const [text, err] = await failed;
  assert.equal(text, 'of the listener');
  assert.ok(err instanceof Error);
});

test('so is one of a server', opts, async (t) => {
  const events = require('node:events');
  const before = events.captureRejections;
  events.captureRejections = true;
  t.after(() => (events.captureRejections = before));
  const m = messageKit(t);
  const { server, port } = await m.server();
  const failed = told(server, 'error');
  server.on('connection', async () => {
    throw new Error('of the listener');
  });
  await m.raw(port);
  const [text, err] = await failed;
  assert.equal(text, 'of the listener');
  assert.ok(err instanceof Error);
});

test('a rejected error listener is not told of itself', opts, async () => {
  const result = await runJson('message-events', ['rejecting error']);
  assert.deepEqual(result, { errors: ['data'], uncaught: ['behind data'] });
});

test('messages that nobody listens to are dropped, and the connection goes on', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { rawBytes: false });
  conn.write('\u0003abc'.repeat(1000));
  for (let i = 0; i < 20; i++) await turn();
  const log = logOf(ours);
  conn.end('\u0003end');
  await closed(ours);
  assert.equal(dataOf(log).at(-1), 'end');
});

test('a drain at the end of a tick is in the context of its connection', opts, async (t) => {
  const m = messageKit(t);
  // The engine begins in another one.
  const { listening } = await als.run('engine', () => m.pair('client'));
  listening.on('connection', (conn) => conn.resume());
  for (let i = 0; i < 3; i++) {
    const store = await als.run(`client ${i}`, () => {
      const ours = m.client(listening.address().port);
      ours.open();
      assert.equal(ours.send('x'.repeat(100_000)), false);
      return new Promise((resolve) => ours.on('drain', () => resolve(als.getStore())));
    });
    assert.equal(store, `client ${i}`);
  }
});
