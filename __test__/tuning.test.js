'use strict';

/** `userTimeout`, `sendBufferSize` and `recvBufferSize`, which `node:net` does not have. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { HOST, TIMEOUT, failed, kit, once, peer } = require('./helpers/kit');
const { run, runJson } = require('./helpers/child');
const { inside, noSs, noStrace, traceCalls } = require('./helpers/system');

const opts = { timeout: TIMEOUT, skip: !isOurs && SKIP_FOREIGN };
const onLinux = { ...opts, skip: opts.skip || (process.platform !== 'linux' && 'of Linux alone') };

/** Calls of a child, by name and in order: `setsockopt` with its option, `connect`, `listen`. */
async function callsOf(t, scenario) {
  const trace = traceCalls(t, 'setsockopt,connect,listen,accept4');
  const result = await run('socket-options', [scenario], { prefix: trace.prefix });
  assert.equal(result.code, 0, result.stderr);
  return trace.read().map((line) => {
    const [, option, value] = /^setsockopt\(.*?, (\w+), \[(\d+)\], 4\)/.exec(line) ?? [];
    return option ? `${option} ${value}` : line.slice(0, line.indexOf('('));
  });
}

const wanted = ['SO_SNDBUF 50000', 'SO_RCVBUF 30000', 'TCP_USER_TIMEOUT 12345'];
const isTuning = (call) => /^(SO_SNDBUF|SO_RCVBUF|TCP_USER_TIMEOUT) /.test(call);

for (const [side, last] of [
  ['client', 'connect'],
  ['server', 'listen'],
]) {
  test(`the options of a ${side} are set once, before ${last}()`, onLinux, async (t) => {
    if (noStrace()) return t.skip(noStrace());
    const calls = await callsOf(t, `tuning of a ${side}`);
    // Accepted sockets inherit them: not a call more for each.
    assert.deepEqual(calls.filter(isTuning), wanted);
    assert.ok(calls.lastIndexOf(wanted[2]) < calls.indexOf(last), calls.join('\n'));
  });
}

test('a Unix socket has buffers, and no user timeout', onLinux, async (t) => {
  if (noStrace()) return t.skip(noStrace());
  const client = await callsOf(t, 'tuning of a client over a path');
  assert.deepEqual(client.filter(isTuning), wanted.slice(0, 2));
  // These sockets inherit nothing: the listener's, and those of the one that it accepted.
  const server = await callsOf(t, 'tuning of a server over a path');
  assert.deepEqual(server.filter(isTuning), [...wanted.slice(0, 2), ...wanted.slice(0, 2)]);
});

test('without the options nothing is set', onLinux, async (t) => {
  if (noStrace()) return t.skip(noStrace());
  assert.deepEqual((await callsOf(t, 'no tuning')).filter(isTuning), []);
});

for (const [scenario, value] of [
  ['setUserTimeout before connect', 777],
  ['setUserTimeout of a connected socket', 888],
  ['setUserTimeout of an accepted socket', 999],
]) {
  test(scenario, onLinux, async (t) => {
    if (noStrace()) return t.skip(noStrace());
    assert.deepEqual((await callsOf(t, scenario)).filter(isTuning), [`TCP_USER_TIMEOUT ${value}`]);
  });
}

test('the sizes are what the system has, at both ends', onLinux, async (t) => {
  if (noSs()) return t.skip(noSs());
  const k = kit(t);
  const sizes = { sendBufferSize: 50_000, recvBufferSize: 30_000 };
  const tuned = await k.pair({ side: 'both', client: sizes, server: sizes });
  const plain = await k.pair({ side: 'both' });
  const usual = inside(plain.client.localPort, plain.client.remotePort);
  for (const { localPort, remotePort } of [tuned.client, tuned.conn]) {
    const seen = inside(localPort, remotePort);
    // Linux doubles the numbers, for what it needs itself.
    assert.deepEqual([seen.sendBuffer, seen.recvBuffer], [100_000, 60_000]);
    // What the peer was told in the handshake follows from the size that was there then.
    assert.equal(seen.windowScale, 0);
  }
  assert.ok(usual.windowScale > 0, usual.text);
});

