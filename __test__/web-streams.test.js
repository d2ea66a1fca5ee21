'use strict';

/** `opened`, `closed`, and the streams. The number is that of the acceptance case of the contract. */

const assert = require('node:assert/strict');
const timers = require('node:timers/promises');
const { test } = require('node:test');
const { run } = require('./helpers/child');
const {
  HOST,
  TIMEOUT,
  event,
  once,
  peer,
  readAll,
  readBytes,
  record,
  stalled,
  until,
  web,
  webKit,
} = require('./helpers/web');

const { TCPSocket } = web;
const opts = { timeout: TIMEOUT };

async function readToEnd(stream) {
  const chunks = [];
  for await (const chunk of stream) {
    assert.equal(chunk.constructor, Uint8Array);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

test('35: opened has the addresses and the streams', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const info = await socket.opened;
  assert.equal(socket.opened, socket.opened);
  const { localAddress, localPort, remoteAddress, remotePort } = info;
  assert.deepEqual(
    { localAddress, localPort, remoteAddress, remotePort },
    {
      localAddress: HOST,
      localPort: theirs.remotePort,
      remoteAddress: HOST,
      remotePort: theirs.localPort,
    },
  );
  assert.ok(info.readable instanceof ReadableStream);
  assert.equal(info.readable, info.readable);
  assert.ok(info.writable instanceof WritableStream);
  assert.equal(info.writable, info.writable);
});

test('35b: promises that nobody looks at are no unhandled rejection', opts, async () => {
  const { code, stdout, stderr } = await run('web-unhandled');
  assert.deepEqual({ code, stderr, stdout }, { code: 0, stderr: '', stdout: 'error\nlost\n' });
});

test('opened and closed are rejected with the error', opts, async (t) => {
  const k = webKit(t);
  const socket = k.connect(await k.refusedPort());
  const failed = event(socket, 'error');
  await assert.rejects(socket.opened, { name: 'NetworkError' });
  const { error } = await failed;
  await assert.rejects(socket.closed, (reason) => reason === error);

  const { socket: other, theirs } = await k.pair();
  theirs.resetAndDestroy();
  await assert.rejects(other.closed, { name: 'NetworkError' });
  assert.equal((await other.opened).remoteAddress, HOST);
});

test(
  'closed is fulfilled with close; opened is rejected by close() before open',
  opts,
  async (t) => {
    const k = webKit(t);
    const { server, socket, theirs } = await k.pair();
    const log = record(socket);
    theirs.end();
    assert.equal(await socket.closed, undefined);
    assert.equal(log.at(-1), 'close closed');
    const other = k.connect(server.address().port);
    other.close();
    await assert.rejects(other.opened, { name: 'AbortError' });
    await other.closed;
  },
);

test('readable takes over from message events', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  theirs.write('first');
  const { data } = await event(socket, 'message');
  assert.equal(Buffer.from(data).toString(), 'first');
  const log = record(socket);
  const { readable } = await socket.opened;
  const sent = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 31) % 251));
  theirs.end(sent);
  assert.ok((await readToEnd(readable)).equals(sent));
  assert.deepEqual(log, ['halfclose open']);
  // Who reads a stream may answer behind its end.
  assert.equal(socket.readyState, 'open');
  const received = readAll(theirs);
  socket.send('answer');
  socket.close();
  assert.equal(String(await received), 'answer');
  await socket.closed;
});

test('a stream that nobody reads holds the peer back', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const { readable } = await socket.opened;
  const size = 50_000_000;
  theirs.end(Buffer.alloc(size));
  await stalled(theirs);
  let total = 0;
  for await (const { length } of readable) total += length;
  assert.equal(total, size);
});

test('readable with memory of the reader', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const { readable } = await socket.opened;
  const reader = readable.getReader({ mode: 'byob' });
  const reading = reader.read(new Uint8Array(3));
  theirs.write('abcde');
  assert.equal(Buffer.from((await reading).value).toString(), 'abc');
  assert.equal(Buffer.from((await reader.read(new Uint8Array(10))).value).toString(), 'de');
  const last = reader.read(new Uint8Array(10));
  theirs.end();
  assert.equal((await last).done, true);
});

