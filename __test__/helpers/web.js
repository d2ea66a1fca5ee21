'use strict';

/** Web sockets that end with their test, and promises for their events. Peers are node:net unless a test says otherwise. */

const assert = require('node:assert/strict');
const timers = require('node:timers/promises');
const web = require('../../lib/web');
const { HOST, TIMEOUT, kit, once, peer, readAll, readBytes, turn, until } = require('./kit');

/** The next event of that type; an `error` that nobody waits for is a failure. */
function event(target, type) {
  return new Promise((resolve, reject) => {
    const done = (settle) => (value) => {
      target.removeEventListener(type, onevent);
      target.removeEventListener('error', onerror);
      settle(value);
    };
    const onevent = done(resolve);
    const onerror = done((unexpected) => reject(unexpected.error));
    target.addEventListener(type, onevent);
    if (type !== 'error') target.addEventListener('error', onerror);
  });
}

/** Notes the types of all events of a socket, with the state that its listeners see. */
function record(target, log = []) {
  for (const type of ['open', 'message', 'drain', 'halfclose', 'error', 'close', 'connect']) {
    target.addEventListener(type, () => log.push(`${type} ${target.readyState}`));
  }
  return log;
}

/** All bytes of a socket's messages up to now, as one text in Latin-1. */
function collect(socket) {
  const chunks = [];
  socket.addEventListener('message', ({ data }) => chunks.push(Buffer.from(data)));
  return {
    chunks,
    bytes: () => Buffer.concat(chunks),
    text: () => Buffer.concat(chunks).toString('latin1'),
    get length() {
      return chunks.reduce((sum, { length }) => sum + length, 0);
    },
  };
}

/** Resolves when a peer of node:net that has much to send gets nothing more rid of; fails if it has sent all. */
async function stalled(theirs) {
  const sent = () => theirs.bytesWritten - theirs.writableLength;
  for (let before = -1; sent() !== before;) {
    before = sent();
    await timers.setTimeout(200);
  }
  assert.ok(theirs.writableLength > 0, 'all was sent');
}

/** What a function throws: a DOMException of that name; with a `cause` of that code, if there is to be one. */
function throwsDom(run, name, code = undefined) {
  let thrown;
  try {
    run();
  } catch (err) {
    thrown = err;
  }
  assert.ok(thrown instanceof DOMException, `threw ${thrown} instead of a DOMException`);
  assert.equal(thrown.name, name, thrown.message);
  if (code !== undefined) assert.equal(thrown.cause?.code, code);
  return thrown;
}

function webKit(t) {
  const { own, ownServer, listen, refusedPort } = kit(t);
  const sockets = new Set();
  t.after(() => {
    for (const socket of sockets) {
      if (socket.closeImmediately) socket.closeImmediately();
      else socket.close();
    }
  });

  function track(socket) {
    sockets.add(socket);
    return socket;
  }

  /** A `TCPSocket`. */
  const connect = (port, options = undefined, host = HOST) =>
    track(new web.TCPSocket(host, port, options));

  /** A `TCPServerSocket`, with its connections. */
  function serve(options = {}) {
    const server = track(new web.TCPServerSocket({ localAddress: HOST, ...options }));
    server.addEventListener('connect', ({ connectedSocket }) => track(connectedSocket));
    return server;
  }

  /** A server of node:net, a `TCPSocket` that is open, and the other end of it. */
  async function pair(options = undefined, serverOptions = { allowHalfOpen: true }) {
    const server = await listen({ lib: peer, ...serverOptions });
    const accepted = once(server, 'connection');
    const socket = connect(server.address().port, options);
    const [[theirs]] = await Promise.all([accepted, event(socket, 'open')]);
    theirs.on('error', () => {});
    return { server, socket, theirs };
  }

  /** A `TCPServerSocket`, one of its connections, and the client of node:net. */
  async function acceptedPair(options = {}) {
    const server = serve(options);
    const connected = event(server, 'connect');
    const theirs = own(peer.connect({ port: server.localPort, host: HOST, allowHalfOpen: true }));
    theirs.on('error', () => {});
    const { connectedSocket: socket } = await connected;
    return { server, socket, theirs };
  }

  return { acceptedPair, connect, listen, own, ownServer, pair, refusedPort, serve, track };
}

module.exports = {
  HOST,
  TIMEOUT,
  collect,
  event,
  once,
  peer,
  readAll,
  readBytes,
  record,
  stalled,
  throwsDom,
  turn,
  until,
  web,
  webKit,
};
