'use strict';

/** A `UDPSocket`'s promises and streams. */

const assert = require('node:assert/strict');
const { Blob } = require('node:buffer');
const { test } = require('node:test');
const { HOST, TIMEOUT, event, log, throwsDom, turn, udpKit, until, web } = require('./helpers/udp');

const opts = { timeout: TIMEOUT };

test('opened says where it is bound, and closed that it was closed', opts, async (t) => {
  const socket = udpKit(t).bind({ localAddress: HOST, remoteAddress: HOST, remotePort: 9 });
  const info = await socket.opened;
  assert.deepEqual(
    [info.localAddress, info.localPort, info.remoteAddress, info.remotePort],
    [HOST, socket.localPort, HOST, 9],
  );
  assert.equal(socket.opened, socket.opened);
  assert.ok(info.readable instanceof ReadableStream);
  assert.equal(info.readable, info.readable);
  assert.ok(info.writable instanceof WritableStream);
  socket.close();
  assert.equal(await socket.closed, undefined);
});

test('the readable stream has datagrams with their sources, and takes over', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind();
  const { socket: theirs, port } = await peer();
  const events = log(socket);
  const { readable } = await socket.opened;
  for (const text of ['one', '', 'three']) theirs.send(text, socket.localPort, HOST);
  const texts = [];
  for await (const { data, remoteAddress, remotePort } of readable.values({
    preventCancel: true,
  })) {
    assert.ok(data instanceof Uint8Array);
    assert.equal(Object.getPrototypeOf(data), Uint8Array.prototype);
    assert.deepEqual([remoteAddress, remotePort], [HOST, port]);
    texts.push(Buffer.from(data).toString());
    if (texts.length === 3) break;
  }
  assert.deepEqual(texts, ['one', '', 'three']);
  assert.deepEqual(events, []);
  const reader = readable.getReader();
  const rest = reader.read();
  socket.close();
  assert.deepEqual(await rest, { done: true, value: undefined });
});

test('a reader that reads nothing stops the socket, not the process', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind();
  const { socket: theirs } = await peer();
  const { readable } = await socket.opened;
  const payload = Buffer.alloc(1000);
  let sent = 0;
  // Until the system has to drop: so much is never kept by us.
  while (socket.dropCounts().system === 0) {
    for (let i = 0; i < 100; i++) {
      theirs.send(payload, socket.localPort, HOST);
      sent++;
    }
    await turn();
    assert.ok(sent < 100_000, 'the system never drops');
    if (socket.dropCounts().system === null) {
      t.skip('the system does not tell what it drops');
      return;
    }
  }
  await turn();
  const { system } = socket.dropCounts();
  let read = 0;
  const reader = readable.getReader();
  const last = Buffer.from('last');
  // What was kept is still there, and no more than the bounds say.
  const timer = setInterval(() => theirs.send(last, socket.localPort, HOST), 20);
  t.after(() => clearInterval(timer));
  for (;;) {
    const { value } = await reader.read();
    if (value.data.length === last.length) break;
    read++;
  }
  assert.ok(read + system <= sent);
  assert.ok(read < 2500, `${read} datagrams were kept`);
});

test('a cancelled stream receives nothing more', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind();
  const { socket: theirs } = await peer();
  const events = log(socket);
  const { readable } = await socket.opened;
  await readable.cancel();
  theirs.send('x', socket.localPort, HOST);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(events, []);
  assert.equal(socket.readyState, 'open');
});

test('the writable stream sends', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const other = await peer();
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: port });
  const { writable } = await socket.opened;
  const writer = writable.getWriter();
  await writer.write({ data: 'one' });
  await writer.write({ data: new Uint8Array([50]), remoteAddress: HOST, remotePort: other.port });
  await writer.write('three');
  await writer.write(new Blob(['four']));
  for (let i = 0; i < 30; i++) await writer.write(Buffer.alloc(10_000));
  await writer.close();
  await theirs.atLeast(3);
  assert.deepEqual(theirs.texts().slice(0, 3), ['one', 'three', 'four']);
  await other.received.atLeast(1);
  assert.deepEqual(other.received.texts(), ['2']);
  assert.equal(socket.readyState, 'open');
});

