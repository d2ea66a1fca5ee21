'use strict';
// `for await (const socket of server)`: the connections that nobody has taken yet.
//
// A connection that no listener of `'connection'` has been told of, and no iterator waits for, waits here
// and is not read from. When many wait, the server accepts no more: further ones wait with the system.

const { kIsClosed, kTlsServer } = require('./symbols');

/** From so many waiting connections on, no more are accepted… */
const MANY = 64;
/** … until there are only so many. */
const FEW = 32;

/** The prototype of all asynchronous iterators: `Symbol.asyncIterator`, and in newer versions more. */
const AsyncIterator = Object.getPrototypeOf(
  Object.getPrototypeOf(async function* empty() {}).prototype,
);

const done = (value) => ({ done: true, value });

class Incoming {
  /** @param {import('./server').Server} server */
  constructor(server) {
    this.server = server;
    /** What tells listeners of a connection: with TLS, of one whose handshake is over. */
    this.event = server[kTlsServer]() === undefined ? 'connection' : 'secureConnection';
    /** Connections that wait. @type {{ socket: object, isStopped: boolean }[]} */
    this.waiting = [];
    /** Iterators that have not ended. @type {Set<ConnectionIterator>} */
    this.iterators = new Set();
    /** Calls of `next()` that wait, in the order in which they came. */
    this.takers = [];
    this.failed = (err) => this.fail(err);
    server.on('newListener', (name) => {
      if (name === this.event) process.nextTick(giveToListeners, this);
    });
  }

  hasListeners() {
    return this.server.listenerCount(this.event) > 0;
  }

  /** A new connection, of which listeners have been told. */
  add(socket) {
    const hasListeners = this.hasListeners();
    if (socket.destroyed || (hasListeners && this.iterators.size === 0)) return;
    const taker = this.takers.shift();
    if (taker) {
      taker.resolve({ done: false, value: socket });
      return;
    }
    // Nobody listens to it: without this, a peer that resets it would end the process.
    socket.on('error', ignore);
    const isStopped = !hasListeners && socket._handle.isReading;
    if (isStopped) socket._handle.readStop();
    this.waiting.push({ socket, isStopped });
    if (this.waiting.length >= MANY) this.server._handle?.pause();
  }

  /** The connection that has waited longest, or null. Those that have failed meanwhile are passed over. */
  take() {
    let first;
    do first = this.waiting.shift();
    while (first?.socket.destroyed);
    if (this.waiting.length <= FEW) this.server._handle?.resume();
    if (!first) return null;
    const { socket, isStopped } = first;
    socket.off('error', ignore);
    if (isStopped) socket._handle.readStart();
    return socket;
  }

  /** A new iterator. */
  iterate() {
    if (this.iterators.size === 0) this.server.on('error', this.failed);
    const iterator = new ConnectionIterator(this);
    this.iterators.add(iterator);
    return iterator;
  }

  /** Ends an iterator, and its calls of `next()` that wait. */
  end(iterator) {
    if (!this.iterators.delete(iterator)) return;
    for (const taker of this.takers) if (taker.iterator === iterator) taker.resolve(done());
    this.takers = this.takers.filter((taker) => taker.iterator !== iterator);
    if (this.iterators.size > 0) return;
    this.server.off('error', this.failed);
    if (this.server[kIsClosed]) this.abandon();
  }

  /** An error of the server ends every iteration. */
  fail(err) {
    // A set may lose members while it is gone through.
    for (const iterator of this.iterators) {
      const at = this.takers.findIndex((taker) => taker.iterator === iterator);
      if (at >= 0) this.takers.splice(at, 1)[0].reject(err);
      else iterator.error = { err };
      this.end(iterator);
    }
  }

  /** The server accepts no more: what waits is still given to those who iterate. */
  close() {
    while (this.takers.length > 0) this.end(this.takers[0].iterator);
    if (this.iterators.size === 0) this.abandon();
  }

  /** Nobody will take what waits: the peers are told as the system tells those that it holds itself. */
  abandon() {
    for (const { socket } of this.waiting.splice(0)) socket.resetAndDestroy();
  }
}

class ConnectionIterator {
  constructor(incoming) {
    this.incoming = incoming;
    /** What the next call of `next()` fails with: `{ err }`, or null. */
    this.error = null;
  }

  next() {
    const { error, incoming } = this;
    if (error !== null) {
      this.error = null;
      return Promise.reject(error.err);
    }
    if (!incoming.iterators.has(this)) return Promise.resolve(done());
    const socket = incoming.take();
    if (socket !== null) return Promise.resolve({ done: false, value: socket });
    if (incoming.server[kIsClosed]) return this.return();
    return new Promise((resolve, reject) => {
      incoming.takers.push({ iterator: this, resolve, reject });
    });
  }

  return(value) {
    this.incoming.end(this);
    return Promise.resolve(done(value));
  }
}
Object.setPrototypeOf(ConnectionIterator.prototype, AsyncIterator);

/** Somebody listens to `'connection'` now: what has waited for that is given to the listeners. */
function giveToListeners(incoming) {
  if (incoming.iterators.size > 0 || !incoming.hasListeners()) return;
  const socket = incoming.take();
  if (socket === null) return;
  process.nextTick(giveToListeners, incoming);
  socket._handle.resource.runInAsyncScope(() => incoming.server.emit(incoming.event, socket));
}

function ignore() {}

module.exports = { Incoming };
