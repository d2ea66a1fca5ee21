'use strict';

/** `TCPServerSocket`. The numbers are those of the acceptance cases of the contract. */

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const timers = require('node:timers/promises');
const { test } = require('node:test');
const { WITH_IPC, ask, run, start } = require('./helpers/child');
const {
  HOST,
  TIMEOUT,
  collect,
  event,
  once,
  peer,
  readAll,
  readBytes,
  record,
  throwsDom,
  until,
  web,
  webKit,
} = require('./helpers/web');

const { ConnectEvent, TCPServerSocket, TCPSocket } = web;
const opts = { timeout: TIMEOUT };

test('36: open at once, on every address', opts, (t) => {
  const server = webKit(t).track(new TCPServerSocket());
  assert.equal(server.readyState, 'open');
  assert.ok(server.localPort > 0);
  assert.match(server.localAddress, /^(?:::|0\.0\.0\.0)$/);
});

test('37: a port in use throws at once', opts, (t) => {
  const k = webKit(t);
  const { localPort } = k.serve();
  const err = throwsDom(
    () => new TCPServerSocket({ localAddress: HOST, localPort }),
    'InvalidAccessError',
    'EADDRINUSE',
  );
  const { address, errno, port, syscall } = err.cause;
  assert.deepEqual(
    { address, port, syscall },
    { address: HOST, port: localPort, syscall: 'listen' },
  );
  assert.ok(errno < 0);
  throwsDom(() => new TCPServerSocket({ localPort }), 'InvalidAccessError', 'EADDRINUSE');
  throwsDom(
    () => new TCPServerSocket({ localAddress: '192.0.2.1' }),
    'InvalidAccessError',
    'EADDRNOTAVAIL',
  );
});

test('38: a client that writes at once loses nothing', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const theirs = k.own(peer.connect(server.localPort, HOST));
  theirs.write('first');
  const connect = await event(server, 'connect');
  assert.ok(connect instanceof ConnectEvent);
  const { connectedSocket } = connect;
  assert.ok(connectedSocket instanceof TCPSocket);
  assert.equal(connectedSocket.readyState, 'open');
  assert.equal(connectedSocket.bufferedAmount, 0);
  const log = record(connectedSocket);
  const received = collect(connectedSocket);
  const answer = readBytes(theirs, 6);
  connectedSocket.send('answer');
  assert.equal(String(await answer), 'answer');
  theirs.end('last');
  await event(connectedSocket, 'close');
  assert.equal(received.text(), 'firstlast');
  assert.ok(!log.some((each) => each.startsWith('open')));
});

test('39: the ends of a connection', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve({ localAddress: null });
  const connected = event(server, 'connect');
  const theirs = k.own(peer.connect(server.localPort, HOST));
  await once(theirs, 'connect');
  const { connectedSocket } = await connected;
  assert.equal(connectedSocket.remoteAddress, HOST);
  assert.strictEqual(connectedSocket.remotePort, theirs.localPort);
  assert.equal(connectedSocket.localAddress, HOST);
  assert.equal(connectedSocket.localPort, server.localPort);
});

test('40: suspend() leaves clients with the system, resume() takes them', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const log = record(server);
  server.suspend();
  server.suspend();
  const clients = [1, 2, 3].map(() => k.own(peer.connect(server.localPort, HOST)));
  await Promise.all(clients.map((client) => once(client, 'connect')));
  clients.forEach((client, i) => client.write(`client ${i}`));
  await timers.setTimeout(100);
  assert.deepEqual(log, []);
  const received = [];
  server.onconnect = ({ connectedSocket }) => received.push(collect(connectedSocket));
  server.resume();
  assert.deepEqual(log, []);
  await until(() => received.length === 3 && received.every(({ length }) => length === 8));
  assert.deepEqual(received.map((each) => each.text()).sort(), [
    'client 0',
    'client 1',
    'client 2',
  ]);
});

