'use strict';

/** `UDPSocket.send()`. The numbers are those of the acceptance cases of the contract. */

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { Blob } = require('node:buffer');
const { test } = require('node:test');
const { HOST, TIMEOUT, event, log, received, throwsDom, turn, udpKit } = require('./helpers/udp');
const { UdpSender } = require('../lib/web/udp-sender');

const opts = { timeout: TIMEOUT };

test('49: a datagram, and where it comes from', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const [one, other] = [bind(), bind()];
  const message = event(other, 'message');
  assert.equal(one.send('hi', HOST, other.localPort), true);
  const { data, remoteAddress, remotePort } = await message;
  assert.ok((await message) instanceof MessageEvent);
  assert.ok(data instanceof ArrayBuffer);
  assert.equal(Buffer.from(data).toString(), 'hi');
  assert.equal(data.byteLength, 2);
  assert.deepEqual([remoteAddress, remotePort], [HOST, one.localPort]);

  const theirs = await peer();
  one.send('h\u00e9\u20ac \ud800', HOST, theirs.port);
  await theirs.received.atLeast(1);
  assert.deepEqual(theirs.received.texts(), ['h\u00e9\u20ac \ufffd']);
});

test('50: defaults, each of them replaced by its argument', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const [one, other] = [await peer(), await peer()];
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: String(one.port) });
  assert.deepEqual([socket.remoteAddress, socket.remotePort], [HOST, one.port]);
  socket.send('a');
  socket.send('b', null, null);
  socket.send('c', undefined, other.port);
  socket.send('d', null, String(other.port));
  socket.send('e', '127.0.0.1', null);
  await Promise.all([one.received.atLeast(3), other.received.atLeast(2)]);
  assert.deepEqual(one.received.texts(), ['a', 'b', 'e']);
  assert.deepEqual(other.received.texts(), ['c', 'd']);
});

test('51: no destination, or half of one', opts, (t) => {
  const { bind } = udpKit(t);
  const socket = bind();
  throwsDom(() => socket.send('x'), 'InvalidAccessError');
  throwsDom(() => socket.send('x', HOST), 'InvalidAccessError');
  throwsDom(() => socket.send('x', null, 9), 'InvalidAccessError');
  throwsDom(() => bind({ remoteAddress: HOST }).send('x'), 'InvalidAccessError');
  throwsDom(() => bind({ remotePort: 9 }).send('x'), 'InvalidAccessError');
  throwsDom(() => socket.send('x', 'a b', 9), 'InvalidAccessError');
  throwsDom(() => socket.send('x', HOST, 0), 'InvalidAccessError');
  throwsDom(() => socket.send('x', HOST, 65_536), 'InvalidAccessError');
  assert.equal(socket.readyState, 'open');
  assert.throws(() => socket.send(), TypeError);
});

test('52: every kind of data is a datagram of its own, in order', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: port });
  const bytes = new TextEncoder().encode('0123456789');
  const all = [
    [new Blob(['blob', 'by']), 'blobby'],
    [bytes.buffer, '0123456789'],
    [bytes.subarray(2, 5), '234'],
    [new DataView(bytes.buffer, 8), '89'],
    [Buffer.from('buffer').subarray(1), 'uffer'],
    [new Uint16Array(bytes.buffer, 2, 1), '23'],
    [new Blob([]), ''],
    ['text', 'text'],
    ['', ''],
  ];
  for (const [data] of all) socket.send(data);
  const datagrams = await theirs.atLeast(all.length);
  assert.deepEqual(
    theirs.texts(),
    all.map(([, text]) => text),
  );
  assert.equal(datagrams.at(-1).data.length, 0);
});

test('52b: what is sent is what was given at the time of the call', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: port });
  const bytes = Buffer.from('one');
  for (const first of [null, new Blob(['blob'])]) {
    if (first) socket.send(first);
    bytes.write('one');
    socket.send(bytes);
    bytes.write('two');
  }
  await theirs.atLeast(3);
  assert.deepEqual(theirs.texts(), ['one', 'blob', 'one']);
});

test('53: as long as a datagram can be, and longer', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const four = await peer();
  const six = await peer('udp6');
  for (const [localAddress, { port, received: theirs }, most] of [
    [HOST, four, 65_507],
    ['::1', six, 65_527],
  ]) {
    const to = { localAddress, remoteAddress: localAddress, remotePort: port };
    const longest = bind(to);
    longest.send(new Uint8Array(most));
    const [{ data }] = await theirs.atLeast(1);
    assert.equal(data.length, most);

    for (const tooLong of [
      new Uint8Array(most + 1),
      'x'.repeat(most + 1),
      '\u20ac'.repeat(most / 2),
      new Blob([new Uint8Array(most + 1)]),
    ]) {
      const socket = bind(to);
      const events = log(socket);
      const error = event(socket, 'error');
      assert.equal(socket.send(tooLong), false);
      assert.equal(socket.readyState, 'closed');
      const { error: reason } = await error;
      assert.equal(reason.name, 'NetworkError');
      assert.equal(reason.cause.code, 'EMSGSIZE');
      assert.deepEqual(events, ['error closed']);
      await assert.rejects(socket.closed, reason);
    }
  }
});