test('of connect() as well as of the constructor', onLinux, async (t) => {
  if (noSs()) return t.skip(noSs());
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const socket = k.own(new net.Socket({ sendBufferSize: 60_000, recvBufferSize: 60_000 }));
  socket.connect({ port: server.address().port, host: HOST, recvBufferSize: 30_000 });
  await once(socket, 'connect');
  const { sendBuffer, recvBuffer } = inside(socket.localPort, socket.remotePort);
  assert.deepEqual([sendBuffer, recvBuffer], [120_000, 60_000]);
});

test('of a descriptor that is taken over', onLinux, async (t) => {
  if (noSs()) return t.skip(noSs());
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const made = k.own(peer.connect(server.address().port, HOST));
  await once(made, 'connect');
  const seen = await runJson('adopted', [], { stdio: ['pipe', 'pipe', 'pipe', made] });
  assert.deepEqual(seen, { sendBuffer: 100_000, recvBuffer: 60_000 });
});

for (const side of ['client', 'server']) {
  test(`a peer that takes nothing for userTimeout is given up (${side})`, onLinux, async (t) => {
    const k = kit(t);
    const pair = await k.pair({ side, [side]: { userTimeout: 1000, sendBufferSize: 20_000 } });
    const { localPort, remotePort } = pair.theirs;
    pair.theirs.pause();
    const block = Buffer.alloc(256 * 1024);
    const fill = () => {
      while (pair.ours.writable && pair.ours.write(block));
    };
    pair.ours.on('drain', fill);
    fill();
    const err = await failed(pair.ours);
    assert.equal(err.code, 'ETIMEDOUT');
    assert.deepEqual([err.localPort, err.remotePort], [remotePort, localPort]);
  });
}

test('wrong values are refused at once', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const { port } = server.address();
  const callers = [
    (options) => new net.Socket(options),
    (options) => net.createServer(options),
    (options) => new net.Socket().connect({ port, host: HOST, ...options }),
    (options) => net.connect({ port, host: HOST, ...options }),
  ];
  for (const name of ['userTimeout', 'sendBufferSize', 'recvBufferSize']) {
    for (const call of callers) {
      for (const value of ['1', {}, true, 1n]) {
        assert.throws(() => call({ [name]: value }), {
          name: 'TypeError',
          code: 'ERR_INVALID_ARG_TYPE',
          message: new RegExp(`^The "options\\.${name}" property must be of type number`),
        });
      }
      for (const value of [-1, 1.5, NaN, 2 ** 31]) {
        assert.throws(() => call({ [name]: value }), {
          name: 'RangeError',
          code: 'ERR_OUT_OF_RANGE',
        });
      }
    }
  }
  assert.throws(() => net.createServer({ sendBufferSize: 0 }), { code: 'ERR_OUT_OF_RANGE' });
  for (const value of [null, undefined]) {
    k.own(net.connect({ port, host: HOST, userTimeout: value, recvBufferSize: value }));
  }
});

test('setUserTimeout: its argument, and what it answers', onLinux, async (t) => {
  const { client } = await kit(t).pair();
  assert.equal(client.setUserTimeout(1000), client);
  assert.equal(client.setUserTimeout(0), client);
  assert.throws(() => client.setUserTimeout('1'), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => client.setUserTimeout(-1), { code: 'ERR_OUT_OF_RANGE' });
  assert.throws(() => client.setUserTimeout(), { code: 'ERR_INVALID_ARG_TYPE' });
  client.destroy();
  assert.equal(client.setUserTimeout(5), client, 'nothing to set, and nothing wrong');
});

test(
  'where the system has no such timeout: one warning, and an error of the method',
  opts,
  async () => {
    const { warnings, thrown, connected } = await runJson('no-user-timeout');
    assert.deepEqual(warnings, ['ERR_FEATURE_UNAVAILABLE_ON_PLATFORM']);
    assert.equal(thrown, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM');
    assert.equal(connected, 2);
  },
);
