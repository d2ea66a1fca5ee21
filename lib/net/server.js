'use strict';
// `net.Server`: an EventEmitter over a listening handle.

const dns = require('node:dns');
const fs = require('node:fs');
const { EventEmitter } = require('node:events');
const { isIP } = require('node:net');
const { ListenHandle } = require('../listen-handle');
const { codedError, errnoByCode, invalidType, invalidValue, listenError } = require('../errors');
const {
  normalizeArgs,
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateNumber,
  validatePort,
} = require('../args');
const { endpointOf, hostOf } = require('./address');
const { acceptedSocket } = require('./socket');
const { kAccept, kServer, kTlsServer } = require('./symbols');
const { defineMethods } = require('./methods');

/** libuv's default for the kernel's queue of connections. */
const BACKLOG = 511;

const EADDRINUSE = errnoByCode.get('EADDRINUSE');

/** A listen that waits for a name to be looked up; a later `close()` calls it off. */
const kPendingListen = Symbol('kPendingListen');
const kUnrefed = Symbol('kUnrefed');

const callbacks = {
  onconnection(server, handle) {
    const reason = refusal(server, handle);
    if (reason) {
      const data = reason === 'closed' ? null : dropData(handle);
      handle.attach(null, { onclose() {} });
      handle.close();
      if (data) server.emit('drop', data);
      return;
    }
    const socket = server[kAccept](handle);
    server._connections++;
    socket.server = server;
    socket._server = server;
    server.emit('connection', socket);
  },
  onclose() {},
};

/** Of a listener that is closed again at once: it takes nobody. */
const refusing = {
  onconnection(server, handle) {
    handle.attach(null, { onclose() {} });
    handle.close();
  },
  onclose() {},
};

/** Why a connection is not taken, or null. */
function refusal(server, handle) {
  if (!server._handle) return 'closed';
  if (server.maxConnections != null && server._connections >= server.maxConnections) return 'full';
  if (!server.blockList) return null;
  const peer = handle.getpeername();
  if (typeof peer === 'number' || peer.family === 'Unix') return null;
  return server.blockList.check(peer.address, peer.family.toLowerCase()) ? 'blocked' : null;
}

/** Node's description of a connection that is not taken. */
function dropData(handle) {
  const local = handle.getsockname();
  const remote = handle.getpeername();
  if (typeof local === 'number' || typeof remote === 'number') return {};
  const [l, r] = [hostOf(local), hostOf(remote)];
  return {
    localAddress: l.address,
    localPort: l.port,
    localFamily: l.family,
    remoteAddress: r.address,
    remotePort: r.port,
    remoteFamily: r.family,
  };
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
  EventEmitter.call(this, options);
  if (typeof connectionListener === 'function') this.on('connection', connectionListener);
  else if (connectionListener != null) validateFunction(connectionListener, 'connectionListener');
  if (options.keepAliveInitialDelay !== undefined) {
    validateNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  }
  if (options.highWaterMark !== undefined)
    validateNumber(options.highWaterMark, 'options.highWaterMark');

  this._connections = 0;
  this._handle = null;
  this._connectionKey = undefined;
  this.allowHalfOpen = Boolean(options.allowHalfOpen);
  this.pauseOnConnect = Boolean(options.pauseOnConnect);
  this.noDelay = Boolean(options.noDelay);
  this.keepAlive = Boolean(options.keepAlive);
  this.keepAliveInitialDelay = Math.max(0, options.keepAliveInitialDelay ?? 0);
  this.highWaterMark = options.highWaterMark;
  if (options.blockList) this.blockList = options.blockList;
  this[kPendingListen] = null;
  this[kUnrefed] = false;
}
Object.setPrototypeOf(Server, EventEmitter);

/** One target out of the many forms of `listen`; see `net.d.ts`. */
function listenTarget(options, args) {
  if (options instanceof ListenHandle || hasHandle(options)) return { fd: descriptorOf(options) };
  if (typeof options.fd === 'number' && options.fd >= 0) return { fd: options.fd };
  const { path, port } = options;
  const isPortArgument =
    args.length === 0 ||
    typeof args[0] === 'function' ||
    (port === undefined && 'port' in options) ||
    port === null;
  if (isPortArgument) return { port: 0, host: options.host };
  if (typeof port === 'number' || typeof port === 'string') {
    return { port: validatePort(port, 'options.port'), host: options.host };
  }
  if (typeof path === 'string' && path !== '') return { path };
  const { backlog, ...given } = options;
  if (args[0]?.backlog !== undefined) given.backlog = backlog;
  if (!('port' in options || 'path' in options)) {
    throw invalidValue('options', given, 'must have the property "port" or "path"');
  }
  throw invalidValue('options', given);
}

const hasHandle = (options) => options._handle != null || options.handle != null;

/** The descriptor of an object that wraps an open socket, such as a handle of Node's own. */
function descriptorOf(options) {
  const handle = options._handle ?? options.handle ?? options;
  if (typeof handle.fd === 'number' && handle.fd >= 0) return handle.fd;
  throw invalidValue('options', options);
}

function streamOptions(server) {
  return {
    noDelay: server.noDelay,
    keepAlive: server.keepAlive,
    keepAliveDelay: server.keepAliveInitialDelay,
    readAtOnce: !server.pauseOnConnect,
  };
}

