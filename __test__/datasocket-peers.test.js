'use strict';

/** From connect to close: the acceptor, addresses, ends. Cases 1, 21 to 26 and 42 to 45 and 50 of the contract. */

const assert = require('node:assert/strict');
const dns = require('node:dns');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { pathOf } = require('../lib/data/options');
const {
  DataSocket,
  HELLO,
  HOST,
  TIMEOUT,
  dataKit,
  hello,
  logOf,
  names,
  nextValue,
  told,
  turn,
  until,
  valueFrame,
} = require('./helpers/datasocket');
const { run, runJson } = require('./helpers/child');

const opts = { timeout: TIMEOUT };

test('1: connect', opts, async (t) => {
  const { connect, listen } = dataKit(t);
  let accepted;
  const listener = listen((socket) => {
    accepted = socket;
    assert.equal(socket.active, true);
    assert.ok(socket instanceof DataSocket);
    return true;
  });
  assert.equal(listener.active, true);
  assert.equal(listener.address, HOST);
  const client = connect(listener);
  assert.equal(client.active, true);
  assert.equal(client.address, 'localhost');
  const log = logOf(client);
  assert.deepEqual(log, [], 'not inside of connect()');
  await until(() => log.length > 0 && accepted);
  assert.equal(client.active, true);
  assert.equal(client.address, HOST);
  assert.equal(accepted.address, HOST);
  assert.ok(accepted.port > 0 && accepted.port !== listener.port);
  client.send(1);
  assert.equal(await nextValue(accepted), 1);
  await turn();
  assert.deepEqual(names(log), ['connect', 'sent']);
});

test('21: close() twice, and while connecting', opts, async (t) => {
  const { connect, echo, pair } = dataKit(t);
  const { client } = await pair();
  const log = logOf(client);
  assert.equal(client.close(), undefined);
  client.close();
  await until(() => log.length > 0);
  client.close();
  await turn();
  assert.deepEqual(log, [['close']]);
  const early = connect(echo());
  const earlyLog = logOf(early);
  early.send('dropped');
  early.close();
  early.close();
  assert.equal(early.active, false);
  await until(() => earlyLog.length > 0);
  await turn();
  assert.deepEqual(earlyLog, [['close']]);
  // Between TCP and the hello.
  const { rawServer } = dataKit(t);
  let greeted;
  const reached = new Promise((resolve) => (greeted = resolve));
  const waiting = connect(await rawServer(async (conn, reader) => greeted(await reader.read(12))));
  const waitingLog = logOf(waiting);
  await reached;
  waiting.close();
  await until(() => waitingLog.length > 0);
  assert.deepEqual(waitingLog, [['close']]);
});

test('22: send() after close(), and on a listener', opts, async (t) => {
  const { client, listener } = await dataKit(t).pair();
  assert.throws(() => listener.send(1), { code: 'ERR_INVALID_STATE' });
  client.close();
  assert.throws(() => client.send(1), { code: 'ERR_SOCKET_CLOSED' });
  await told(client, 'close');
  assert.throws(() => client.send(1), { code: 'ERR_SOCKET_CLOSED' });
  assert.equal(
    client.on('data', () => {}),
    client,
  );
});

test('23: nobody listens', opts, async (t) => {
  const { connect, k } = dataKit(t);
  const port = await k.refusedPort();
  const client = connect(port);
  const log = logOf(client);
  await until(() => log.at(-1)?.[0] === 'close');
  assert.deepEqual(names(log), ['error', 'close']);
  assert.equal(log[0][1].code, 'ECONNREFUSED');
  assert.equal(log[0][1].syscall ?? 'connect', 'connect');
  assert.equal(client.active, false);
});

