'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const {
  HOST,
  TIMEOUT,
  closed,
  failed,
  kit,
  once,
  peer,
  readAll,
  readBytes,
  roundTrip,
  turn,
  until,
} = require('./helpers/kit');
const { pattern } = require('./helpers/pattern');

const opts = { timeout: TIMEOUT };
const sides = ['client', 'server', 'both'];
const MiB = 1024 * 1024;

for (const side of sides) {
  test(`write() says false when it is too much, and drain follows (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    let drains = 0;
    ours.on('drain', () => drains++);
    theirs.pause();
    const chunk = Buffer.alloc(MiB, 'w');
    let count = 0;
    // The kernel takes some megabytes; a peer that does not read stops that.
    while (ours.write(chunk) || ours.writableLength === 0) {
      count++;
      await turn();
      assert.ok(count < 500, 'write() never said false');
    }
    assert.equal(ours.writableNeedDrain, true);
    assert.ok(ours.writableLength > 0);
    assert.equal(ours.bufferSize, ours.writableLength);
    const before = drains;
    const drained = once(ours, 'drain');
    let got = 0;
    theirs.on('data', (bytes) => (got += bytes.length));
    theirs.resume();
    await drained;
    assert.equal(drains, before + 1);
    assert.equal(ours.writableLength, 0);
    assert.equal(ours.writableNeedDrain, false);
    ours.end();
    await once(theirs, 'end');
    assert.equal(got, ours.bytesWritten);
  });
}

test('write() before connect is counted and drains after it', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.resume());
  const socket = k.own(new net.Socket());
  socket.connect(server.address().port, HOST);
  assert.equal(socket.write(Buffer.alloc(100_000)), false);
  assert.equal(socket.writableLength, 100_000);
  assert.equal(socket.writableNeedDrain, true);
  await once(socket, 'drain');
  assert.equal(socket.connecting, false);
  assert.equal(socket.writableLength, 0);
});

test('highWaterMark of connect and createServer is kept', opts, async (t) => {
  const k = kit(t);
  const { client, conn, server } = await k.pair({
    side: 'both',
    client: { highWaterMark: 1000 },
    server: { highWaterMark: 2000 },
  });
  assert.equal(client.readableHighWaterMark, 1000);
  assert.equal(client.writableHighWaterMark, 1000);
  assert.equal(conn.readableHighWaterMark, 2000);
  assert.equal(conn.writableHighWaterMark, 2000);
  // While it connects nothing can leave, so the mark is all that counts.
  const fresh = k.own(new net.Socket({ highWaterMark: 1000 }));
  fresh.connect(server.address().port, HOST);
  assert.equal(fresh.write(Buffer.alloc(999)), true);
  assert.equal(fresh.write('x'), false);
});

for (const side of sides) {
  test(`a paused socket takes little from a flood, then all of it (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    const chunk = pattern(MiB, 9);
    const total = 64 * MiB;
    ours.pause();
    let sent = 0;
    let finished = false;
    const pump = () => {
      while (sent < total) {
        sent += chunk.length;
        if (!theirs.write(chunk)) {
          theirs.once('drain', pump);
          return;
        }
      }
      finished = true;
      theirs.end();
    };
    pump();
    // Other connections work meanwhile, and each of their trips is a chance to read too much.
    const other = await kit(t).pair({ side });
    for (let i = 0; i < 200; i++) await roundTrip(other.client, other.conn);
    assert.equal(finished, false, 'the flood went through a socket that does not read');
    assert.ok(ours.bytesRead < 4 * MiB, `${ours.bytesRead} bytes read while paused`);
    assert.ok(ours.readableLength < 4 * MiB);

    let at = 0;
    await new Promise((resolve, reject) => {
      ours.on('data', (bytes) => {
        // The flood repeats one chunk: compare each piece at its place in it.
        for (let i = 0; i < bytes.length;) {
          const place = (at + i) % chunk.length;
          const size = Math.min(bytes.length - i, chunk.length - place);
          if (!bytes.subarray(i, i + size).equals(chunk.subarray(place, place + size))) {
            reject(new Error(`wrong bytes near ${at + i}`));
            return;
          }
          i += size;
        }
        at += bytes.length;
      });
      ours.on('end', resolve);
      ours.resume();
    });
    assert.equal(at, total);
  });

  test(`pause() and resume() at every chunk lose nothing (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    const bytes = pattern(8 * MiB, 11);
    theirs.end(bytes);
    const chunks = [];
    let paused = false;
    ours.on('data', (chunk) => {
      assert.equal(paused, false, 'data while paused');
      chunks.push(chunk);
      ours.pause();
      paused = true;
      assert.equal(ours.isPaused(), true);
      setImmediate(() => {
        paused = false;
        ours.resume();
      });
    });
    await once(ours, 'end');
    assert.ok(Buffer.concat(chunks).equals(bytes));
    assert.ok(chunks.length > 1);
  });
}

test('pause() before connect holds the data back', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const accepted = once(server, 'connection');
  const socket = k.own(new net.Socket());
  socket.pause();
  socket.on('data', () => assert.fail('data while paused'));
  socket.connect(server.address().port, HOST);
  const [conn] = await accepted;
  conn.write('early');
  const other = await k.pair();
  for (let i = 0; i < 20; i++) await roundTrip(other.client, other.conn);
  socket.removeAllListeners('data');
  const got = readBytes(socket, 5);
  socket.resume();
  assert.equal(String(await got), 'early');
});

test('a socket that is not listened to keeps its data', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  theirs.write('kept');
  await until(() => ours.readableLength === 4);
  const other = await kit(t).pair();
  await roundTrip(other.client, other.conn);
  assert.equal(String(ours.read()), 'kept');
  theirs.end('rest');
  assert.equal(String(await readAll(ours)), 'rest');
});

test("'readable' and read(n)", opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  theirs.end('0123456789');
  let text = '';
  ours.on('readable', () => {
    for (let part; (part = ours.read(3)) !== null;) text += `${part}|`;
  });
  await once(ours, 'end');
  assert.equal(text, '012|345|678|9|');
});

test('pipe between two sockets keeps the bytes and the bounds', opts, async (t) => {
  const k = kit(t);
  const upstream = await k.pair({ side: 'client' });
  const downstream = await k.pair({ side: 'server' });
  // peer → ours → ours → peer that reads slowly
  upstream.ours.pipe(downstream.ours);
  const bytes = pattern(16 * MiB, 13);
  upstream.theirs.end(bytes);
  const chunks = [];
  let most = 0;
  downstream.theirs.on('data', (chunk) => {
    chunks.push(chunk);
    most = Math.max(most, downstream.ours.writableLength + upstream.ours.readableLength);
    downstream.theirs.pause();
    setImmediate(() => downstream.theirs.resume());
  });
  await once(downstream.theirs, 'end');
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.ok(most < 4 * MiB, `${most} bytes were waiting`);
});

test('writes that nobody reads end when the peer goes', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  theirs.pause();
  for (let i = 0; i < 20; i++) ours.write(Buffer.alloc(MiB));
  ours.on('error', () => {});
  theirs.destroy();
  assert.equal(await closed(ours), true);
});

const changes = {
  'is given away': (memory) => structuredClone(memory, { transfer: [memory] }),
  'becomes shorter': (memory) => memory.resize(MiB),
};
for (const [what, change] of Object.entries(changes)) {
  test(
    `memory that ${what} while it is written is an error, not a shorter write`,
    opts,
    async (t) => {
      // Node itself sends what is in that memory by then.
      if (!isOurs) return t.skip(SKIP_FOREIGN);
      const { ours, theirs } = await kit(t).pair();
      theirs.pause();
      const failure = failed(ours);
      const memory = new ArrayBuffer(64 * MiB, { maxByteLength: 64 * MiB });
      const told = new Promise((resolve) => ours.write(new Uint8Array(memory), resolve));
      assert.ok(ours.writableLength > 0, 'the system has taken all of it');
      change(memory);
      theirs.resume();
      const err = await told;
      assert.equal(await failure, err);
      assert.equal(err.code, 'EFAULT');
      assert.equal(err.syscall, 'write');
      assert.equal(err.message, 'write EFAULT');
      assert.ok(err.errno < 0);
      await closed(ours);
    },
  );
}

test('memory that becomes longer while it is written changes nothing', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair();
  theirs.pause();
  const memory = new ArrayBuffer(32 * MiB, { maxByteLength: 64 * MiB });
  ours.write(new Uint8Array(memory));
  ours.end();
  memory.resize(64 * MiB);
  theirs.resume();
  assert.equal((await readAll(theirs)).length, 32 * MiB);
});
