'use strict';

/** Writes through TLS count as done before they are encrypted; what a program is told of them is true all the same. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Ahead } = require('../lib/net/ahead');
const { kBytesWritten } = require('../lib/net/symbols');
const { StreamHandle } = require('../lib/stream-handle');
const { run } = require('./helpers/child');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { pattern } = require('./helpers/pattern');
const { HOST, TIMEOUT, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { closed, readAll, until } = require('./helpers/kit');

const options = { skip: NO_OPENSSL, timeout: TIMEOUT };
const { ca, server: identity } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};
const BLOCK = pattern(64 * 1024, 3);
const KIB = 1024;

/** Writes blocks while it may, until nothing has gone on for half a second. Answers what was said of them. */
async function writeUntilStuck(socket) {
  const told = { written: 0, sent: 0, failures: [] };
  for (;;) {
    const mayWrite = socket.write(BLOCK, (err) => {
      if (err) told.failures.push(err);
      else told.sent += BLOCK.length;
    });
    told.written += BLOCK.length;
    if (mayWrite) continue;
    const drained = once(socket, 'drain');
    const tooLong = new Promise((resolve) => setTimeout(resolve, 500, 'stuck'));
    if ((await Promise.race([drained, tooLong])) === 'stuck') return told;
  }
}

test('who is told that bytes are sent may destroy the socket', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(peer, { cert, key }, (conn) => conn.pause());
  const accepted = once(server, 'secureConnection');
  const client = connect(ours, server, { ca: ca.cert });
  const [conn] = await accepted;
  const told = await writeUntilStuck(client);
  // It was let write on, by a window and the write that passed it, and was told of all that is sent.
  const isAhead = told.written - told.sent;
  assert.ok(isAhead > BLOCK.length, `it is ahead by ${isAhead} bytes`);
  assert.ok(isAhead <= 256 * KIB + BLOCK.length, `it is ahead by ${isAhead} bytes`);
  assert.equal(told.failures.length, 0);
  client.destroy();
  await closed(client);
  // Each of the others is told that it was not.
  assert.equal(told.failures.length * BLOCK.length, isAhead);
  for (const err of told.failures) assert.match(err.code, /^(ECANCELED|ERR_STREAM_DESTROYED)$/);
  let received = 0;
  conn.on('data', (data) => (received += data.length));
  conn.resume();
  await until(() => conn.destroyed);
  assert.ok(received >= told.sent, `${told.sent} bytes were said to be sent, ${received} came`);
});

test('a peer that is gone: who has not been told is told of the loss', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(peer, { cert, key }, (conn) => conn.pause());
  const accepted = once(server, 'secureConnection');
  const client = connect(ours, server, { ca: ca.cert });
  const errors = [];
  client.on('error', (err) => errors.push(err.code));
  const [conn] = await accepted;
  const told = await writeUntilStuck(client);
  // What it has not read makes it a reset.
  conn.destroy();
  await closed(client);
  await until(() => told.sent + told.failures.length * BLOCK.length === told.written);
  assert.ok(told.failures.length >= 2, `${told.failures.length} callbacks got an error`);
  assert.equal(errors.length, 1);
  assert.match(errors[0], /^(ECONNRESET|EPIPE)$/);
});

test('a socket that connects once more counts anew', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(peer, { cert, key }, (conn) => conn.pipe(conn));
  const target = { port: server.address().port, host: HOST, ca: ca.cert, servername: 'localhost' };
  const client = connect(ours, server, { ca: ca.cert });
  for (let round = 0; round < 3; round++) {
    await once(client, 'secureConnect');
    let received = 0;
    client.on('data', (data) => (received += data.length));
    const sent = [1, 2, 3].map(() => new Promise((resolve) => client.write(BLOCK, resolve)));
    for (const err of await Promise.all(sent)) assert.ifError(err);
    assert.equal(client.bytesWritten, 3 * BLOCK.length);
    await until(() => received === 3 * BLOCK.length);
    client.removeAllListeners('data');
    client.destroy();
    await closed(client);
    if (round < 2) client.connect(target);
  }
});

test('callbacks come in order when the peer is gone', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(peer, { cert, key });
  for (let round = 0; round < 10; round++) {
    const accepted = once(server, 'secureConnection');
    const client = connect(ours, server, { ca: ca.cert });
    client.on('error', () => {});
    const [conn] = await accepted;
    conn.pause();
    const order = [];
    let count = 0;
    const more = setInterval(() => {
      for (let n = 0; n < 5; n++) {
        const number = count++;
        client.write(BLOCK, () => order.push(number));
      }
    }, 1);
    await until(() => count > 100);
    conn.destroy();
    await closed(client);
    clearInterval(more);
    await until(() => order.length === count);
    assert.deepEqual(
      order,
      Array.from({ length: count }, (_, n) => n),
    );
  }
});

test('callbacks come in order and all of them, whoever throws', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(peer, { cert, key }, (conn) => conn.resume());
  const client = connect(ours, server, { ca: ca.cert });
  await once(client, 'secureConnect');
  const order = [];
  const uncaught = [];
  const listener = (err) => uncaught.push(err.message);
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', listener);
  t.after(() => {
    process.off('uncaughtException', listener);
    for (const other of others) process.on('uncaughtException', other);
  });
  for (let n = 0; n < 100; n++) {
    if (n % 20 === 0) client.cork();
    const size = n % 3 === 0 ? 100 : 70_000;
    client.write(Buffer.alloc(size), (err) => {
      order.push(err ?? n);
      if (n === 45 || n === 50) throw new Error('from a callback');
    });
    if (n % 20 === 9) client.uncork();
    if (n % 10 === 9) await new Promise(setImmediate);
  }
  await until(() => order.length === 100);
  assert.deepEqual(
    order,
    Array.from({ length: 100 }, (_, n) => n),
  );
  assert.deepEqual(uncaught, ['from a callback', 'from a callback']);
});

