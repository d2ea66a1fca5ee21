'use strict';

/** What a `UDPSocket` receives. The numbers are those of the acceptance cases of the contract. */

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { test } = require('node:test');
const { HOST, TIMEOUT, event, log, received, turn, udpKit, until, web } = require('./helpers/udp');

const opts = { timeout: TIMEOUT };

test('datagrams come whole, in order, in memory of their own', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind();
  const { socket: theirs, port } = await peer();
  const events = [];
  socket.onmessage = (message) => events.push(message);
  const sizes = [0, 1, 63, 64, 65, 1400, 9000, 65_507, 3, 0];
  for (const size of sizes) {
    theirs.send(Buffer.alloc(size, size & 255), socket.localPort, HOST);
    const count = events.length + 1;
    await until(() => events.length === count);
  }
  assert.deepEqual(
    events.map(({ data }) => data.byteLength),
    sizes,
  );
  for (const { data, remoteAddress, remotePort } of events) {
    assert.ok(data instanceof ArrayBuffer);
    assert.ok(new Uint8Array(data).every((byte) => byte === (data.byteLength & 255)));
    assert.deepEqual([remoteAddress, remotePort], [HOST, port]);
  }
  assert.equal(new Set(events.map(({ data }) => data)).size, sizes.length);
});

test('what the system joins on the way comes one by one', opts, async (t) => {
  const { bind } = udpKit(t);
  for (const localAddress of [HOST, '::1']) {
    const socket = bind({ localAddress });
    const theirs = bind({ localAddress });
    const mine = received(socket);
    const all = [];
    // Of one tick, so that the sender lets them go together; the shorter ones end a piece, and so do the empty ones.
    for (const [count, size] of [
      [200, 64],
      [1, 10],
      [70, 1200],
      [1, 1199],
      [2, 0],
      [3, 1],
      [1, 20_000],
      [40, 900],
    ]) {
      for (let i = 0; i < count; i++) {
        all.push(Buffer.alloc(size, all.length & 255));
        theirs.send(all.at(-1), localAddress, socket.localPort);
        // No more than the system's buffer has room for, joined or not.
        if (all.length % 50 === 0) await mine.atLeast(all.length);
      }
    }
    await mine.atLeast(all.length);
    for (const [i, { data, address, port }] of mine.datagrams.entries()) {
      assert.ok(data.equals(all[i]), `datagram ${i}: ${data.length} of ${all[i].length} bytes`);
      assert.deepEqual([address, port], [localAddress, theirs.localPort]);
    }
  }
});

test('many from many sources at once', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind({ localAddress: '::' });
  const peers = [await peer(), await peer(), await peer('udp6'), await peer('udp6')];
  const mine = received(socket);
  for (let round = 0; round < 50; round++) {
    for (const { socket: theirs, port } of peers) {
      const host = theirs.address().address;
      theirs.send(`${host} ${port}`, socket.localPort, host);
    }
    await mine.atLeast((round + 1) * peers.length);
  }
  for (const { data, address, port } of mine.datagrams) {
    assert.equal(data.toString(), `${address} ${port}`);
  }
});

test(
  '62: suspended, nothing is delivered; then what the system has kept is, in order',
  opts,
  async (t) => {
    const { bind, peer } = udpKit(t);
    const socket = bind();
    const { socket: theirs } = await peer();
    const mine = received(socket);
    const send = (text) =>
      new Promise((resolve) => theirs.send(text, socket.localPort, HOST, resolve));
    await send('before');
    await mine.atLeast(1);
    socket.suspend();
    socket.suspend();
    for (let i = 0; i < 20; i++) await send(String(i));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(mine.count, 1);
    socket.resume();
    await send('behind');
    await mine.atLeast(22);
    const expected = Array.from({ length: 20 }, (_, i) => String(i));
    assert.deepEqual(mine.texts(), ['before', ...expected, 'behind']);
  },
);

test('62b: suspended by a listener, no further one is delivered', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind();
  const { socket: theirs } = await peer();
  const seen = [];
  socket.onmessage = ({ data }) => {
    seen.push(Buffer.from(data).toString());
    socket.suspend();
  };
  socket.suspend();
  for (let i = 0; i < 50; i++) theirs.send(String(i), socket.localPort, HOST);
  await new Promise((resolve) => theirs.send('50', socket.localPort, HOST, resolve));
  for (let i = 0; i <= 50; i++) {
    socket.resume();
    await until(() => seen.length === i + 1);
    // Nothing more comes, however many turns there are.
    for (let turns = 0; turns < 5; turns++) await turn();
    assert.equal(seen.length, i + 1);
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 51 }, (_, i) => String(i)),
  );
});

test('closed by a listener, no further one is delivered', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind();
  const { socket: theirs } = await peer();
  const events = log(socket);
  socket.suspend();
  for (let i = 0; i < 50; i++) theirs.send('x', socket.localPort, HOST);
  await new Promise((resolve) => theirs.send('x', socket.localPort, HOST, resolve));
  socket.addEventListener('message', () => socket.close(), { once: true });
  socket.resume();
  await socket.closed;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(events, ['message open']);
});

