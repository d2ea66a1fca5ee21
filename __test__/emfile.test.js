'use strict';

/** Too many open files: the server lives through it, connect and listen report it. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const os = require('node:os');
const { test } = require('node:test');
const { HOST, kit, once, peer, readAll } = require('./helpers/kit');
const { WITH_IPC, ask, runJson, start } = require('./helpers/child');

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
const opts = {
  timeout: 60_000,
  skip: hasPrlimit ? false : 'needs prlimit (util-linux) to lower the limit of a child',
};
const LIMIT = 128;

async function limited(t) {
  const { child, ready, done } = start('few-files', [], {
    prefix: ['prlimit', `--nofile=${LIMIT}:${LIMIT}`],
    stdio: WITH_IPC,
    timeout: 50_000,
  });
  t.after(() => child.kill('SIGKILL'));
  return { child, done, port: Number(await ready) };
}

/** Asks the echo server of the child; resolves with the answer or the code of the failure. */
async function echo(k, port) {
  const socket = k.own(peer.connect(port, HOST));
  socket.end('echo');
  try {
    return String(await readAll(socket));
  } catch (err) {
    return err.code;
  }
}

test('connect and listen report EMFILE', opts, async (t) => {
  const { child, port } = await limited(t);
  const { connect, listen } = await ask(child, 'use up, then connect and listen');
  const errno = -os.constants.errno.EMFILE;
  assert.deepEqual(
    { code: connect.code, errno: connect.errno, syscall: connect.syscall },
    { code: 'EMFILE', errno, syscall: 'connect' },
  );
  assert.equal(connect.address, HOST);
  assert.equal(connect.port, port);
  assert.ok(connect.message.startsWith(`connect EMFILE ${HOST}:${port}`), connect.message);
  assert.deepEqual(
    { code: listen.code, errno: listen.errno, syscall: listen.syscall },
    { code: 'EMFILE', errno, syscall: 'listen' },
  );
  assert.match(listen.message, /^listen EMFILE: too many open files/);
});

test('a server that cannot accept does so again when there is room', opts, async (t) => {
  const { child, done, port } = await limited(t);
  const k = kit(t);
  assert.equal(await echo(k, port), 'echo');

  for (let round = 0; round < 3; round++) {
    await ask(child, 'use up');
    // These find no descriptor: they are closed at once or wait, but nothing breaks.
    const waiting = Array.from({ length: 20 }, () => {
      const socket = k.own(peer.connect(port, HOST));
      socket.on('error', () => {});
      return socket;
    });
    await Promise.all(waiting.map((socket) => once(socket, 'connect').catch(() => {})));
    // The child answers while it cannot accept: its loop is not stuck.
    const { errors } = await ask(child, 'alive?');
    assert.deepEqual(errors, [], "no 'error' event of the server");

    await ask(child, 'make room');
    assert.equal(await echo(k, port), 'echo');
    for (const socket of waiting) socket.destroy();
  }
  await ask(child, 'finish');
  const { code, signal } = await done;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});

test('waiting for descriptors does not burn the processor', opts, async (t) => {
  const { child, port } = await limited(t);
  const k = kit(t);
  await ask(child, 'use up');
  for (let i = 0; i < 10; i++) {
    const socket = k.own(peer.connect(port, HOST));
    socket.on('error', () => {});
  }
  // A loop without back-off uses its thread completely; half of it is far more than enough.
  const { cpu, wall } = await ask(child, 'measure');
  assert.ok(cpu < wall / 2, `${cpu} ms of processor time in ${wall} ms`);
});

test('no descriptor for the engine itself', opts, async () => {
  const told = await runJson('no-engine', [], {
    prefix: ['prlimit', `--nofile=${LIMIT}:${LIMIT}`],
  });
  assert.deepEqual(told, {
    connect: ['EMFILE', 'connect'],
    messages: ['EMFILE', 'connect'],
    values: ['EMFILE', 'connect'],
    web: ['EMFILE', 'connect'],
    server: ['EMFILE', 'listen'],
    udp: ['EMFILE', 'bind'],
    later: 'echo',
  });
});