test('what was written goes out before the process does', options, async (t) => {
  const { serve } = tlsKit(t);
  for (const [what, length] of [
    ['at-once', 40 * KIB],
    ['callback', 8 * KIB * KIB + 40 * KIB],
  ]) {
    const server = await serve(peer, { cert, key });
    const accepted = once(server, 'secureConnection');
    const { port } = server.address();
    const leaving = run('tls-exit', [String(port), ca.certFile, what]);
    const [conn] = await accepted;
    const chunks = [];
    conn.on('data', (data) => chunks.push(data));
    const { code, stderr } = await leaving;
    assert.equal(code, 0, stderr);
    await until(() => conn.destroyed);
    const expected = Array.from({ length: 40 }, (_, n) => pattern(KIB, n));
    if (what === 'callback') expected.push(pattern(8 * KIB * KIB, 40));
    assert.equal(Buffer.concat(chunks).length, length, what);
    assert.ok(Buffer.concat(chunks).equals(Buffer.concat(expected)), what);
  }
});

test('nothing goes out twice when the process leaves', options, async (t) => {
  const { serve } = tlsKit(t);
  const server = await serve(peer, { cert, key });
  const received = [];
  server.on('secureConnection', (conn) => {
    let text = '';
    conn.on('data', (data) => (text += data)).on('close', () => received.push(text));
  });
  const { port } = server.address();
  const { code, stderr } = await run('tls-exit', [String(port), ca.certFile, 'drained']);
  assert.equal(code, 0, stderr);
  await until(() => received.length === 2);
  assert.deepEqual(received.map((text) => text.replace(/A+/, 'A…')).sort(), ['123z', 'A…']);
});

test('an end comes behind all of it', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(ours, { cert, key }, (conn) => {
    for (let n = 0; n < 20; n++) conn.write(BLOCK);
    conn.end('last');
  });
  const received = await readAll(connect(peer, server, { ca: ca.cert }));
  assert.equal(received.length, 20 * BLOCK.length + 4);
  assert.equal(String(received.subarray(-4)), 'last');
});

/** A socket of which `queued` bytes are queued. */
function stuck(queued) {
  const marks = [];
  const handle = {
    isSecure: true,
    hasQueued: true,
    left: queued,
    queued: () => handle.left,
    watchQueue(left) {
      marks.push(left);
      return handle.left;
    },
  };
  const ahead = new Ahead({ _handle: handle, [kBytesWritten]: queued });
  return { ahead, handle, marks };
}

test('short writes are waited for after a thousand', () => {
  const { ahead, marks, handle } = stuck(10);
  for (let n = 0; n < 1024; n++) assert.equal(ahead.mustWait(), false);
  assert.equal(ahead.mustWait(), true);
  assert.deepEqual(marks, [0]);
  handle.left = 0;
  assert.equal(ahead.mayGoOn(), true);
  assert.equal(ahead.mustWait(), false);
  ahead.drop(null);
});

test('a callback is waited for although the queue never becomes empty', async () => {
  const { ahead, marks, handle } = stuck(1000);
  const called = [];
  ahead.give(
    (behind) => ahead.noting(1, behind)(null),
    (err) => called.push(err),
  );
  assert.deepEqual(marks, [0]);
  // More is written, and the first thousand bytes are sent.
  ahead.socket[kBytesWritten] += 500;
  handle.left = 500;
  ahead.mayGoOn();
  ahead.drop(null);
  await new Promise(setImmediate);
  assert.deepEqual(called, [null]);
});

test('a queue that was empty, and is not any more, is told as a shorter one', () => {
  const told = [];
  const callbacks = { onpassed: (owner) => told.push(owner), onwritten: () => told.push('all') };
  const handle = { isSecure: true, queued: () => 1, busy: 0, callbacks, owner: 'passed' };
  StreamHandle.prototype.deliverWritten.call(handle);
  handle.queued = () => 0;
  handle.setIdle = () => {};
  StreamHandle.prototype.deliverWritten.call(handle);
  assert.deepEqual(told, ['passed', 'all']);
});

test('what Duplex does not take has no number', () => {
  const { ahead } = stuck(0);
  const refuse = () => {
    throw new TypeError('no chunk');
  };
  assert.throws(() => ahead.give(refuse, null), /no chunk/);
  const behinds = [];
  for (let n = 1; n <= 3; n++) {
    ahead.give((behind) => behinds.push(behind), null);
    ahead.socket[kBytesWritten] = n * 10;
    ahead.noting(1, () => {})(null);
  }
  // A listener that throws keeps Duplex from calling the first.
  assert.equal(ahead.takeEnd(2), 20);
  assert.equal(ahead.takeEnd(3), 30);
  assert.deepEqual(ahead.ends, []);
});

test('all sockets together are ahead by no more than 8 MiB', () => {
  const sockets = Array.from({ length: 32 }, () => stuck(256 * KIB));
  for (const { ahead } of sockets) assert.equal(ahead.mustWait(), false);
  const one = stuck(1);
  assert.equal(one.ahead.mustWait(), true);
  // It is told when all of it is sent, and not before.
  assert.deepEqual(one.marks, [0]);
  // There is room again, and then it goes on.
  sockets[0].ahead.drop(null);
  assert.equal(one.ahead.mayGoOn(), true);
  for (const { ahead } of [...sockets, one]) ahead.drop(null);
  const full = stuck(256 * KIB + 1);
  assert.equal(full.ahead.mustWait(), true);
  assert.deepEqual(full.marks, [128 * KIB]);
  full.ahead.drop(null);
});
