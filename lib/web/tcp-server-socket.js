'use strict';
// `TCPServerSocket`: listens from its constructor on, and makes a `TCPSocket` of each connection.

const { errnoByCode, listenError, peerError } = require('../errors');
const { ListenHandle } = require('../listen-handle');
const { Handshakes } = require('../tls/handshakes');
const { bindPlace, placeOf } = require('./address');
const { ConnectEvent, errorEvent } = require('./events');
const { bindError, networkError } = require('./exceptions');
const { defineInterface } = require('./interface');
const { Milestone } = require('./promises');
const { DeliveryQueue, SocketTarget, defineHandlers, dispatch } = require('./target');
const { serverOptions } = require('./tcp-options');
const { acceptedSocket, connectionOf } = require('./tcp-socket');

const { ReadableStream } = globalThis;

const EADDRINUSE = errnoByCode.get('EADDRINUSE');

/** The listening handle's callbacks, with the listener first. */
const callbacks = {
  onconnection(listener, handle) {
    if (listener.handshakes === null) listener.welcome(handle);
    else listener.handshakes.begin(handle);
  },
  onacceptfailed(listener, errno) {
    const { address, port } = listener.local;
    const error = networkError(peerError(errno, 'accept', address, port));
    listener.queue.fire(() => dispatch(listener.target, errorEvent(error)));
  },
  ondropped() {},
  onclose: (listener) => listener.released(),
};

/** What listens; `TCPServerSocket` has its attributes and methods. */
class Listener {
  /** @param {TCPServerSocket} target @param {ReturnType<typeof serverOptions>} options */
  constructor(target, options) {
    this.target = target;
    this.connection = options.connection;
    this.handle = new ListenHandle(1);
    // Events may queue behind its end.
    this.handle.endsContext = false;
    this.queue = new DeliveryQueue(this.handle.resource, () => this.updateAccepting());
    this.handshakes =
      options.tls &&
      new Handshakes(
        (handle) => this.welcome(handle),
        () => this.queue.fire(() => this.endSource()),
      );
    this.isOpen = true;
    /** The connections as a stream, once somebody asks for it. @type {ConnectionSource | null} */
    this.source = null;
    this.opened = new Milestone();
    this.closed = new Milestone();
    listen(this.handle, options);
    this.handle.attach(this, callbacks);
    this.local = placeOf(this.handle.getsockname());
    this.opened.resolve(new ServerInfo(this));
  }

  /** A connection stands. It reads when its listeners had their chance to listen. */
  welcome(handle) {
    const socket = acceptedSocket(handle, this.connection);
    if (this.source === null && this.queue.mayFire(true)) {
      dispatch(this.target, new ConnectEvent('connect', { connectedSocket: socket }));
      return;
    }
    const connection = connectionOf(socket);
    connection.hold();
    this.queue.fire(() => this.deliver(socket, connection), true);
    this.updateAccepting();
  }

  deliver(socket, connection) {
    if (this.source !== null) {
      this.source.add(socket);
      return;
    }
    connection.letGo();
    dispatch(this.target, new ConnectEvent('connect', { connectedSocket: socket }));
  }

  suspend() {
    if (!this.isOpen) return;
    this.queue.suspend();
    this.updateAccepting();
  }

  resume() {
    if (!this.isOpen) return;
    this.queue.resume();
    this.updateAccepting();
  }

  updateAccepting() {
    if (!this.isOpen) return;
    const { queue, source } = this;
    const isWanted = !queue.isSuspended && !queue.hasInput && (source === null || source.wants);
    if (isWanted) this.handle.resume();
    else this.handle.pause();
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.handle.close();
    // What was accepted is delivered.
    this.queue.resume();
  }

  released() {
    this.queue.fire(() => {
      this.closed.resolve();
      this.endSource();
    });
  }

  /** No connection is to come any more. */
  get isOver() {
    return this.closed.isSettled && (this.handshakes?.isIdle ?? true);
  }

