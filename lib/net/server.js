'use strict';
// `net.Server`: an EventEmitter over a listening handle.

const diagnostics = require('node:diagnostics_channel');
const dns = require('node:dns');
const { EventEmitter } = require('node:events');
const { isIP } = require('node:net');
const { getDefaultHighWaterMark } = require('node:stream');
const { ListenHandle } = require('../listen-handle');
const { codedError, errnoByCode, errnoError, invalidType, listenError } = require('../errors');
const {
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateNumber,
} = require('../args');
const { LOCAL } = require('../handle');
const { hostOf, isLinkLocal } = require('./address');
const { destroyAfter, destroyConnections, endGraces, graceOf } = require('./connections');
const { Incoming } = require('./incoming');
const { checkBlockList, refuseTls } = require('./making');
const { dropOf, proxyTimeoutOf } = require('./proxy');
const { acceptedSocket } = require('./socket');
const {
  kAccept,
  kIncoming,
  kIsClosed,
  kProxyTimeout,
  kServer,
  kTlsServer,
  kTuning,
} = require('./symbols');
const { bindAt, bindDescriptor, bindPort, openToOthers } = require('./bind');
const { listenArguments, listenTarget } = require('./target');
const { tuningOf } = require('./tuning');
const { defineMethods } = require('./methods');

const ENOENT = errnoByCode.get('ENOENT');
const EACCES = errnoByCode.get('EACCES');

/** Node's own channels: who watches its servers sees ours. */
const onServerSocket = diagnostics.channel('net.server.socket');
const onListenStart = diagnostics.channel('tracing:net.server.listen:asyncStart');
const onListenEnd = diagnostics.channel('tracing:net.server.listen:asyncEnd');
const onListenError = diagnostics.channel('tracing:net.server.listen:error');

/** A listen that waits for a name to be looked up; a later `close()` calls it off. */
const kPendingListen = Symbol('kPendingListen');
/** How often the server has listened. */
const kListens = Symbol('kListens');
/** Closed listeners that may still tell of connections they dropped: `'close'` comes behind that. */
const kDropping = Symbol('kDropping');
const kUnrefed = Symbol('kUnrefed');

const callbacks = {
  onconnection(server, handle) {
    const reason = refusal(server, handle);
    if (reason) {
      const data = reason === 'full' ? dropData(handle) : null;
      handle.attach(null, { onclose() {} });
      handle.close();
      if (data) server.emit('drop', ...data);
      return;
    }
    const socket = server[kAccept](handle);
    server._connections++;
    socket.server = server;
    socket._server = server;
    server.emit('connection', socket);
    if (onServerSocket.hasSubscribers) onServerSocket.publish({ socket });
    // One with TLS is for a loop when its handshake is over.
    if (server[kIncoming] !== null && !socket.encrypted) server[kIncoming].add(socket);
  },
  ondropped(server, reason, ends) {
    server.emit('drop', dropOf(reason, ends));
  },
  onclose(server) {
    if (server[kProxyTimeout] === undefined) return;
    server[kDropping]--;
    if (server._connections === 0) emitClose(server);
  },
};

/** Of a listener that is closed again at once: it takes nobody. */
const refusing = {
  onconnection(server, handle) {
    handle.attach(null, { onclose() {} });
    handle.close();
  },
  ondropped() {},
  onclose() {},
};

/** Why a connection is not taken, or null. */
function refusal(server, handle) {
  if (!server._handle) return 'closed';
  if (server.maxConnections != null && server._connections >= server.maxConnections) return 'full';
  if (!server.blockList) return null;
  const peer = handle.getpeername();
  if (typeof peer === 'number' || peer.family === LOCAL) return null;
  return server.blockList.check(peer.address, peer.family.toLowerCase()) ? 'blocked' : null;
}

/** The arguments of `'drop'`: Node's description of a TCP connection that is not taken. */
function dropData(handle) {
  const [local, remote] = [handle.getsockname(), handle.getpeername()];
  if (local.family === LOCAL) return [];
  const [l, r] = [local, remote].map((end) => (typeof end === 'number' ? {} : hostOf(end)));
  return [
    {
      __proto__: null,
      localAddress: l.address,
      localPort: l.port,
      localFamily: l.family,
      remoteAddress: r.address,
      remotePort: r.port,
      remoteFamily: r.family,
    },
  ];
}