test('53b: what was sent before goes out', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: port });
  socket.send('before');
  assert.equal(socket.send(new Uint8Array(65_508)), false);
  await theirs.atLeast(1);
  assert.deepEqual(theirs.texts(), ['before']);
});

test('53c: the longest one to a name', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer('udp6');
  const socket = bind({ localAddress: '::1', dnsQueryType: 'ipv6' });
  socket.send(new Uint8Array(65_527), 'localhost', port);
  assert.equal(socket.readyState, 'open');
  const failed = event(socket, 'error').then(({ error }) => error.cause.code);
  const outcome = await Promise.race([failed, theirs.atLeast(1)]);
  // Where `localhost` has no address of IPv6, the look-up fails.
  if (typeof outcome === 'string') assert.match(outcome, /^(ENOTFOUND|EAI_AGAIN)$/);
  else assert.equal(outcome[0].data.length, 65_527);
});

test('54: what cannot be sent', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: port });
  const shared = new SharedArrayBuffer(1);
  for (const data of [
    5,
    null,
    undefined,
    {},
    [],
    true,
    Symbol.iterator,
    shared,
    new Uint8Array(shared),
  ]) {
    throwsDom(() => socket.send(data), 'InvalidAccessError');
  }
  assert.equal(socket.readyState, 'open');
  socket.send('still open');
  await theirs.atLeast(1);
});

test('55: closed', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { socket: theirs } = await peer();
  const socket = bind();
  const events = log(socket);
  const { localPort } = socket;
  theirs.send('lost', localPort, HOST);
  socket.send('x', '255.255.255.255', 9);
  socket.close();
  assert.equal(socket.readyState, 'closed');
  assert.equal(socket.bufferedAmount, 0);
  throwsDom(() => socket.send('x', HOST, 9), 'InvalidStateError');
  throwsDom(() => socket.joinMulticastGroup('224.0.0.251'), 'InvalidStateError');
  throwsDom(() => socket.leaveMulticastGroup('224.0.0.251'), 'InvalidStateError');
  for (const method of ['close', 'closeImmediately', 'suspend', 'resume', 'ref', 'unref']) {
    socket[method]();
  }
  theirs.send('lost', localPort, HOST);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(events, []);
  assert.equal(await socket.closed, undefined);
});

test('55b: what was sent before close() in the same turn goes out', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const socket = bind();
  socket.send('last words', HOST, port);
  socket.close();
  await theirs.atLeast(1);
  assert.deepEqual(theirs.texts(), ['last words']);
});

test('63: a default destination is no reason not to listen to others', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const [friend, stranger] = [await peer(), await peer()];
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: friend.port });
  const mine = received(socket);
  stranger.socket.send('hello', socket.localPort, HOST);
  const [{ port }] = await mine.atLeast(1);
  assert.equal(port, stranger.port);
});

test('64: nobody at the other end is no error', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const gone = bind();
  const { localPort } = gone;
  gone.close();
  const socket = bind();
  const events = log(socket);
  const mine = received(socket);
  for (let i = 0; i < 20; i++) {
    socket.send('x', HOST, localPort);
    await turn();
  }
  const { socket: theirs } = await peer();
  theirs.send('y', socket.localPort, HOST);
  await mine.atLeast(1);
  assert.deepEqual(events, ['message open']);
});

test('65: broadcast without the option', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const socket = bind({});
  const events = log(socket);
  socket.send('before', HOST, port);
  socket.send('refused', '255.255.255.255', 9);
  socket.send('refused', '255.255.255.255', 10);
  socket.send('behind', HOST, port);
  const { error } = await event(socket, 'error');
  assert.equal(error.name, 'NetworkError');
  const { code, syscall, address, port: refused } = error.cause;
  assert.deepEqual([code, syscall, address, refused], ['EACCES', 'send', '255.255.255.255', 9]);
  const { error: second } = await event(socket, 'error');
  assert.equal(second.cause.port, 10);
  await theirs.atLeast(2);
  assert.deepEqual(theirs.texts(), ['before', 'behind']);
  assert.deepEqual(events, ['error open', 'error open']);
});

test('65b: broadcast with the option', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer('udp4', '0.0.0.0');
  const socket = bind({ localAddress: HOST, broadcast: true });
  socket.send('to all', '127.255.255.255', port);
  await theirs.atLeast(1);
});

test('65c: no way to an address', opts, async (t) => {
  const socket = udpKit(t).bind({ localAddress: HOST });
  socket.send('x', '127.0.0.1', 9);
  // A socket on the loopback interface cannot send elsewhere.
  socket.send('x', '203.0.113.1', 9);
  const { error } = await event(socket, 'error');
  assert.equal(error.name, 'NetworkError');
  assert.match(error.cause.code, /^E(INVAL|NETUNREACH|HOSTUNREACH|PERM)$/);
  assert.equal(error.cause.address, '203.0.113.1');
  assert.equal(socket.readyState, 'open');
});

