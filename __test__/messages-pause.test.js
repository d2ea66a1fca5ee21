'use strict';

/** pause() and resume() of a connection, and the bound of what waits to be sent. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  TIMEOUT,
  closed,
  dataOf,
  errorsOf,
  frame,
  hex,
  logOf,
  messageKit,
  once,
  readBytes,
  told,
  turn,
  until,
} = require('./helpers/messages');

const opts = { timeout: TIMEOUT };
const KiB = 1024;
const MiB = 1024 * KiB;

const turns = async (count) => {
  for (let i = 0; i < count; i++) await turn();
};

const count = 500;
const index = Array.from({ length: count }, (_, i) => i);
const shorts = Buffer.alloc(count * 2);
for (const i of index) shorts.writeInt16BE(i, i * 2);

/** Options, what the peer writes at once, and the values that are to come. */
const streams = [
  [
    'framed texts',
    { rawBytes: false },
    Buffer.concat(index.map((i) => frame(`text ${i}`))),
    index.map((i) => `text ${i}`),
  ],
  [
    'framed texts of every kind',
    { rawBytes: false },
    Buffer.concat(index.map((i) => frame(`${'é'.repeat(i % 3)}${'x'.repeat((i * 37) % 3000)}`))),
    index.map((i) => `${'é'.repeat(i % 3)}${'x'.repeat((i * 37) % 3000)}`),
  ],
  [
    'framed JSON',
    { rawBytes: false, receiveType: 'json' },
    Buffer.concat(index.map((i) => frame(`[${i}]`))),
    index.map((i) => [i]),
  ],
  [
    'framed numbers',
    { rawBytes: false, receiveType: 'short' },
    Buffer.concat(index.map((i) => frame(shorts.subarray(0, 2 * (i % 5))))),
    index.map((i) => (i % 5 === 1 ? 0 : index.slice(0, i % 5))),
  ],
  [
    'framed images',
    { rawBytes: false, receiveType: 'image' },
    Buffer.concat(index.map((i) => frame(Buffer.alloc(i, i)))),
    index.map((i) => Buffer.alloc(i, i)),
  ],
  ['raw numbers', { receiveType: 'short' }, shorts, index],
  [
    'raw JSON',
    { receiveType: 'json' },
    Buffer.from(index.map((i) => `{"i":${i}}`).join('')),
    index.map((i) => ({ i })),
  ],
];

for (const [what, options, bytes, expected] of streams) {
  for (const how of ['at once', 'later']) {
    test(`pauses between ${what}, resumed ${how}`, opts, async (t) => {
      const { ours, conn } = await messageKit(t).pair('server', options);
      const values = [];
      let isPaused = false;
      let hasEnded = false;
      ours.on('data', (value) => {
        assert.equal(isPaused, false);
        assert.equal(hasEnded, false);
        values.push(value);
        if (values.length % 7 !== 1) return;
        ours.pause();
        isPaused = true;
        const resume = () => {
          isPaused = false;
          ours.resume();
        };
        if (how === 'at once') resume();
        else if (values.length % 2 === 0) setImmediate(resume);
        else setTimeout(resume, 1);
      });
      ours.on('error', (text) => assert.fail(text));
      ours.on('close', () => (hasEnded = true));
      conn.resume();
      conn.end(bytes);
      await closed(ours);
      assert.deepEqual(values, expected);
    });
  }
}

test('pauses between large messages', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { rawBytes: false });
  const sizes = [1, 300_000, 2, 500_000, 400_000, 3];
  const got = [];
  ours.on('data', (text) => {
    got.push(text.length);
    ours.pause();
    setImmediate(() => ours.resume());
  });
  conn.resume();
  conn.end(Buffer.concat(sizes.map((size) => frame('x'.repeat(size)))));
  await closed(ours);
  assert.deepEqual(got, sizes);
});