  endSource() {
    if (this.isOver) this.source?.end();
  }

  takeSource() {
    if (this.source === null) {
      this.source = new ConnectionSource(this);
      this.endSource();
      this.updateAccepting();
    }
    return this.source;
  }
}

/** The connections of a server, as a stream. */
class ConnectionSource {
  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    this.controller = null;
    /** The stream asked for a connection since it got the last one. */
    this.isAsked = false;
    this.isEnded = false;
    this.isOver = false;
    /** Those that nobody waited for. @type {import('./tcp-socket').TCPSocket[]} */
    this.ready = [];
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.controller = controller;
        },
        pull: () => {
          this.isAsked = true;
          this.give();
          listener.updateAccepting();
        },
        cancel: () => {
          this.isEnded = true;
          for (const socket of this.ready.splice(0)) connectionOf(socket).closeImmediately();
          listener.close();
        },
      },
      // A connection that lies in the stream would not be read, but look as if it were taken.
      { highWaterMark: 0 },
    );
  }

  /** Somebody waits for a connection. A reader that was released does not any more, and the stream asks anew. */
  get wants() {
    return this.isAsked && this.stream.locked;
  }

  add(socket) {
    if (this.isEnded) connectionOf(socket).closeImmediately();
    else {
      this.ready.push(socket);
      this.give();
    }
  }

  /** Hands the next one to who waits for it. */
  give() {
    if (this.ready.length > 0 && this.wants) {
      this.isAsked = false;
      const socket = this.ready.shift();
      connectionOf(socket).letGo();
      this.controller.enqueue(socket);
      this.listener.updateAccepting();
    }
    if (this.isOver && this.ready.length === 0 && !this.isEnded) {
      this.isEnded = true;
      this.controller.close();
    }
  }

  /** There are no further ones. */
  end() {
    this.isOver = true;
    if (!this.isEnded) this.give();
  }
}

/** What `opened` is fulfilled with. */
class ServerInfo {
  #listener;

  constructor(listener) {
    this.#listener = listener;
    this.localAddress = listener.local.address;
    this.localPort = listener.local.port;
  }

  get readable() {
    return this.#listener.takeSource().stream;
  }
}

/**
 * Binds and listens: without an address on every one, of IPv6 and IPv4 if there is IPv6, else of IPv4.
 * @throws {DOMException} InvalidAccessError, NetworkError
 */
function listen(handle, { localAddress, localPort, listen: options, stream, tls }) {
  const addresses = localAddress === null ? ['::', '0.0.0.0'] : [localAddress];
  let status = 0;
  for (const address of addresses) {
    const place = bindPlace({ localAddress: address, localPort }, 0);
    status = handle.listen(place, options, stream, tls?.native);
    if (status >= 0) return;
    if (status === EADDRINUSE) break;
  }
  throw bindError(listenError(status, addresses[0], localPort ?? 0));
}

class TCPServerSocket extends SocketTarget {
  /** @type {Listener} */
  #listener;

  /** @param {object} [options] see `web.d.ts` */
  constructor(options) {
    super();
    this.#listener = new Listener(this, serverOptions(options));
  }

  get localAddress() {
    return this.#listener.local.address;
  }

  get localPort() {
    return this.#listener.local.port;
  }

  get readyState() {
    return this.#listener.isOpen ? 'open' : 'closed';
  }

  get opened() {
    return this.#listener.opened.promise;
  }

  get closed() {
    return this.#listener.closed.promise;
  }

  close() {
    this.#listener.close();
  }

  suspend() {
    this.#listener.suspend();
  }

  resume() {
    this.#listener.resume();
  }

  ref() {
    this.#listener.handle.ref();
    return this;
  }

  unref() {
    this.#listener.handle.unref();
    return this;
  }
}

defineInterface(TCPServerSocket);
defineHandlers(TCPServerSocket, 'connect', 'error');
Object.defineProperty(TCPServerSocket, 'length', { value: 0, configurable: true });

module.exports = { TCPServerSocket };