test('67: false when much waits, then one drain', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port } = await peer();
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: port });
  const events = log(socket);
  const payload = new Uint8Array(100);
  let bytes = 0;
  for (let i = 0; i < 10_000; i++) {
    const answer = socket.send(payload);
    bytes += payload.length;
    // Within a turn it only grows.
    assert.equal(socket.bufferedAmount, bytes);
    assert.equal(answer, bytes <= 65_536);
  }
  await event(socket, 'drain');
  assert.equal(socket.bufferedAmount, 0);
  await turn();
  assert.deepEqual(events, ['drain open']);
  for (let i = 0; i < 20; i++) assert.equal(socket.send(payload), true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(events, ['drain open']);
});

test('67b: a thousand of each size reach several peers, in order', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const peers = [await peer(), await peer(), await peer('udp6')];
  const socket = bind({ family: 6 });
  let sent = 0;
  for (let i = 0; i < 1000; i++) {
    const at = i % 7 === 0 ? i % 3 : 0;
    const size = 4 + (i % 5 === 0 ? i : 100);
    const payload = Buffer.alloc(size, i & 255);
    payload.writeUInt32LE(i);
    socket.send(payload, at === 2 ? '::1' : HOST, peers[at].port);
    sent += 1;
    // No more than the smallest usual buffer holds.
    if (i % 20 === 19) {
      const arrived = () => peers.reduce((sum, { received: theirs }) => sum + theirs.count, 0);
      while (arrived() < sent) await turn();
    }
  }
  for (const { received: theirs } of peers) {
    let last = -1;
    for (const { data } of theirs.datagrams) {
      const i = data.readUInt32LE();
      assert.ok(i > last);
      last = i;
      assert.equal(data.length, 4 + (i % 5 === 0 ? i : 100));
      assert.ok(data.subarray(4).every((byte) => byte === (i & 255)));
    }
  }
});

test('names are looked up, and what is sent behind waits', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const socket = bind({ localAddress: HOST, remoteAddress: 'localhost', remotePort: port });
  assert.equal(socket.remoteAddress, 'localhost');
  socket.send('name');
  assert.equal(socket.bufferedAmount, 4);
  socket.send('address', HOST);
  socket.send(new Blob(['blob']), HOST);
  socket.send('name again');
  await theirs.atLeast(4);
  assert.deepEqual(theirs.texts(), ['name', 'address', 'blob', 'name again']);
});

test('an unknown name is an error, and the socket goes on', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const socket = bind();
  const failed = event(socket, 'error');
  socket.send('x', 'name.invalid', 9);
  socket.send('behind', HOST, port);
  const { error } = await failed;
  assert.equal(error.name, 'NetworkError');
  assert.match(error.cause.code, /^(ENOTFOUND|EAI_AGAIN)$/);
  await theirs.atLeast(1);
  assert.equal(socket.readyState, 'open');
});

test('a Blob that cannot be read is an error, and the socket goes on', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const { port, received: theirs } = await peer();
  const socket = bind({ localAddress: HOST, remoteAddress: HOST, remotePort: port });
  const blob = new Blob(['x']);
  const reason = new Error('unreadable');
  blob.arrayBuffer = () => Promise.reject(reason);
  const failed = event(socket, 'error');
  socket.send(blob);
  socket.send('behind');
  const { error } = await failed;
  assert.equal(error.cause, reason);
  await theirs.atLeast(1);
  assert.deepEqual(theirs.texts(), ['behind']);
});

test('events run in the context that the socket was made in', opts, async (t) => {
  const { bind, peer } = udpKit(t);
  const storage = new AsyncLocalStorage();
  const { socket: theirs } = await peer();
  const socket = storage.run('mine', () => bind());
  const seen = new Promise((resolve) => {
    socket.onmessage = () => resolve(storage.getStore());
  });
  storage.run('other', () => theirs.send('x', socket.localPort, HOST));
  assert.equal(await seen, 'mine');
});

test(
  'thousands behind a Blob: each once, in order, whatever is sent when one fails',
  opts,
  async () => {
    const sent = [];
    let onFailure = () => {};
    const sender = new UdpSender(
      { id: -1 },
      { reach: { 4: true, 6: true }, dnsFamily: 4, family: 4 },
      { onsenderror: () => onFailure(), ondrain() {}, ontoolong() {} },
    );
    const isOver = new Promise((resolve) => {
      const add = (bytes) => sent.push(String(Buffer.from(bytes)));
      sender.outbox = { bufferedAmount: 0, add, touch: resolve };
    });
    const expected = [];
    const send = (text, data = text) => {
      expected.push(text);
      sender.send(data, HOST, 9);
    };
    const bad = Object.assign(new Blob(['bad']), {
      arrayBuffer: () => Promise.reject(new Error('bad')),
    });
    send('first', new Blob(['first']));
    for (let i = 1; i < 1023; i++) send(`${i}`);
    // The failing one is the last there is, and the 1,024th: what is forgotten together ends there.
    sender.send(bad, HOST, 9);
    onFailure = () => {
      onFailure = () => {};
      send('again', new Blob(['again']));
      for (let i = 0; i < 3000; i++) send(`behind ${i}`);
    };
    await isOver;
    assert.deepEqual(sent, expected);
  },
);