for (const way of ['the peer ends', 'the program closes']) {
  test(`readable with memory for larger elements, and ${way} within one`, opts, async (t) => {
    const { socket, theirs } = await webKit(t).pair();
    const { readable } = await socket.opened;
    const reader = readable.getReader({ mode: 'byob' });
    theirs.write('abcde');
    assert.equal((await reader.read(new Uint32Array(2))).value.length, 1);
    const failed = assert.rejects(reader.read(new Uint32Array(2)), TypeError);
    if (way === 'the peer ends') {
      const ended = event(socket, 'halfclose');
      theirs.end();
      await ended;
    }
    socket.close();
    theirs.end();
    await Promise.all([failed, event(socket, 'close')]);
  });
}

test('readable is cancelled: what comes is thrown away, and the end is seen', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const { readable } = await socket.opened;
  const ended = event(socket, 'halfclose');
  await readable.cancel();
  theirs.end(Buffer.alloc(10_000_000));
  await ended;
  const received = readBytes(theirs, 2);
  socket.send('ok');
  assert.equal(String(await received), 'ok');
  socket.close();
  await socket.closed;
});

test('a lost connection fails the streams', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const { readable, writable } = await socket.opened;
  const reading = readable.getReader().read();
  const writer = writable.getWriter();
  theirs.resetAndDestroy();
  await assert.rejects(reading, { name: 'NetworkError' });
  await assert.rejects(writer.closed, { name: 'NetworkError' });
  await assert.rejects(writer.write('x'), { name: 'NetworkError' });
});

test('streams that are asked for at the end', opts, async (t) => {
  const k = webKit(t);
  const { socket, theirs } = await k.pair();
  theirs.end();
  await socket.closed;
  const info = await socket.opened;
  assert.equal((await readToEnd(info.readable)).length, 0);
  await assert.rejects(info.writable.getWriter().write('x'), { name: 'InvalidStateError' });

  const lost = await k.pair();
  lost.theirs.resetAndDestroy();
  await lost.socket.closed.catch(() => {});
  const { readable, writable } = await lost.socket.opened;
  await assert.rejects(readToEnd(readable), { name: 'NetworkError' });
  await assert.rejects(writable.getWriter().write('x'), { name: 'NetworkError' });
});

test('writable: all that can be sent, in order, and closing it ends our half', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const received = readAll(theirs);
  const { writable } = await socket.opened;
  const writer = writable.getWriter();
  const chunks = ['text', new Uint8Array([33]), new Blob(['blob']), new ArrayBuffer(1)];
  for (const chunk of chunks) writer.write(chunk);
  await writer.write(Buffer.alloc(200_000, 'z'));
  await writer.close();
  assert.equal(socket.readyState, 'halfclosed');
  assert.equal(String(await received), `text!blob\0${'z'.repeat(200_000)}`);
  theirs.end();
  await socket.closed;
});

test('writable: a write waits while the peer does not read', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const { writable } = await socket.opened;
  const writer = writable.getWriter();
  let written = 0;
  const writing = (async () => {
    for (let i = 0; i < 50; i++) {
      await writer.write(Buffer.alloc(1_000_000));
      written++;
    }
  })();
  let before;
  do {
    before = written;
    await timers.setTimeout(200);
  } while (written !== before);
  assert.ok(written < 50, String(written));
  assert.ok(socket.bufferedAmount <= 1_000_000);
  theirs.resume();
  await writing;
});

test('writable: what cannot be sent fails the stream, not the socket', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const { writable } = await socket.opened;
  await assert.rejects(writable.getWriter().write(5), { name: 'InvalidAccessError' });
  assert.equal(socket.readyState, 'open');
  const received = readBytes(theirs, 2);
  socket.send('ok');
  assert.equal(String(await received), 'ok');
});

test('writable: a write of more than maxBufferedAmount fails', opts, async (t) => {
  const { socket } = await webKit(t).pair({ maxBufferedAmount: 1000 });
  const { writable } = await socket.opened;
  const writer = writable.getWriter();
  await assert.rejects(writer.write(new Uint8Array(2000)), { name: 'NetworkError' });
  await assert.rejects(socket.closed, { name: 'NetworkError' });
});

test('writable: aborting it is closeImmediately()', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const failed = once(theirs, 'error');
  theirs.resume();
  const { writable } = await socket.opened;
  await writable.abort();
  assert.equal((await failed)[0].code, 'ECONNRESET');
  await socket.closed;
});

