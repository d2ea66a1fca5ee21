'use strict';

/** Peers that speak something else, or mean harm: cases 27 to 34 of the contract. */

const assert = require('node:assert/strict');
const http = require('node:http');
const { once } = require('node:events');
const { test } = require('node:test');
const { encode } = require('socket/cbor');
const {
  HELLO,
  HOST,
  MiB,
  TIMEOUT,
  dataKit,
  frame,
  hello,
  logOf,
  names,
  peer,
  told,
  turn,
  until,
  valueFrame,
} = require('./helpers/datasocket');
const { runJson } = require('./helpers/child');

const opts = { timeout: TIMEOUT };

/** A listener whose acceptor must not be called, and what its clients are refused for. */
function guarded(t, options) {
  const { connect, echo, k, listen, raw } = dataKit(t);
  const refused = [];
  const listener = listen(() => assert.fail('the acceptor is called'), options);
  listener.on('clienterror', (err, address) => refused.push({ err, address }));
  return { connect, echo, k, listener, raw, refused };
}

/** The error that a client gets from a raw server which does this. */
async function clientErrorOf(t, onConnection, options) {
  const { connect, rawServer } = dataKit(t);
  const client = connect(await rawServer(onConnection), options);
  const log = logOf(client);
  await until(() => log.at(-1)?.[0] === 'close');
  assert.deepEqual(names(log), ['error', 'close']);
  return log[0][1];
}

test('27: an HTTP client is sent away at once', opts, async (t) => {
  const { listener, refused } = guarded(t);
  const request = http.get({ port: listener.port, host: HOST });
  await once(request, 'error');
  await until(() => refused.length === 1);
  const [{ err, address }] = refused;
  assert.equal(err.code, 'ERR_DATASOCKET_PROTOCOL');
  assert.match(err.message, /HTTP/);
  assert.match(err.message, /47 45 54 20/);
  assert.equal(address, HOST);
  assert.equal(listener.active, true);
});

test('the first wrong byte is enough', opts, async (t) => {
  const { raw, listener, refused } = guarded(t);
  for (let wrong = 0; wrong < 4; wrong++) {
    const conn = await raw(listener);
    const closed = once(conn, 'close');
    const bytes = Buffer.from(HELLO);
    bytes[wrong] = 0x20;
    for (let at = 0; at < wrong; at++) {
      conn.write(bytes.subarray(at, at + 1));
      await turn();
    }
    assert.equal(refused.length, wrong);
    conn.write(bytes.subarray(wrong, wrong + 1));
    await closed;
    await until(() => refused.length === wrong + 1);
    assert.equal(refused[wrong].err.code, 'ERR_DATASOCKET_PROTOCOL');
  }
});

test('the error says what a stranger looks like', opts, async (t) => {
  const { raw, listener, refused } = guarded(t);
  const strangers = [
    ['POST /x HTTP/1.1\r\n', /HTTP/],
    ['PRI * HTTP/2.0\r\n', /HTTP/],
    [Buffer.from('16030102000100', 'hex'), /TLS/],
    ['SSH-2.0-OpenSSH', /SSH/],
    ['PROXY TCP4 1.2.3.4', /PROXY/],
    ['hello there', /text/],
    [Buffer.from([0, 1, 2, 255]), /something else \(00 01 02 ff\)/],
  ];
  for (const [bytes, expected] of strangers) {
    const conn = await raw(listener);
    conn.write(bytes);
    await once(conn, 'close');
    await until(() => refused.length > 0);
    assert.match(refused.pop().err.message, expected);
  }
});

test('28: servers that are none of ours', { timeout: 3 * TIMEOUT }, async (t) => {
  const web = http.createServer((_request, response) => response.end('hi'));
  web.listen(0, HOST);
  await once(web, 'listening');
  t.after(() => web.close());
  const { connect } = dataKit(t);
  const client = connect(web.address().port);
  const [fromWeb] = await told(client, 'error');
  await told(client, 'close');
  assert.equal(fromWeb.code, 'ERR_DATASOCKET_PROTOCOL');
  assert.match(fromWeb.message, /HTTP/);
  const ssh = await clientErrorOf(t, (conn) => conn.write('SSH-2.0-x\r\n'));
  assert.equal(ssh.code, 'ERR_DATASOCKET_PROTOCOL');
  assert.match(ssh.message, /SSH/);
  const gone = await clientErrorOf(t, (conn) => conn.end());
  assert.equal(gone.code, 'ERR_DATASOCKET_PROTOCOL');
  assert.match(gone.message, /closed before the handshake/);
  const begun = performance.now();
  const silent = await clientErrorOf(t, () => {});
  assert.equal(silent.code, 'ETIMEDOUT');
  assert.ok(performance.now() - begun > 4900, 'after 5 s');
  const quick = await clientErrorOf(t, (conn) => conn.write(HELLO.subarray(0, 11)), {
    handshakeTimeout: 50,
  });
  assert.equal(quick.code, 'ETIMEDOUT');
});