test('24: only true accepts', { timeout: 3 * TIMEOUT }, async (t) => {
  const { connect, listen } = dataKit(t);
  for (const answer of [1, undefined, Promise.resolve(true), false, 'true', {}]) {
    let offered;
    const listener = listen((socket) => {
      offered = logOf(socket);
      return answer;
    });
    const client = connect(listener);
    const log = logOf(client);
    await until(() => log.at(-1)?.[0] === 'close' && offered.length > 0);
    assert.deepEqual(names(log), ['error', 'close']);
    assert.equal(log[0][1].code, 'ERR_DATASOCKET_REFUSED');
    assert.deepEqual(offered, [['close']]);
  }
});

test('25: an acceptor that throws', { timeout: 3 * TIMEOUT }, async () => {
  const result = await run('datasocket-acceptor', []);
  assert.equal(result.stderr, '');
  assert.equal(result.code, 0);
  assert.deepEqual(JSON.parse(result.stdout), [
    'uncaught from the acceptor',
    'error ERR_DATASOCKET_REFUSED',
    'close',
    'connect',
  ]);
});

for (const [what, code, expected] of [
  ['undefined', 'ERR_DATASOCKET_REFUSED', /returned undefined, .* must return true/],
  ['promise', 'ERR_DATASOCKET_REFUSED', /returned a promise, .* cannot be async/],
  ['false', null],
  // As in Sciter: scanners that come by should not fill a log.
  ['failure', null],
]) {
  test(`a process warning, once: ${what}`, { timeout: 3 * TIMEOUT }, async () => {
    const warnings = await runJson('datasocket-warnings', [what]);
    assert.equal(warnings.length, code === null ? 0 : 1);
    if (code === null) return;
    assert.equal(warnings[0][0], code);
    assert.match(warnings[0][1], expected);
  });
}

test('26: what the acceptor sends before its answer', opts, async (t) => {
  const { connect, listen } = dataKit(t);
  const welcome = connect(
    listen((socket) => {
      assert.equal(socket.send('welcome'), true);
      return true;
    }),
  );
  const log = logOf(welcome);
  await until(() => log.length === 2);
  assert.deepEqual(log, [['connect'], ['data', 'welcome']]);
  let offered;
  const refused = connect(
    listen((socket) => {
      offered = logOf(socket);
      socket.send('never');
      return false;
    }),
  );
  const other = logOf(refused);
  await until(() => other.length === 2 && offered.length > 0);
  assert.deepEqual(names(other), ['error', 'close']);
  await turn();
  assert.deepEqual(offered, [['close']], 'what is dropped is not sent');
});

test('an acceptor may close what it accepts, or let it go', opts, async (t) => {
  const { connect, listen } = dataKit(t);
  const closing = connect(
    listen((socket) => {
      socket.send('goodbye');
      socket.close();
      assert.equal(socket.active, false);
      assert.throws(() => socket.send(1), { code: 'ERR_SOCKET_CLOSED' });
      return true;
    }),
  );
  const log = logOf(closing);
  await until(() => log.at(-1)?.[0] === 'close');
  assert.deepEqual(log, [['connect'], ['data', 'goodbye'], ['close']]);
  const dropped = connect(
    listen((socket) => {
      socket.closeImmediately();
      return true;
    }),
  );
  const other = logOf(dropped);
  await until(() => other.at(-1)?.[0] === 'close');
  assert.deepEqual(names(other), ['error', 'close']);
});

/** An address of this machine that is not loopback, or none. */
const otherAddress = () =>
  Object.values(os.networkInterfaces())
    .flat()
    .find((each) => each.family === 'IPv4' && !each.internal)?.address;

test('42: without a domain it listens on loopback only', opts, async (t) => {
  const { listen, own } = dataKit(t);
  const listener = listen();
  assert.equal(listener.address, '127.0.0.1');
  const everywhere = own(DataSocket.listen(() => true, 0, '0.0.0.0'));
  assert.equal(everywhere.address, '0.0.0.0');
  // Another address of loopback shows the difference also where there is no network.
  const other = process.platform === 'linux' ? '127.0.0.2' : otherAddress();
  if (other === undefined) return t.diagnostic('no other address: nothing more to check');
  const refused = own(DataSocket.connect(listener.port, other));
  const [err] = await told(refused, 'error');
  assert.equal(err.code, 'ECONNREFUSED');
  const reached = own(DataSocket.connect(everywhere.port, other));
  await told(reached, 'connect');
  assert.equal(reached.address, other);
});

