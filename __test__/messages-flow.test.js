'use strict';

/** Back-pressure, and the limits on what one message may be. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  TIMEOUT,
  closed,
  dataOf,
  frame,
  framesIn,
  hex,
  logOf,
  messageKit,
  readAll,
  readBytes,
  told,
  turn,
  until,
} = require('./helpers/messages');

const opts = { timeout: TIMEOUT };
const KiB = 1024;
const MiB = 1024 * KiB;

for (const side of ['client', 'server']) {
  test(`a peer that does not read: false, then drain when it does (${side})`, opts, async (t) => {
    const { ours, conn } = await messageKit(t).pair(side, { sendType: 'image', rawBytes: false });
    conn.pause();
    let drains = 0;
    ours.on('drain', () => drains++);
    assert.equal(ours.bufferedAmount, 0);
    const message = Buffer.alloc(10 * KiB, 1);
    let sent = 0;
    let before;
    // Until the system takes no more, not even a little later.
    do {
      while (ours.send(message)) {
        sent++;
        if (sent % 10 === 0) await turn();
        assert.ok(sent < 10_000, 'send() never said that it is enough');
      }
      sent++;
      before = ours.bufferedAmount;
      for (let i = 0; i < 20; i++) await turn();
    } while (ours.bufferedAmount !== before);
    assert.ok(before > 64 * KiB, `${before}`);
    // It is advice: what is sent all the same is kept.
    assert.equal(ours.send(message), false);
    sent++;
    await turn();
    assert.ok(ours.bufferedAmount >= before + message.length);
    for (let i = 0; i < 20; i++) await turn();
    assert.equal(drains, 0);
    const drained = told(ours, 'drain');
    const all = readBytes(conn, sent * (message.length + 5));
    conn.resume();
    await drained;
    await all;
    await until(() => ours.bufferedAmount === 0);
    assert.equal(drains, 1);
    assert.equal(ours.send(message), true);
  });
}

test('a drain is not owed for what was not too much', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('client');
  conn.resume();
  let drains = 0;
  ours.on('drain', () => drains++);
  for (let i = 0; i < 100; i++) {
    assert.equal(ours.send('x'.repeat(1000)), true);
    await turn();
  }
  assert.equal(drains, 0);
});

for (const readsAtOnce of [true, false]) {
  const peers = readsAtOnce ? 'peers that read' : 'peers that read later';
  test(`megabytes in one tick to ${peers}: all of it, in order`, opts, async (t) => {
    const m = messageKit(t);
    const pairs = [];
    for (let n = 0; n < 3; n++) pairs.push(await m.pair('client', { rawBytes: false }));
    // One sends much, then others between each other, then the first again: what leaves before the tick is over
    // becomes more with each time that the system takes all of it, and little again when it does not.
    const order = [
      ...Array(12_000).fill(0),
      ...Array.from({ length: 6000 }, (_, i) => i % 3),
      ...Array(3000).fill(0),
    ];
    for (let round = 0; round < 2; round++) {
      for (const { conn } of pairs) conn.pause();
      const sent = [[], [], []];
      order.forEach((n, i) => sent[n].push(`${round} ${i} `.padEnd(900 + (i % 200), 'y')));
      const length = (texts) => texts.reduce((sum, text) => sum + text.length + 5, 0);
      const read = () =>
        pairs.map(({ conn }, n) => {
          const all = readBytes(conn, length(sent[n]));
          conn.resume();
          return all;
        });
      let reads = readsAtOnce ? read() : null;
      const next = [0, 0, 0];
      for (const n of order) pairs[n].ours.send(sent[n][next[n]++]);
      await turn();
      reads ??= read();
      const received = await Promise.all(reads);
      received.forEach((bytes, n) => assert.deepEqual(framesIn(bytes).map(String), sent[n]));
    }
  });
}

test('what is queued before open counts, and drains after it', opts, async (t) => {
  const m = messageKit(t);
  const server = await m.rawServer();
  server.on('connection', (conn) => conn.resume());
  const client = m.client(server.address().port);
  assert.equal(client.send('x'.repeat(60 * KiB)), true);
  assert.equal(client.send('x'.repeat(60 * KiB)), false);
  assert.equal(client.bufferedAmount, 120 * KiB);
  const drained = told(client, 'drain');
  client.open();
  await drained;
  assert.equal(client.isOpen(), true);
});

test('a drain listener that sends on other connections loses nothing', opts, async (t) => {
  const m = messageKit(t);
  const server = await m.rawServer();
  const received = new Map();
  let connections = 0;
  server.on('connection', (conn) => {
    const number = ++connections;
    received.set(number, []);
    conn.on('data', (chunk) => received.get(number).push(chunk));
  });
  const { port } = server.address();
  const other = m.client(port, { rawBytes: false });
  other.open();
  await told(other, 'open');
  for (let round = 0; round < 20; round++) {
    const client = m.client(port);
    client.send('x'.repeat(70 * KiB));
    client.on('drain', () => other.send(`drained ${round}`));
    // In the same tick in which the queue goes out the other one sends as well.
    client.on('open', () => other.send(`open ${round}`));
    client.open();
    await told(client, 'drain');
  }
  other.close();
  await closed(other);
  await until(() => framesIn(Buffer.concat(received.get(1))).length === 40);
  const texts = framesIn(Buffer.concat(received.get(1))).map(String);
  for (let round = 0; round < 20; round++) {
    assert.deepEqual(texts.slice(2 * round, 2 * round + 2), [`open ${round}`, `drained ${round}`]);
  }
});

test('a slow consumer closes the window of the peer', opts, async () => {
  const { runJson } = require('./helpers/child');
  const { received, growth } = await runJson('message-hostile', ['slow listener'], {
    execArgv: ['--expose-gc'],
    timeout: 15_000,
  });
  assert.ok(received > 0);
  assert.ok(growth < 48 * MiB, `memory grew by ${Math.round(growth / MiB)} MiB`);
});

test(
  'maxMessageSize: what is longer is refused by send, and nothing of it goes out',
  opts,
  async (t) => {
    for (const [options, fits, over, count] of [
      [{}, 'x'.repeat(100), 'x'.repeat(101), 101],
      [{}, 'é'.repeat(50), 'é'.repeat(51), 102],
      [{}, 'x'.repeat(34), ['x'.repeat(50), 'x'.repeat(60)], 110],
      [{ sendType: 'image' }, Buffer.alloc(100), Buffer.alloc(101), 101],
      [{ sendType: 'int' }, Array(25).fill(0), Array(26).fill(0), 104],
      [{ sendType: 'byte' }, new Uint8Array(100), new Uint8Array(101), 101],
      [{ sendType: 'json' }, 'x'.repeat(100), { a: 'x'.repeat(93) }, 101],
    ]) {
      for (const rawBytes of [true, false]) {
        const { ours, conn } = await messageKit(t).pair('client', {
          ...options,
          rawBytes,
          maxMessageSize: 100,
        });
        const errors = [];
        ours.on('error', (text, err) => errors.push([text, err.code]));
        const all = readAll(conn);
        ours.send(over);
        ours.send(fits);
        ours.send(over);
        ours.close();
        const bytes = await all;
        const [payload] = rawBytes ? [bytes] : framesIn(bytes);
        assert.ok(payload.length <= 100 && payload.length > 30);
        await until(() => errors.length === 2);
        const text = `The message has ${count} bytes, more than maxMessageSize (100). It was not sent.`;
        assert.deepEqual(errors[0], [text, 'ERR_MESSAGE_TOO_LARGE']);
        assert.deepEqual(errors[1], errors[0]);
      }
    }
  },
);

test('maxMessageSize smaller than one number', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('client', {
    sendType: 'double',
    maxMessageSize: 7,
  });
  const failed = told(ours, 'error');
  ours.send(1);
  assert.match((await failed)[0], /has 8 bytes, more than maxMessageSize \(7\)/);
  conn.resume();
});

test('maxMessageSize: what is announced as longer is an error and the close', opts, async (t) => {
  for (const side of ['client', 'server']) {
    const { ours, conn } = await messageKit(t).pair(side, { rawBytes: false, maxMessageSize: 300 });
    conn.on('error', () => {});
    const log = logOf(ours);
    const over = told(ours, 'error');
    conn.write(
      Buffer.concat([
        frame('x'.repeat(300)),
        frame('fine'),
        hex('ff 0000012d'),
        Buffer.from('abc'),
      ]),
    );
    const [text, err] = await over;
    assert.equal(err.code, 'ERR_MESSAGE_TOO_LARGE');
    assert.equal(text, 'A message of 301 bytes came in, more than maxMessageSize (300)');
    await until(() => log.at(-1)[0] === 'close');
    assert.deepEqual(dataOf(log), ['x'.repeat(300), 'fine']);
    assert.equal(log.length, 4);
    // The peer notices.
    conn.resume();
    await until(() => conn.destroyed);
  }
});

test('maxMessageSize limits a raw JSON text', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', {
    receiveType: 'json',
    maxMessageSize: 100,
  });
  conn.on('error', () => {});
  const log = logOf(ours);
  const over = told(ours, 'error');
  conn.write(`[1]["${'x'.repeat(96)}"]["${'x'.repeat(98)}"`);
  const [, err] = await over;
  assert.equal(err.code, 'ERR_MESSAGE_TOO_LARGE');
  await until(() => log.at(-1)[0] === 'close');
  assert.deepEqual(dataOf(log), [[1], ['x'.repeat(96)]]);
});