test('between two events, ticks and promise jobs run', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind();
  const { socket: theirs } = await peer();
  const order = [];
  socket.onmessage = () => {
    order.push('message');
    process.nextTick(() => order.push('tick'));
    Promise.resolve().then(() => order.push('job'));
  };
  const count = 100;
  for (let i = 0; i < count; i++) theirs.send('x', socket.localPort, HOST);
  await until(() => order.length === count * 3);
  assert.deepEqual(order, Array.from({ length: count }, () => ['message', 'tick', 'job']).flat());
});

test('a listener that throws does not keep the others from theirs', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind();
  const { socket: theirs } = await peer();
  const uncaught = [];
  const onuncaught = (err) => uncaught.push(err.message);
  process.setUncaughtExceptionCaptureCallback(onuncaught);
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  let count = 0;
  socket.onmessage = () => {
    throw new Error(`thrown ${count}`);
  };
  socket.addEventListener('message', () => count++);
  for (let i = 0; i < 10; i++) theirs.send('x', socket.localPort, HOST);
  await until(() => count === 10 && uncaught.length === 10);
  assert.equal(uncaught.length, 10);
});

test('68: a message event', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const socket = bind();
  const { socket: theirs } = await peer();
  const seen = new Promise((resolve) => {
    socket.onmessage = function onmessage(message) {
      resolve({ message, self: this, at: message.currentTarget });
    };
  });
  theirs.send('x', socket.localPort, HOST);
  const { message, self, at } = await seen;
  assert.ok(message instanceof web.UDPMessageEvent);
  assert.equal(Object.prototype.toString.call(message), '[object UDPMessageEvent]');
  assert.equal(Object.prototype.toString.call(socket), '[object UDPSocket]');
  const { type, target, bubbles, cancelable, isTrusted } = message;
  assert.deepEqual([type, bubbles, cancelable, isTrusted], ['message', false, false, false]);
  for (const it of [self, at, target]) assert.equal(it, socket);
});

test('68b: the other events', opts, async (t) => {
  const { bind } = udpKit(t);
  const socket = bind({});
  const failed = event(socket, 'error');
  socket.send('x', '255.255.255.255', 9);
  const error = await failed;
  assert.ok(error instanceof web.ErrorEvent);
  assert.deepEqual([error.name, error.cancelable, error.target], ['NetworkError', false, socket]);
  const drained = event(socket, 'drain');
  assert.equal(socket.send(new Uint8Array(65_507), HOST, 9), true);
  assert.equal(socket.send(new Uint8Array(65_507), HOST, 9), false);
  const drain = await drained;
  assert.equal(Object.prototype.toString.call(drain), '[object Event]');
  assert.deepEqual([drain.cancelable, drain.target], [false, socket]);
});

test(
  'there is no memory for a datagram: an error, and the next one is delivered',
  opts,
  async (t) => {
    const { bind, peer } = udpKit(t);
    const socket = bind();
    const { socket: theirs } = await peer();
    const mine = received(socket);
    // The allocation of anything larger than what V8 keeps in its own heap fails once.
    const { slice } = Uint8Array.prototype;
    const { mock } = t.mock.method(Uint8Array.prototype, 'slice', function fail(...args) {
      if (args.length !== 2 || args[1] - args[0] !== 1000) return slice.apply(this, args);
      throw new RangeError('Array buffer allocation failed');
    });
    const failed = event(socket, 'error');
    theirs.send(Buffer.alloc(1000), socket.localPort, HOST);
    const { error } = await failed;
    assert.equal(error.name, 'NetworkError');
    assert.ok(error.cause instanceof RangeError);
    mock.restore();
    theirs.send('next', socket.localPort, HOST);
    await mine.atLeast(1);
    assert.deepEqual(mine.texts(), ['next']);
    assert.equal(socket.dropCounts().memory, 1);
  },
);

test('socat at the other end', opts, async (t) => {
  if (spawnSync('socat', ['-V']).status !== 0) {
    t.skip('socat is not installed');
    return;
  }
  const { bind } = udpKit(t);
  for (const [localAddress, kind] of [
    [HOST, 'UDP4-SENDTO'],
    ['::1', 'UDP6-SENDTO'],
  ]) {
    const socket = bind({ localAddress });
    const host = localAddress === HOST ? HOST : '[::1]';
    const socat = spawn('socat', ['-', `${kind}:${host}:${socket.localPort}`]);
    t.after(() => socat.kill('SIGKILL'));
    let out = '';
    socat.stdout.on('data', (data) => (out += data));
    socket.onmessage = ({ data, remoteAddress, remotePort }) => {
      assert.equal(remoteAddress, localAddress);
      socket.send(`echo: ${Buffer.from(data)}`, remoteAddress, remotePort);
    };
    socat.stdin.write('from socat\n');
    await until(() => out === 'echo: from socat\n');
  }
});
