'use strict';

/** `socket/promises`: connect, listen, and how they end. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const {
  HOST,
  TIMEOUT,
  closed,
  kit,
  once,
  peer,
  readAll,
  roundTrip,
  until,
} = require('./helpers/kit');

const opts = { timeout: TIMEOUT, skip: !isOurs && SKIP_FOREIGN };
const { connect, listen } = net.promises ?? {};

const dispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');

/** A server that is closed with the test, however many connections it has. */
async function listening(t, ...args) {
  const server = await listen(...args);
  t.after(() => server.close({ grace: 0 }));
  return server;
}

test('it is the same object by every name', opts, async () => {
  assert.equal(require('socket').promises, require('socket/promises'));
  assert.equal(require('socket/net').promises, require('socket/promises'));
  const imported = await import('socket/promises');
  assert.equal(imported.connect, connect);
  assert.equal(imported.listen, listen);
  assert.equal(imported.default, require('socket/promises'));
  const values = ['BlockList', 'SocketAddress', 'isIP', 'isIPv4', 'isIPv6'];
  for (const name of values) assert.equal(imported[name], net[name]);
  const names = Object.keys(require('socket/promises')).sort();
  assert.deepEqual(names, [...values, 'connect', 'listen'].sort());
});

test('connect() takes what net.connect() takes', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer }, (socket) => socket.end('hello'));
  const { port } = server.address();
  for (const args of [
    [port, HOST],
    [String(port), HOST],
    [{ port, host: HOST }],
    [{ port, host: HOST, signal: undefined }],
  ]) {
    const socket = k.own(await connect(...args));
    assert.ok(socket instanceof net.Socket);
    assert.equal(socket.connecting, false);
    assert.equal(socket.readyState, 'open');
    assert.equal(socket.remotePort, port);
    assert.equal(String(await readAll(socket)), 'hello');
    assert.equal(socket.listenerCount('connect'), 0);
  }
  const timed = k.own(await connect({ port, host: HOST, timeout: 12_345 }));
  assert.equal(timed.timeout, 12_345);
});

test('connect() and listen() on a path', opts, async (t) => {
  if (process.platform === 'win32') return t.skip('no Unix sockets here');
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-promises-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  for (const [i, target] of [(file) => file, (file) => ({ path: file })].entries()) {
    const file = path.join(dir, String(i));
    const server = await listening(t, target(file));
    assert.equal(server.address(), file);
    const socket = await connect(target(file));
    const { value } = await server[Symbol.asyncIterator]().next();
    await roundTrip(socket, value);
    socket.destroy();
  }
});

test('connect() rejects with the error of the socket', opts, async (t) => {
  const port = await kit(t).refusedPort();
  await assert.rejects(connect(port, HOST), {
    code: 'ECONNREFUSED',
    syscall: 'connect',
    address: HOST,
    port,
  });
  const wrong = [
    [{ port: 65_536 }, 'ERR_SOCKET_BAD_PORT'],
    [{ port, host: HOST, localAddress: 'no address' }, 'ERR_INVALID_IP_ADDRESS'],
    [{ port, signal: 'no signal' }, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_MISSING_ARGS'],
  ];
  for (const [options, code] of wrong) await assert.rejects(connect(options), { code });
});

test('connect(): an abort before or during the attempt destroys the socket', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const { port } = server.address();
  await assert.rejects(connect({ port, host: HOST, signal: AbortSignal.abort() }), {
    name: 'AbortError',
  });
  const reason = new Error('of the caller');
  await assert.rejects(connect({ port, signal: AbortSignal.abort(reason) }), reason);

  const controller = new AbortController();
  const attempt = new Promise((resolve) => {
    // A look-up that never answers: the attempt goes no further.
    const lookup = () => setImmediate(() => controller.abort(reason));
    resolve(connect({ port, host: 'example.test', lookup, signal: controller.signal }));
  });
  await assert.rejects(attempt, { name: 'AbortError', code: 'ABORT_ERR', cause: reason });
});

test('connect(): an abort afterwards is none of its business', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const controller = new AbortController();
  const { port } = server.address();
  const accepted = once(server, 'connection');
  const socket = k.own(await connect({ port, host: HOST, signal: controller.signal }));
  const [other] = await accepted;
  controller.abort();
  await roundTrip(socket, other);
});

test(
  'listen() takes what server.listen() takes, and by default a port of the system’s',
  opts,
  async (t) => {
    for (const args of [
      [],
      [{}],
      [{ host: HOST }],
      [{ port: 0 }],
      [{ port: undefined, noDelay: true }],
      [0],
      [0, HOST],
      [0, HOST, 10],
    ]) {
      const server = await listening(t, ...args);
      assert.ok(server instanceof net.Server);
      assert.equal(server.listening, true);
      assert.ok(server.address().port > 0);
      if (args.includes(HOST) || args[0]?.host) assert.equal(server.address().address, HOST);
    }
  },
);

test('listen(): the options of the server are its own', opts, async (t) => {
  const heard = [];
  const server = await listening(t, {
    port: 0,
    host: HOST,
    pauseOnConnect: true,
    connectionListener: (socket) => heard.push(socket),
  });
  const socket = await connect(server.address().port, HOST);
  t.after(() => socket.destroy());
  await until(() => heard.length === 1);
  assert.equal(heard[0].isPaused(), true);
  heard[0].destroy();
});

