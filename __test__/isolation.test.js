'use strict';

/**
 * Whose bytes: the memory behind a chunk (`data.buffer`) never shows another connection's bytes,
 * and a chunk that a listener was given never changes.
 */

const assert = require('node:assert/strict');
const { createHash, randomBytes } = require('node:crypto');
const { test } = require('node:test');
const { HOST, TIMEOUT, kit, once, peer, until } = require('./helpers/kit');
const { runJson } = require('./helpers/child');

const opts = { timeout: TIMEOUT };

/** Each connection repeats a secret of 16 random bytes, so that any trace of it is recognised. */
function secretStream(size) {
  const secret = randomBytes(16);
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += secret.length) secret.copy(bytes, at);
  return { secret, bytes };
}

const shapes = {
  'tiny payloads': () => 16,
  'small payloads': (i) => 16 * (1 + (i % 60)),
  'payloads around a page': (i) => 4080 + 16 * (i % 4),
  'large payloads': () => 256 * 1024,
  'a mixture': (i) => [16, 1024, 16_384, 65_536, 300_000][i % 5] & ~15,
};

for (const [shape, sizeOf] of Object.entries(shapes)) {
  test(`data.buffer shows nobody else's bytes: ${shape}`, { timeout: 60_000 }, async (t) => {
    const k = kit(t);
    const server = await k.listen();
    const lanes = [];
    const CONNECTIONS = 12;
    for (let i = 0; i < CONNECTIONS; i++) {
      const accepted = once(server, 'connection');
      const client = k.own(peer.connect(server.address().port, HOST));
      client.setNoDelay(true);
      await once(client, 'connect');
      const [conn] = await accepted;
      lanes.push({ client, conn, ...secretStream(512 * 1024) });
    }

    let checked = 0;
    const kept = [];
    const ends = lanes.map(({ conn, secret }) => {
      const others = lanes.filter((lane) => lane.secret !== secret).map((lane) => lane.secret);
      conn.on('data', (data) => {
        const memory = Buffer.from(data.buffer);
        for (const other of others) {
          // Half a secret is as telling, and is found at any offset of the repetition.
          if (memory.includes(other.subarray(4, 12))) {
            conn.destroy(new Error('the bytes of another connection'));
            return;
          }
        }
        checked++;
        if (checked % 7 === 0) kept.push({ memory, others });
      });
      return once(conn, 'end');
    });

    // All connections at the same time, in turns.
    for (let i = 0; i < 40; i++) {
      for (const { client, bytes } of lanes) client.write(bytes.subarray(0, sizeOf(i)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { client } of lanes) client.end();
    await Promise.all(ends);
    assert.ok(checked >= CONNECTIONS, 'nothing was checked');
    // Nor later: the memory behind old chunks was not given to others.
    for (const { memory, others } of kept) {
      for (const other of others) assert.ok(!memory.includes(other.subarray(4, 12)));
    }
  });
}

test('a chunk never changes while traffic goes on', { timeout: 60_000 }, async (t) => {
  const k = kit(t);
  const kept = [];
  const digest = (chunk) => createHash('sha1').update(chunk).digest('hex');
  const server = await k.listen({}, (conn) => {
    conn.on('data', (chunk) => kept.push({ chunk, hash: digest(chunk) }));
  });
  const ends = [];
  for (let i = 0; i < 8; i++) {
    const client = k.own(peer.connect(server.address().port, HOST));
    ends.push(once(client, 'close'));
    client.resume();
    for (let n = 0; n < 30; n++) {
      client.write(randomBytes([10, 100, 3000, 70_000, 400_000][n % 5]));
      if (n % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    client.end();
  }
  await Promise.all(ends);
  assert.ok(kept.length > 8);
  for (const { chunk, hash } of kept) assert.equal(digest(chunk), hash);
});

test('a listener may write into its chunk', opts, async (t) => {
  const k = kit(t);
  const { ours, theirs } = await k.pair({ side: 'client' });
  const other = await k.pair({ side: 'client' });
  let damaged = 0;
  let got = 0;
  other.ours.on('data', (chunk) => {
    got += chunk.length;
    for (const byte of chunk) if (byte !== 0x6f) damaged++;
  });
  ours.on('data', (chunk) => new Uint8Array(chunk.buffer).fill(0xee));
  for (let i = 0; i < 50; i++) {
    theirs.write(Buffer.alloc([10, 1000, 100_000][i % 3], 'm'));
    other.theirs.write(Buffer.alloc([10, 1000, 100_000][(i + 1) % 3], 'o'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  theirs.end();
  other.theirs.end();
  await Promise.all([once(ours, 'end'), once(other.ours, 'end')]);
  assert.equal(got, other.theirs.bytesWritten);
  assert.equal(damaged, 0);
});

for (const way of ['structuredClone', 'postMessage', 'transfer', 'copy']) {
  test(`a listener may try to give its buffer away: ${way}`, opts, async () => {
    const result = await runJson('give-away', [way]);
    assert.equal(result.intact, true, 'the bytes of the connections');
    // Whatever was given away arrived whole; what could not be given was refused by an exception.
    assert.equal(result.damaged, 0);
    assert.ok(result.given + result.refused > 0);
    if (way === 'copy') assert.equal(result.refused, 0, 'a copy must always work');
  });
}

test('chunks survive their socket', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  const kept = [];
  ours.on('data', (chunk) => kept.push(chunk));
  theirs.end(Buffer.alloc(500_000, 'k'));
  await new Promise((resolve) => ours.once('close', resolve));
  // Others use what memory there is.
  const other = await kit(t).pair({ side: 'client' });
  other.theirs.end(Buffer.alloc(2_000_000, 'z'));
  let got = 0;
  for await (const chunk of other.ours) got += chunk.length;
  assert.equal(got, 2_000_000);
  const all = Buffer.concat(kept);
  assert.ok(all.equals(Buffer.alloc(500_000, 'k')));
});

test('few bytes behind many do not keep the memory of many', opts, async (t) => {
  const k = kit(t);
  const pairs = await Promise.all(Array.from({ length: 20 }, () => k.pair({ side: 'client' })));
  await Promise.all(
    pairs.map(async ({ ours, theirs }) => {
      // A rest of a message that a parser keeps, for instance.
      const kept = [];
      let got = 0;
      ours.on('data', (chunk) => {
        got += chunk.length;
        if (chunk.length <= 100) kept.push(chunk);
      });
      for (let round = 1; round <= 5; round++) {
        theirs.write(Buffer.alloc(65_536, 'm'));
        await until(() => got >= 65_536 * round + 100 * (round - 1));
        theirs.write(Buffer.alloc(100, 'f'));
        await until(() => got === (65_536 + 100) * round);
      }
      for (const { buffer } of kept) assert.ok(buffer.byteLength <= 16 * 1024, buffer.byteLength);
    }),
  );
});

test('a chunk is a Buffer like any other', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  theirs.write('0123456789');
  const [chunk] = await once(ours, 'data');
  assert.ok(chunk instanceof Buffer);
  assert.equal(chunk.buffer.constructor, ArrayBuffer);
  assert.equal(chunk.subarray(2, 4).toString(), '23');
  assert.equal(chunk.byteOffset + chunk.length <= chunk.buffer.byteLength, true);
  assert.deepEqual(structuredClone(chunk), new Uint8Array(chunk));
});

test('a program that detaches what it was given harms nobody', { timeout: 60_000 }, async (t) => {
  // A byte stream takes the buffer of what is enqueued, whatever mark it has.
  const k = kit(t);
  let got = 0;
  const server = await k.listen({}, (conn) => {
    let controller;
    const stream = new ReadableStream({
      type: 'bytes',
      start: (c) => {
        controller = c;
      },
    });
    conn.on('data', (chunk) => {
      got += chunk.length;
      try {
        controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
      } catch (err) {
        // A slab that more payloads are copied to may refuse.
        assert.ok(err instanceof TypeError, err);
      }
    });
    (async () => {
      for await (const piece of stream) assert.ok(piece.length > 0);
    })();
  });
  const client = k.own(peer.connect(server.address().port, HOST));
  const block = Buffer.alloc(1 << 20, 'A');
  for (let i = 0; i < 50; i++) {
    if (!client.write(block)) await once(client, 'drain');
    client.write('small');
  }
  const sent = 50 * (block.length + 5);
  await until(() => got >= sent);
  assert.equal(got, sent);
});