test('writable: aborting it does not wait for a peer that does not read', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  const { writable } = await socket.opened;
  const writer = writable.getWriter();
  const written = writer.write(Buffer.alloc(30_000_000));
  const failed = assert.rejects(written, { name: 'InvalidStateError' });
  await until(() => socket.bufferedAmount > 0);
  const reason = new Error('enough');
  await Promise.all([writer.abort(reason), failed, event(socket, 'close')]);
  await assert.rejects(writer.closed, (err) => err === reason);
  theirs.destroy();
});

test('writable: the program closes the socket', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair();
  theirs.on('end', () => theirs.end()).resume();
  const { readable, writable } = await socket.opened;
  const writer = writable.getWriter();
  socket.close();
  await assert.rejects(writer.closed, { name: 'InvalidStateError' });
  assert.equal((await readToEnd(readable)).length, 0);
  await socket.closed;
});

test('an echo of streams loses nothing', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const serving = (async () => {
    for await (const socket of (await server.opened).readable) {
      const { readable, writable } = await socket.opened;
      await readable.pipeTo(writable);
      server.close();
    }
  })();
  const theirs = k.own(peer.connect(server.localPort, HOST));
  const sent = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 17) % 251));
  theirs.end(sent);
  assert.ok((await readAll(theirs)).equals(sent));
  await serving;
});

test("a server's readable has its connections, and no connect any more", opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const { readable, localAddress, localPort } = await server.opened;
  assert.deepEqual(
    { localAddress, localPort },
    { localAddress: HOST, localPort: server.localPort },
  );
  const log = record(server);
  const clients = Array.from({ length: 10 }, () => k.own(peer.connect(localPort, HOST)));
  clients.forEach((client, i) => client.write(String(i)));
  const reader = readable.getReader();
  const seen = [];
  for (let i = 0; i < 10; i++) {
    const { value } = await reader.read();
    k.track(value);
    assert.ok(value instanceof TCPSocket);
    value.onmessage = ({ data }) => seen.push(Buffer.from(data).toString());
    // Whoever takes his time loses nothing: a connection is not read before it is taken.
    await timers.setTimeout(5);
  }
  await until(() => seen.length === 10);
  assert.deepEqual(seen.sort(), [...'0123456789']);
  assert.deepEqual(log, []);
  const rest = reader.read();
  server.close();
  assert.equal((await rest).done, true);
  await server.closed;
});

test(
  "a server's readable: who stops waiting leaves the next connection to who comes",
  opts,
  async (t) => {
    const k = webKit(t);
    const server = k.serve();
    const { readable } = await server.opened;
    const first = readable.getReader();
    const refused = assert.rejects(first.read(), TypeError);
    await timers.setImmediate();
    first.releaseLock();
    await refused;
    for (const text of ['one', 'two']) k.own(peer.connect(server.localPort, HOST)).write(text);
    await timers.setTimeout(50);
    const reader = readable.getReader();
    const seen = [];
    for (let i = 0; i < 2; i++) {
      const { value } = await reader.read();
      k.track(value);
      value.onmessage = ({ data }) => seen.push(Buffer.from(data).toString());
    }
    await until(() => seen.length === 2);
    assert.deepEqual(seen.sort(), ['one', 'two']);
  },
);

test("cancelling a server's readable closes it", opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const { readable } = await server.opened;
  const client = k.own(peer.connect(server.localPort, HOST));
  client.on('error', () => {});
  const gone = new Promise((resolve) => client.once('close', resolve));
  await once(client, 'connect');
  await timers.setTimeout(30);
  await readable.cancel();
  assert.equal(server.readyState, 'closed');
  await gone;
  await server.closed;
});

test(
  'what was written before halfclose() is done, and the writer hears of the end',
  opts,
  async (t) => {
    const { socket, theirs } = await webKit(t).pair();
    const { readable, writable } = await socket.opened;
    theirs.end();
    await readToEnd(readable);
    const received = readAll(theirs);
    const writer = writable.getWriter();
    const over = assert.rejects(writer.closed, { name: 'InvalidStateError' });
    const written = writer.write(new Uint8Array(200_000));
    await Promise.resolve();
    assert.ok(socket.bufferedAmount > 0);
    socket.halfclose();
    await written;
    await over;
    assert.equal((await received).length, 200_000);
    await socket.closed;
    await assert.rejects(writer.write(new Uint8Array(1)), { name: 'InvalidStateError' });
  },
);