test('listen() rejects with the error of the server', opts, async (t) => {
  const taken = await kit(t).listen({ lib: peer });
  const { port } = taken.address();
  await assert.rejects(listen({ port, host: HOST }), {
    code: 'EADDRINUSE',
    syscall: 'listen',
    port,
  });
  const wrong = [
    [{ port: 65_536 }, 'ERR_SOCKET_BAD_PORT'],
    [{ port: 0, signal: 'no signal' }, 'ERR_INVALID_ARG_TYPE'],
    [{ port: 0, highWaterMark: 'high' }, 'ERR_INVALID_ARG_TYPE'],
    [{ port: 0, connectionListener: 'none' }, 'ERR_INVALID_ARG_TYPE'],
    [{ port: 0, proxyProtocol: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [true, 'ERR_INVALID_ARG_VALUE'],
  ];
  for (const [options, code] of wrong) await assert.rejects(listen(options), { code });
});

test('listen(): a signal ends the server whenever it aborts', opts, async (t) => {
  await assert.rejects(listen({ port: 0, signal: AbortSignal.abort() }), { name: 'AbortError' });
  // During the look-up of the name, which is the only part that takes time.
  const during = new AbortController();
  const attempt = listen({ port: 0, host: 'localhost', signal: during.signal });
  during.abort();
  await assert.rejects(attempt, { name: 'AbortError', code: 'ABORT_ERR' });
  const after = new AbortController();
  const server = await listening(t, { port: 0, host: HOST, signal: after.signal });
  const over = closed(server);
  after.abort();
  await over;
  assert.equal(server.listening, false);
});

test('close() answers a promise for the end of the server', opts, async (t) => {
  const server = await listening(t, 0, HOST);
  const client = kit(t).own(peer.connect(server.address().port, HOST));
  const { value: socket } = await server[Symbol.asyncIterator]().next();
  let over = false;
  const end = server.close().then((value) => {
    over = true;
    return value;
  });
  await roundTrip(client, socket);
  assert.equal(over, false);
  assert.equal(server.listening, false);
  client.end();
  socket.resume();
  assert.equal(await end, undefined);
  // To close what is closed is to do nothing, and no error.
  await Promise.all([server.close(), server.close({ grace: 10 }), server[dispose]()]);
});

test('close() and its callback', opts, async (t) => {
  const server = await listening(t, 0, HOST);
  const answers = [];
  await server.close((...args) => answers.push(args));
  assert.deepEqual(answers, [[]]);
  await server.close((err) => answers.push(err.code));
  assert.equal(answers[1], 'ERR_SERVER_NOT_RUNNING');
  await server.close({ grace: 0 }, (err) => answers.push(err.code));
  assert.equal(answers[2], 'ERR_SERVER_NOT_RUNNING');
});

test('close({ grace }) destroys what is left then', opts, async (t) => {
  const server = await listening(t, 0, HOST);
  const client = kit(t).own(peer.connect(server.address().port, HOST));
  client.resume();
  const { value: socket } = await server[Symbol.asyncIterator]().next();
  const gone = closed(client);
  await server.close({ grace: 50 });
  assert.equal(socket.destroyed, true);
  await gone;
  for (const [grace, code] of [
    ['soon', 'ERR_INVALID_ARG_TYPE'],
    [-1, 'ERR_OUT_OF_RANGE'],
  ]) {
    await assert.rejects(server.close({ grace }), { code });
  }
});

test('a loop, and close() as its end', opts, async (t) => {
  const server = await listening(t, 0, HOST);
  const { port } = server.address();
  const served = (async () => {
    let count = 0;
    for await (const socket of server) {
      count++;
      socket.end(`you are ${count}`);
    }
    return count;
  })();
  for (let i = 1; i <= 3; i++) {
    const socket = await connect(port, HOST);
    assert.equal(String(await readAll(socket)), `you are ${i}`);
  }
  await server.close({ grace: 1000 });
  assert.equal(await served, 3);
});

test('async disposal of both', opts, async (t) => {
  const server = await listening(t, 0, HOST);
  const socket = await connect(server.address().port, HOST);
  const { value: other } = await server[Symbol.asyncIterator]().next();
  other.resume();
  await socket[dispose]();
  assert.equal(socket.destroyed, true);
  await server[dispose]();
  assert.equal(server.listening, false);
  assert.equal(server._connections, 0);
});

test('await using', opts, async (t) => {
  let run;
  try {
    // A syntax that older versions do not know.
    run = new Function(
      'listen, connect, log',
      `return async () => {
        await using server = await listen(0, '${HOST}');
        await using socket = await connect(server.address().port, '${HOST}');
        for await (const other of server) { other.resume(); break; }
        log.push(server, socket);
      }`,
    );
  } catch {
    return t.skip(`Node.js ${process.version} has no \`await using\``);
  }
  const log = [];
  await run(listen, connect, log)();
  const [server, socket] = log;
  assert.equal(server.listening, false);
  assert.equal(socket.destroyed, true);
});