for (const options of [{}, { receiveType: 'image' }]) {
  const what = options.receiveType ?? 'string';
  test(`a peer has to wait for whom it sends to: raw ${what}`, opts, async (t) => {
    const { ours, conn } = await messageKit(t).pair('server', {
      ...options,
      receiveBufferSize: 16 * KiB,
    });
    ours.pause();
    const log = logOf(ours);
    const size = 32 * MiB;
    conn.resume();
    conn.end(Buffer.alloc(size, 'a'));
    // What the two kernels, and the engine, hold is a part of it.
    await until(() => conn.bytesWritten > 0);
    await turns(200);
    assert.deepEqual(log, []);
    assert.ok(conn.writableLength > 0);
    let got = 0;
    let pieces = 0;
    ours.on('data', (piece) => {
      got += piece.length;
      if (++pieces % 3 !== 0) return;
      ours.pause();
      setImmediate(() => ours.resume());
    });
    ours.resume();
    await closed(ours);
    assert.equal(got, size);
  });
}

test('batches: what was held comes as it would have come', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { rawBytes: false, batch: true });
  const values = [];
  ours.on('messages', (list) => {
    values.push(...list);
    ours.pause();
    setImmediate(() => ours.resume());
  });
  const expected = Array.from({ length: 20_000 }, (_, i) => `message ${i}`);
  conn.resume();
  conn.end(Buffer.concat(expected.map((text) => frame(text))));
  await closed(ours);
  assert.deepEqual(values, expected);
});

test('errors wait for their turn', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', {
    rawBytes: false,
    receiveType: 'int',
  });
  ours.pause();
  const log = logOf(ours);
  conn.resume();
  // A number, one that is cut, another, and a message that is cut.
  conn.end(hex('04 00000001 02 0001 04 00000002 04 0000'));
  await turns(50);
  assert.deepEqual(log, []);
  ours.resume();
  assert.deepEqual(log, [], 'not inside of resume()');
  await closed(ours);
  assert.deepEqual(
    log.map(([name, value]) => (name === 'error' ? name : [name, value])),
    [['data', 1], 'error', ['data', 2], 'error', ['close', undefined]],
  );
});

test(
  'close() while it is paused: what was held is dropped, and the peer’s end counts',
  opts,
  async (t) => {
    const { ours, conn } = await messageKit(t).pair('server', { rawBytes: false });
    ours.pause();
    const log = logOf(ours);
    conn.resume();
    conn.end(Buffer.concat(Array.from({ length: 100 }, () => frame('dropped'))));
    await turns(50);
    const start = performance.now();
    ours.close();
    ours.resume();
    await closed(ours);
    assert.deepEqual(log, [['close']]);
    // Nobody has to wait for an end that was there already.
    assert.ok(performance.now() - start < 1500);
  },
);

test('close() while it is paused, before the peer ends', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { receiveType: 'image' });
  ours.pause();
  const log = logOf(ours);
  conn.resume();
  conn.write(Buffer.alloc(MiB));
  await turns(50);
  ours.send('bye');
  ours.close();
  await closed(ours);
  assert.deepEqual(log, [['close']]);
});

test('destroy() while it is paused', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { rawBytes: false });
  ours.pause();
  const log = logOf(ours);
  conn.on('error', () => {});
  conn.resume();
  conn.write(frame('dropped'));
  await turns(20);
  ours.destroy();
  await closed(ours);
  assert.deepEqual(log, [['close']]);
});

test(
  'a peer that is gone shows while it is paused, where something waits for it',
  opts,
  async (t) => {
    const { ours, conn } = await messageKit(t).pair('server', { rawBytes: false });
    const log = logOf(ours);
    ours.on('data', () => {
      while (ours.send('x'.repeat(100_000)));
      ours.pause();
    });
    ours.on('drain', () => ours.resume());
    conn.on('error', () => {});
    conn.pause();
    conn.write(frame('go on'));
    await until(() => ours.bufferedAmount > 0 && log.length > 0);
    conn.resetAndDestroy();
    await closed(ours);
    assert.deepEqual(
      log.map(([name]) => name),
      ['data', 'error', 'close'],
    );
  },
);

test('idleTimeout goes on while it is paused', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { idleTimeout: 0.2 });
  ours.pause();
  conn.resume();
  const log = logOf(ours);
  await closed(ours);
  assert.deepEqual(log, [['close']]);
});