test('40b: after suspend() no connect, whatever is on its way', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  let isSuspended = false;
  const sockets = [];
  server.onconnect = ({ connectedSocket }) => {
    assert.equal(isSuspended, false);
    sockets.push(collect(connectedSocket));
    isSuspended = true;
    server.suspend();
    setTimeout(() => {
      isSuspended = false;
      server.resume();
    }, 2);
  };
  for (let i = 0; i < 20; i++) k.own(peer.connect(server.localPort, HOST)).write('hello');
  await until(() => sockets.length === 20 && sockets.every(({ length }) => length === 5));
});

test('41: close() frees the port; what is connected lives on', opts, async (t) => {
  const k = webKit(t);
  const { server, socket, theirs } = await k.acceptedPair();
  const { localPort } = server;
  const log = record(server);
  server.close();
  assert.equal(server.readyState, 'closed');
  assert.equal(server.localPort, localPort);
  const other = k.serve({ localPort });
  assert.equal(other.readyState, 'open');
  other.close();
  const refused = k.own(peer.connect(localPort, HOST));
  const [err] = await once(refused, 'error');
  assert.equal(err.code, 'ECONNREFUSED');
  const received = readBytes(theirs, 5);
  socket.send('alive');
  assert.equal(String(await received), 'alive');
  assert.deepEqual(log, []);
});

test('42: connections in TIME_WAIT do not keep the port', opts, async (t) => {
  const k = webKit(t);
  const { server, socket, theirs } = await k.acceptedPair();
  theirs.on('end', () => theirs.end()).resume();
  socket.close(); // the side that ends first has the TIME_WAIT
  await event(socket, 'close');
  server.close();
  assert.equal(k.serve({ localPort: server.localPort }).localPort, server.localPort);
  if (process.platform === 'win32') return;
  throwsDom(
    () => new TCPServerSocket({ localPort: server.localPort, addressReuse: false }),
    'InvalidAccessError',
    'EADDRINUSE',
  );
});

