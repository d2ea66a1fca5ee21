'use strict';

/** The stream of values: cuts, back-pressure, `sent`, what is held. Cases 16 to 20 and 40 of the contract. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const timers = require('node:timers/promises');
const { Sends } = require('../lib/data/sends');
const {
  DataSocket,
  HELLO,
  MiB,
  TIMEOUT,
  dataKit,
  frame,
  logOf,
  names,
  nextValue,
  told,
  turn,
  until,
  valueFrame,
} = require('./helpers/datasocket');

const opts = { timeout: TIMEOUT };

test('16: a frame byte by byte is one value; three frames at once are three', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  const log = logOf(accepted, ['data']);
  for (const byte of valueFrame({ a: [1, 2, 3] })) {
    conn.write(Buffer.of(byte));
    await turn();
  }
  await until(() => log.length === 1);
  assert.deepEqual(log[0][1], { a: [1, 2, 3] });
  conn.write(Buffer.concat([valueFrame(1), valueFrame('two'), valueFrame([3])]));
  await until(() => log.length === 4);
  assert.deepEqual(
    log.slice(1).map(([, value]) => value),
    [1, 'two', [3]],
  );
});

test('a hello byte by byte, with a value right behind it', opts, async (t) => {
  const { listen, raw } = dataKit(t);
  const values = [];
  const listener = listen((socket) => socket.on('data', (value) => values.push(value)) === socket);
  const conn = await raw(listener);
  for (const byte of HELLO) {
    conn.write(Buffer.of(byte));
    await turn();
  }
  conn.write(valueFrame('first'));
  await until(() => values.length === 1);
  const other = await raw(listener);
  other.write(Buffer.concat([HELLO, valueFrame('with the hello')]));
  await until(() => values.length === 2);
  assert.deepEqual(values, ['first', 'with the hello']);
});

test('empty frames say nothing', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  const log = logOf(accepted, ['data', 'error']);
  const nothing = frame(Buffer.alloc(0));
  conn.write(Buffer.concat([nothing, valueFrame(1), nothing, nothing, valueFrame(2), nothing]));
  await until(() => log.length === 2);
  conn.write(Buffer.alloc(4 * MiB));
  conn.write(valueFrame(3));
  await until(() => log.length === 3);
  assert.deepEqual(log, [
    ['data', 1],
    ['data', 2],
    ['data', 3],
  ]);
});

test('17: what is sent before connect arrives after it, and so does sent', opts, async (t) => {
  const { connect, listen } = dataKit(t);
  const arrived = [];
  const listener = listen((socket) => socket.on('data', (value) => arrived.push(value)) === socket);
  const client = connect(listener);
  const log = logOf(client);
  assert.equal(client.send('early'), true);
  assert.equal(client.send('earlier'), true);
  await until(() => arrived.length === 2 && log.length === 3);
  assert.deepEqual(arrived, ['early', 'earlier']);
  assert.deepEqual(names(log), ['connect', 'sent', 'sent']);
});

test('18: sent waits until the system has taken the value', { timeout: 3 * TIMEOUT }, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  conn.pause();
  const log = logOf(accepted, ['sent']);
  accepted.send(new Uint8Array(20 * MiB));
  await timers.setTimeout(1000);
  assert.equal(log.length, 0);
  conn.resume();
  await until(() => log.length === 1);
  assert.equal(accepted.bufferedAmount, 0);
});

test('sent of a small value does not wait for a large one behind it', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  conn.pause();
  const log = logOf(accepted, ['sent']);
  accepted.send('small');
  accepted.send(new Uint8Array(20 * MiB));
  await until(() => log.length === 1);
  await timers.setTimeout(200);
  assert.equal(log.length, 1);
  conn.resume();
  await until(() => log.length === 2);
});

test(
  'sent comes while the queue is not empty, wherever values end in it',
  { timeout: 3 * TIMEOUT },
  async (t) => {
    const { accepted, conn, reader } = await dataKit(t).rawPair();
    conn.pause();
    const log = logOf(accepted, ['sent']);
    const SIZE = 300_000;
    const COUNT = 60;
    for (let i = 0; i < COUNT; i++) accepted.send(new Uint8Array(SIZE));
    await turn();
    let seen = -1;
    // As long as the peer reads on, more and more are told.
    for (let got = 0; got < COUNT;) {
      conn.resume();
      await until(() => reader.length >= (got + 1) * (SIZE + 9));
      conn.pause();
      got = Math.floor(reader.length / (SIZE + 9));
      // What the peer has, the system has taken.
      await until(() => log.length >= Math.min(got, COUNT));
      assert.ok(log.length >= seen);
      seen = log.length;
    }
    assert.equal(log.length, COUNT);
  },
);

test('the hello counts before the values that were queued for it', () => {
  const sends = new Sends();
  sends.add(5);
  sends.add(100);
  sends.skip(12);
  assert.equal(sends.missing(117), 17);
  assert.equal(sends.take(105), 0, 'the system has the hello');
  assert.equal(sends.take(101), 0);
  assert.equal(sends.take(100), 1);
  assert.equal(sends.take(1), 0);
  assert.equal(sends.take(0), 1);
  assert.equal(sends.missing(0), -1);
});

test('19: send() says when more than 65,536 bytes wait', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  conn.pause();
  assert.equal(accepted.send('small'), true);
  assert.equal(accepted.send(new Uint8Array(60_000)), true);
  assert.equal(accepted.send(new Uint8Array(20 * MiB)), false);
  assert.ok(accepted.bufferedAmount > 65_536);
  assert.equal(accepted.send('small'), false);
  const sent = [];
  accepted.on('sent', () => sent.push(1));
  conn.resume();
  await until(() => sent.length === 4);
  assert.equal(accepted.bufferedAmount, 0);
  assert.equal(accepted.send('small'), true);
});

test('20: close() sends what was sent before', { timeout: 3 * TIMEOUT }, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const ours = logOf(client);
  const theirs = logOf(accepted);
  client.send(new Uint8Array(5 * MiB).fill(7));
  client.close();
  assert.equal(client.active, false);
  await until(() => ours.at(-1)?.[0] === 'close' && theirs.at(-1)?.[0] === 'close');
  assert.deepEqual(names(ours), ['sent', 'close']);
  assert.deepEqual(names(theirs), ['data', 'close']);
  assert.equal(theirs[0][1].length, 5 * MiB);
});

test('small values of one tick leave in one packet', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  const chunks = [];
  conn.on('data', (chunk) => chunks.push(chunk.length));
  for (let i = 0; i < 100; i++) accepted.send({ i });
  await Promise.resolve();
  accepted.send('of the same tick');
  await until(() => chunks.length > 0);
  await turn();
  assert.equal(chunks.length, 1);
});

test('40: without a listener for data, everything waits', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const log = logOf(accepted, ['close', 'error']);
  for (let i = 0; i < 3; i++) client.send({ i });
  await timers.setTimeout(1000);
  const arrived = [];
  accepted.on('data', (value) => arrived.push(value.i));
  assert.deepEqual(arrived, [], 'not inside of on()');
  await until(() => arrived.length === 3);
  assert.deepEqual(arrived, [0, 1, 2]);
  assert.deepEqual(log, []);
});

test('what waits holds the peer back, and its end', { timeout: 3 * TIMEOUT }, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const log = logOf(accepted, ['close', 'error']);
  const COUNT = 400;
  let sent = 0;
  client.on('sent', () => sent++);
  for (let i = 0; i < COUNT; i++) client.send(Buffer.alloc(100_000, i));
  client.close();
  for (let last = 0; ; last = sent) {
    await timers.setTimeout(300);
    if (sent > 0 && sent === last) break;
  }
  assert.ok(sent < COUNT / 2, `${sent} sent`);
  assert.deepEqual(log, []);
  let arrived = 0;
  accepted.on('data', (bytes) => {
    assert.equal(bytes[99_999], arrived % 256);
    arrived++;
  });
  await until(() => log.length > 0);
  assert.equal(arrived, COUNT);
  assert.deepEqual(log, [['close']]);
});

test('a listener that goes in the middle of a run, and another that comes', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  const arrived = [];
  accepted.once('data', (value) => arrived.push(value));
  const COUNT = 1000;
  conn.end(Buffer.concat(Array.from({ length: COUNT }, (_, i) => valueFrame({ i }))));
  const closed = told(accepted, 'close');
  await until(() => arrived.length === 1);
  await timers.setTimeout(50);
  assert.equal(arrived.length, 1);
  accepted.once('data', (value) => {
    arrived.push(value);
    accepted.on('data', (next) => arrived.push(next));
  });
  await closed;
  assert.deepEqual(
    arrived,
    Array.from({ length: COUNT }, (_, i) => ({ i })),
  );
});

test('await in a loop loses nothing', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  const COUNT = 300;
  conn.write(Buffer.concat(Array.from({ length: COUNT }, (_, i) => valueFrame(i))));
  for (let i = 0; i < COUNT; i++) {
    assert.equal(await nextValue(accepted), i);
    if (i % 50 === 0) await timers.setTimeout(5);
  }
});

test('between two events, ticks and promise jobs run', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  const order = [];
  accepted.on('data', (value) => {
    order.push(`data ${value}`);
    process.nextTick(() => order.push(`tick ${value}`));
    Promise.resolve().then(() => order.push(`job ${value}`));
  });
  conn.write(Buffer.concat([valueFrame(1), valueFrame(2)]));
  await until(() => order.length === 6);
  const expected = ['data 1', 'tick 1', 'job 1', 'data 2', 'tick 2', 'job 2'];
  assert.deepEqual(order, expected);
  const sents = [];
  accepted.on('sent', () => {
    const n = sents.filter((each) => each.startsWith('sent')).length;
    sents.push(`sent ${n}`);
    process.nextTick(() => sents.push(`tick ${n}`));
    Promise.resolve().then(() => sents.push(`job ${n}`));
  });
  accepted.send(1);
  accepted.send(2);
  await until(() => sents.length === 6);
  assert.deepEqual(sents, ['sent 0', 'tick 0', 'job 0', 'sent 1', 'tick 1', 'job 1']);
});

test('after close() nothing is delivered, also from inside of a run', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  const log = logOf(accepted, ['data', 'error', 'close']);
  accepted.on('data', () => accepted.close());
  conn.write(Buffer.concat([valueFrame(1), valueFrame(2), valueFrame(3)]));
  conn.on('end', () => conn.end(valueFrame(4)));
  await until(() => log.at(-1)?.[0] === 'close');
  assert.deepEqual(log, [['data', 1], ['close']]);
});

test('close() knows of an end that was held behind values', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  const log = logOf(accepted, ['error', 'close']);
  conn.end(valueFrame('nobody listens'));
  await timers.setTimeout(300);
  assert.deepEqual(log, []);
  // A peer that has not ended is waited for, 2 s long.
  const begun = performance.now();
  accepted.close();
  await until(() => log.length > 0);
  assert.ok(performance.now() - begun < 1900);
  assert.deepEqual(log, [['close']]);
});

test(
  'maxBufferedAmount disconnects a peer that does not read',
  { timeout: 3 * TIMEOUT },
  async (t) => {
    const { accepted, conn } = await dataKit(t).rawPair({ maxBufferedAmount: 2 * MiB });
    conn.on('error', () => {}).pause();
    const log = logOf(accepted, ['error', 'close']);
    // What the system takes is not counted: it goes on until it takes no more.
    let sent = 0;
    while (accepted.active) {
      accepted.send(new Uint8Array(MiB));
      sent++;
      assert.ok(accepted.bufferedAmount <= 2 * MiB, accepted.bufferedAmount);
      if (sent % 10 === 0) await turn();
    }
    await until(() => log.length === 2);
    assert.deepEqual(names(log), ['error', 'close']);
    assert.equal(log[0][1].code, 'ERR_DATASOCKET_BUFFER_FULL');
    assert.match(log[0][1].message, /maxBufferedAmount \(2097152\)/);
    assert.throws(() => accepted.send(1), { code: 'ERR_SOCKET_CLOSED' });
    assert.throws(() => DataSocket.connect(1, { maxBufferedAmount: -1 }), {
      code: 'ERR_OUT_OF_RANGE',
    });
  },
);

test('closeImmediately() drops what waits, and says so to the peer', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const ours = logOf(client);
  const theirs = logOf(accepted);
  client.send(new Uint8Array(20 * MiB));
  client.closeImmediately();
  client.closeImmediately();
  assert.equal(client.active, false);
  await until(() => ours.length > 0 && theirs.length === 2);
  assert.deepEqual(ours, [['close']]);
  assert.deepEqual(names(theirs), ['error', 'close']);
  assert.match(theirs[0][1].code, /^(ECONNRESET|ERR_DATASOCKET_TRUNCATED)$/);
});

test('closeImmediately() with nothing to drop is an orderly end', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair();
  const log = logOf(accepted);
  client.closeImmediately();
  await until(() => log.length > 0);
  assert.deepEqual(log, [['close']]);
  assert.throws(() => client.send(1), { code: 'ERR_SOCKET_CLOSED' });
  assert.ok(client instanceof DataSocket);
});
