'use strict';
// The listening end: peers say hello, and the acceptor decides.
//
// | state | trigger | then | events |
// | --- | --- | --- | --- |
// | resolving (only for names) | the address | listening | – |
// | resolving, binding later | a failure | closed | `error`, `close` |
// | listening | a peer's hello | listening | the acceptor is called |
// | listening | a stranger, no hello in time, a failure before it | listening | `clienterror` |
// | any | `close()`, an abort | closed | `close`; accepted connections live on |

const dns = require('node:dns');
const { isIP } = require('node:net');
const { clearTimeout, setTimeout } = require('node:timers');
const { AbortError, errnoByCode, errnoError, listenError, peerError } = require('../errors');
const { forget } = require('../attempt');
const { FaultKind } = require('../native');
const { ListenHandle } = require('../listen-handle');
const { endpointOf, hostOf } = require('../net/address');
const { chooseContext } = require('../tls/choose');
const { serverTls } = require('../tls/context');
const { tlsError } = require('../tls/failure');
const { Connection } = require('./connection');
const {
  faultError,
  listeningError,
  noHelloError,
  overloadError,
  refusedError,
  strangerError,
} = require('./errors');
const { hello } = require('./hello');
const { BACKLOG, LOCALHOST } = require('./options');
const { watchAbort } = require('../signal');
const { emitLater } = require('./turns');

const ETIMEDOUT = errnoByCode.get('ETIMEDOUT');
/** Loopback only: there is no authentication. */
const DEFAULT_ADDRESS = '127.0.0.1';
/** Connections that may be before their hello. */
const MOST_PENDING = 1024;

const callbacks = {
  onconnection(listener, handle) {
    if (listener.isClosed) forget(handle);
    else new Newcomer(listener, handle).begin();
  },
  onclose: (listener) => listener.finished(),
};

/** Of a handle whose hello is awaited; the owner is the newcomer. */
const greeting = {
  /** TLS: nothing to look at. */
  onsecured() {},
  onnamed(newcomer) {
    const { SNICallback } = newcomer.listener.security;
    chooseContext(
      newcomer.handle,
      SNICallback,
      () => !newcomer.isWaiting,
      (err) => newcomer.drop(err),
    );
  },
  onhello(newcomer, isRefused, limit) {
    if (isRefused) newcomer.drop(refusedError());
    else newcomer.enter(limit);
  },
  onstranger: (newcomer, bytes) => newcomer.drop(strangerError(bytes)),
  onfault(newcomer, kind, number) {
    const { limits } = newcomer.listener.options;
    // It speaks our language: it is told why.
    if (kind === FaultKind.OtherVersion || kind === FaultKind.OtherCodec) {
      newcomer.handle.write(hello(limits, true), 0);
      newcomer.handle.used = Number.MAX_SAFE_INTEGER;
    }
    newcomer.drop(faultError(kind, number, limits));
  },
  onend: (newcomer) => newcomer.drop(noHelloError()),
  onfailed: (newcomer, syscall, errno) => newcomer.drop(errnoError(errno, syscall)),
  ontlsfailed: (newcomer, failure) => newcomer.drop(tlsError(failure)),
  onwritten() {},
  onclose() {},
};

/** A connection before its hello. */
class Newcomer {
  constructor(listener, handle) {
    this.listener = listener;
    this.handle = handle;
    this.timer = null;
  }

  begin() {
    const { listener, handle } = this;
    handle.attach(this, greeting);
    if (!listener.isRefed) handle.unref();
    const { newcomers } = listener;
    newcomers.add(this);
    if (newcomers.size > MOST_PENDING) newcomers.values().next().value.drop(overloadError());
    const { handshakeTimeout } = listener.options.limits;
    if (handshakeTimeout === 0) return;
    this.timer = setTimeout(() => this.isLate(), handshakeTimeout).unref();
  }

  isLate() {
    const { address, port } = this.peer();
    const err = peerError(ETIMEDOUT, 'read', address, port);
    this.handle.resource.runInAsyncScope(() => this.drop(err));
  }

  get isWaiting() {
    return this.listener.newcomers.has(this);
  }

  /** Where it is; a local one has no name, but that of the listener. */
  peer() {
    const native = this.handle.getpeername();
    const peer = typeof native === 'number' ? {} : hostOf(native);
    return peer.port === undefined ? { address: this.listener.address, port: 0 } : peer;
  }