/**
 * @this {any}
 * @param {object | Function} [options] see `net.d.ts`
 * @param {Function} [connectionListener]
 */
function Server(options, connectionListener) {
  if (!(this instanceof Server)) return new Server(options, connectionListener);
  if (typeof options === 'function') {
    connectionListener = options;
    options = {};
  } else if (options == null) {
    options = {};
  } else if (typeof options !== 'object') {
    throw invalidType('options', 'of type object', options);
  }
  refuseTls(options, 'new Server()');
  EventEmitter.call(this, options);
  if (typeof connectionListener === 'function') this.on('connection', connectionListener);
  else if (connectionListener) validateFunction(connectionListener, 'connectionListener');
  if (options.keepAliveInitialDelay !== undefined) {
    validateNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  }
  if (options.highWaterMark !== undefined)
    validateNumber(options.highWaterMark, 'options.highWaterMark');
  this[kProxyTimeout] = proxyTimeoutOf(options);

  this._connections = 0;
  this._handle = null;
  this._connectionKey = undefined;
  this.allowHalfOpen = Boolean(options.allowHalfOpen);
  this.pauseOnConnect = Boolean(options.pauseOnConnect);
  this.noDelay = Boolean(options.noDelay);
  this.keepAlive = Boolean(options.keepAlive);
  this.keepAliveInitialDelay = Math.max(0, options.keepAliveInitialDelay ?? 0);
  this.highWaterMark = options.highWaterMark ?? getDefaultHighWaterMark(false);
  if (this.highWaterMark < 0) this.highWaterMark = getDefaultHighWaterMark(false);
  if (options.blockList) this.blockList = checkBlockList(options.blockList);
  this[kTuning] = tuningOf(options);
  this[kPendingListen] = null;
  this[kUnrefed] = false;
  this[kListens] = 0;
  this[kDropping] = 0;
  this[kIsClosed] = false;
  this[kIncoming] = null;
}
Object.setPrototypeOf(Server, EventEmitter);

/** Listens, and tells how it went in the next tick. */
function listen(server, target, options) {
  const handle = new ListenHandle(server[kListens] + 1);
  const place = { ...target };
  let status;
  if (target.fd !== undefined) {
    status = bindDescriptor(server, handle, target.fd, options);
  } else if (target.path !== undefined) {
    status = bindAt(server, handle, { path: target.path }, options);
    if (status === 0) {
      const refused = openToOthers(target.path, options);
      if (refused < 0) {
        discard(server, handle);
        throw errnoError(refused, 'uv_pipe_chmod');
      }
    }
    if (status === ENOENT) status = EACCES; // libuv's word for a directory that is not there
    Object.assign(place, { address: target.path, port: -1 });
  } else {
    status = bindPort(server, handle, place, options);
  }
  if (status < 0) {
    const err = listenError(status, place.address, place.port);
    if (onListenError.hasSubscribers) onListenError.publish({ server, error: err });
    process.nextTick(() => server.emit('error', err));
    return;
  }
  if (onListenEnd.hasSubscribers) onListenEnd.publish({ server });
  handle.attach(server, callbacks);
  server._handle = handle;
  server[kListens]++;
  server._connectionKey = `${keyFamily(place)}:${place.address ?? target.fd}:${place.port ?? -1}`;
  if (server[kUnrefed]) handle.unref();
  const { signal } = options;
  if (signal) closeOn(server, signal);
  process.nextTick(() => {
    // `close()` may have come first.
    if (server._handle) handle.resource.runInAsyncScope(() => server.emit('listening'));
  });
}

function discard(server, handle) {
  handle.attach(server, refusing);
  handle.close();
}

function keyFamily({ fd, path, family }) {
  return fd !== undefined ? null : path !== undefined ? -1 : family;
}

