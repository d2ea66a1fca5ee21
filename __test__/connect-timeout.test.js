'use strict';

/** `connectTimeout`: a limit for the whole connect, which `node:net` does not have. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, failed, kit, once, peer, record } = require('./helpers/kit');
const { NO_HOLE, hole } = require('./helpers/hole');
const { noSs, socketsWhere } = require('./helpers/system');

const opts = { timeout: TIMEOUT, skip: !isOurs && SKIP_FOREIGN };
const withHole = { ...opts, skip: opts.skip || NO_HOLE };

const answer = (addresses) => (name, options, callback) =>
  setImmediate(callback, null, options.all ? addresses : addresses[0].address, 4);

test('an address that does not answer: ETIMEDOUT in the shape of Node', withHole, async (t) => {
  const k = kit(t);
  const { port } = await hole(t, HOST);
  const socket = k.own(net.connect({ port, host: HOST, connectTimeout: 300 }));
  const log = record(socket, ['connectionAttempt', 'connect', 'timeout', 'error', 'close']);
  let written = null;
  socket.write('never', (err) => {
    written = err;
  });
  const err = await failed(socket);
  assert.equal(err.message, `connect ETIMEDOUT ${HOST}:${port}`);
  const { code, errno, syscall, address } = err;
  assert.deepEqual(
    { code, errno, syscall, address, port: err.port },
    {
      code: 'ETIMEDOUT',
      errno: -os.constants.errno.ETIMEDOUT,
      syscall: 'connect',
      address: HOST,
      port,
    },
  );
  await closed(socket);
  assert.deepEqual(log, ['connectionAttempt', 'error', 'close']);
  assert.equal(written.code, 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION');
  if (!noSs()) assert.deepEqual(socketsWhere(`dport = :${port}`, 'syn-sent'), []);
});

test('a name that is looked up without end', opts, async (t) => {
  const options = { port: 80, host: 'name.invalid', lookup: () => {}, connectTimeout: 100 };
  const socket = kit(t).own(net.connect(options));
  // The lookup holds nothing that keeps a process alive; this does for the test.
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  const log = record(socket, ['lookup', 'connectionAttempt', 'error', 'close']);
  const err = await failed(socket);
  assert.equal(err.message, 'connect ETIMEDOUT name.invalid:80');
  assert.deepEqual(
    [err.code, err.syscall, err.hostname, err.port, 'address' in err],
    ['ETIMEDOUT', 'connect', 'name.invalid', 80, false],
  );
  await closed(socket);
  assert.deepEqual(log, ['error', 'close']);
});

test('several addresses: one error with those of all attempts', withHole, async (t) => {
  const k = kit(t);
  const { port } = await hole(t, '127.0.0.2');
  await hole(t, '127.0.0.3', port);
  const socket = k.own(
    net.connect({
      port,
      host: 'name.invalid',
      lookup: answer(
        // The first one refuses.
        ['127.0.0.4', '127.0.0.2', '127.0.0.3'].map((address) => ({ address, family: 4 })),
      ),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 50,
      connectTimeout: 1500,
    }),
  );
  const err = await failed(socket);
  assert.ok(err instanceof AggregateError);
  assert.equal(err.message, `connect ETIMEDOUT name.invalid:${port}`);
  assert.deepEqual([err.code, err.syscall, err.port], ['ETIMEDOUT', 'connect', port]);
  assert.deepEqual(
    err.errors.map((each) => each.message),
    [
      `connect ECONNREFUSED 127.0.0.4:${port}`,
      `connect ETIMEDOUT 127.0.0.2:${port}`,
      `connect ETIMEDOUT 127.0.0.3:${port}`,
    ],
  );
  await closed(socket);
  if (!noSs()) assert.deepEqual(socketsWhere(`dport = :${port}`, 'syn-sent'), []);
});

test('a connection in time is left alone, and so is a destroyed socket', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const options = { port: server.address().port, host: HOST, connectTimeout: 1500 };
  const open = k.own(net.connect(options));
  const destroyed = k.own(net.connect(options));
  destroyed.on('error', (err) => assert.fail(err));
  destroyed.destroy();
  await once(open, 'connect');
  assert.deepEqual(
    open.eventNames().filter((name) => name === 'connect'),
    [],
  );
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.equal(open.readyState, 'open');
});

test('the same socket can be connected again after it', withHole, async (t) => {
  const k = kit(t);
  const { port } = await hole(t, HOST);
  const socket = k.own(net.connect({ port, host: HOST, connectTimeout: 100 }));
  socket.once('error', () => {});
  await closed(socket);
  const server = await k.listen({ lib: peer });
  socket.connect({ port: server.address().port, host: HOST, connectTimeout: 5000 });
  await once(socket, 'connect');
});

test(
  'it holds for a path as well',
  { ...opts, skip: opts.skip || process.platform === 'win32' },
  async (t) => {
    const k = kit(t);
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-limit-'));
    t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
    const server = k.ownServer(peer.createServer());
    server.listen(path.join(dir, 's'));
    await once(server, 'listening');
    const socket = k.own(net.connect({ path: path.join(dir, 's'), connectTimeout: 5000 }));
    await once(socket, 'connect');
  },
);

test('what is no time is refused at once, and nothing is none', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const { port } = server.address();
  const connect = (connectTimeout) => () => net.connect({ port, host: HOST, connectTimeout });
  for (const value of ['1', {}, true, 1n]) {
    assert.throws(connect(value), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const value of [-1, NaN, Infinity]) {
    assert.throws(connect(value), {
      code: 'ERR_OUT_OF_RANGE',
      message: /^The value of "options\.connectTimeout" is out of range\./,
    });
  }
  for (const value of [0, undefined, null]) {
    await once(k.own(connect(value)()), 'connect');
  }
});
