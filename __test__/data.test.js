'use strict';

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const {
  HOST,
  TIMEOUT,
  closed,
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

const encodings = [
  ['utf8', 'grüß 👋 dich', Buffer.from('grüß 👋 dich')],
  ['utf-8', 'ö', Buffer.from('ö')],
  ['latin1', 'grüß', Buffer.from([0x67, 0x72, 0xfc, 0xdf])],
  ['binary', '\xff\x00\x80', Buffer.from([0xff, 0x00, 0x80])],
  ['ascii', 'plain', Buffer.from('plain')],
  ['hex', '00ff10', Buffer.from([0x00, 0xff, 0x10])],
  ['base64', 'AP8Q', Buffer.from([0x00, 0xff, 0x10])],
  ['base64url', '_-8', Buffer.from([0xff, 0xef])],
  ['utf16le', 'hö', Buffer.from('hö', 'utf16le')],
  ['ucs2', '👋', Buffer.from('👋', 'ucs2')],
];
for (const [encoding, text, bytes] of encodings) {
  test(`strings are sent as ${encoding}`, opts, async (t) => {
    const { client, conn } = await kit(t).pair();
    const got = readAll(conn);
    client.write(text, encoding);
    client.write('|');
    // Long enough that no path for small writes can take it.
    client.end(text.repeat(20_000), encoding);
    const expected = Buffer.concat([
      bytes,
      Buffer.from('|'),
      Buffer.from(text.repeat(20_000), encoding),
    ]);
    assert.ok((await got).equals(expected));
  });
}

test('chunks of every kind arrive as their bytes', opts, async (t) => {
  const { client, conn } = await kit(t).pair();
  const got = readAll(conn);
  const memory = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7]);
  client.write('s');
  client.write(Buffer.from([1, 2]));
  client.write(memory.subarray(2, 5));
  client.write(Buffer.from(memory.buffer, 6, 2));
  client.write(new Uint8Array(new SharedArrayBuffer(2)).fill(9));
  client.end(Buffer.alloc(0));
  assert.deepEqual([...(await got)], [0x73, 1, 2, 2, 3, 4, 6, 7, 9, 9]);
});

test('what is received is a Buffer', opts, async (t) => {
  const { client, conn } = await kit(t).pair({ side: 'client' });
  conn.write('x');
  const [chunk] = await once(client, 'data');
  assert.ok(Buffer.isBuffer(chunk));
  assert.equal(chunk.length, 1);
});

test('empty writes send nothing and call back in order', opts, async (t) => {
  const { client, conn } = await kit(t).pair();
  const got = readAll(conn);
  const calls = [];
  client.write('', () => calls.push('a'));
  client.write(Buffer.alloc(0), () => calls.push('b'));
  client.write('x', () => calls.push('c'));
  client.write(new Uint8Array(0), () => calls.push('d'));
  client.end('', () => calls.push('end'));
  const end = closed(client);
  assert.equal(String(await got), 'x');
  await end;
  assert.deepEqual(calls, ['a', 'b', 'c', 'd', 'end']);
});

for (const side of sides) {
  test(`32 MiB each way at the same time are intact (${side})`, { timeout: 60_000 }, async (t) => {
    // The direction that is done first must not end the other one.
    const halfOpen = { allowHalfOpen: true };
    const { client, conn } = await kit(t).pair({ side, client: halfOpen, server: halfOpen });
    const size = 32 * MiB;
    // Sizes that fit no buffer, from one byte to more than a megabyte.
    const sizes = [1, 7, 1460, 16_384, 16_385, 65_536, 100_003, 262_144, 1_500_007];

    async function send(socket, seed) {
      const hash = createHash('sha256');
      let sent = 0;
      for (let i = 0; sent < size; i++) {
        const chunk = pattern(Math.min(sizes[i % sizes.length], size - sent), seed + i);
        hash.update(chunk);
        sent += chunk.length;
        if (!socket.write(chunk)) await once(socket, 'drain');
      }
      socket.end();
      return hash.digest('hex');
    }
    async function receive(socket) {
      const hash = createHash('sha256');
      let got = 0;
      socket.on('data', (chunk) => {
        got += chunk.length;
        hash.update(chunk);
      });
      await once(socket, 'end');
      assert.equal(got, size);
      return hash.digest('hex');
    }

    const [a, b, c, d] = await Promise.all([
      send(client, 1),
      receive(conn),
      send(conn, 1000),
      receive(client),
    ]);
    assert.equal(b, a);
    assert.equal(d, c);
    assert.notEqual(a, c);
  });
}

