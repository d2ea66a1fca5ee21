'use strict';

/** Slow or hostile peers and the memory of the process: the subject runs in a child. */

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { test } = require('node:test');
const { HOST, kit, once, peer } = require('./helpers/kit');
const { WITH_IPC, ask, start } = require('./helpers/child');
const { pattern } = require('./helpers/pattern');

const MiB = 1024 * 1024;
const opts = { timeout: 60_000 };

/** More than this in flight or in memory means that nobody holds the flood back. */
const BOUND = 96 * MiB;
const FLOOD = 768 * MiB;

/** How long a flood must stand still to count as stopped; only the passing case waits for it. */
const QUIET_MS = 400;

/** Writes until the peer's window stays closed; resolves with the bytes the kernel has taken. */
function flood(socket, chunk) {
  let timer;
  return new Promise((resolve, reject) => {
    const taken = () => socket.bytesWritten - socket.writableLength;
    const stopped = () => {
      socket.off('drain', pump);
      resolve(taken());
    };
    function pump() {
      clearTimeout(timer);
      while (taken() < FLOOD) {
        if (!socket.write(chunk)) {
          timer = setTimeout(stopped, QUIET_MS);
          return;
        }
      }
      socket.off('drain', pump);
      reject(new Error(`the peer took ${taken()} bytes without reading`));
    }
    socket.on('drain', pump);
    socket.once('error', reject);
    pump();
  }).finally(() => clearTimeout(timer));
}

async function connectedChild(t, mode) {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const accepted = once(server, 'connection');
  const { child, done } = start('slow-reader', [mode, String(server.address().port)], {
    stdio: WITH_IPC,
    timeout: 50_000,
  });
  t.after(() => child.kill('SIGKILL'));
  const [conn] = await accepted;
  return { child, done, conn };
}

for (const mode of ['never-reads', 'paused', 'pauses-in-data', 'unread-pipe']) {
  test(`a flood to a client that ${mode} stands still, memory too`, opts, async (t) => {
    const { child, conn } = await connectedChild(t, mode);
    conn.on('error', () => {});
    const before = await ask(child, 'memory');
    const taken = await flood(conn, pattern(256 * 1024, 3));
    const after = await ask(child, 'memory');
    assert.ok(taken < BOUND, `${taken} bytes left the sender`);
    const grown = after.rss - before.rss;
    assert.ok(grown < BOUND, `RSS grew by ${Math.round(grown / MiB)} MiB`);
    assert.ok(after.readable < 4 * MiB, `${after.readable} bytes wait in the stream`);
  });
}

test('after a flood stood still, resume() gets every byte', opts, async (t) => {
  const { child, conn } = await connectedChild(t, 'pauses-in-data');
  const chunk = pattern(256 * 1024, 4);
  const hash = createHash('sha256');
  const write = conn.write;
  conn.write = (bytes) => {
    hash.update(bytes);
    return write.call(conn, bytes);
  };
  await flood(conn, chunk);
  conn.end();
  const answer = await ask(child, 'resume');
  assert.equal(answer.bytes, conn.bytesWritten);
  assert.equal(answer.hash, hash.digest('hex'));
});

for (const respect of ['respects', 'ignores']) {
  test(`a writer that ${respect} write() === false, its peer never reads`, opts, async (t) => {
    const { child, conn } = await connectedChild(t, `writer-${respect}`);
    conn.pause();
    conn.on('error', () => {});
    const answer = await ask(child, 'write');
    assert.equal(answer.flowing, false);
    if (respect === 'respects') {
      // One chunk of 64 KiB may come on top of the mark.
      assert.ok(answer.most <= answer.mark + 65_536, `${answer.most} bytes were queued`);
      assert.ok(answer.grown < BOUND, `RSS grew by ${Math.round(answer.grown / MiB)} MiB`);
    } else {
      // What was not taken is reported, not hidden in a queue behind the stream.
      const hidden = answer.written - answer.queued;
      assert.ok(hidden < BOUND, `${hidden} bytes are neither queued nor read`);
      // By reference: 256 MiB of the same chunk again and again cost no memory of that size.
      assert.ok(answer.grown < BOUND, `RSS grew by ${Math.round(answer.grown / MiB)} MiB`);
    }
  });
}

test('a server of many connections that nobody reads stays small', opts, async (t) => {
  const { child, ready } = start('slow-server', [], { stdio: WITH_IPC, timeout: 50_000 });
  t.after(() => child.kill('SIGKILL'));
  const port = Number(await ready);
  const k = kit(t);
  const before = await ask(child, 'memory');
  const chunk = pattern(1024 * 1024, 5);
  const sockets = [];
  for (let i = 0; i < 100; i++) {
    const socket = k.own(peer.connect(port, HOST));
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(chunk);
    socket.write(chunk);
    sockets.push(socket);
  }
  const after = await ask(child, 'memory');
  assert.equal(after.connections, 100);
  const each = (after.rss - before.rss) / 100;
  assert.ok(each < 0.75 * MiB, `${Math.round(each / 1024)} KiB per connection that is not read`);
});