  /** It is out, one way or the other. */
  leave() {
    clearTimeout(this.timer);
    this.listener.newcomers.delete(this);
  }

  drop(err) {
    const { address } = this.peer();
    this.leave();
    forget(this.handle);
    emitLater(this.listener.events, 'clienterror', [err, address]);
  }

  enter(limit) {
    this.leave();
    this.listener.offer(this.handle, this.peer(), limit);
  }
}

class Listener {
  /**
   * @param {import('./subscriptions').Subscriptions} events
   * @param {Function} acceptor
   * @param {import('./options').Target} target
   * @param {import('./options').Options} options
   * @param {(begin: (events: import('./subscriptions').Subscriptions) => Connection) => object} makeSocket
   * @throws {Error} the system's, where the address is known
   */
  constructor(events, acceptor, target, options, makeSocket) {
    this.events = events;
    this.acceptor = acceptor;
    this.options = options;
    this.makeSocket = makeSocket;
    /** @type {ListenHandle | null} */
    this.handle = null;
    this.isClosed = false;
    this.isRefed = true;
    this.address = target.path ?? target.host;
    this.port = target.port ?? 0;
    /** @type {Set<Newcomer>} the first has waited longest */
    this.newcomers = new Set();
    const { tls, signal } = options;
    // The time of all that comes before the acceptor is limited here.
    this.security = tls === undefined ? null : serverTls({ handshakeTimeout: 0, ...tls });
    this.forgetSignal = watchAbort(signal, (reason) => this.fail(new AbortError(reason)));
    if (!this.isClosed) this.start(target);
  }

  start({ path, host, port }) {
    const address = host === LOCALHOST ? DEFAULT_ADDRESS : host;
    if (path === undefined && isIP(address.replace(/%.*/, '')) === 0) {
      this.lookUp(host, port);
      return;
    }
    const status = this.bind(path === undefined ? endpointOf(address, port) : { path });
    if (status === 0) return;
    this.forgetSignal();
    throw listenError(status, path ?? address, port);
  }

  lookUp(host, port) {
    dns.lookup(host, (err, address) => {
      if (this.isClosed) return;
      const status = err ? 0 : this.bind(endpointOf(address, port));
      if (err || status < 0) this.fail(err ?? listenError(status, address, port));
    });
  }

  /** Answers 0 or an errno. */
  bind(local) {
    const handle = new ListenHandle();
    const native = { backlog: BACKLOG, ipv6Only: false, reusePort: false };
    const status = handle.listen(local, native, this.options.stream, this.security?.native);
    if (status < 0) return status;
    handle.attach(this, callbacks);
    this.handle = handle;
    this.events.resource = handle.resource;
    handle.endsContext = false; // There is an event behind it.
    if (!this.isRefed) handle.unref();
    const name = handle.getsockname();
    const { address, port } = typeof name === 'number' ? {} : hostOf(name);
    if (port !== undefined) Object.assign(this, { address, port });
    return 0;
  }

  /** Asks the acceptor about a connection. */
  offer(handle, peer, limit) {
    const { acceptor, events, options } = this;
    let connection;
    const socket = this.makeSocket((its) => {
      connection = new Connection(its, options, { host: peer.address, port: peer.port });
      return connection;
    });
    connection.offer(handle, limit);
    let isAccepted = false;
    try {
      isAccepted = acceptor.call(events.target, socket) === true;
    } finally {
      // What it throws is uncaught.
      connection.decide(isAccepted);
    }
  }

  get isActive() {
    return !this.isClosed;
  }

  get bufferedAmount() {
    return 0;
  }

  send() {
    throw listeningError();
  }

  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    this.forgetSignal?.();
    for (const newcomer of this.newcomers) {
      clearTimeout(newcomer.timer);
      forget(newcomer.handle);
    }
    this.newcomers.clear();
    if (this.handle === null) this.finished();
    else this.handle.close();
  }

  closeImmediately() {
    this.close();
  }

  fail(err) {
    if (this.isClosed) return;
    emitLater(this.events, 'error', [err]);
    this.close();
  }

  finished() {
    this.handle = null;
    emitLater(this.events, 'close', []);
  }

  ref() {
    this.isRefed = true;
    this.handle?.ref();
    for (const { handle } of this.newcomers) handle.ref();
  }

  unref() {
    this.isRefed = false;
    this.handle?.unref();
    for (const { handle } of this.newcomers) handle.unref();
  }
}

module.exports = { Listener };