test('clients that say nothing, or not all', opts, async (t) => {
  const { raw, listener, refused } = guarded(t, { handshakeTimeout: 100 });
  const silent = await raw(listener);
  const slow = await raw(listener);
  slow.write(HELLO.subarray(0, 11));
  await Promise.all([once(silent, 'close'), once(slow, 'close')]);
  await until(() => refused.length === 2);
  for (const { err } of refused.splice(0)) assert.equal(err.code, 'ETIMEDOUT');
  const ended = await raw(listener);
  ended.end(HELLO.subarray(0, 5));
  await until(() => refused.length === 1);
  assert.equal(refused[0].err.code, 'ERR_DATASOCKET_PROTOCOL');
  refused.length = 0;
  const reset = await raw(listener);
  await turn();
  reset.resetAndDestroy();
  await until(() => refused.length === 1);
  assert.equal(refused[0].err.code, 'ECONNRESET');
});

test('29: other versions and codecs', opts, async (t) => {
  const { raw, listener, refused } = guarded(t);
  const cases = [
    [{ version: 2 }, 'ERR_DATASOCKET_VERSION', /version 2\b.*\b1\b/],
    [{ codec: 9 }, 'ERR_DATASOCKET_CODEC', /codec 9\b.*\b1\b/],
    [{ codec: 3 }, 'ERR_DATASOCKET_CODEC', /codec 3\b.*\b1\b/],
  ];
  for (const [what, code, message] of cases) {
    const conn = await raw(listener);
    const chunks = [];
    conn.on('data', (chunk) => chunks.push(chunk));
    conn.write(hello(what));
    await once(conn, 'close');
    await until(() => refused.length === 1);
    const { err } = refused.pop();
    assert.equal(err.code, code);
    assert.match(err.message, message);
    // It speaks our language, so it is told.
    assert.deepEqual(Buffer.concat(chunks), hello({ flags: 1 }));
    const error = await clientErrorOf(t, (server) => server.write(hello(what)));
    assert.equal(error.code, code);
    assert.match(error.message, message);
  }
  const refusal = await clientErrorOf(t, (server) => server.end(hello({ flags: 1 })));
  assert.equal(refusal.code, 'ERR_DATASOCKET_REFUSED');
  const { connect, listen } = dataKit(t);
  const other = connect(listen(undefined, { codec: 'json' }));
  assert.equal((await told(other, 'error'))[0].code, 'ERR_DATASOCKET_CODEC');
});

/** What an accepted socket tells when a raw peer sends this and no more. */
async function afterBytes(t, bytes, options = {}) {
  const { accepted, conn } = await dataKit(t).rawPair(options.listen);
  const log = logOf(accepted);
  conn.write(bytes);
  if (options.ends) conn.end();
  await until(() => log.at(-1)?.[0] === 'close');
  return log;
}

test('30: a length of 4 GiB costs no memory', opts, async (t) => {
  const before = process.memoryUsage().rss;
  for (const head of ['ffffffff', '7fffffff', '04000001']) {
    const log = await afterBytes(t, Buffer.from(head, 'hex'));
    assert.deepEqual(names(log), ['error', 'close']);
    assert.equal(log[0][1].code, 'ERR_DATASOCKET_TOO_LARGE');
  }
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 10 * MiB, `${grown} bytes more`);
});

test(
  'a length that is allowed costs no memory before the bytes come',
  { timeout: 3 * TIMEOUT },
  async () => {
    const result = await runJson('datasocket-hostile', ['promises'], {
      execArgv: ['--expose-gc'],
      timeout: 2 * TIMEOUT,
    });
    assert.equal(result.connections, 50);
    assert.ok(result.grown < 24 * MiB, `${result.grown} bytes more`);
  },
);

