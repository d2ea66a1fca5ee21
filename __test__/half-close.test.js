'use strict';

const assert = require('node:assert/strict');
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
  record,
  turn,
} = require('./helpers/kit');

const opts = { timeout: TIMEOUT };
const sides = ['client', 'server', 'both'];

/** Both ends may stay half open unless told otherwise. */
function half(k, side, ours, theirs) {
  const client = { allowHalfOpen: side === 'server' ? theirs : ours };
  const server = { allowHalfOpen: side === 'server' ? ours : theirs };
  return k.pair({ side, client, server });
}

test('allowHalfOpen is false unless asked for, and visible', opts, async (t) => {
  const k = kit(t);
  assert.equal(new net.Socket().allowHalfOpen, false);
  assert.equal(new net.Socket({ allowHalfOpen: true }).allowHalfOpen, true);
  const { conn } = await k.pair({ side: 'server', server: { allowHalfOpen: true } });
  assert.equal(conn.allowHalfOpen, true);
  assert.equal((await k.pair({ side: 'server' })).conn.allowHalfOpen, false);
});

for (const side of sides) {
  test(`allowHalfOpen false: the end of the peer ends this side too (${side})`, opts, async (t) => {
    const { ours, theirs } = await half(kit(t), side, false, true);
    const log = record(ours, ['end', 'finish', 'close', 'error']);
    ours.resume();
    theirs.end('last words');
    // The peer gets our FIN without a call of end() here.
    theirs.resume();
    await Promise.all([once(theirs, 'end'), closed(ours)]);
    assert.deepEqual(log, ['end', 'finish', 'close']);
    assert.equal(ours.writable, false);
  });

  test(`allowHalfOpen true: this side goes on writing (${side})`, opts, async (t) => {
    const { ours, theirs } = await half(kit(t), side, true, true);
    ours.resume();
    theirs.end();
    await once(ours, 'end');
    assert.equal(ours.writable, true);
    assert.equal(ours.readable, false);
    assert.equal(ours.readyState, 'writeOnly');
    const got = readAll(theirs);
    // The peer's FIN changes nothing for this direction, however often the loop turns.
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => ours.write(`${i}`, resolve));
      await turn();
    }
    const end = closed(ours);
    ours.end('!');
    assert.equal(String(await got), '01234!');
    await end;
  });

  test(`after end() this side goes on reading (${side})`, opts, async (t) => {
    const { ours, theirs } = await half(kit(t), side, false, true);
    const log = record(ours, ['end', 'finish', 'close']);
    ours.end('question');
    theirs.resume();
    await once(theirs, 'end');
    assert.equal(ours.readyState, 'readOnly');
    assert.equal(ours.writable, false);
    assert.equal(ours.destroyed, false);
    assert.deepEqual(log, ['finish']);
    const got = readAll(ours);
    const end = closed(ours);
    theirs.write('answer ');
    await turn();
    theirs.end(Buffer.alloc(300_000, 'x'));
    const bytes = await got;
    assert.equal(bytes.length, 300_007);
    assert.equal(String(bytes.subarray(0, 8)), 'answer x');
    await end;
    assert.deepEqual(log, ['finish', 'end', 'close']);
  });
}

test('end() before connect still connects, flushes and ends', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer, allowHalfOpen: true });
  const accepted = once(server, 'connection');
  const socket = k.own(new net.Socket());
  const log = record(socket, ['connect', 'ready', 'finish', 'end', 'close']);
  socket.connect(server.address().port, HOST);
  socket.write('first ');
  assert.equal(socket.end('last'), socket);
  const [conn] = await accepted;
  assert.equal(String(await readAll(conn)), 'first last');
  socket.resume();
  conn.end();
  await closed(socket);
  assert.deepEqual(log, ['connect', 'ready', 'finish', 'end', 'close']);
});

test('end() without data before connect gives the peer an empty stream', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const accepted = once(server, 'connection');
  const socket = k.own(net.connect(server.address().port, HOST));
  socket.end();
  const [conn] = await accepted;
  assert.equal((await readAll(conn)).length, 0);
});

