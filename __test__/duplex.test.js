'use strict';

/** A socket is a real stream.Duplex, a server a real EventEmitter. */

const assert = require('node:assert/strict');
const EventEmitter = require('node:events');
const stream = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { test } = require('node:test');
const zlib = require('node:zlib');
const { net, isOurs } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, failed, kit, once, peer, readAll, until } = require('./helpers/kit');
const { run } = require('./helpers/child');
const { pattern } = require('./helpers/pattern');

const opts = { timeout: TIMEOUT };

test('the classes are what they should be', opts, () => {
  const socket = new net.Socket();
  assert.ok(socket instanceof stream.Duplex);
  assert.ok(socket instanceof stream.Readable);
  assert.ok(socket instanceof stream.Writable);
  assert.ok(socket instanceof EventEmitter);
  const server = new net.Server();
  assert.ok(server instanceof EventEmitter);
  assert.equal(socket.readableObjectMode, false);
  assert.equal(socket.writableObjectMode, false);
  socket.destroy();
});

test('classes derived from Socket and Server work', opts, async (t) => {
  class MySocket extends net.Socket {
    hello() {
      this.end('hello');
    }
  }
  class MyServer extends net.Server {}
  const k = kit(t);
  const server = k.ownServer(new MyServer());
  server.listen(0, HOST);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const socket = k.own(new MySocket());
  socket.connect(server.address().port, HOST);
  socket.hello();
  const [conn] = await accepted;
  assert.equal(String(await readAll(conn)), 'hello');
  assert.ok(socket instanceof MySocket);
});

test('pipe with backpressure through transforms', opts, async (t) => {
  // The server answers after the end of the question.
  const server = { allowHalfOpen: true };
  const { client, conn } = await kit(t).pair({ side: 'both', server });
  const bytes = pattern(4_000_000, 41);
  conn.pipe(zlib.createGzip()).pipe(conn);
  const unzipped = client.pipe(zlib.createGunzip());
  client.end(bytes);
  const chunks = [];
  for await (const chunk of unzipped) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(bytes));
});

test('pipeline from Readable.from, promise form', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  const got = readAll(theirs);
  theirs.on('end', () => theirs.end());
  ours.resume();
  await pipeline(stream.Readable.from(['a', 'b', Buffer.from('c')]), ours);
  assert.equal(String(await got), 'abc');
});

test('pipeline fails when the peer resets', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  const sink = new stream.PassThrough();
  sink.resume();
  const result = pipeline(ours, sink);
  theirs.write('x');
  await once(sink, 'data');
  theirs.resetAndDestroy();
  await assert.rejects(result, { code: 'ECONNRESET' });
  assert.equal(sink.destroyed, true);
});

test('a premature close is told by finished', opts, async (t) => {
  const { ours } = await kit(t).pair({ side: 'client' });
  const result = new Promise((resolve) => stream.finished(ours, resolve));
  ours.destroy();
  assert.equal((await result).code, 'ERR_STREAM_PREMATURE_CLOSE');
});

test('finished after an orderly end', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'server' });
  const result = new Promise((resolve) => stream.finished(ours, resolve));
  ours.resume().end('x');
  theirs.resume().end();
  assert.equal((await result) ?? null, null);
  assert.equal(ours.readableEnded, true);
  assert.equal(ours.writableFinished, true);
});

test('async iteration reads everything and then closes', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  const bytes = pattern(2_000_000, 42);
  theirs.end(bytes);
  const end = closed(ours);
  const chunks = [];
  for await (const chunk of ours) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(bytes));
  await end;
});

test('leaving an async iteration destroys the socket', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  theirs.on('error', () => {});
  theirs.write('first');
  const end = closed(ours);
  for await (const chunk of ours) {
    assert.equal(String(chunk), 'first');
    break;
  }
  await end;
  assert.equal(ours.destroyed, true);
});

test('async iteration throws the error of the socket', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  const reading = (async () => {
    for await (const chunk of ours) {
      assert.equal(String(chunk), 'x');
      theirs.resetAndDestroy();
    }
  })();
  theirs.write('x');
  await assert.rejects(reading, { code: 'ECONNRESET' });
});

test('Duplex.toWeb', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  theirs.pipe(theirs);
  const { readable, writable } = stream.Duplex.toWeb(ours);
  const writer = writable.getWriter();
  await writer.write(Buffer.from('through the web'));
  const reader = readable.getReader();
  const { value } = await reader.read();
  assert.equal(Buffer.from(value).toString(), 'through the web');
  await writer.close();
  assert.equal((await reader.read()).done, true);
});