for (const side of sides) {
  test(`20,000 small writes keep their order (${side})`, opts, async (t) => {
    const { client, conn } = await kit(t).pair({ side });
    const got = readAll(conn);
    let expected = '';
    for (let i = 0; i < 20_000; i++) {
      const line = `${i}\n`;
      expected += line;
      // Strings, buffers and now and then a big one or a new turn, all in one order.
      if (i % 3 === 0) client.write(line);
      else client.write(Buffer.from(line));
      if (i % 997 === 0) {
        const big = `${'#'.repeat(50_000)}\n`;
        expected += big;
        client.write(big);
      }
      if (i % 1009 === 0) await turn();
    }
    client.end();
    assert.ok(String(await got) === expected);
  });
}

test('a buffer may be used again in the write callback', opts, async (t) => {
  const { client, conn } = await kit(t).pair();
  const got = readAll(conn);
  const memory = Buffer.alloc(200_000);
  for (let round = 0; round < 20; round++) {
    memory.fill(round);
    await new Promise((resolve, reject) =>
      client.write(memory, (err) => (err ? reject(err) : resolve())),
    );
  }
  client.end();
  const bytes = await got;
  assert.equal(bytes.length, 20 * memory.length);
  for (let round = 0; round < 20; round++) {
    const part = bytes.subarray(round * memory.length, (round + 1) * memory.length);
    assert.ok(part.equals(Buffer.alloc(memory.length, round)), `round ${round}`);
  }
});

test(
  'write callbacks come once, in order, without an error, not synchronously',
  opts,
  async (t) => {
    const { client, conn } = await kit(t).pair();
    conn.resume();
    const calls = [];
    let sync = true;
    const done = new Promise((resolve) => {
      for (let i = 0; i < 100; i++) {
        client.write(i % 10 ? 'small' : Buffer.alloc(100_000), (err) => {
          assert.equal(sync, false);
          calls.push([i, err ?? null]);
          if (i === 99) resolve();
        });
      }
    });
    sync = false;
    await done;
    await turn();
    assert.deepEqual(
      calls,
      Array.from({ length: 100 }, (_, i) => [i, null]),
    );
  },
);

test('the encoding may be left out before the callback', opts, async (t) => {
  const { client, conn } = await kit(t).pair();
  conn.resume();
  await new Promise((resolve) => client.write('a', resolve));
  await new Promise((resolve) => client.write('ff', 'hex', resolve));
  await new Promise((resolve) => client.write(Buffer.from('b'), resolve));
});

test('bytesWritten and bytesRead count both ways', opts, async (t) => {
  const { client, conn } = await kit(t).pair({ side: 'both' });
  assert.equal(client.bytesRead, 0);
  assert.equal(client.bytesWritten, 0);
  const there = readBytes(conn, 300_005);
  client.write('ä€');
  client.write(Buffer.alloc(300_000));
  assert.equal(client.bytesWritten, 300_005, 'counts at once, in bytes');
  await there;
  assert.equal(conn.bytesRead, 300_005);
  const back = readBytes(client, 3);
  const ends = Promise.all([closed(client), closed(conn)]);
  conn.end('abc');
  client.end();
  await back;
  await ends;
  // Still there after the end.
  assert.equal(client.bytesWritten, 300_005);
  assert.equal(client.bytesRead, 3);
  assert.equal(conn.bytesWritten, 3);
  assert.equal(conn.bytesRead, 300_005);
});