test('31: the end inside of a frame', opts, async (t) => {
  const whole = valueFrame({ a: 'some text' });
  for (const cut of [1, 3, 4, whole.length - 1]) {
    const log = await afterBytes(t, Buffer.concat([whole, whole.subarray(0, cut)]), { ends: true });
    assert.deepEqual(names(log), ['data', 'error', 'close']);
    assert.equal(log[1][1].code, 'ERR_DATASOCKET_TRUNCATED');
  }
  const large = valueFrame(Buffer.alloc(100_000)).subarray(0, 90_000);
  const log = await afterBytes(t, large, { ends: true });
  assert.equal(log[0][1].code, 'ERR_DATASOCKET_TRUNCATED');
});

test('32: what is no value', opts, async (t) => {
  const bad = {
    garbage: Buffer.from('ff00ff00', 'hex'),
    'nested arrays': Buffer.alloc(1e6, 0x81),
    'a count of 2^32': Buffer.from('9b0000000100000000', 'hex'),
    'a bad reference': Buffer.from('d81d05', 'hex'),
    'a byte over': Buffer.concat([encode(1), Buffer.of(0)]),
    'an empty promise': Buffer.from('7affffffff', 'hex'),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    const { accepted, conn } = await dataKit(t).rawPair();
    const log = logOf(accepted);
    conn.write(Buffer.concat([valueFrame('good'), frame(bytes), valueFrame('never')]));
    await until(() => log.length > 1);
    assert.deepEqual(log[0], ['data', 'good']);
    assert.deepEqual(log[1][0], 'error', name);
    assert.equal(log[1][1].code, 'ERR_DATASOCKET_DECODE', name);
    await until(() => log.length > 2);
    assert.deepEqual(log[2], ['close']);
  }
  // The time that it takes to refuse the longest of them.
  const { accepted, conn } = await dataKit(t).rawPair();
  let begun = 0;
  accepted.on('data', () => (begun = performance.now()));
  conn.write(Buffer.concat([valueFrame('good'), frame(bad['nested arrays'])]));
  await told(accepted, 'error');
  t.diagnostic(`${(performance.now() - begun).toFixed(1)} ms`);
});

test('33: a reset is an error', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  const log = logOf(accepted);
  conn.resetAndDestroy();
  await until(() => log.length === 2);
  assert.deepEqual(names(log), ['error', 'close']);
  assert.equal(log[0][1].code, 'ECONNRESET');
});

test('a reset with values that wait: they get no sent', opts, async (t) => {
  const { accepted, conn } = await dataKit(t).rawPair();
  conn.pause();
  const log = logOf(accepted);
  accepted.send(Buffer.alloc(20 * MiB));
  await turn();
  conn.resetAndDestroy();
  await until(() => log.length === 2);
  assert.deepEqual(names(log), ['error', 'close']);
  assert.match(log[0][1].code, /^(ECONNRESET|EPIPE)$/);
});

test('34: the end between frames is none', opts, async (t) => {
  const log = await afterBytes(t, valueFrame(1), { ends: true });
  assert.deepEqual(log, [['data', 1], ['close']]);
  const { accepted, conn, reader } = await dataKit(t).rawPair();
  const other = logOf(accepted);
  // What was sent goes out first.
  conn.pause();
  accepted.send(Buffer.alloc(5 * MiB));
  conn.end();
  await turn();
  conn.resume();
  const rest = await reader.rest();
  assert.equal(rest.length, 5 * MiB + 9);
  await until(() => other.at(-1)?.[0] === 'close');
  assert.deepEqual(names(other), ['sent', 'close']);
});

test('many that never say hello are not more and more', { timeout: 3 * TIMEOUT }, async (t) => {
  const { connect, echo, k } = dataKit(t);
  const listener = echo({ handshakeTimeout: 0 });
  const refused = [];
  listener.on('clienterror', (err) => refused.push(err.code));
  const COUNT = 1100;
  const conns = Array.from({ length: COUNT }, () => {
    const conn = k.own(peer.connect(listener.port, HOST));
    conn.on('error', () => {});
    return conn;
  });
  await until(() => refused.length >= COUNT - 1024);
  assert.equal(refused.length, COUNT - 1024);
  assert.equal(refused[0], 'ERR_DATASOCKET_OVERLOAD');
  // There is a place for who says hello.
  const client = connect(listener);
  client.send(1);
  assert.deepEqual(await told(client, 'data'), [1]);
  conns.forEach((conn) => conn.destroy());
});
