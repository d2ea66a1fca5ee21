'use strict';

/** What is sent and received. The numbers are those of the acceptance cases of the contract. */

const assert = require('node:assert/strict');
const { Blob } = require('node:buffer');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const timers = require('node:timers/promises');
const { test } = require('node:test');
const {
  TIMEOUT,
  collect,
  event,
  readAll,
  readBytes,
  record,
  throwsDom,
  turn,
  until,
  webKit,
} = require('./helpers/web');
const { runJson } = require('./helpers/child');
const { Sender } = require('../lib/web/sender');

const opts = { timeout: TIMEOUT };
const LIMIT = 65_536;

test('10: text is UTF-8, and counted as that', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const received = readBytes(theirs, 6);
  assert.equal(socket.send('h\u00E9\u20AC'), true);
  assert.equal(socket.bufferedAmount, 6);
  assert.equal(String(await received), 'h\u00E9\u20AC');
  await until(() => socket.bufferedAmount === 0);
});

test('10b: lone surrogates are U+FFFD each, also side by side', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const received = readAll(theirs);
  socket.send('\uD83D');
  socket.send('\uDE00');
  assert.equal(socket.bufferedAmount, 6);
  socket.send('\u{1F600}');
  assert.equal(socket.bufferedAmount, 10);
  socket.send('x\uDE00y');
  socket.close();
  assert.equal(String(await received), '\uFFFD\uFFFD\u{1F600}x\uFFFDy');
  theirs.end();
});

test('10c: texts of every length', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const received = readAll(theirs);
  let expected = '';
  for (const length of [0, 1, 127, 128, 129, 4096, 10_922, 32_768, 32_769, 200_000]) {
    for (const letter of ['a', '\u00E9', '\u20AC']) {
      const text = letter.repeat(length);
      const before = socket.bufferedAmount;
      socket.send(text);
      assert.equal(socket.bufferedAmount - before, Buffer.byteLength(text));
      expected += text;
    }
  }
  socket.close();
  assert.ok(String(await received) === expected);
  theirs.end();
});

test('11: an ArrayBuffer, and of views the part they cover', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const received = readAll(theirs);
  const bytes = Uint8Array.from({ length: 26 }, (_, i) => 97 + i);
  socket.send(bytes.buffer);
  socket.send(new Uint8Array(bytes.buffer, 2, 3));
  socket.send(new DataView(bytes.buffer, 5, 2));
  socket.send(Buffer.from('0123456789').subarray(3, 6));
  socket.send(new Uint16Array(bytes.buffer, 10, 2));
  socket.send(new Float64Array(0));
  socket.send(new ArrayBuffer(0));
  assert.equal(socket.bufferedAmount, 26 + 3 + 2 + 3 + 4);
  socket.close();
  assert.equal(String(await received), 'abcdefghijklmnopqrstuvwxyzcdefg345klmn');
  theirs.end();
});

test('12: a Blob, what comes behind it, then the end', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const received = readAll(theirs);
  socket.send('a');
  const blob = new Blob(['blob ', 'bytes']);
  assert.equal(socket.send(blob), true);
  assert.equal(socket.bufferedAmount, 11);
  socket.send('b');
  socket.send(new Blob([]));
  socket.send(new Blob(['c']));
  socket.send(new Uint8Array([100]));
  assert.equal(socket.bufferedAmount, 14);
  const closed = event(socket, 'close');
  socket.close();
  assert.equal(String(await received), 'ablob bytesbcd');
  theirs.end();
  await closed;
  assert.equal(socket.bufferedAmount, 0);
});

test('12b: a large Blob in order, with a drain when all is sent', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const received = readAll(theirs);
  const log = record(socket);
  const piece = Buffer.alloc(3_000_000, 'x');
  assert.equal(socket.send(new Blob([piece])), false);
  assert.equal(socket.bufferedAmount, piece.length);
  assert.equal(socket.send('end'), false);
  socket.halfclose();
  assert.ok((await received).equals(Buffer.concat([piece, Buffer.from('end')])));
  await until(() => log.length > 0);
  assert.deepEqual(log, ['drain halfclosed']);
  assert.equal(socket.bufferedAmount, 0);
});

test('12c: a Blob that cannot be read closes the socket', opts, async (t) => {
  const { socket } = await webKit(t).pair();
  const log = record(socket);
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'web-')), 'file');
  t.after(() => fs.rmSync(path.dirname(file), { recursive: true }));
  fs.writeFileSync(file, 'contents');
  const blob = await fs.openAsBlob(file);
  fs.writeFileSync(file, 'other contents, and longer');
  socket.send(blob);
  socket.send('behind');
  const { error } = await event(socket, 'error');
  assert.equal(error.name, 'NetworkError');
  assert.equal(error.cause.name, 'NotReadableError');
  await event(socket, 'close');
  assert.deepEqual(log, ['error closed', 'close closed']);
  assert.equal(socket.bufferedAmount, 0);
});

