'use strict';

/** The state tables of the contract, row by row: from a state, by a trigger, to a state, with these events. */

const assert = require('node:assert/strict');
const timers = require('node:timers/promises');
const { test } = require('node:test');
const { inspect } = require('node:util');
const {
  HOST,
  TIMEOUT,
  event,
  once,
  peer,
  record,
  throwsDom,
  until,
  web,
  webKit,
} = require('./helpers/web');

const opts = { timeout: TIMEOUT };

/** How a socket gets into a state; `theirs` is the other end. */
const states = {
  async connecting(k) {
    const server = await k.listen({ lib: peer, allowHalfOpen: true });
    const accepted = once(server, 'connection');
    const socket = k.connect(server.address().port);
    return { socket, accepted };
  },
  async refused(k) {
    const socket = k.connect(await k.refusedPort());
    return { socket };
  },
  open: (k) => k.pair(),
  async halfclosed(k) {
    const ends = await k.pair();
    ends.socket.halfclose();
    return ends;
  },
  async closing(k) {
    const ends = await k.pair();
    ends.socket.close();
    return ends;
  },
  async flushing(k) {
    const ends = await k.pair();
    ends.socket.send(new Uint8Array(20_000_000));
    ends.socket.close();
    return ends;
  },
  async closed(k) {
    const ends = await k.pair();
    ends.theirs.end();
    await event(ends.socket, 'close');
    return ends;
  },
};

/**
 * From, trigger, the state right after it, and the events to follow with the states that are seen in them. `ends` brings
 * a connection to its end where the row alone does not.
 */
const rows = [
  ['connecting', 'nothing', 'connecting', ['open open']],
  ['refused', 'nothing', 'connecting', ['error closed']],
  ['connecting', 'send', 'connecting', ['open open']],
  ['connecting', 'halfclose', 'connecting', ['open halfclosed']],
  ['refused', 'halfclose', 'connecting', ['error closed']],
  ['connecting', 'close', 'closing', ['close closed']],
  ['refused', 'close', 'closing', ['close closed']],
  ['connecting', 'suspend', 'connecting', ['open open']],
  ['connecting', 'resume', 'connecting', ['open open']],
  ['connecting', 'closeImmediately', 'closing', ['close closed']],
  ['open', 'send', 'open', []],
  ['open', 'sendMuch', 'open', ['drain open']],
  ['open', 'data', 'open', ['message open']],
  ['open', 'peerEnd', 'open', ['halfclose open', 'close closed']],
  ['open', 'halfclose', 'halfclosed', []],
  ['open', 'close', 'closing', ['close closed'], 'peerEnd'],
  ['open', 'reset', 'open', ['error closed', 'close closed']],
  ['open', 'closeImmediately', 'closing', ['close closed']],
  ['halfclosed', 'send', 'halfclosed', []],
  ['halfclosed', 'halfclose', 'halfclosed', []],
  ['halfclosed', 'data', 'halfclosed', ['message halfclosed']],
  ['halfclosed', 'peerEnd', 'halfclosed', ['close closed']],
  ['halfclosed', 'close', 'closing', ['close closed'], 'peerEnd'],
  ['halfclosed', 'reset', 'halfclosed', ['error closed', 'close closed']],
  ['halfclosed', 'closeImmediately', 'closing', ['close closed']],
  ['closing', 'send', 'closing', ['close closed'], 'peerEnd'],
  ['closing', 'close', 'closing', ['close closed'], 'peerEnd'],
  ['closing', 'halfclose', 'closing', ['close closed'], 'peerEnd'],
  ['closing', 'suspend', 'closing', ['close closed'], 'peerEnd'],
  ['closing', 'data', 'closing', ['close closed'], 'peerEnd'],
  ['closing', 'peerEnd', 'closing', ['close closed']],
  ['closing', 'reset', 'closing', ['close closed']],
  ['closing', 'closeImmediately', 'closing', ['close closed']],
  ['flushing', 'peerEnd', 'closing', ['drain closing', 'close closed']],
  ['flushing', 'reset', 'closing', ['close closed']],
  ['closed', 'send', 'closed', []],
  ['closed', 'close', 'closed', []],
  ['closed', 'halfclose', 'closed', []],
  ['closed', 'suspend', 'closed', []],
  ['closed', 'resume', 'closed', []],
  ['closed', 'closeImmediately', 'closed', []],
];

const triggers = {
  nothing() {},
  send({ socket }) {
    if (socket.readyState !== 'open') throwsDom(() => socket.send('x'), 'InvalidStateError');
    else assert.equal(socket.send('x'), true);
  },
  sendMuch: ({ socket }) => assert.equal(socket.send(new Uint8Array(100_000)), false),
  data: ({ theirs }) => theirs.write('x'),
  peerEnd: ({ theirs }) => theirs.resume().end(),
  reset: ({ theirs }) => theirs.resetAndDestroy(),
};

