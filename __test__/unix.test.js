'use strict';

/** Unix sockets: paths, abstract names, and what is wrong with them. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const { run } = require('./helpers/child');
const { TIMEOUT, closed, kit, once, peer, readAll } = require('./helpers/kit');

const opts = { timeout: TIMEOUT, skip: process.platform === 'win32' && 'no Unix sockets here' };

/** A directory of the test's own. */
function directory(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-unix-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function listening(k, server, ...args) {
  k.ownServer(server).listen(...args);
  await once(server, 'listening');
  return server;
}

for (const side of ['client', 'server', 'both']) {
  test(`bytes go both ways over a path (${side})`, opts, async (t) => {
    const k = kit(t);
    const file = path.join(directory(t), 's');
    const serverLib = side === 'client' ? peer : net;
    const clientLib = side === 'server' ? peer : net;
    const server = await listening(
      k,
      serverLib.createServer((conn) => conn.pipe(conn)),
      file,
    );
    assert.equal(server.address(), file);
    const client = k.own(clientLib.connect(file));
    const bytes = Buffer.alloc(3_000_000, 'unix');
    const got = readAll(client);
    client.end(bytes);
    assert.ok((await got).equals(bytes));
    const end = closed(server);
    server.close();
    await end;
    assert.equal(fs.existsSync(file), false, 'the path is removed');
  });
}

test('paused behind connect(path): nothing is read', opts, async (t) => {
  const k = kit(t);
  const file = path.join(directory(t), 's');
  await listening(
    k,
    peer.createServer((conn) => conn.end('hello')),
    file,
  );
  const socket = k.own(net.connect(file));
  socket.pause();
  await once(socket, 'connect');
  // On another connection, behind which the first one's bytes are there.
  const other = k.own(net.connect(file));
  assert.equal(String(await readAll(other)), 'hello');
  assert.equal(socket.bytesRead, 0);
  assert.equal(String(await readAll(socket.resume())), 'hello');
});

test('addresses and options of another transport do no harm', opts, async (t) => {
  const k = kit(t);
  const file = path.join(directory(t), 's');
  const server = await listening(k, net.createServer({ noDelay: true, keepAlive: true }), {
    path: file,
  });
  const accepted = once(server, 'connection');
  const client = k.own(net.connect({ path: file, noDelay: true, keepAlive: true }));
  await once(client, 'connect');
  const [conn] = await accepted;
  for (const socket of [client, conn]) {
    assert.equal(socket.remotePort, undefined);
    assert.equal(socket.setNoDelay(false).setKeepAlive(true, 1000), socket);
  }
});

test('readableAll and writableAll open the path to others', opts, async (t) => {
  const k = kit(t);
  const dir = directory(t);
  const mode = async (options) => {
    const file = path.join(dir, String(fs.readdirSync(dir).length));
    await listening(k, net.createServer(), { path: file, ...options });
    return fs.statSync(file).mode & 0o777;
  };
  assert.equal((await mode({ readableAll: true })) & 0o444, 0o444);
  assert.equal((await mode({ writableAll: true })) & 0o222, 0o222);
  assert.equal((await mode({ readableAll: true, writableAll: true })) & 0o666, 0o666);
});

test('nobody listens, nothing is there, somebody is there already', opts, async (t) => {
  const k = kit(t);
  const dir = directory(t);
  const nowhere = path.join(dir, 'nowhere');
  const [missing] = await once(k.own(net.connect(nowhere)), 'error');
  assert.deepEqual(
    [missing.code, missing.syscall, missing.address, missing.message],
    ['ENOENT', 'connect', nowhere, `connect ENOENT ${nowhere}`],
  );
  const plain = path.join(dir, 'plain');
  fs.writeFileSync(plain, '');
  const [refused] = await once(k.own(net.connect(plain)), 'error');
  assert.equal(refused.code, 'ECONNREFUSED');
  const taken = path.join(dir, 'taken');
  await listening(k, net.createServer(), taken);
  const second = net.createServer().listen(taken);
  const [inUse] = await once(second, 'error');
  assert.equal(inUse.message, `listen EADDRINUSE: address already in use ${taken}`);
  assert.ok(fs.existsSync(taken), 'the path of the first one is left alone');
});

test('a path that does not fit is an error and not truncated', opts, async (t) => {
  const dir = directory(t);
  const long = path.join(dir, 'x'.repeat(200));
  const [connecting] = await once(net.connect(long), 'error');
  assert.equal(connecting.code, 'EINVAL');
  const [listeningError] = await once(net.createServer().listen(long), 'error');
  assert.equal(listeningError.code, 'EINVAL');
  assert.deepEqual(fs.readdirSync(dir), []);
});

test('a path that a dead server has left behind is in use, as in Node', opts, async (t) => {
  const k = kit(t);
  const dir = directory(t);
  const [made, stale] = [path.join(dir, 'made'), path.join(dir, 'stale')];
  const dead = await listening(k, peer.createServer(), made);
  fs.linkSync(made, stale);
  const end = closed(dead);
  dead.close();
  await end;
  const [refused] = await once(k.own(net.connect(stale)), 'error');
  assert.equal(refused.code, 'ECONNREFUSED', 'nobody is behind it');
  const [inUse] = await once(net.createServer().listen(stale), 'error');
  assert.deepEqual([inUse.code, inUse.address, inUse.port], ['EADDRINUSE', stale, -1]);
  // Whoever wants it must know that it is stale, and remove it.
  fs.unlinkSync(stale);
  await listening(k, net.createServer(), stale);
});

test('a directory that is not there, and one that may not be written to', opts, async (t) => {
  const dir = directory(t);
  const [missing] = await once(net.createServer().listen(path.join(dir, 'no', 's')), 'error');
  assert.equal(missing.code, 'EACCES', 'libuv has one word for the two');
  if (process.getuid() === 0) return t.diagnostic('the superuser may write everywhere');
  fs.chmodSync(dir, 0o500);
  const [denied] = await once(net.createServer().listen(path.join(dir, 's')), 'error');
  assert.equal(denied.code, 'EACCES');
});

test('permissions of the path are heeded, and may be given', opts, async (t) => {
  if (process.getuid() !== 0) return t.skip('needs the superuser, to be somebody else as well');
  const k = kit(t);
  const dir = directory(t);
  fs.chmodSync(dir, 0o755);
  for (const [options, expected] of [
    [{}, 'EACCES'],
    [{ writableAll: true }, 'connected'],
  ]) {
    const file = path.join(dir, expected);
    await listening(k, net.createServer(), { path: file, ...options });
    const { stdout, stderr } = await run('connect-as', [file, '65534']);
    assert.equal(stdout.trim(), expected, stderr);
  }
});

test('resetAndDestroy is of TCP alone', opts, async (t) => {
  const k = kit(t);
  const file = path.join(directory(t), 's');
  const server = await listening(k, net.createServer(), file);
  const accepted = once(server, 'connection');
  const client = k.own(net.connect(file));
  const [conn] = await accepted;
  if (client.connecting) await once(client, 'connect');
  for (const socket of [client, conn]) {
    assert.throws(() => socket.resetAndDestroy(), { code: 'ERR_INVALID_HANDLE_TYPE' });
    assert.equal(socket.destroyed, false);
    assert.equal(socket.setTypeOfService(8).getTypeOfService(), 8, 'kept, and of no effect');
  }
});

test('readableAll and writableAll of an abstract name are refused at once', opts, (t) => {
  if (process.platform !== 'linux') return t.skip('abstract names are of Linux');
  for (const name of ['readableAll', 'writableAll']) {
    assert.throws(() => net.createServer().listen({ path: '\0name', [name]: true }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  }
});

test('an abstract name may hold anything, and has nothing to remove', opts, async (t) => {
  if (process.platform !== 'linux') return t.skip('abstract names are of Linux');
  const k = kit(t);
  const dir = directory(t);
  const name = `\0${path.join(dir, 'socket')} \u00e9`;
  const server = await listening(
    k,
    net.createServer((conn) => conn.end('here')),
    name,
  );
  assert.equal(server.address(), name);
  assert.equal(String(await readAll(k.own(net.connect(name)))), 'here');
  const end = closed(server);
  server.close();
  await end;
  const [err] = await once(net.connect(name), 'error');
  assert.equal(err.code, 'ECONNREFUSED');
  assert.deepEqual(fs.readdirSync(dir), []);
});

test('an abstract name is exactly as long as it is', opts, async (t) => {
  if (process.platform !== 'linux') return t.skip('abstract names are of Linux');
  const k = kit(t);
  const name = `socket-test-${process.pid}-${Date.now()}`;
  await listening(
    k,
    net.createServer((conn) => conn.end('abstract')),
    `\0${name}`,
  );
  // The system lists it with "@" for the NUL, and padding as more of them.
  const listed = fs.readFileSync('/proc/net/unix', 'utf8').split(/\s+/);
  assert.ok(listed.includes(`@${name}`));
  const client = k.own(net.connect(`\0${name}`));
  assert.equal(String(await readAll(client)), 'abstract');
});

test('a descriptor that is open already: a socket is taken over, a file is refused', opts, (t) => {
  const file = path.join(directory(t), 'f');
  fs.writeFileSync(file, '');
  const fd = fs.openSync(file, 'r');
  assert.throws(
    () => new net.Socket({ fd }),
    (err) => ['ENOTSOCK', 'ERR_INVALID_FD_TYPE'].includes(err.code),
  );
  fs.closeSync(fd);
});
