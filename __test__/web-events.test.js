'use strict';

/** Events and their listeners. The numbers are those of the acceptance cases of the contract. */

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { test } = require('node:test');
const { run } = require('./helpers/child');
const { TIMEOUT, event, once, until, web, webKit, HOST, peer } = require('./helpers/web');

const { ConnectEvent, ErrorEvent, TCPServerSocket, TCPSocket, UDPMessageEvent } = web;
const opts = { timeout: TIMEOUT };

const fire = (target, type, init) => target.dispatchEvent(new Event(type, init));

test('32: what is no object is null', opts, (t) => {
  const server = webKit(t).serve();
  for (const type of ['connect', 'error']) assert.equal(server[`on${type}`], null);
  for (const value of [5, 'x', true, undefined, null, Symbol.iterator, 5n]) {
    server.onconnect = () => {};
    server.onconnect = value;
    assert.equal(server.onconnect, null);
  }
});

test(
  '32b: a handler keeps the place where it was set first, and `this` is the socket',
  opts,
  (t) => {
    const server = webKit(t).serve();
    const log = [];
    server.onerror = () => log.push('never called');
    server.addEventListener('error', () => log.push('listener'));
    server.onerror = function onerror(given) {
      log.push(['handler', this === server, given.currentTarget === server, arguments.length]);
    };
    fire(server, 'error');
    assert.deepEqual(log, [['handler', true, true, 1], 'listener']);
  },
);

test('32c: null gives the place up', opts, (t) => {
  const server = webKit(t).serve();
  const log = [];
  server.onerror = () => log.push('first');
  server.addEventListener('error', () => log.push('listener'));
  server.onerror = null;
  fire(server, 'error');
  server.onerror = () => log.push('second');
  fire(server, 'error');
  assert.deepEqual(log, ['listener', 'listener', 'second']);
});

test('32d: an object that cannot be called is kept, has a place, and does nothing', opts, (t) => {
  const server = webKit(t).serve();
  const log = [];
  const object = { handleEvent: () => log.push('never') };
  server.onerror = object;
  assert.equal(server.onerror, object);
  server.addEventListener('error', () => log.push('listener'));
  fire(server, 'error');
  server.onerror = () => log.push('handler');
  fire(server, 'error');
  assert.deepEqual(log, ['listener', 'handler', 'listener']);
});

test('32e: false cancels what can be cancelled, and nothing else does', opts, (t) => {
  const server = webKit(t).serve();
  const answers = [undefined, null, 0, '', true];
  for (const answer of [...answers, false]) {
    server.onerror = () => answer;
    assert.equal(fire(server, 'error', { cancelable: true }), answer !== false);
    assert.equal(fire(server, 'error'), true);
  }
});

test('32f: handlers are of the prototype, and for sockets only', opts, (t) => {
  const server = webKit(t).serve();
  assert.deepEqual(Object.keys(server), []);
  const attributes = {
    TCPSocket: ['open', 'drain', 'close', 'halfclose', 'error', 'message'],
    TCPServerSocket: ['connect', 'error'],
  };
  for (const [name, types] of Object.entries(attributes)) {
    const { prototype } = web[name];
    for (const type of types) {
      const { get, set, enumerable } = Object.getOwnPropertyDescriptor(prototype, `on${type}`);
      assert.equal(enumerable, true);
      assert.throws(() => get.call({}), TypeError);
      assert.throws(() => set.call(new EventTarget(), () => {}), TypeError);
    }
  }
  for (const name of ['readyState', 'localPort', 'opened']) {
    for (const { prototype } of [TCPSocket, TCPServerSocket]) {
      const { get, set, enumerable } = Object.getOwnPropertyDescriptor(prototype, name);
      assert.equal(set, undefined);
      assert.equal(enumerable, true);
      assert.throws(() => get.call({}), TypeError);
    }
  }
  assert.throws(() => TCPSocket.prototype.send.call({}, 'x'), TypeError);
});

test('33: a listener that throws: the others run, uncaughtException tells', opts, async () => {
  const { code, stdout } = await run('web-throws');
  assert.equal(code, 0);
  assert.deepEqual(stdout.trim().split('\n'), [
    'handler',
    'listener',
    'uncaughtException handler',
    'uncaughtException listener',
    'closed',
  ]);
});

test('an error that nobody listens to is silent', opts, async (t) => {
  const k = webKit(t);
  const socket = k.connect(await k.refusedPort());
  await until(() => socket.readyState === 'closed');
  await socket.closed.catch(() => {});
});

test('68: every event is of its class, and of its target', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const seen = new Map();
  const note = (given) => {
    assert.equal(given.target, given.currentTarget);
    seen.set(given.type, {
      tag: Object.prototype.toString.call(given),
      constructor: given.constructor,
      cancelable: given.cancelable,
    });
    assert.equal(given.bubbles, false);
    assert.equal(given.isTrusted, false);
    assert.ok(given instanceof Event);
    assert.ok(given.timeStamp > 0);
  };
  const connected = event(server, 'connect');
  server.addEventListener('connect', note);
  const socket = k.connect(server.localPort);
  for (const type of ['open', 'drain', 'close', 'halfclose', 'message']) {
    socket.addEventListener(type, (given) => {
      assert.equal(given.target, socket);
      note(given);
    });
  }
  await event(socket, 'open');
  const { connectedSocket } = await connected;
  socket.send(new Uint8Array(100_000));
  await event(socket, 'drain');
  connectedSocket.send('hello');
  const { data, origin, lastEventId, source, ports } = await event(socket, 'message');
  assert.equal(data.byteLength, 5);
  assert.deepEqual({ origin, lastEventId, source }, { origin: '', lastEventId: '', source: null });
  assert.deepEqual(ports, []);
  assert.ok(Object.isFrozen(ports));
  connectedSocket.close();
  await event(socket, 'close');
  const lost = k.connect(await k.refusedPort());
  lost.addEventListener('error', note);
  await event(lost, 'error');
  const plain = { tag: '[object Event]', constructor: Event, cancelable: false };
  assert.deepEqual(Object.fromEntries(seen), {
    connect: { tag: '[object ConnectEvent]', constructor: ConnectEvent, cancelable: false },
    open: plain,
    drain: plain,
    message: { tag: '[object MessageEvent]', constructor: MessageEvent, cancelable: false },
    halfclose: { ...plain, cancelable: true },
    close: plain,
    error: { tag: '[object ErrorEvent]', constructor: ErrorEvent, cancelable: false },
  });
});