function pull(ends, trigger) {
  if (trigger in triggers) triggers[trigger](ends);
  else assert.equal(ends.socket[trigger](), undefined);
}

for (const [from, trigger, to, expected, after] of rows) {
  test(
    `TCPSocket: ${from}, ${trigger}: ${to}, ${expected.join(', ') || 'no event'}`,
    opts,
    async (t) => {
      const k = webKit(t);
      const ends = await states[from](k);
      const { socket } = ends;
      // Not while connecting: nothing has come yet.
      ends.theirs?.resume();
      if (from === 'flushing') ends.theirs.pause();
      const log = record(socket);
      pull(ends, trigger);
      assert.equal(socket.readyState, to);
      assert.deepEqual(log, [], 'nothing is dispatched inside of a call');
      if (after) pull(ends, after);
      await until(() => log.length >= expected.length);
      await timers.setTimeout(30);
      assert.deepEqual(log, expected);
      const [, last = to] = (expected.at(-1) ?? '').split(' ');
      assert.equal(socket.readyState, last);
    },
  );
}

test('TCPSocket: closing, closeTimeout: close', opts, async (t) => {
  const { socket, theirs } = await webKit(t).pair({ closeTimeout: 50 });
  theirs.resume();
  const log = record(socket);
  socket.close();
  await event(socket, 'close');
  assert.deepEqual(log, ['close closed']);
});

test('TCPSocket: connecting, the flag of suspend() takes effect once open', opts, async (t) => {
  const k = webKit(t);
  const server = await k.listen({ lib: peer }, (theirs) => theirs.write('x'));
  const socket = k.connect(server.address().port);
  const log = record(socket);
  socket.suspend();
  await event(socket, 'open');
  await timers.setTimeout(50);
  assert.deepEqual(log, ['open open']);
  socket.resume();
  await event(socket, 'message');
});

test('TCPServerSocket: open, a connection: connect', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const log = record(server);
  k.own(peer.connect(server.localPort, HOST));
  await event(server, 'connect');
  assert.deepEqual(log, ['connect open']);
});

test('TCPServerSocket: open, close(): closed, and a late connect', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const log = record(server);
  server.suspend();
  const clients = [1, 2].map(() => k.own(peer.connect(server.localPort, HOST)));
  for (const client of clients) client.on('error', () => {});
  await Promise.all(clients.map((client) => once(client, 'connect')));
  server.resume();
  await event(server, 'connect');
  server.close();
  assert.equal(server.readyState, 'closed');
  await server.closed;
  assert.ok(log.length === 1 || log.length === 2);
  assert.ok(log.slice(1).every((each) => each === 'connect closed'));
});

test('TCPServerSocket: closed, any method: closed', opts, async (t) => {
  const server = webKit(t).serve();
  const log = record(server);
  server.close();
  for (const name of ['close', 'suspend', 'resume']) {
    server[name]();
    assert.equal(server.readyState, 'closed');
  }
  await server.closed;
  await timers.setTimeout(30);
  assert.deepEqual(log, []);
});

test('what is sent too early says what to wait for', opts, async (t) => {
  const { socket } = await states.connecting(webKit(t));
  const { message } = throwsDom(() => socket.send('x'), 'InvalidStateError');
  assert.match(message, /connecting: wait for 'open', or await opened/);
  await socket.opened;
  assert.equal(socket.send('x'), true);
});

test('inspect shows what a socket is', opts, async (t) => {
  const k = webKit(t);
  const shown = (object) => inspect(object, { breakLength: Infinity });
  const { socket } = await states.open(k);
  const { localPort, remotePort } = socket;
  assert.equal(
    shown(socket),
    `TCPSocket { readyState: 'open', localAddress: '${HOST}', localPort: ${localPort}, ` +
      `remoteAddress: '${HOST}', remotePort: ${remotePort}, bufferedAmount: 0 }`,
  );
  const server = new web.TCPServerSocket({ localAddress: HOST });
  const port = server.localPort;
  assert.equal(
    shown(server),
    `TCPServerSocket { readyState: 'open', localAddress: '${HOST}', localPort: ${port} }`,
  );
  server.close();
  assert.match(shown(server), /readyState: 'closed'/);
  const udp = new web.UDPSocket({ localAddress: HOST, remoteAddress: HOST, remotePort: 9 });
  assert.equal(
    shown(udp),
    `UDPSocket { readyState: 'open', localAddress: '${HOST}', localPort: ${udp.localPort}, ` +
      `remoteAddress: '${HOST}', remotePort: 9, bufferedAmount: 0 }`,
  );
  udp.close();
  for (const Class of [web.TCPSocket, web.TCPServerSocket, web.UDPSocket]) {
    assert.equal(shown(Object.create(Class.prototype)), `${Class.name} {}`);
  }
});
