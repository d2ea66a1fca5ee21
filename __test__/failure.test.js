'use strict';

/** Errors of an established connection name both ends: `node:net` leaves one to guess. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { inspect } = require('node:util');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, failed, kit, once, peer } = require('./helpers/kit');
const { run } = require('./helpers/child');
const { noStrace, traceCalls } = require('./helpers/system');

const opts = { timeout: TIMEOUT, skip: !isOurs && SKIP_FOREIGN };

/** The ends as seen by the one whose peer is `socket`. */
const endsOfPeer = ({ localPort, remotePort }) => ({
  localAddress: HOST,
  localPort: remotePort,
  remoteAddress: HOST,
  remotePort: localPort,
});

const namesOf = ({ localAddress, localPort, remoteAddress, remotePort }) => ({
  localAddress,
  localPort,
  remoteAddress,
  remotePort,
});

for (const side of ['client', 'server']) {
  test(`a reset (${side})`, opts, async (t) => {
    const { ours, theirs } = await kit(t).pair({ side });
    // Nobody has asked for an address so far, and the system does not tell any more.
    const expected = endsOfPeer(theirs);
    ours.resume();
    theirs.resetAndDestroy();
    const err = await failed(ours);
    const { message, code, syscall } = err;
    assert.deepEqual([message, code, syscall], ['read ECONNRESET', 'ECONNRESET', 'read']);
    assert.deepEqual(namesOf(err), expected);
    // They are for logs: as JSON and as text.
    assert.deepEqual({ ...err }, { errno: err.errno, code, syscall, ...expected });
    assert.match(inspect(err), new RegExp(`remotePort: ${expected.remotePort}`));
    await closed(ours);
  });
}

test('a write to a peer that is gone', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ client: { allowHalfOpen: true } });
  const expected = endsOfPeer(theirs);
  ours.resume();
  theirs.resetAndDestroy();
  // Written until the system says that it is in vain: how often is up to it.
  const writing = setInterval(
    () => ours.writable && ours.write('x', (err) => err && told.push(err)),
  );
  const told = [];
  t.after(() => clearInterval(writing));
  const err = await failed(ours);
  assert.ok(['ECONNRESET', 'EPIPE'].includes(err.code), err.code);
  assert.deepEqual(namesOf(err), expected);
});

test('a write after the end of the peer', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair();
  const expected = endsOfPeer(theirs);
  ours.resume();
  theirs.end();
  await once(ours, 'end');
  let told = null;
  ours.write('late', (err) => {
    told = err;
  });
  const err = await failed(ours);
  assert.equal(err.message, 'This socket has been ended by the other party');
  assert.equal(err.code, 'EPIPE');
  assert.deepEqual(namesOf(err), expected);
  assert.equal(told, err);
});

test('IPv6, and IPv4 seen through it', opts, async (t) => {
  const k = kit(t);
  for (const [listenAt, host, seen] of [
    ['::1', '::1', '::1'],
    ['::', HOST, `::ffff:${HOST}`],
  ]) {
    const server = await k.listen({ host: listenAt });
    const accepted = once(server, 'connection');
    const theirs = k.own(peer.connect(server.address().port, host));
    const [ours] = await accepted;
    if (theirs.connecting) await once(theirs, 'connect');
    const { localPort } = theirs;
    ours.resume();
    theirs.resetAndDestroy();
    const err = await failed(ours);
    assert.deepEqual([err.remoteAddress, err.remotePort], [seen, localPort]);
    assert.deepEqual([err.localAddress, err.localPort], [seen, server.address().port]);
  }
});

test('the socket tells its addresses to the listeners of the error', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair({ side: 'server' });
  const { localPort, remotePort } = theirs;
  ours.resume();
  theirs.resetAndDestroy();
  await failed(ours);
  assert.deepEqual([ours.localPort, ours.remotePort], [remotePort, localPort]);
  assert.deepEqual([ours.localAddress, ours.remoteAddress], [HOST, HOST]);
});

const onUnix = { ...opts, skip: opts.skip || (process.platform === 'win32' && 'no Unix sockets') };

test('a Unix socket is named by its path', onUnix, async (t) => {
  const k = kit(t);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-ends-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 's');
  const server = k.ownServer(peer.createServer());
  server.listen(file);
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const ours = k.own(net.connect({ path: file, allowHalfOpen: true }));
  const [theirs] = await accepted;
  if (ours.connecting) await once(ours, 'connect');
  theirs.destroy();
  const writing = setInterval(() => ours.writable && ours.write('x'));
  t.after(() => clearInterval(writing));
  const err = await failed(ours);
  assert.equal(err.message, 'write EPIPE');
  assert.deepEqual(namesOf(err), {
    localAddress: undefined,
    localPort: undefined,
    remoteAddress: file,
    remotePort: undefined,
  });
});

test('it costs no system call for a connection that does not fail', opts, async (t) => {
  if (noStrace()) return t.skip(noStrace());
  const trace = traceCalls(t, 'getpeername,getsockname,accept4');
  const result = await run('socket-options', ['no noDelay'], { prefix: trace.prefix });
  assert.equal(result.code, 0, result.stderr);
  const calls = trace.read();
  assert.equal(calls.filter((line) => line.startsWith('getpeername')).length, 0, calls.join('\n'));
});