test('a client’s next connection is not paused', opts, async (t) => {
  const m = messageKit(t);
  const { ours, conn, listening } = await m.pair('client', {
    rawBytes: false,
    reconnectOnDrop: true,
    reconnectInterval: 1,
  });
  const log = logOf(ours);
  ours.pause();
  const accepted = once(listening, 'connection');
  conn.end(frame('first'));
  await turns(20);
  assert.deepEqual(log, []);
  ours.resume();
  const [next] = await accepted;
  await until(() => ours.isOpen());
  assert.deepEqual(dataOf(log), ['first']);
  ours.pause();
  next.destroy();
  await turns(20);
  assert.ok(ours.isOpen(), 'the end waits');
  const [third] = await Promise.all([once(listening, 'connection'), ours.resume()]);
  third[0].write(frame('third'));
  await until(() => dataOf(log).length === 2);
  assert.deepEqual(dataOf(log), ['first', 'third']);
  // Nothing happens while there is no connection.
  ours.close();
  await closed(ours);
  ours.pause();
  ours.open();
  const [fourth] = await once(listening, 'connection');
  fourth.write(frame('fourth'));
  await until(() => dataOf(log).length === 3);
});

test('a listener that throws does not keep what was held from coming', opts, async () => {
  const { runJson } = require('./helpers/child');
  const { uncaught, values } = await runJson('message-events', ['throwing data after a pause']);
  assert.deepEqual(uncaught, ['2', '4']);
  assert.deepEqual(values, [1, 2, 3, 4, 5]);
});

test('a server that echoes bounds itself with pause() and drain', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', {
    rawBytes: false,
    sendBufferSize: 16 * KiB,
    receiveBufferSize: 16 * KiB,
  });
  let most = 0;
  ours.on('data', (text) => {
    if (!ours.send(text)) ours.pause();
    most = Math.max(most, ours.bufferedAmount);
  });
  ours.on('drain', () => ours.resume());
  // It sends, and does not read.
  const message = frame('x'.repeat(1000));
  const total = 10_000;
  const all = Buffer.concat(Array.from({ length: total }, () => message));
  conn.pause();
  conn.write(all);
  await until(() => most > 64 * KiB);
  await turns(200);
  assert.ok(conn.writableLength > 0, 'the peer waits');
  assert.ok(most < 128 * KiB, `${most} bytes`);
  const echoed = readBytes(conn, all.length);
  conn.resume();
  assert.ok((await echoed).equals(all));
  assert.ok(most < 128 * KiB, `${most} bytes`);
});

for (const side of ['client', 'server']) {
  test(`maxBufferedAmount: a peer that does not read is let go (${side})`, opts, async (t) => {
    const { ours, conn } = await messageKit(t).pair(side, {
      maxBufferedAmount: MiB,
      reconnectOnDrop: true,
      sendBufferSize: 16 * KiB,
    });
    conn.on('error', () => {});
    const log = logOf(ours);
    const failed = told(ours, 'error');
    const message = 'x'.repeat(10 * KiB);
    let most = 0;
    let sends = 0;
    while (ours.isOpen()) {
      const mayGoOn = ours.send(message);
      most = Math.max(most, ours.bufferedAmount);
      if (!ours.isOpen()) assert.equal(mayGoOn, false);
      if (++sends % 100 === 0) await turn();
      assert.ok(sends < 10_000);
    }
    assert.ok(most <= MiB, `${most} bytes`);
    assert.equal(ours.bufferedAmount, 0);
    const [text, err] = await failed;
    assert.equal(err.code, 'ERR_MESSAGE_BUFFER_FULL');
    assert.match(text, /maxBufferedAmount \(1048576\).*'drain'.*pause\(\)/);
    await closed(ours);
    await turns(20);
    assert.deepEqual(log, [['error', text], ['close']]);
  });
}

test(
  'maxBufferedAmount: what the system takes does not wait, and what waits for open() is not counted',
  opts,
  async (t) => {
    const m = messageKit(t);
    const listening = await m.rawServer();
    const client = m.client(listening.address().port, { maxBufferedAmount: 1000 });
    const log = logOf(client);
    client.send('x'.repeat(5000));
    client.open();
    const [conn] = await once(listening, 'connection');
    await readBytes(conn, 5000);
    await until(() => client.isOpen());
    for (let i = 0; i < 100; i++) client.send('y'.repeat(500));
    await readBytes(conn, 50_000);
    assert.deepEqual(errorsOf(log), []);
    assert.ok(client.isOpen());
  },
);