test('13: what cannot be sent', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const shared = new SharedArrayBuffer(1);
  const bad = [5, null, undefined, {}, [], true, 5n, Symbol.iterator, () => {}, new Date()];
  for (const data of [...bad, shared, new Uint8Array(shared), new DataView(shared)]) {
    const err = throwsDom(() => socket.send(data), 'InvalidAccessError');
    assert.equal(err.code, 15);
  }
  assert.throws(() => socket.send(), TypeError);
  assert.equal(socket.bufferedAmount, 0);
  assert.equal(socket.readyState, 'open');
  const received = readBytes(theirs, 2);
  socket.send('ok');
  assert.equal(String(await received), 'ok');
});

for (const size of [1, 1000, 40_000, 5_000_000]) {
  test(`14: ${size} bytes that change right after send()`, opts, async (t) => {
    const { socket, theirs } = await webKit(t).pair();
    const received = readAll(theirs);
    const bytes = new Uint8Array(size).fill(1);
    socket.send('x'); // something is staged before
    socket.send(bytes);
    bytes.fill(2);
    socket.send(bytes.buffer);
    bytes.fill(3);
    socket.close();
    const all = await received;
    assert.equal(all.length, 1 + 2 * size);
    assert.ok(all.subarray(1, 1 + size).every((byte) => byte === 1));
    assert.ok(all.subarray(1 + size).every((byte) => byte === 2));
    theirs.end();
  });
}

test('15: 65,536 bytes are little enough, more is not, and then one drain', opts, async (t) => {
  const k = webKit(t);
  const { socket, theirs } = await k.pair();
  theirs.resume();
  const log = record(socket);
  assert.equal(socket.send(new Uint8Array(LIMIT)), true);
  await until(() => socket.bufferedAmount === 0);
  await timers.setTimeout(50);
  assert.deepEqual(log, []);

  const other = await k.pair();
  other.theirs.resume();
  const amounts = [];
  other.socket.ondrain = () => amounts.push(other.socket.bufferedAmount);
  assert.equal(other.socket.send(new Uint8Array(LIMIT + 3)), false);
  assert.equal(other.socket.bufferedAmount, LIMIT + 3);
  assert.deepEqual(amounts, []);
  await event(other.socket, 'drain');
  await timers.setTimeout(50);
  assert.deepEqual(amounts, [0]);
});

test('16: 20 sends of 100 bytes are no reason for a drain', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const log = record(socket);
  const received = readBytes(theirs, 2000);
  for (let i = 0; i < 20; i++) assert.equal(socket.send(new Uint8Array(100)), true);
  assert.equal(socket.bufferedAmount, 2000);
  await received;
  await until(() => socket.bufferedAmount === 0);
  await timers.setTimeout(50);
  assert.deepEqual(log, []);
});

test('bufferedAmount falls between turns, and never within one', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  assert.equal(socket.send(new Uint8Array(30_000_000)), false);
  const amounts = [];
  // Nothing reads: what the system takes is far less.
  await timers.setTimeout(50);
  const before = socket.bufferedAmount;
  assert.ok(before > LIMIT && before <= 30_000_000, String(before));
  theirs.resume();
  while (socket.bufferedAmount > 0) {
    const amount = socket.bufferedAmount;
    const deadline = performance.now() + 2;
    while (performance.now() < deadline) assert.equal(socket.bufferedAmount, amount);
    await Promise.resolve();
    assert.equal(socket.bufferedAmount, amount);
    if (amount !== amounts.at(-1)) amounts.push(amount);
    await timers.setTimeout(1);
  }
  assert.ok(amounts.every((amount, i) => i === 0 || amount < amounts[i - 1]));
});

test('sends of one tick leave in one segment, in order', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const chunks = [];
  theirs.on('data', (chunk) => chunks.push(String(chunk)));
  socket.send('a');
  socket.send(new Uint8Array([98]));
  socket.send('\u00E9');
  await Promise.resolve();
  socket.send('d');
  await until(() => chunks.join('').length === 4);
  assert.deepEqual(chunks, ['ab\u00E9d']);
});

test('17: 1 MB in ArrayBuffers of their own', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const sent = Buffer.from(
    Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 7 + (i >> 8)) % 251),
  );
  const buffers = [];
  socket.onmessage = ({ data }) => buffers.push(data);
  theirs.end(sent);
  await event(socket, 'close');
  assert.ok(buffers.every((data) => data.constructor === ArrayBuffer));
  assert.ok(buffers.every((data) => data.byteLength >= 1 && data.byteLength <= LIMIT));
  assert.equal(new Set(buffers).size, buffers.length);
  assert.ok(Buffer.concat(buffers.map((data) => new Uint8Array(data))).equals(sent));
});