test('bytesWritten counts what waits for the connection', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.resume());
  const socket = k.own(new net.Socket());
  socket.connect(server.address().port, HOST);
  socket.write('pending');
  socket.write(Buffer.from('more'));
  socket.write('c3a4', 'hex');
  assert.equal(socket.bytesWritten, 13);
  socket.end('ä');
  socket.resume();
  await closed(socket);
  assert.equal(socket.bytesWritten, 15);
});

test('writes before connect arrive in order', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const accepted = once(server, 'connection');
  const socket = k.own(new net.Socket());
  socket.connect(server.address().port, HOST);
  assert.equal(socket.write('one '), true);
  socket.write('two ');
  socket.on('connect', () => socket.write('four'));
  socket.write('three ');
  const [conn] = await accepted;
  assert.equal(String(await readBytes(conn, 18)), 'one two three four');
});

test('setEncoding joins what was split inside a character', opts, async (t) => {
  const { client, conn } = await kit(t).pair({ side: 'client' });
  client.setEncoding('utf8');
  let text = '';
  client.on('data', (chunk) => {
    assert.equal(typeof chunk, 'string');
    assert.ok(!chunk.includes('\ufffd'));
    text += chunk;
  });
  const bytes = Buffer.from('€ürö 👋 ende');
  conn.setNoDelay(true);
  for (const byte of bytes) {
    const counted = client.bytesRead;
    conn.write(Buffer.from([byte]));
    await until(() => client.bytesRead > counted);
  }
  conn.end();
  await once(client, 'end');
  assert.equal(text, '€ürö 👋 ende');
});

for (const encoding of ['hex', 'base64', 'latin1', 'utf16le']) {
  test(`setEncoding('${encoding}')`, opts, async (t) => {
    const { client, conn } = await kit(t).pair({ side: 'client' });
    assert.equal(client.setEncoding(encoding), client);
    const bytes = pattern(10_001, 3);
    let text = '';
    client.on('data', (chunk) => (text += chunk));
    conn.end(bytes);
    await once(client, 'end');
    assert.equal(text, bytes.toString(encoding));
  });
}

test('cork holds writes back until uncork', opts, async (t) => {
  const { client, conn } = await kit(t).pair();
  let got = '';
  conn.on('data', (chunk) => (got += chunk));
  client.cork();
  client.write('a');
  client.write('b');
  client.write(Buffer.from('c'));
  assert.equal(client.writableCorked, 1);
  // The other direction makes a whole trip meanwhile.
  conn.write('?');
  await once(client, 'data');
  await turn();
  assert.equal(got, '');
  client.uncork();
  while (got.length < 3) await once(conn, 'data');
  assert.equal(got, 'abc');
});

test('a socket talks to itself through a server that echoes', opts, async (t) => {
  const { client, conn } = await kit(t).pair({ side: 'both' });
  conn.pipe(conn);
  const bytes = pattern(3 * MiB, 5);
  const got = readAll(client);
  client.end(bytes);
  assert.ok((await got).equals(bytes));
});

test('the two directions do not wait for each other', opts, async (t) => {
  for (const side of sides) {
    const { client, conn } = await kit(t).pair({ side });
    for (let i = 0; i < 50; i++) await roundTrip(client, conn);
  }
});

test(
  'a broadcast of several writes reaches each of many sockets once',
  { timeout: 60_000 },
  async (t) => {
    const k = kit(t);
    const conns = [];
    const server = await k.listen({}, (conn) => conns.push(conn));
    const texts = [];
    for (let i = 0; i < 400; i++) {
      const client = k.own(peer.connect(server.address().port, HOST));
      texts.push('');
      client.setEncoding('latin1').on('data', (text) => (texts[i] += text));
    }
    while (conns.length < 400) await turn();
    for (const word of ['one ', 'two ', 'three ', 'four'])
      for (const conn of conns) conn.write(word);
    assert.ok(conns.every((conn) => conn.bytesWritten === 18));
    for (const conn of conns) conn.end('.');
    while (!texts.every((text) => text.endsWith('.'))) await turn();
    assert.deepEqual(new Set(texts), new Set(['one two three four.']));
  },
);
