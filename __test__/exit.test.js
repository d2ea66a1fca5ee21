'use strict';

/** How processes with sockets end: always with the code they asked for, never by a crash. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { HOST, closed, kit, once, peer, readAll } = require('./helpers/kit');
const { run, start } = require('./helpers/child');

const opts = { timeout: 60_000 };

/** A crash shows as a signal, a hang as `timedOut`; both would be in this message. */
function checkEnd(result, { code = 0, signal = null } = {}) {
  assert.deepEqual(
    { code: result.code, signal: result.signal, timedOut: result.timedOut },
    { code, signal, timedOut: false },
    `stdout: ${result.stdout}\nstderr: ${result.stderr}`,
  );
}

const natural = [
  'require only',
  'never used',
  'server closed',
  'client ended',
  'echo and close',
  'failed connect',
  'failed listen',
  'closed in the tick of listen',
  'destroyed in the tick of connect',
  'hundred connections closed',
];
for (const scenario of natural) {
  test(`ends by itself: ${scenario}`, opts, async () => {
    const result = await run('exit-scenarios', [scenario]);
    checkEnd(result);
    assert.equal(result.stdout, 'exit 0\n');
  });
}

const forced = [
  'exit: listening',
  'exit: connecting',
  'exit: open sockets',
  'exit: in connect listener',
  'exit: in connection listener',
  'exit: in data listener',
  'exit: in close listener',
  'exit: in write callback',
  'exit: under traffic',
  'exit: with queued megabytes',
  'exit: after destroy of everything',
];
for (const scenario of forced) {
  test(`process.exit(3), ${scenario}`, opts, async () => {
    // Several times: crashes at exit are races.
    for (let i = 0; i < 3; i++) {
      const result = await run('exit-scenarios', [scenario]);
      checkEnd(result, { code: 3 });
      assert.equal(result.stdout, 'exit 3\n');
    }
  });
}

for (const where of ['idle', 'traffic']) {
  test(`an uncaught exception ends the process (${where})`, opts, async () => {
    const result = await run('exit-scenarios', [`throw: ${where}`]);
    checkEnd(result, { code: 1 });
    assert.match(result.stderr, /Error: thrown on purpose/);
    assert.match(result.stderr, /exit-scenarios\.js/);
  });

  test(`an unhandled rejection ends the process (${where})`, opts, async () => {
    const result = await run('exit-scenarios', [`reject: ${where}`]);
    checkEnd(result, { code: 1 });
    assert.match(result.stderr, /Error: rejected on purpose/);
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    test(`${signal} ends the process (${where})`, opts, async () => {
      const { child, ready, done } = start('exit-scenarios', [`wait: ${where}`]);
      assert.equal(await ready, 'waiting');
      child.kill(signal);
      checkEnd(await done, { code: null, signal });
    });
  }
}

test('a SIGTERM handler may close everything and end in peace', opts, async () => {
  const { child, ready, done } = start('exit-scenarios', ['wait: graceful']);
  assert.equal(await ready, 'waiting');
  child.kill('SIGTERM');
  const result = await done;
  checkEnd(result);
  assert.equal(result.stdout, 'waiting\nclosed\nexit 0\n');
});

test('the port is free after the process has ended', opts, async (t) => {
  const { child, ready, done } = start('exit-scenarios', ['wait: port']);
  const port = Number(await ready);
  child.kill('SIGTERM');
  await done;
  const k = kit(t);
  const server = k.ownServer(peer.createServer());
  server.listen(port, HOST);
  await once(server, 'listening');
});

/** What the child sends before it goes; the parent is the server. */
async function lastWords(t, scenario) {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const accepted = once(server, 'connection');
  const { done } = start('last-words', [scenario, String(server.address().port)]);
  const [conn] = await accepted;
  const text = String(await readAll(conn));
  checkEnd(await done);
  return text;
}

const words = {
  'write, then process.exit': 'bye',
  'two writes, then process.exit': 'bye bye',
  'many writes, then process.exit': 'x'.repeat(50_000),
  'end, then process.exit': 'bye',
  'write in a nextTick, then process.exit': 'bye',
  'write, then destroy': 'bye',
  'many writes, then destroy': 'bye '.repeat(50),
  'write, then destroySoon': 'bye',
  'write in the exit handler': 'bye',
  'many writes, and more in the exit handler': `${'x'.repeat(25_000)}${'y'.repeat(5000)}`,
  'end of a large write': 'x'.repeat(1_000_000),
};
for (const [scenario, expected] of Object.entries(words)) {
  test(`last words arrive: ${scenario}`, opts, async (t) => {
    const text = await lastWords(t, scenario);
    assert.ok(text === expected, `got ${text.length} characters: ${text.slice(0, 50)}`);
  });
}

test('clients see the end of a server whose process exits', opts, async (t) => {
  const { child, ready, done } = start('exit-scenarios', ['wait: port']);
  const port = Number(await ready);
  const socket = kit(t).own(peer.connect(port, HOST));
  socket.resume();
  socket.on('error', () => {});
  await once(socket, 'connect');
  const end = closed(socket);
  child.kill('SIGTERM');
  await Promise.all([end, done]);
});
