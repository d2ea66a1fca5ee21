'use strict';

/** How connections end: what still arrives, what is told, and that nothing is destroyed by a reset. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  TIMEOUT,
  closed,
  dataOf,
  errorsOf,
  framesIn,
  hex,
  logOf,
  messageKit,
  once,
  readAll,
  told,
  turn,
  until,
} = require('./helpers/messages');

const opts = { timeout: TIMEOUT };
const MiB = 1024 * 1024;

test('B8: all data, then close once', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { receiveType: 'short' });
  const log = logOf(ours);
  conn.end(hex('0001 0002 ffff'));
  await closed(ours);
  await turn();
  assert.deepEqual(log, [['data', 1], ['data', 2], ['data', -1], ['close']]);
  assert.equal(ours.isOpen(), false);
});

test('a reset is an error with its code, then close', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('client');
  const log = logOf(ours);
  const failed = told(ours, 'error');
  conn.resetAndDestroy();
  const [text, err] = await failed;
  assert.equal(text, 'read ECONNRESET');
  assert.equal(err.code, 'ECONNRESET');
  await closed(ours);
  assert.deepEqual(log, [['error', 'read ECONNRESET'], ['close']]);
});

for (const size of [10, 100_000]) {
  test(`what close() cannot send any more is an error (${size} bytes)`, opts, async (t) => {
    const { ours, conn } = await messageKit(t).pair('client');
    const log = logOf(ours);
    // The system knows of the reset at once, the engine tells of it later.
    conn.resetAndDestroy();
    ours.send('x'.repeat(size));
    ours.close();
    await closed(ours);
    assert.equal(log.length, 2, JSON.stringify(log));
    assert.match(log[0][1], /^write (ECONNRESET|EPIPE)$/);
    assert.deepEqual(log[1], ['close']);
  });
}

test('close() is asynchronous, and twice is once', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('client');
  conn.resume();
  const log = logOf(ours);
  assert.equal(ours.close(), undefined);
  ours.close();
  assert.deepEqual(log, []);
  await closed(ours);
  ours.close();
  for (let i = 0; i < 5; i++) await turn();
  assert.deepEqual(log, [['close']]);
});

for (const side of ['client', 'server']) {
  test(
    `what was sent before close() arrives: megabytes, a slow reader (${side})`,
    opts,
    async (t) => {
      const { ours, conn } = await messageKit(t).pair(side, { sendType: 'image', rawBytes: false });
      const log = logOf(ours);
      const message = Buffer.alloc(300_000);
      for (let i = 0; i < message.length; i++) message[i] = i;
      for (let i = 0; i < 40; i++) ours.send(message);
      ours.send(Buffer.from('the last'));
      ours.close();
      let got = 0;
      const chunks = [];
      conn.on('data', (chunk) => {
        chunks.push(chunk);
        got += chunk.length;
        // Now and then it rests.
        if (got % 7 === 0) {
          conn.pause();
          setTimeout(() => conn.resume(), 5);
        }
      });
      await once(conn, 'end');
      const frames = framesIn(Buffer.concat(chunks));
      assert.equal(frames.length, 41);
      for (const frame of frames.slice(0, 40)) assert.ok(frame.equals(message));
      assert.equal(String(frames[40]), 'the last');
      await until(() => log.length > 0);
      assert.deepEqual(log, [['close']]);
    },
  );

  test(
    `close() while the peer sends: no reset destroys what we sent (${side})`,
    opts,
    async (t) => {
      const { ours, conn } = await messageKit(t).pair(
        side,
        { sendType: 'image', receiveType: 'image' },
        { allowHalfOpen: true },
      );
      const log = logOf(ours);
      let isReset = false;
      conn.on('error', () => (isReset = true));
      // Megabytes that nobody at our end is going to read.
      const flood = Buffer.alloc(4 * MiB, 1);
      conn.write(flood);
      ours.send(Buffer.alloc(4 * MiB, 2));
      ours.close();
      const all = await readAll(conn);
      assert.equal(all.length, 4 * MiB);
      conn.end();
      await closed(ours);
      assert.equal(isReset, false);
      assert.deepEqual(errorsOf(log), []);
      assert.deepEqual(
        dataOf(log).filter((bytes) => bytes.length === 0),
        [],
      );
    },
  );
}

test('the peer ends while much of ours is queued: it arrives all the same', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair(
    'server',
    { sendType: 'image' },
    { allowHalfOpen: true },
  );
  const log = logOf(ours);
  for (let i = 0; i < 8; i++) ours.send(Buffer.alloc(MiB, i));
  conn.end();
  for (let i = 0; i < 20; i++) await turn();
  const all = await readAll(conn);
  assert.equal(all.length, 8 * MiB);
  await until(() => log.length > 0);
  assert.deepEqual(log, [['close']]);
});

test('a peer that never ends its half is let go after two seconds', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('client', {}, { allowHalfOpen: true });
  conn.on('error', () => {});
  conn.resume();
  const log = logOf(ours);
  const start = performance.now();
  ours.send('bye');
  ours.close();
  await closed(ours);
  assert.ok(performance.now() - start > 1900);
  assert.deepEqual(log, [['close']]);
});

test('a peer that has ended already, and one that is gone', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('client', {}, { allowHalfOpen: true });
  const log = logOf(ours);
  ours.send('x'.repeat(MiB));
  ours.close();
  for (let i = 0; i < 5; i++) await turn();
  conn.resetAndDestroy();
  await closed(ours);
  // The peer may not have got all: that is said.
  assert.ok(log.length === 1 || /ECONNRESET|EPIPE/.test(log[0][1]), JSON.stringify(log));
  assert.deepEqual(log.at(-1), ['close']);
});

test('close() in a data listener: nothing comes after it', opts, async (t) => {
  for (const options of [{ rawBytes: false }, { receiveType: 'byte' }]) {
    const { ours, conn } = await messageKit(t).pair('server', options);
    const log = logOf(ours);
    let count = 0;
    ours.on('data', () => {
      if (++count === 3) ours.close();
    });
    conn.write('\u0001a'.repeat(10_000));
    conn.resume();
    await closed(ours);
    for (let i = 0; i < 5; i++) await turn();
    assert.equal(log.length, 4);
    assert.deepEqual(log.at(-1), ['close']);
  }
});

test('close() in an error listener', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', {
    rawBytes: false,
    receiveType: 'int',
  });
  const log = logOf(ours);
  ours.on('error', () => ours.close());
  conn.resume();
  conn.write(hex('04 00000001 01 00 04 00000002'));
  await closed(ours);
  assert.deepEqual(
    log.map(([name]) => name),
    ['data', 'error', 'close'],
  );
});

test('close() right after open: what the connection listener sends arrives', opts, async (t) => {
  const m = messageKit(t);
  const { server, port } = await m.server({ rawBytes: false });
  server.on('connection', (socket) => {
    socket.send('hello');
    socket.send('good bye');
    socket.close();
  });
  const conn = await m.raw(port);
  assert.deepEqual(framesIn(await readAll(conn)).map(String), ['hello', 'good bye']);
});

test('B12: idleTimeout', opts, async (t) => {
  const m = messageKit(t);
  for (const side of ['client', 'server']) {
    const start = performance.now();
    const { ours, conn } = await m.pair(side, { idleTimeout: 1 });
    conn.resume();
    const log = logOf(ours);
    await closed(ours);
    assert.ok(performance.now() - start >= 990, 'not before its time');
    assert.deepEqual(log, [['close']]);
  }
});

/** Something every 100 ms for 1.5 seconds: an idle time of 1 s does not pass. */
async function keepBusy(act) {
  for (let i = 0; i < 15; i++) {
    act(i);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

for (const [how, options, act] of [
  ['the peer sends', {}, ({ conn }) => conn.write('x')],
  ['we send', {}, ({ ours }) => ours.send('x')],
  ['parts of a message come', { rawBytes: false }, ({ conn }, i) => conn.write(i ? 'x' : '\u0064')],
  ['images come', { receiveType: 'image' }, ({ conn }) => conn.write('x')],
]) {
  test(`B12: idleTimeout begins anew when ${how}`, opts, async (t) => {
    const { ours, conn } = await messageKit(t).pair('client', { idleTimeout: 1, ...options });
    conn.resume();
    ours.on('error', () => {});
    const start = performance.now();
    let time = 0;
    ours.on('close', () => (time = performance.now() - start));
    await keepBusy((i) => act({ ours, conn }, i));
    await until(() => time > 0);
    assert.ok(time > 2000, `closed after ${time} ms`);
  });
}

test('the process is not kept by anything after the close', opts, async () => {
  const { run } = require('./helpers/child');
  for (const scenario of ['closed', 'linger']) {
    const { code, stdout, timedOut, stderr } = await run('message-exit', [scenario]);
    assert.equal(timedOut, false, scenario);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.replace('still here\n', ''), 'close\n', scenario);
  }
});

const WAITING = 16 * MiB;

/** One of ours with more to send than the system takes, and a peer that reads nothing. */
async function stuckPair(t, options) {
  const m = messageKit(t);
  const made = await m.pair('server', { sendType: 'image', sendBufferSize: 16 * 1024, ...options });
  made.conn.on('error', () => {});
  made.log = logOf(made.ours);
  for (let sent = 0; sent < WAITING; sent += MiB) made.ours.send(Buffer.alloc(MiB));
  assert.ok(made.ours.bufferedAmount > 0);
  return made;
}

/** The peer reads at last: it gets what was with the system, and no more. */
async function assertCut(conn) {
  let got = 0;
  conn.on('data', (chunk) => (got += chunk.length));
  await closed(conn);
  assert.ok(got < WAITING, `${got} bytes`);
}

for (const isClosing of [false, true]) {
  const when = isClosing ? 'while closing' : 'while open';
  test(`idleTimeout closes a connection whose peer reads nothing, ${when}`, opts, async (t) => {
    const { ours, conn, log, server } = await stuckPair(t, { idleTimeout: 0.3 });
    if (isClosing) ours.close();
    await closed(ours);
    assert.deepEqual(log, [['close']]);
    assert.equal(ours.bufferedAmount, 0);
    assert.deepEqual(server.connections, []);
    await assertCut(conn);
  });
}

for (const isClosing of [false, true]) {
  const when = isClosing ? 'that is closing' : 'that is open';
  test(`destroy() drops what waits, of a connection ${when}`, opts, async (t) => {
    const { ours, conn, log } = await stuckPair(t);
    if (isClosing) ours.close();
    assert.equal(ours.destroy(), undefined);
    ours.destroy();
    ours.close();
    assert.equal(ours.isOpen(), false);
    assert.equal(ours.bufferedAmount, 0);
    assert.deepEqual(log, []);
    await closed(ours);
    await turn();
    assert.deepEqual(log, [['close']]);
    await assertCut(conn);
  });
}

test('destroy() where nothing waits is no reset', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server');
  const all = readAll(conn);
  ours.send('hello');
  // It leaves at the end of the tick.
  await turn();
  ours.destroy();
  assert.equal(String(await all), 'hello');
});

test('destroy() lets stop() end where a peer reads nothing', opts, async (t) => {
  const { server, ours } = await stuckPair(t);
  server.stop();
  for (const each of server.connections) each.destroy();
  await closed(server);
  assert.equal(ours.isOpen(), false);
});

test('destroy() of a client that is new, connecting, closed', opts, async (t) => {
  const m = messageKit(t);
  const listening = await m.rawServer();
  const ours = m.client(listening.address().port);
  const log = logOf(ours);
  ours.on('open', () => log.push(['open']));
  ours.send('dropped');
  ours.destroy();
  assert.equal(ours.bufferedAmount, 0);
  ours.open();
  ours.destroy();
  await closed(ours);
  ours.destroy();
  for (let i = 0; i < 5; i++) await turn();
  assert.deepEqual(log, [['close']]);
  ours.open();
  await told(ours, 'open');
  ours.destroy();
  await closed(ours);
  assert.deepEqual(log, [['close'], ['open'], ['close']]);
});
