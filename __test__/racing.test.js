'use strict';

/**
 * Attempts race (RFC 8305): one that takes long is not given up because the next one has started.
 * Addresses that do not answer are listeners on loopback whose queue is full.
 */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { TIMEOUT, kit, once, peer, until } = require('./helpers/kit');
const { NO_HOLE, hole } = require('./helpers/hole');
const { noSs, socketsWhere } = require('./helpers/system');

const opts = { timeout: TIMEOUT, skip: NO_HOLE };
const ours = { ...opts, skip: opts.skip || (!isOurs && SKIP_FOREIGN) };
const [FIRST, SECOND] = ['127.0.0.2', '127.0.0.3'];

const EVENTS = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptTimeout',
  'connectionAttemptFailed',
];

/** A socket with two addresses to try, and what it says of them. */
function race(k, port, addresses = [FIRST, SECOND]) {
  const socket = k.own(
    net.connect({
      port,
      host: 'name.invalid',
      lookup: (name, options, callback) =>
        setImmediate(
          callback,
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 100,
    }),
  );
  const log = [];
  for (const event of EVENTS) {
    socket.on(event, (...args) => {
      const address = event === 'lookup' ? args[1] : args[0];
      log.push(`${event} ${address}`);
      if (event !== 'lookup') assert.equal(args[1], port);
    });
  }
  for (const event of ['connect', 'error']) socket.on(event, () => log.push(event));
  return { socket, log };
}

const trying = (port) => socketsWhere(`dport = :${port}`, 'syn-sent');

async function echoOn(k, host, port = 0) {
  const server = k.ownServer(peer.createServer((conn) => conn.pipe(conn)));
  server.listen(port, host);
  await once(server, 'listening');
  return server.address().port;
}

test('a late first attempt wins although the second one has started', ours, async (t) => {
  const k = kit(t);
  const first = await hole(t, FIRST);
  const { port } = first;
  await hole(t, SECOND, port);
  const { socket, log } = race(k, port);
  await until(() => log.includes(`connectionAttempt ${SECOND}`));
  if (!noSs()) assert.equal(trying(port).length, 2, 'both are under way');
  first.open();
  await once(socket, 'connect');
  assert.equal(socket.remoteAddress, FIRST);
  assert.deepEqual(log, [
    `lookup ${FIRST}`,
    `lookup ${SECOND}`,
    `connectionAttempt ${FIRST}`,
    `connectionAttemptTimeout ${FIRST}`,
    `connectionAttempt ${SECOND}`,
    'connect',
  ]);
  assert.deepEqual(socket.autoSelectFamilyAttemptedAddresses, [
    `${FIRST}:${port}`,
    `${SECOND}:${port}`,
  ]);
  if (!noSs()) await until(() => trying(port).length === 0);
});

test('the second one wins over a first one that does not answer', opts, async (t) => {
  const k = kit(t);
  const { port } = await hole(t, FIRST);
  await echoOn(k, SECOND, port);
  const { socket, log } = race(k, port);
  await once(socket, 'connect');
  assert.equal(socket.remoteAddress, SECOND);
  assert.deepEqual(log.slice(2), [
    `connectionAttempt ${FIRST}`,
    `connectionAttemptTimeout ${FIRST}`,
    `connectionAttempt ${SECOND}`,
    'connect',
  ]);
  if (!noSs()) await until(() => trying(port).length === 0);
  socket.write('it works');
  assert.equal(String((await once(socket, 'data'))[0]), 'it works');
});

test('a refusal starts the next one at once', opts, async (t) => {
  const k = kit(t);
  const port = await echoOn(k, SECOND);
  const { socket, log } = race(k, port);
  await once(socket, 'connect');
  assert.deepEqual(log.slice(2), [
    `connectionAttempt ${FIRST}`,
    `connectionAttemptFailed ${FIRST}`,
    `connectionAttempt ${SECOND}`,
    'connect',
  ]);
});

test('addresses of the two families take turns, beginning with the first one', opts, async (t) => {
  const k = kit(t);
  const port = await echoOn(k, '127.0.0.1');
  const { socket, log } = race(k, port, [FIRST, SECOND, '127.0.0.1', '::1']);
  await once(socket, 'connect');
  assert.deepEqual(
    log.filter((line) => line.startsWith('connectionAttempt ')),
    [FIRST, '::1', SECOND, '127.0.0.1'].map((address) => `connectionAttempt ${address}`),
  );
});

test('destroying the socket ends all attempts', ours, async (t) => {
  if (noSs()) return t.skip(noSs());
  const k = kit(t);
  const { port } = await hole(t, FIRST);
  await hole(t, SECOND, port);
  const { socket, log } = race(k, port);
  await until(() => log.includes(`connectionAttempt ${SECOND}`));
  assert.equal(trying(port).length, 2);
  socket.destroy();
  await once(socket, 'close');
  await until(() => trying(port).length === 0);
  assert.ok(!log.includes('error'));
});

test('an attempt that lost stays lost', ours, async (t) => {
  const k = kit(t);
  const first = await hole(t, FIRST);
  const { port } = first;
  await echoOn(k, SECOND, port);
  const { socket } = race(k, port);
  await once(socket, 'connect');
  first.open();
  // The first attempt is gone: nothing comes of the listener that has room again.
  socket.write('on');
  await once(socket, 'data');
  if (!noSs()) assert.deepEqual(trying(port), []);
  assert.equal(socket.remoteAddress, SECOND);
});
