'use strict';

/** What is sent within one tick, by many connections, and by code that runs in the middle of sending. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const net = require('../lib/net');
const { HOST, TIMEOUT, framesIn, messageKit, readBytes, until } = require('./helpers/messages');

const opts = { timeout: TIMEOUT };

/** Different for each connection and message, and of about that length. */
const textOf = (name, i, length) => `${name}.${i} `.padEnd(length + (i % 7), 'abcdefghij');

/** What the raw end reads must be these texts. */
async function expectTexts(conn, texts) {
  const length = texts.reduce((sum, text) => sum + text.length + (text.length < 255 ? 1 : 5), 0);
  const bytes = await readBytes(conn, length);
  assert.deepEqual(framesIn(bytes).map(String), texts);
}

/** Ends of a server with `count` connections: ours and the raw ones, in the same order. */
async function crowd(m, count) {
  const { server, port } = await m.server({ rawBytes: false });
  const sockets = [];
  server.on('connection', (socket) => sockets.push(m.own(socket)));
  const conns = [];
  for (let n = 0; n < count; n++) conns.push(await m.raw(port));
  await until(() => sockets.length === count);
  const byPort = new Map(conns.map((conn) => [conn.localPort, conn]));
  return sockets.map((ours) => ({ ours, conn: byPort.get(ours.remotePort()) }));
}

// Up to 256 connections are sent for with one call; more, and longer texts, take other ways.
for (const [count, length] of [
  [3, 20],
  [3, 500],
  [30, 2000],
  [600, 500],
]) {
  test(`${count} connections by turns, texts of ${length}`, opts, async (t) => {
    const ends = await crowd(messageKit(t), count);
    // The more leaves whole, the more leaves at once the next time.
    for (let round = 0; round < 4; round++) {
      const texts = ends.map((_, n) => [0, 1, 2].map((i) => textOf(`${round}/${n}`, i, length)));
      const all = ends.map(({ conn }, n) => expectTexts(conn, texts[n]));
      for (const i of [0, 1, 2]) ends.forEach(({ ours }, n) => ours.send(texts[n][i]));
      await Promise.all(all);
    }
  });
}

/** A connection of net, whose callbacks of a tick run while that of messages has yet to end. */
async function netConnection(m) {
  const sink = await m.rawServer();
  sink.on('connection', (conn) => conn.resume());
  const socket = m.k.own(net.connect(sink.address().port, HOST));
  await once(socket, 'connect');
  return socket;
}

test('a write callback of net that sends messages: none is written over', opts, async (t) => {
  const m = messageKit(t);
  const socket = await netConnection(m);
  const [first, second, third] = await crowd(m, 3);
  const texts = ['A'.repeat(200), 'B'.repeat(1000), 'C'.repeat(5000)];
  const all = [first, second, third].map(({ conn }, n) => expectTexts(conn, [texts[n]]));
  socket.write('x', () => {
    second.ours.send(texts[1]);
    process.nextTick(() => third.ours.send(texts[2]));
  });
  first.ours.send(texts[0]);
  await Promise.all(all);
});

test('a write callback of net that sends much to a peer that has not read', opts, async (t) => {
  const m = messageKit(t);
  const socket = await netConnection(m);
  const [busy, other] = await crowd(m, 2);
  busy.conn.pause();
  other.conn.resume();
  const texts = [];
  const send = (count) => {
    for (let i = 0; i < count; i++) {
      const text = textOf('busy', texts.length, 20_000);
      texts.push(text);
      busy.ours.send(text);
    }
  };
  // Until the system takes no more; each time what the tick leaves queued is not known of in the callback.
  for (let round = 0; round < 30; round++) {
    socket.write('x', () => {
      for (let i = 0; i < 8; i++) other.ours.send('z'.repeat(20_000));
      send(60);
    });
    send(47);
    await new Promise((resolve) => socket.write('y', resolve));
    if (busy.ours.bufferedAmount > 4 * 1024 * 1024) break;
  }
  assert.ok(busy.ours.bufferedAmount > 0);
  const all = expectTexts(busy.conn, texts);
  busy.conn.resume();
  await all;
});

test('an array whose element sends messages when it is looked at', opts, async (t) => {
  const m = messageKit(t);
  const other = await m.pair('client', { rawBytes: false });
  const { ours, conn } = await m.pair('client', { rawBytes: false, sendType: 'byte' });
  const texts = Array.from({ length: 100 }, (_, i) => textOf('other', i, 30_000));
  const numbers = [65, 0, 67];
  let looked = 0;
  Object.defineProperty(numbers, 1, {
    get() {
      looked++;
      for (const text of texts) other.ours.send(text);
      return 66;
    },
  });
  const all = Promise.all([expectTexts(other.conn, texts), expectTexts(conn, ['ABC'])]);
  ours.send(numbers);
  await all;
  assert.equal(looked, 1);
});