test('43: closed, every method does nothing', opts, async (t) => {
  const server = webKit(t).serve();
  const log = record(server);
  for (const name of ['close', 'close', 'suspend', 'resume', 'close']) {
    assert.equal(server[name](), undefined);
    assert.equal(server.readyState, 'closed');
  }
  assert.equal(server.ref().unref(), server);
  await server.closed;
  assert.deepEqual(log, []);
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
const limited = {
  timeout: 60_000,
  skip: hasPrlimit ? false : 'needs prlimit (util-linux) to lower the limit of a child',
};

test('44: no descriptors are left: an error, and then it goes on', limited, async (t) => {
  const { child, ready, done } = start('web-few-files', [], {
    prefix: ['prlimit', '--nofile=128:128'],
    stdio: WITH_IPC,
    timeout: 50_000,
  });
  t.after(() => child.kill('SIGKILL'));
  const port = Number(await ready);
  const k = webKit(t);
  await ask(child, 'use up');
  const clients = [1, 2, 3].map(() => k.own(peer.connect(port, HOST)));
  for (const client of clients) client.on('error', () => {});
  let status;
  do {
    await timers.setTimeout(20);
    status = await ask(child, 'status');
  } while (status.errors.length === 0);
  assert.deepEqual(status.errors[0], { name: 'NetworkError', code: 'EMFILE', syscall: 'accept' });
  assert.equal(status.readyState, 'open');
  assert.deepEqual(await ask(child, 'construct'), {
    client: 'NetworkError EMFILE',
    server: 'NetworkError EMFILE',
  });
  await ask(child, 'make room');
  const client = k.own(peer.connect(port, HOST));
  client.end('echo');
  assert.equal(String(await readAll(client)), 'echo');
  for (const each of clients) each.destroy();
  child.send('finish');
  assert.equal((await done).code, 0);
});

test('45: 1,000 clients', { timeout: 60_000 }, async (t) => {
  const k = webKit(t);
  const server = k.serve({ backlog: 1024 });
  const sockets = new Set();
  let isAllOpen = true;
  server.onconnect = (connect) => {
    isAllOpen &&=
      connect.constructor === ConnectEvent && connect.connectedSocket.readyState === 'open';
    sockets.add(connect.connectedSocket);
    connect.connectedSocket.onmessage = ({ data }) => connect.connectedSocket.send(data);
  };
  const clients = Array.from({ length: 1000 }, () => k.own(peer.connect(server.localPort, HOST)));
  let answers = 0;
  clients.forEach((client, i) => {
    client.write(String(i).padStart(4));
    readBytes(client, 4).then((bytes) => (answers += Number(bytes) === i ? 1 : 0));
  });
  await until(() => sockets.size === 1000 && answers === 1000);
  assert.ok(isAllOpen);
});

test('46: a server keeps the process, a closed one does not', opts, async (t) => {
  const { child, ready, done } = start('web-idle', []);
  t.after(() => child.kill('SIGKILL'));
  await ready;
  await timers.setTimeout(300);
  assert.equal(child.exitCode, null);
  child.stdin.end('close\n');
  const { code, timedOut } = await done;
  assert.deepEqual({ code, timedOut }, { code: 0, timedOut: false });
});

test('46b: ref() and unref()', opts, async () => {
  for (const what of ['server', 'client', 'suspended', 'both']) {
    const { code, stdout, timedOut } = await run('web-unref', [what]);
    assert.deepEqual(
      { code, timedOut, stdout },
      { code: 0, timedOut: false, stdout: 'exit\n' },
      what,
    );
  }
});

test('47: addresses and ports that are none', opts, () => {
  const bad = [{ localAddress: 'nope' }, { localAddress: 'localhost' }, { localAddress: '' }];
  const ports = [70_000, -1, 1.5, 'x', Number.NaN].map((localPort) => ({ localPort }));
  for (const options of [...bad, ...ports]) {
    assert.equal(throwsDom(() => new TCPServerSocket(options), 'InvalidAccessError').code, 15);
  }
  assert.throws(() => TCPServerSocket(), TypeError);
  for (const options of [5, 'x', true]) {
    assert.throws(() => new TCPServerSocket(options), TypeError);
  }
});

test('what was accepted is delivered after close()', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const sockets = [];
  server.onconnect = ({ connectedSocket }) => {
    sockets.push(connectedSocket);
    server.close();
  };
  const clients = Array.from({ length: 20 }, () => k.own(peer.connect(server.localPort, HOST)));
  for (const client of clients) client.on('error', () => {});
  await Promise.all(clients.map((client) => once(client, 'connect').catch(() => {})));
  await server.closed;
  assert.ok(sockets.length >= 1);
  assert.equal(server.readyState, 'closed');
  for (const socket of sockets) assert.equal(socket.readyState, 'open');
});

test('socat as the client', { ...opts, skip: noSocat() }, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  server.onconnect = ({ connectedSocket }) => {
    connectedSocket.onmessage = ({ data }) => connectedSocket.send(data);
  };
  const child = spawn('socat', ['-t', '5', '-', `TCP:${HOST}:${server.localPort}`]);
  t.after(() => child.kill('SIGKILL'));
  const sent = Buffer.alloc(300_000, 'socat ');
  const received = [];
  child.stdout.on('data', (chunk) => received.push(chunk));
  child.stdin.end(sent);
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  assert.ok(Buffer.concat(received).equals(sent));
});

test('socat as the server', { ...opts, skip: noSocat() }, async (t) => {
  const k = webKit(t);
  const free = await k.listen({ lib: peer });
  const { port } = free.address();
  await new Promise((resolve) => free.close(resolve));
  const child = spawn('socat', [`TCP-LISTEN:${port},bind=${HOST},reuseaddr`, 'EXEC:cat']);
  t.after(() => child.kill('SIGKILL'));
  let socket;
  await until(() => {
    // It listens when it is ready, and takes one connection.
    if (!socket || socket.readyState === 'closed') socket = k.connect(port);
    return socket.readyState === 'open';
  });
  const received = collect(socket);
  socket.send('through socat');
  await until(() => received.length === 13);
  assert.equal(received.text(), 'through socat');
  socket.halfclose();
  await event(socket, 'close');
});

function noSocat() {
  return spawnSync('socat', ['-V']).status === 0 ? false : 'socat is not installed';
}