test('43: both orders of arguments, and local paths', opts, async (t) => {
  const { own } = dataKit(t);
  const listener = own(DataSocket.listen(() => true, HOST, 0));
  for (const args of [
    [HOST, listener.port],
    [listener.port, HOST],
    [listener.port, HOST, {}],
    [listener.port, undefined, {}],
    [listener.port, {}],
    [HOST, listener.port, { codec: 'cbor' }],
    // As it comes from the environment.
    [String(listener.port)],
    [String(listener.port), HOST, {}],
    [String(listener.port), {}],
  ]) {
    const client = own(DataSocket.connect(...args));
    await told(client, 'connect');
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'datasocket-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const name =
    process.platform === 'win32' ? `datasocket-${process.pid}` : path.join(folder, 'a socket');
  let accepted;
  const local = own(
    DataSocket.listen((socket) => {
      accepted = socket;
      return true;
    }, name),
  );
  assert.equal(local.address, pathOf(name));
  assert.equal(local.port, 0);
  assert.throws(() => DataSocket.listen(() => true, name), { code: 'EADDRINUSE' });
  const client = own(DataSocket.connect(name, { maxDepth: 10 }));
  assert.equal(client.address, pathOf(name));
  client.send('by path');
  await told(client, 'connect');
  assert.equal(client.address, pathOf(name));
  assert.equal(accepted.address, pathOf(name));
  assert.equal(await nextValue(accepted), 'by path');
  const closed = told(local, 'close');
  local.close();
  await closed;
  if (process.platform !== 'win32') assert.equal(fs.existsSync(name), false);
});

test('a port as text is no name of a file', opts, async (t) => {
  const { listen, own } = dataKit(t);
  const free = listen();
  const port = String(free.port);
  const closed = told(free, 'close');
  free.close();
  await closed;
  const listener = own(DataSocket.listen(() => true, port));
  assert.equal(String(listener.port), port);
  assert.equal(listener.address, '127.0.0.1');
  assert.equal(own(DataSocket.listen(() => true, '0', '127.0.0.1')).address, '127.0.0.1');
});

test('a path may end like a port where it is clear that it is one', opts, async (t) => {
  const { own } = dataKit(t);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'datasocket-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const name = process.platform === 'win32' ? '\\\\.\\pipe\\mine:1' : path.join(folder, 'mine:1');
  own(DataSocket.listen(() => true, name));
  await told(own(DataSocket.connect(name)), 'connect');
});

test('names of pipes get their place on Windows', () => {
  assert.equal(pathOf('mine', 'win32'), '\\\\.\\pipe\\mine');
  assert.equal(pathOf('\\\\?\\pipe\\mine', 'win32'), '\\\\?\\pipe\\mine');
  assert.equal(pathOf('/tmp/mine', 'linux'), '/tmp/mine');
});

test('IPv6 literals', opts, async (t) => {
  const { own } = dataKit(t);
  let listener;
  try {
    listener = own(DataSocket.listen(() => true, 0, '::1'));
  } catch (err) {
    if (err.code !== 'EADDRNOTAVAIL') throw err;
    return t.skip('this machine has no IPv6');
  }
  const client = own(DataSocket.connect(listener.port, '::1'));
  await told(client, 'connect');
  assert.equal(client.address, '::1');
});

test('names to listen on are looked up, and may not be found', opts, async (t) => {
  const { connect, own } = dataKit(t);
  const { lookup } = dns;
  t.after(() => (dns.lookup = lookup));
  dns.lookup = (name, ...rest) => {
    if (!name.endsWith('.example')) return lookup(name, ...rest);
    const callback = rest.at(-1);
    const isKnown = name === 'known.example';
    const err = isKnown ? null : Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    setImmediate(() => callback(err, HOST, 4));
  };
  const listener = own(DataSocket.listen(() => true, 0, 'known.example'));
  assert.equal(listener.address, 'known.example');
  assert.equal(listener.active, true);
  await until(() => listener.port > 0);
  assert.equal(listener.address, HOST);
  await told(connect(listener), 'connect');
  const lost = own(DataSocket.listen(() => true, 0, 'unknown.example'));
  const log = logOf(lost);
  await until(() => log.length === 2);
  assert.deepEqual(names(log), ['error', 'close']);
  assert.equal(log[0][1].code, 'ENOTFOUND');
  assert.equal(lost.active, false);
  const taken = own(DataSocket.listen(() => true, listener.port, 'known.example'));
  const [err] = await told(taken, 'error');
  assert.equal(err.code, 'EADDRINUSE');
  const given = own(DataSocket.listen(() => true, 0, 'known.example'));
  const givenLog = logOf(given);
  given.close();
  await until(() => givenLog.length > 0);
  await turn();
  await turn();
  assert.deepEqual(givenLog, [['close']]);
});

test('44: a listener that closes leaves its connections alone', opts, async (t) => {
  const { connect, own, pair } = dataKit(t);
  const { client, accepted, listener } = await pair();
  const log = logOf(listener);
  const { port } = listener;
  listener.close();
  listener.close();
  assert.equal(listener.active, false);
  await until(() => log.length > 0);
  client.send('still');
  assert.equal(await nextValue(accepted), 'still');
  const [err] = await told(connect(port), 'error');
  assert.equal(err.code, 'ECONNREFUSED');
  assert.deepEqual(log, [['close']]);
  // The port is free.
  own(DataSocket.listen(() => true, port));
});

test('45: port 0 is a free port, and port says which', opts, async (t) => {
  const { listen } = dataKit(t);
  const [one, two] = [listen(), listen()];
  assert.ok(one.port > 0 && two.port > 0 && one.port !== two.port);
});

test('what the client says first, and what the server says', opts, async (t) => {
  const { rawPair, rawServed } = dataKit(t);
  const { greeting } = await rawPair({ maxMessageSize: 1000 });
  assert.deepEqual(greeting, hello({ limit: 1000 }));
  const { client, reader, conn, greeting: first } = await rawServed({ maxMessageSize: 2000 });
  assert.deepEqual(first, hello({ limit: 2000 }));
  client.send([1, 'a']);
  assert.deepEqual(await reader.readFrame(), Buffer.from('82016161', 'hex'));
  conn.write(valueFrame(5));
  assert.equal(await nextValue(client), 5);
  const end = new Promise((resolve) => conn.once('end', resolve));
  client.close();
  await end;
});

test('nothing is sent to a server before its hello but ours', opts, async (t) => {
  const { connect, rawServer } = dataKit(t);
  const peers = [];
  const port = await rawServer((conn, reader) => peers.push({ conn, reader }));
  const client = connect(port);
  client.send('queued');
  await until(() => peers.length === 1 && peers[0].reader.length >= 12);
  for (let i = 0; i < 20; i++) await turn();
  assert.equal(peers[0].reader.length, 12);
  peers[0].conn.write(HELLO);
  await peers[0].reader.read(12);
  assert.equal(await peers[0].reader.readValue(), 'queued');
});

test('50: when all is closed, the process ends by itself', { timeout: 3 * TIMEOUT }, async () => {
  for (const how of ['close', 'unref', 'failed', 'held', 'newcomer', 'lingering']) {
    const result = await run('datasocket-exit', [how]);
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, `${how}\n`, '']);
  }
});