test('68b: sockets and their classes have names', opts, (t) => {
  const server = webKit(t).serve();
  assert.equal(String(server), '[object TCPServerSocket]');
  assert.equal(TCPSocket.prototype[Symbol.toStringTag], 'TCPSocket');
  assert.ok(server instanceof EventTarget);
  assert.ok(TCPSocket.prototype instanceof EventTarget);
});

test('68c: the classes of events can be constructed', opts, () => {
  const error = new DOMException('text', 'NetworkError');
  const failed = new ErrorEvent('error', { error, cancelable: true });
  assert.deepEqual(
    [failed.type, failed.error, failed.name, failed.message, failed.cancelable],
    ['error', error, 'NetworkError', 'text', true],
  );
  assert.deepEqual(
    ['error', 'name', 'message'].map((name) => new ErrorEvent('x')[name]),
    [null, '', ''],
  );
  assert.equal(new ConnectEvent('connect').connectedSocket, null);
  const datagram = new UDPMessageEvent('message', {
    data: 'x',
    origin: 'here',
    remoteAddress: HOST,
    remotePort: 5,
  });
  assert.ok(datagram instanceof MessageEvent);
  assert.deepEqual(
    [datagram.data, datagram.origin, datagram.remoteAddress, datagram.remotePort],
    ['x', 'here', HOST, 5],
  );
  assert.equal(String(datagram), '[object UDPMessageEvent]');
  for (const Class of [ErrorEvent, ConnectEvent, UDPMessageEvent]) {
    assert.throws(() => new Class(), TypeError);
    assert.throws(() => Class('x'), TypeError);
    assert.throws(() => new Class('x', 5), TypeError);
    assert.equal(new Class('x', null).type, 'x');
    const descriptors = Object.getOwnPropertyDescriptors(Class.prototype);
    for (const [name, { enumerable }] of Object.entries(descriptors)) {
      assert.equal(enumerable, name !== 'constructor', name);
    }
  }
});

test('ticks and promise jobs run between two events', opts, async (t) => {
  const k = webKit(t);
  const server = k.serve();
  const sockets = [];
  server.onconnect = ({ connectedSocket }) => sockets.push(connectedSocket);
  const clients = Array.from({ length: 20 }, () => k.own(peer.connect(server.localPort, HOST)));
  await until(() => sockets.length === 20);
  let isBusy = false;
  let events = 0;
  const onevent = async () => {
    assert.equal(isBusy, false);
    isBusy = true;
    events++;
    for (let i = 0; i < 5; i++) await Promise.resolve();
    process.nextTick(() => (isBusy = false));
  };
  for (const socket of sockets) {
    for (const type of ['message', 'drain', 'halfclose', 'close']) {
      socket.addEventListener(type, onevent);
    }
    socket.suspend();
  }
  // Every socket has a message, the end and a drain at the same moment.
  for (const client of clients) client.resume().end('hello');
  await Promise.all(clients.map((client) => once(client, 'finish')));
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const socket of sockets) {
    socket.send(new Uint8Array(70_000));
    socket.resume();
  }
  await until(() => events === 80 && !isBusy);
});

test('events come in the async context of their socket', opts, async (t) => {
  const k = webKit(t);
  const storage = new AsyncLocalStorage();
  const server = await k.listen({ lib: peer }, (theirs) =>
    theirs.on('error', () => {}).end('hello'),
  );
  const log = [];
  const sockets = ['one', 'two'].map((name) =>
    storage.run(name, () => k.connect(server.address().port, undefined, 'localhost')),
  );
  for (const [i, socket] of sockets.entries()) {
    for (const type of ['open', 'message', 'halfclose', 'drain', 'close']) {
      socket.addEventListener(type, () => log.push([i, type, storage.getStore()]));
    }
    socket.onhalfclose = () => void socket.send(new Uint8Array(70_000));
  }
  await until(() => log.filter(([, type]) => type === 'close').length === 2);
  assert.equal(log.length, 10);
  for (const [i, , store] of log) assert.equal(store, ['one', 'two'][i]);
});

test('a program may have its own dispatchEvent and addEventListener', opts, async (t) => {
  const k = webKit(t);
  const server = await k.listen({ lib: peer }, (theirs) => theirs.end('hello'));
  class Mine extends TCPSocket {
    addEventListener() {
      throw new Error('never');
    }

    dispatchEvent() {
      throw new Error('never');
    }
  }
  const socket = k.track(new Mine(HOST, server.address().port));
  const received = [];
  socket.onmessage = ({ data }) => received.push(Buffer.from(data).toString());
  await socket.closed;
  assert.deepEqual(received, ['hello']);
});