test('a write waits while much does', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port } = await peer();
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: port });
  const writer = (await socket.opened).writable.getWriter();
  const drained = event(socket, 'drain');
  socket.send(new Uint8Array(40_000));
  await writer.write(new Uint8Array(40_000));
  assert.equal(socket.bufferedAmount, 0);
  await drained;
});

test('what cannot be sent fails the stream', opts, async (t) => {
  const { bind } = udpKit(t);
  const writer = (await bind().opened).writable.getWriter();
  writer.closed.catch(() => {});
  await assert.rejects(writer.write({ data: 5 }), { name: 'InvalidAccessError' });
  const other = bind();
  const aborted = (await other.opened).writable.getWriter();
  aborted.closed.catch(() => {});
  await aborted.abort();
  assert.equal(other.readyState, 'closed');
});

test('a closed socket ends its streams', opts, async (t) => {
  const { bind } = udpKit(t);
  const socket = bind();
  const { readable, writable } = await socket.opened;
  const reader = readable.getReader();
  const writer = writable.getWriter();
  writer.closed.catch(() => {});
  socket.close();
  await reader.closed;
  await assert.rejects(writer.write('x'), { name: 'InvalidStateError' });
  // Those that are asked for afterwards are at their end from the start.
  const late = bind();
  const info = await late.opened;
  late.close();
  assert.equal((await info.readable.getReader().read()).done, true);
  await assert.rejects(info.writable.getWriter().closed, { name: 'InvalidStateError' });
});

test('signal: aborted from the start, the constructor throws its reason', opts, () => {
  const reason = new Error('no');
  assert.throws(() => new web.UDPSocket({ signal: AbortSignal.abort(reason) }), reason);
});

test('signal: aborted later on, the socket fails', opts, async (t) => {
  const controller = new AbortController();
  const socket = udpKit(t).bind({ localAddress: HOST, signal: controller.signal });
  const events = log(socket);
  const { readable } = await socket.opened;
  const failed = event(socket, 'error');
  controller.abort('because');
  assert.equal(socket.readyState, 'closed');
  assert.deepEqual(events, []);
  const { error } = await failed;
  assert.equal(error.name, 'NetworkError');
  assert.equal(error.cause.name, 'AbortError');
  assert.equal(error.cause.cause, 'because');
  await assert.rejects(socket.closed, error);
  await assert.rejects(readable.getReader().read(), error);
  await turn();
  assert.deepEqual(events, ['error closed']);
  throwsDom(() => socket.send('x', HOST, 9), 'InvalidStateError');
});

test('a socket that is closed has no more to do with its signal', opts, async (t) => {
  const controller = new AbortController();
  const socket = udpKit(t).bind({ localAddress: HOST, signal: controller.signal });
  const events = log(socket);
  socket.close();
  controller.abort();
  await until(() => socket.readyState === 'closed');
  await turn();
  assert.deepEqual(events, []);
});

test('the close of the writable waits for names and Blobs', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { socket: theirs, port } = await peer();
  const received = [];
  theirs.on('message', (message) => received.push(String(message)));
  const socket = bind();
  const { writable } = await socket.opened;
  const writer = writable.getWriter();
  const to = { remoteAddress: 'localhost', remotePort: port };
  await writer.write({ data: 'by name', ...to });
  await writer.write({ data: new Blob(['a Blob']), ...to });
  await writer.write({ data: '', ...to });
  await writer.close();
  assert.equal(socket.bufferedAmount, 0);
  socket.close();
  await until(() => received.length === 3);
  assert.deepEqual(received, ['by name', 'a Blob', '']);
});