test('unshift gives bytes back', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'server' });
  theirs.end('headbody');
  const [chunk] = await once(ours, 'data');
  ours.pause();
  ours.unshift(chunk.subarray(4));
  assert.equal(String(chunk.subarray(0, 4)), 'head');
  assert.equal(String(await readAll(ours.resume())), 'body');
});

test('captureRejections turns a rejecting listener into an error', opts, async (t) => {
  const before = EventEmitter.captureRejections;
  EventEmitter.captureRejections = true;
  t.after(() => (EventEmitter.captureRejections = before));
  const { ours, theirs } = await kit(t).pair({ side: 'client' });
  theirs.on('error', () => {});
  ours.on('data', async () => {
    throw new Error('rejected');
  });
  const error = failed(ours);
  theirs.write('x');
  assert.equal((await error).message, 'rejected');
  assert.equal(ours.destroyed, true);
});

test('captureRejections: a rejecting connection listener destroys its socket', opts, async (t) => {
  const before = EventEmitter.captureRejections;
  EventEmitter.captureRejections = true;
  t.after(() => (EventEmitter.captureRejections = before));
  const k = kit(t);
  let error;
  const server = await k.listen({}, async (conn) => {
    error = failed(conn);
    throw new Error('rejected');
  });
  const client = k.own(peer.connect(server.address().port, HOST));
  client.on('error', () => {});
  client.resume();
  await closed(client);
  assert.equal((await error).message, 'rejected');
});

test('onread puts the data into the memory of the caller', opts, async (t) => {
  const k = kit(t);
  const bytes = pattern(1_000_000, 43);
  const server = await k.listen({ lib: peer }, (conn) => conn.end(bytes));
  const buffer = Buffer.alloc(10_000);
  const chunks = [];
  let pauses = 0;
  const socket = k.own(
    net.connect({
      port: server.address().port,
      host: HOST,
      onread: {
        buffer,
        callback(size, memory) {
          assert.equal(memory, buffer);
          assert.ok(size > 0 && size <= buffer.length);
          chunks.push(Buffer.from(memory.subarray(0, size)));
          if (chunks.length % 10) return true;
          // false stops the reading, resume() starts it again.
          pauses++;
          setImmediate(() => socket.resume());
          return false;
        },
      },
    }),
  );
  socket.on('data', () => assert.fail("event 'data'"));
  await once(socket, 'end');
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.ok(pauses > 0);
});

test('onread without memory to put it into is an error', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.on('error', () => {}).write('x'));
  const memory = new ArrayBuffer(1000);
  const buffers = [new Uint8Array(0), () => new Uint8Array(0)];
  // Of memory that was given away Node still knows where it was.
  if (isOurs) buffers.push(new Uint8Array(memory));
  structuredClone(memory, { transfer: [memory] });
  for (const buffer of buffers) {
    const callback = () => assert.fail('called without memory');
    const onread = { buffer, callback };
    const socket = k.own(net.connect({ port: server.address().port, host: HOST, onread }));
    const err = await failed(socket);
    assert.equal(err.message, 'read ENOBUFS');
  }
});

test('onread: this, pausing from inside, and the moments of a generator', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (conn) => conn.end('abcd'));
  const log = [];
  let made = 0;
  const socket = k.own(
    new net.Socket({
      onread: {
        buffer() {
          log.push('buffer');
          // What is no memory is passed over: the one before serves again.
          return ++made === 2 ? undefined : Buffer.alloc(2);
        },
        callback(size, buffer) {
          assert.equal(this, socket);
          log.push(buffer.toString('latin1', 0, size));
          this.pause();
          setImmediate(() => {
            log.push('resume');
            socket.resume();
          });
        },
      },
    }),
  );
  socket.connect(server.address().port, HOST);
  log.push('connecting');
  await once(socket, 'end');
  await until(() => log.length === 8);
  assert.deepEqual(log, [
    'buffer',
    'connecting',
    'ab',
    'buffer',
    'resume',
    'cd',
    'buffer',
    'resume',
  ]);
});

test('an onread callback that throws loses nothing', opts, async () => {
  const { code, stdout } = await run('onread-throws');
  assert.equal(code, 0);
  assert.equal(stdout, 'uncaught boom\nabcdef\n');
});