function closeOn(server, signal) {
  const onAbort = () => server.close();
  if (signal.aborted) {
    process.nextTick(onAbort);
    return;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  server.once('close', () => signal.removeEventListener('abort', onAbort));
}

const methods = {
  listen(...args) {
    const [options, callback, backlog] = listenArguments(args);
    if (this._handle || this[kPendingListen]) {
      throw codedError(
        Error,
        'ERR_SERVER_ALREADY_LISTEN',
        'Listen method has been called more than once without closing.',
      );
    }
    if (options.signal !== undefined) validateAbortSignal(options.signal, 'options.signal');
    if (options.reusePort) validateBoolean(options.reusePort, 'options.reusePort');
    if (onListenStart.hasSubscribers) onListenStart.publish({ server: this, options });
    const target = listenTarget(options, args);
    const { ipv6Only, reusePort, readableAll, writableAll, signal } = options;
    const settings = { backlog, ipv6Only, reusePort, readableAll, writableAll, signal };
    if (callback !== null) this.once('listening', callback);
    this[kIsClosed] = false;
    if (!target.host) {
      listen(this, target, settings);
      return this;
    }
    const family = isIP(target.host);
    if (family !== 0) listen(this, { ...target, address: target.host, family }, settings);
    else lookupAndListen(this, target, settings);
    return this;
  },

  address() {
    if (!this._handle) return null;
    const native = this._handle.getsockname();
    if (typeof native === 'number') return null;
    return native.family === LOCAL ? native.address : hostOf(native);
  },

  get listening() {
    return this._handle !== null;
  },

  getConnections(callback) {
    validateFunction(callback, 'callback');
    process.nextTick(callback, null, this._connections);
    return this;
  },

  close(options, callback) {
    if (typeof options === 'function') callback = options;
    const grace = graceOf(options);
    const isRunning = this._handle !== null || this[kPendingListen] !== null;
    if (typeof callback === 'function') {
      if (isRunning) this.once('close', callback);
      else {
        this.once('close', () => {
          callback(codedError(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.'));
        });
      }
    }
    this[kPendingListen] = null;
    this[kIsClosed] = true;
    const handle = this._handle;
    this._handle = null;
    if (handle !== null) {
      if (this[kProxyTimeout] !== undefined) this[kDropping]++;
      handle.close();
    }
    const hadConnections = this._connections > 0;
    this[kIncoming]?.close();
    if (grace !== undefined) destroyAfter(this, grace, this[kListens]);
    // Otherwise the last one says it.
    if (!hadConnections) emitCloseIfDrained(this);
    return this;
  },

  closeAllConnections() {
    destroyConnections(this);
  },

  [Symbol.asyncIterator]() {
    this[kIncoming] ??= new Incoming(this);
    return this[kIncoming].iterate();
  },

  [kAccept](handle) {
    return acceptedSocket(handle, this);
  },

  [kTlsServer]() {
    return undefined;
  },

  /** A socket of this server is destroyed. */
  [kServer]() {
    this._connections--;
    emitCloseIfDrained(this);
  },

  ref() {
    this[kUnrefed] = false;
    this._handle?.ref();
    return this;
  },

  unref() {
    this[kUnrefed] = true;
    this._handle?.unref();
    return this;
  },

  /** With `captureRejections`, an async listener of `'connection'` takes its own socket along. */
  [EventEmitter.captureRejectionSymbol](err, event, socket) {
    if (event === 'connection') socket.destroy(err);
    else this.emit('error', err);
  },

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    if (!this._handle) return;
    await new Promise((resolve, reject) => {
      this.close((err) => (err ? reject(err) : resolve()));
    });
  },
};

function lookupAndListen(server, target, options) {
  const token = {};
  server[kPendingListen] = token;
  dns.lookup(target.host, { all: true }, (err, addresses) => {
    if (server[kPendingListen] !== token) return; // Closed meanwhile.
    server[kPendingListen] = null;
    if (err) server.emit('error', err);
    else listen(server, { ...target, ...widest(addresses) }, options);
  });
}

/** The first address that is good for more than one link. */
const widest = (addresses) =>
  addresses.find(({ address }) => !isLinkLocal(address)) ?? addresses[0];

function emitCloseIfDrained(server) {
  if (server._handle || server._connections > 0 || server[kDropping] > 0) return;
  emitClose(server);
}

function emitClose(server) {
  endGraces(server);
  process.nextTick(() => server.emit('close'));
}

Object.setPrototypeOf(Server.prototype, EventEmitter.prototype);
defineMethods(Server.prototype, methods);

module.exports = { Server };
