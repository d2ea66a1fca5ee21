'use strict';

/** Secure connections and the process around them: ends, workers, exits, contexts, memory. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { run } = require('./helpers/child');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { TIMEOUT, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { closed, readAll, record, until } = require('./helpers/kit');

const options = { skip: NO_OPENSSL, timeout: TIMEOUT };
const { ca, server: identity } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};
const files = NO_OPENSSL ? [] : [identity.certFile, identity.keyFile, ca.certFile];

test('the events of a client and a server, in order', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const names = ['connect', 'ready', 'secure', 'secureConnect', 'data', 'end', 'finish', 'close'];
  const server = await serve(ours, { cert, key });
  const log = [];
  server.on('connection', (socket) => {
    log.push('connection');
    record(socket, ['secure', 'data', 'end', 'close'], log, 'conn ');
  });
  server.on('secureConnection', (socket) => {
    log.push('secureConnection');
    socket.on('data', () => setImmediate(() => socket.end('bye')));
  });
  const client = connect(ours, server, { ca: ca.cert });
  const own = record(client, names);
  client.write('hi');
  await closed(client);
  await until(() => log.includes('conn close'));
  assert.deepEqual(own, [
    'connect',
    'ready',
    'secure',
    'secureConnect',
    'data',
    'end',
    'finish',
    'close',
  ]);
  assert.deepEqual(log, [
    'connection',
    'conn secure',
    'secureConnection',
    'conn data',
    'conn end',
    'conn close',
  ]);
});

test('what was written before destroy() goes out', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(ours, { cert, key }, (conn) => {
    conn.write('last words');
    conn.destroy();
  });
  const client = connect(peer, server, { ca: ca.cert });
  assert.equal(String(await readAll(client)), 'last words');
});

test('a write callback comes when the bytes are with the system', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(peer, { cert, key }, (conn) => conn.pause());
  const client = connect(ours, server, { ca: ca.cert });
  await once(client, 'secureConnect');
  await new Promise((resolve) => client.write('small', resolve));
  assert.equal(client.bytesWritten, 5);
  // More than the system takes: no callback, and an error when it is destroyed.
  const written = new Promise((resolve) => client.write(Buffer.alloc(32 * 1024 * 1024), resolve));
  assert.equal(client.writableNeedDrain, true);
  client.destroy(new Error('enough'));
  client.on('error', () => {});
  assert.equal((await written).message, 'enough');
});

test('destroyed while it shakes hands, from either side', options, async (t) => {
  const { serve, connect } = tlsKit(t);
  const server = await serve(ours, { cert, key });
  const failures = [];
  server.on('tlsClientError', (err) => failures.push(err.code));
  for (let n = 0; n < 20; n++) {
    const client = connect(ours, server, { ca: ca.cert });
    client.on('secureConnect', () => assert.fail('it is destroyed'));
    client.once('connect', () => client.destroy());
    await closed(client);
  }
  server.once('connection', (conn) => conn.destroy());
  const client = connect(ours, server, { ca: ca.cert });
  const [err] = await once(client, 'error');
  assert.equal(err.code, 'ECONNRESET');
  for (const code of failures) assert.equal(code, 'ECONNRESET');
});

for (const lib of [peer, ours]) {
  const name = lib === ours ? 'ours' : 'node:tls';
  /** A connection of `lib` whose client has said its end and is gone. */
  const left = async (t) => {
    const { serve, connect } = tlsKit(t);
    const server = await serve(lib, { cert, key, allowHalfOpen: true });
    const accepted = once(server, 'secureConnection');
    const client = connect(peer, server, { ca: ca.cert });
    const [conn] = await accepted;
    conn.resume();
    const events = record(conn, ['end', 'finish', 'error', 'close']);
    // Behind the session tickets: what is not read when it goes would make it a reset.
    conn.write('hello');
    await once(client, 'data');
    client.end('bye', () => client.destroy());
    await Promise.all([closed(client), once(conn, 'end')]);
    // The answer is a reset: nobody is there to be told of the end.
    await new Promise((resolve) => conn.write('an answer', resolve));
    return { conn, events };
  };

  test(`an end that nobody is left to hear is no error: ${name}`, options, async (t) => {
    const { conn, events } = await left(t);
    conn.end();
    assert.equal(await closed(conn), false);
    assert.deepEqual(events, ['end', 'finish', 'close']);
  });

  test(`a write that nobody is left to read is one: ${name}`, options, async (t) => {
    const { conn, events } = await left(t);
    const written = new Promise((resolve) => conn.end('more', resolve));
    assert.equal(await closed(conn), true);
    assert.equal((await written).syscall, 'write');
    assert.deepEqual(events, ['end', 'error', 'close']);
  });
}

test('a worker that ends with secure connections open', options, async () => {
  for (let n = 0; n < 5; n++) {
    const worker = new Worker(require.resolve('./fixtures/tls-cycles.js'), {
      argv: ['open', ...files],
    });
    await once(worker, 'message');
    assert.equal(await worker.terminate(), 1);
  }
});

test('a process ends when its connections have', { ...options, timeout: 60_000 }, async () => {
  const result = await run('tls-cycles', ['talk', ...files]);
  assert.equal(result.stdout, 'done\nexit 0\n', result.stderr);
});

test(
  'contexts and connections leave nothing behind',
  { ...options, timeout: 120_000 },
  async (t) => {
    const result = await run('tls-cycles', ['many', ...files], {
      execArgv: ['--expose-gc'],
      timeout: 100_000,
    });
    assert.equal(result.code, 0, result.stderr);
    const [first, second] = JSON.parse(result.stdout.split('\n')[0]);
    t.diagnostic(`RSS ${first} → ${second} MiB`);
    assert.ok(second - first < 20, `RSS grew from ${first} to ${second} MiB`);
  },
);

test(
  'NODE_EXTRA_CA_CERTS is trusted besides the system',
  { ...options, timeout: 60_000 },
  async () => {
    const alone = await run('tls-cycles', ['trust', ...files]);
    assert.equal(alone.stdout, 'false UNABLE_TO_VERIFY_LEAF_SIGNATURE\n', alone.stderr);
    const env = { NODE_EXTRA_CA_CERTS: files[2] };
    const together = await run('tls-cycles', ['trust', ...files], { env });
    assert.equal(together.stdout, 'true null\n', together.stderr);
  },
);
