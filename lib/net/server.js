'use strict';
// `net.Server`: an EventEmitter over a listening handle.

const diagnostics = require('node:diagnostics_channel');
const dns = require('node:dns');
const fs = require('node:fs');
const { EventEmitter } = require('node:events');
const { isIP } = require('node:net');
const { getDefaultHighWaterMark } = require('node:stream');
const { ListenHandle } = require('../listen-handle');
const {
  codedError,
  errnoByCode,
  errnoError,
  invalidType,
  invalidValue,
  listenError,
} = require('../errors');
const {
  isPort,
  normalizeArgs,
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateNumber,
  validatePort,
} = require('../args');
const { LOCAL } = require('../handle');
const { endpointOf, hostOf, isLinkLocal } = require('./address');
const { destroyAfter, destroyConnections, endGraces, graceOf } = require('./connections');
const { Incoming } = require('./incoming');
const { checkBlockList } = require('./making');
const { dropOf, proxyTimeoutOf } = require('./proxy');
const { acceptedSocket } = require('./socket');
const { kAccept, kIncoming, kIsClosed, kServer, kTlsServer, kTuning } = require('./symbols');
const { tuningOf } = require('./tuning');
const { defineMethods } = require('./methods');

/** libuv's default for the kernel's queue of connections. */
const BACKLOG = 511;

const EADDRINUSE = errnoByCode.get('EADDRINUSE');
const ENOTSUP = errnoByCode.get('ENOTSUP');
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
/** How long a PROXY header may take, in milliseconds; undefined where connections have none. */
const kProxyTimeout = Symbol('kProxyTimeout');
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
  EventEmitter.call(this, options);
  if (typeof connectionListener === 'function') this.on('connection', connectionListener);
  else if (connectionListener != null) validateFunction(connectionListener, 'connectionListener');
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
  // As in Node, what looks like a port is none.
  if (typeof path === 'string' && path !== '' && !isPort(path)) {
    if (path.startsWith('\0') && (options.readableAll || options.writableAll)) {
      const reason = 'can not have readableAll or writableAll with an abstract path';
      throw invalidValue('options', options, reason);
    }
    return { path };
  }
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
    socket: server[kTuning] ?? undefined,
    readAtOnce: !server.pauseOnConnect,
  };
}

/** Listens, and tells how it went in the next tick. */
function listen(server, target, options) {
  const handle = new ListenHandle(server[kListens] + 1);
  const place = { ...target };
  let status;
  if (target.fd !== undefined) {
    status = handle.listenFd(
      target.fd,
      listenOptions(server, options),
      streamOptions(server),
      server[kTlsServer](),
    );
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
  const native = listenOptions(server, options);
  const stream = streamOptions(server);
  const tls = server[kTlsServer]();
  const status = handle.listen(local, native, stream, tls);
  if (status !== ENOTSUP || !native.reusePort) return status;
  warnWithoutReusePort();
  return handle.listen(local, { ...native, reusePort: false }, stream, tls);
}

let isWarned = false;

/** Node fails here. A server that has its port for itself is better than none. */
function warnWithoutReusePort() {
  if (isWarned) return;
  isWarned = true;
  process.emitWarning(
    'This system cannot spread the connections of a port over several servers; ' +
      'listen() goes on without reusePort',
    { code: 'ENOTSUP' },
  );
}

function listenOptions(server, options) {
  const { ipv6Only, reusePort } = options;
  return {
    backlog: backlogOf(options),
    ipv6Only: Boolean(ipv6Only),
    reusePort: Boolean(reusePort),
    proxyTimeout: server[kProxyTimeout],
  };
}

/** As in Node, what is no number is the default. */
function backlogOf({ backlog }) {
  const wanted = Math.trunc(Number(backlog));
  return wanted > 0 ? Math.min(wanted, 2 ** 31 - 1) : BACKLOG;
}

/** `readableAll` and `writableAll` of a Unix socket. Answers 0 or an errno. */
function openToOthers(path, { readableAll, writableAll }) {
  if (!readableAll && !writableAll) return 0;
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
    if (onListenStart.hasSubscribers) onListenStart.publish({ server: this, options });
    const target = listenTarget(options, args);
    if (callback !== null) this.once('listening', callback);
    this[kIsClosed] = false;
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