/** Listens, and tells how it went in the next tick. */
function listen(server, target, options) {
  const handle = new ListenHandle();
  const place = { ...target };
  let status;
  if (target.fd !== undefined) {
    const tls = server[kTlsServer]();
    status = handle.listenFd(target.fd, backlogOf(options), streamOptions(server), tls);
  } else if (target.path !== undefined) {
    status = bindAt(server, handle, { path: target.path }, options);
    if (status === 0) status = openToOthers(target.path, options);
    place.address = target.path;
  } else {
    status = bindPort(server, handle, place, options);
  }
  if (status < 0) {
    if (handle.id >= 0) {
      handle.attach(server, refusing);
      handle.close();
    }
    const err = listenError(status, place.address, place.port);
    process.nextTick(() => server.emit('error', err));
    return;
  }
  handle.attach(server, callbacks);
  server._handle = handle;
  server._connectionKey = `${keyFamily(place)}:${place.address ?? target.fd}:${place.port ?? -1}`;
  if (server[kUnrefed]) handle.unref();
  const { signal } = options;
  if (signal) closeOn(server, signal);
  process.nextTick(() => {
    // `close()` may have come first.
    if (server._handle) handle.resource.runInAsyncScope(() => server.emit('listening'));
  });
}

function keyFamily({ fd, path, family }) {
  return fd !== undefined ? null : path !== undefined ? -1 : family;
}

/** A port without an address: any address, of IPv6 and IPv4 if there is IPv6, else of IPv4. */
function bindPort(server, handle, place, options) {
  if (!place.address) {
    const status = bindAt(server, handle, { address: '::', port: place.port }, options);
    if (status === 0 || status === EADDRINUSE) {
      Object.assign(place, { address: '::', family: 6 });
      return status;
    }
    Object.assign(place, { address: '0.0.0.0', family: 4 });
  }
  return bindAt(server, handle, endpointOf(place.address, place.port), options);
}

function bindAt(server, handle, local, options) {
  const { ipv6Only, reusePort } = options;
  const native = {
    backlog: backlogOf(options),
    ipv6Only: Boolean(ipv6Only),
    reusePort: Boolean(reusePort),
  };
  return handle.listen(local, native, streamOptions(server), server[kTlsServer]());
}

const backlogOf = ({ backlog }) => backlog || BACKLOG;

/** `readableAll` and `writableAll` of a Unix socket. Answers 0 or an errno. */
function openToOthers(path, { readableAll, writableAll }) {
  if ((!readableAll && !writableAll) || path.startsWith('\0')) return 0;
  try {
    const mode = fs.statSync(path).mode | (readableAll ? 0o444 : 0) | (writableAll ? 0o222 : 0);
    fs.chmodSync(path, mode);
    return 0;
  } catch (err) {
    return err.errno;
  }
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
    const [options, callback] = listenArguments(args);
    if (this._handle || this[kPendingListen]) {
      throw codedError(
        Error,
        'ERR_SERVER_ALREADY_LISTEN',
        'Listen method has been called more than once without closing.',
      );
    }
    if (options.signal !== undefined) validateAbortSignal(options.signal, 'options.signal');
    if (options.reusePort !== undefined) validateBoolean(options.reusePort, 'options.reusePort');
    const target = listenTarget(options, args);
    if (callback !== null) this.once('listening', callback);
    if (!target.host) {
      listen(this, target, options);
      return this;
    }
    const family = isIP(target.host);
    if (family !== 0) listen(this, { ...target, address: target.host, family }, options);
    else lookupAndListen(this, target, options);
    return this;
  },

  address() {
    if (!this._handle) return null;
    const native = this._handle.getsockname();
    if (typeof native === 'number') return null;
    return native.family === 'Unix' ? native.address : hostOf(native);
  },

  get listening() {
    return this._handle !== null;
  },

  getConnections(callback) {
    validateFunction(callback, 'callback');
    process.nextTick(callback, null, this._connections);
    return this;
  },

  close(callback) {
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
    const handle = this._handle;
    this._handle = null;
    handle?.close();
    emitCloseIfDrained(this);
    return this;
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

/** `(port, host, backlog, callback)` and its like: the first number after the target is the backlog. */
function listenArguments(args) {
  const [options, callback] = normalizeArgs(args);
  const given = (value) => (Number(value) >= 0 ? Number(value) : 0);
  const backlog = options.backlog || given(args[1]) || given(args[2]);
  // A handle stays what it is; anything else is ours to add to.
  if (options instanceof ListenHandle || hasHandle(options)) return [options, callback];
  return [{ ...options, backlog }, callback];
}

function lookupAndListen(server, target, options) {
  const token = {};
  server[kPendingListen] = token;
  dns.lookup(target.host, (err, address, family) => {
    if (server[kPendingListen] !== token) return; // Closed meanwhile.
    server[kPendingListen] = null;
    if (err) server.emit('error', err);
    else listen(server, { ...target, address, family }, options);
  });
}

function emitCloseIfDrained(server) {
  if (server._handle || server._connections > 0) return;
  process.nextTick(() => server.emit('close'));
}

Object.setPrototypeOf(Server.prototype, EventEmitter.prototype);
defineMethods(Server.prototype, methods);

module.exports = { Server };