for (const side of sides) {
  test(`every form of end() (${side})`, opts, async (t) => {
    const k = kit(t);
    const calls = {
      'end()': [(s) => s.end(), ''],
      'end(data)': [(s) => s.end('data'), 'data'],
      'end(data, encoding)': [(s) => s.end('6869', 'hex'), 'hi'],
      'end(callback)': [(s, cb) => s.end(cb), ''],
      'end(data, callback)': [(s, cb) => s.end(Buffer.from('data'), cb), 'data'],
      'end(data, encoding, callback)': [(s, cb) => s.end('6869', 'hex', cb), 'hi'],
      'write, then end': [(s) => (s.write('a'), s.write('b'), s.end('c')), 'abc'],
    };
    for (const [name, [call, expected]] of Object.entries(calls)) {
      const { ours, theirs } = await half(k, side, false, true);
      const got = readAll(theirs);
      const finished = once(ours, 'finish');
      const answers = [];
      call(ours, (...args) => answers.push(args));
      assert.deepEqual(answers, [], `${name}: not synchronous`);
      assert.equal(String(await got), expected, name);
      await finished;
      if (call.length === 2) {
        assert.equal(answers.length, 1, name);
        assert.equal(answers[0][0] ?? null, null, name);
      }
      const end = closed(ours);
      ours.resume();
      theirs.end();
      await end;
    }
  });
}

test('end() twice is harmless and sends one end', opts, async (t) => {
  const { client, conn } = await kit(t).pair();
  const got = readAll(conn);
  client.end('once');
  client.end();
  const late = new Promise((resolve) => client.end(resolve));
  assert.equal(String(await got), 'once');
  await late;
});

test('a large last write is complete before the end', opts, async (t) => {
  for (const side of sides) {
    const { ours, theirs } = await half(kit(t), side, false, true);
    const got = readAll(theirs);
    ours.end(Buffer.alloc(5_000_000, 'z'));
    const bytes = await got;
    assert.equal(bytes.length, 5_000_000);
    assert.ok(bytes.equals(Buffer.alloc(5_000_000, 'z')));
  }
});

test('the data before the end is delivered before it', opts, async (t) => {
  const { ours, theirs } = await half(kit(t), 'client', false, true);
  // Everything, the FIN too, has arrived before anybody looks.
  theirs.end(Buffer.alloc(100_000, 'q'));
  await once(theirs, 'finish');
  await turn();
  const log = [];
  let size = 0;
  ours.on('data', (chunk) => {
    size += chunk.length;
    log.push('data');
  });
  ours.on('end', () => log.push('end'));
  await closed(ours);
  assert.equal(size, 100_000);
  assert.equal(log.at(-1), 'end');
  assert.equal(log.filter((name) => name === 'end').length, 1);
});

test('without a reader there is no end, and the socket stays', opts, async (t) => {
  const { ours, theirs } = await half(kit(t), 'client', false, true);
  ours.on('end', () => assert.fail('end before the data was read'));
  theirs.end('unread');
  // Another connection makes its whole life meanwhile.
  const k = kit(t);
  const other = await k.listen({ lib: peer }, (c) => c.end('x'));
  await readAll(k.own(net.connect(other.address().port, HOST)));
  assert.equal(ours.destroyed, false);
  ours.removeAllListeners('end');
  assert.equal(String(await readAll(ours)), 'unread');
});

test('both ends at the same time', opts, async (t) => {
  for (const side of sides) {
    const { client, conn } = await kit(t).pair({ side });
    const logs = [client, conn].map((s) => record(s.resume(), ['end', 'finish', 'close', 'error']));
    client.end('a');
    conn.end('b');
    await Promise.all([closed(client), closed(conn)]);
    for (const log of logs) {
      assert.equal(log.at(-1), 'close');
      assert.deepEqual([...log].sort(), ['close', 'end', 'finish']);
    }
    assert.equal(client.bytesRead, 1);
    assert.equal(conn.bytesRead, 1);
  }
});

test('half-open both ways: question, end, answer, end', opts, async (t) => {
  for (const side of sides) {
    const { client, conn } = await half(kit(t), side, true, true);
    const ends = Promise.all([closed(client), closed(conn)]);
    const question = readAll(conn);
    client.end('ping');
    assert.equal(String(await question), 'ping');
    const answer = readAll(client);
    conn.write('po');
    await turn();
    conn.end('ng');
    assert.equal(String(await answer), 'pong');
    await ends;
  }
});

test('an end is seen also after the data listener has gone', opts, async (t) => {
  const { ours, theirs } = await half(kit(t), 'server', false, true);
  const got = readBytes(ours, 3);
  theirs.write('abc');
  assert.equal(String(await got), 'abc');
  theirs.end();
  await once(ours, 'end');
});