test(
  '17b: a flood comes in pieces of at most 64 KiB, and small pieces stay small',
  opts,
  async (t) => {
    const { socket, theirs } = await webKit(t).pair();
    const sent = Buffer.from(
      Uint8Array.from({ length: 20_000_003 }, (_, i) => (i * 11 + (i >> 9)) % 253),
    );
    let total = 0;
    let largest = 0;
    socket.onmessage = ({ data }) => {
      largest = Math.max(largest, data.byteLength);
      const bytes = Buffer.from(data);
      const isSame = bytes.equals(sent.subarray(total, total + bytes.length));
      total += bytes.length;
      assert.ok(isSame, `other bytes before ${total}`);
      // It is the program's: what it does with it changes nothing.
      bytes.fill(0);
      structuredClone(data, { transfer: [data] });
    };
    theirs.write(sent);
    await until(() => total === sent.length);
    assert.equal(largest, LIMIT);
    socket.onmessage = null;
    const all = collect(socket);
    for (let i = 0; i < 20; i++) {
      theirs.write('x');
      await until(() => all.length === i + 1);
    }
    assert.deepEqual(
      all.chunks.map(({ buffer }) => buffer.byteLength),
      Array(20).fill(1),
    );
  },
);

test('there is no memory for what came: an error, and the connection is lost', opts, async () => {
  const { log, cause } = await runJson('web-no-memory');
  assert.deepEqual(log, ['error closed NetworkError', 'close closed']);
  assert.equal(cause, 'RangeError');
});

test('more than maxBufferedAmount closes the socket', opts, async (t) => {
  const k = webKit(t);
  const { socket, theirs } = await k.pair({ maxBufferedAmount: 100 });
  const log = record(socket);
  assert.equal(socket.send(new Uint8Array(60)), true);
  assert.equal(socket.send('x'.repeat(40)), true);
  assert.equal(socket.send('y'), false);
  assert.equal(socket.readyState, 'closed');
  assert.equal(socket.bufferedAmount, 0);
  assert.deepEqual(log, []);
  const { error } = await event(socket, 'error');
  assert.equal(error.name, 'NetworkError');
  assert.ok(error.cause instanceof RangeError);
  await event(socket, 'close');
  assert.deepEqual(log, ['error closed', 'close closed']);
  theirs.destroy();

  const other = await k.pair({ maxBufferedAmount: 5 });
  assert.equal(other.socket.send(new Blob(['123456'])), false);
  assert.equal(other.socket.readyState, 'closed');
  await event(other.socket, 'error');
});

test('what the system has taken since counts for send() as well', opts, async () => {
  let queued = 0;
  const handle = {
    write: (bytes) => (queued = bytes.length),
    queued: () => queued,
    get hasQueued() {
      return queued > 0;
    },
  };
  const sender = new Sender({ onsent() {}, ondrained() {}, onsendfailed: assert.fail }, 200_000);
  sender.open(handle);
  assert.equal(sender.send(new Uint8Array(150_000)), false);
  await turn();
  queued = 10_000;
  assert.equal(sender.send(new Uint8Array(50_000)), true);
  assert.equal(sender.bufferedAmount, 60_000);
  await turn();
  queued = 20_000;
  assert.equal(sender.send(new Uint8Array(140_000)), null);
  assert.equal(sender.send(new Uint8Array(130_000)), false);
});

test('memory that is detached, and Blobs that are none, are no data', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const detached = (make) => {
    const data = make(new ArrayBuffer(8));
    structuredClone(null, { transfer: [data.buffer ?? data] });
    return data;
  };
  for (const data of [
    detached((buffer) => buffer),
    detached((buffer) => new Uint8Array(buffer)),
    detached((buffer) => new Uint16Array(buffer)),
    detached((buffer) => new DataView(buffer)),
    Object.create(Blob.prototype),
  ]) {
    throwsDom(() => socket.send(data), 'InvalidAccessError');
  }
  const received = readBytes(theirs, 1);
  socket.send('x');
  assert.equal(String(await received), 'x');
});

test('a view that lies about its length sends its own bytes', opts, async (t) => {
  class Liar extends Uint8Array {
    get length() {
      return 100;
    }
  }
  const { socket, theirs } = await webKit(t).pair();
  const received = readBytes(theirs, 6 + 2 + 40_000);
  socket.send('secret');
  socket.send(Liar.of(65, 66));
  socket.send(new Liar(40_000).fill(67));
  assert.equal(String(await received), `secretAB${'C'.repeat(40_000)}`);
});

test('ten thousands of small ones behind a Blob, in their order', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair({ maxBufferedAmount: 10_000_000 });
  const texts = Array.from({ length: 50_000 }, (_, i) => `${i} `);
  const expected = `Blob${texts.join('')}${'x'.repeat(40_000)}end`;
  const received = readBytes(theirs, expected.length);
  // One whose end comes in a later tick than its bytes.
  const blob = Object.assign(new Blob(['Blob']), {
    stream: () =>
      new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from('Blob')),
        async pull(controller) {
          await turn();
          controller.close();
        },
      }),
  });
  socket.send(blob);
  for (const text of texts) socket.send(text);
  socket.send('x'.repeat(40_000));
  socket.send(new Blob(['en']));
  socket.send('d');
  assert.ok((await received).equals(Buffer.from(expected)));
});
