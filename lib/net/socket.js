'use strict';
// `net.Socket`: a Duplex over a stream handle. Here: its making, reading, closing and properties.
// Writing is in `writer.js`, connecting in `connect.js`.
//
// A socket has a handle from `connect()` (or from being accepted) until it is destroyed; `'close'` is
// emitted when the engine has closed the descriptor, after everything else.

const { AsyncResource } = require('node:async_hooks');
const { Duplex } = require('node:stream');
const { clearTimeout } = require('node:timers');
const { CONTEXT } = require('../handle');
const { StreamHandle } = require('../stream-handle');
const { AbortError, codedError, errnoError } = require('../errors');
const { normalizeArgs, validateFunction, validateTimeout } = require('../args');
const { connect } = require('./connect');
const { abandon } = require('./race');
const { peername, sockname } = require('./address');
const { connectionError, endedByPeer } = require('./failure');
const { Making, checkBlockList, keepAliveOf, makingOf, refuseTls } = require('./making');
const { defineMethods } = require('./methods');
const { invalidFdType, isSocket } = require('./descriptor');
const { checkOnread, giveToCaller, nextBuffer } = require('./onread');
const { refreshTimer, startTimer } = require('./timer');
const tuning = require('./tuning');
const wrapper = require('./wrapper');
const writer = require('./writer');
const { afterTicks, callIn } = require('../tick');
const {
  kBytesRead,
  kBytesWritten,
  kConnectOptions,
  kHadHandle,
  kKeepAlive,
  kNoDelay,
  kOnread,
  kOpen,
  kPendingEnd,
  kReset,
  kServer,
  kTimer,
  kTypeOfService,
  kUnrefed,
} = require('./symbols');

/** The async context of `end()`, until it is done; or null. */
const kEndContext = Symbol('kEndContext');
/** Of a socket that is destroyed: something else is to be closed as well, the handle or attempts. */
const kStillOpen = Symbol('kStillOpen');

/** @type {import('../stream-handle').StreamHandle['callbacks']} */
const callbacks = {
  onconnect: null, // Only attempts of `connect.js` connect, with callbacks of their own.
  onconnectfailed: null,
  ondata(socket, buffer) {
    socket[kBytesRead] += buffer.length;
    refreshTimer(socket);
    if (socket[kOnread] !== null) {
      giveToCaller(socket, socket[kOnread], buffer);
      return;
    }
    // Reading goes on by `_read` when the consumer wants more.
    if (!socket.push(buffer)) socket._handle?.readStop();
  },
  onend(socket) {
    refreshTimer(socket);
    socket.push(null);
    // A consumer that never reads must still learn that there is nothing to read.
    socket.read(0);
  },
  onwritten: sent,
  onpassed: sent,
  onfinished(socket) {
    takePendingEnd(socket)?.();
  },
  onfailed(socket, syscall, errno) {
    const err = connectionError(socket, errno, syscall);
    if (syscall === 'write') writer.fail(socket, err);
    else if (syscall === 'shutdown') endFailed(socket, err);
    else socket.destroy(err);
  },
  onclose() {}, // Replaced when closing begins: until then the engine closes nothing.
};

/** The system has taken what was queued, or some of it. */
function sent(socket) {
  refreshTimer(socket);
  writer.resume(socket);
}

/**
 * The peer is gone, and there is nobody left to be told of the end. The last two are TLS's, whose goodbye is a write:
 * what the program wrote was sent before it, or failed as a write of its own.
 */
const PEER_GONE = new Set(['ENOTCONN', 'EPIPE', 'ECONNRESET']);

function endFailed(socket, err) {
  const done = takePendingEnd(socket);
  if (PEER_GONE.has(err.code)) done?.();
  else done?.(err);
}

function endDone(socket) {
  takePendingEnd(socket)?.();
}

function takePendingEnd(socket) {
  const done = socket[kPendingEnd];
  socket[kPendingEnd] = null;
  return done;
}

/**
 * @this {any}
 * @param {number | object} [options] a descriptor, or options; see `net.d.ts`
 */
function Socket(options) {
  if (!(this instanceof Socket)) return new Socket(options);
  const isAccepted = options instanceof Making;
  if (!isAccepted) options = typeof options === 'number' ? { fd: options } : (options ?? {});
  if (!isAccepted && !this.encrypted) refuseTls(options, 'new Socket()');
  const making = isAccepted ? options : makingOf(options);
  Duplex.call(this, making);

  this._handle = null;
  this.connecting = false;
  this._hadError = false;
  this._host = null;
  this._parent = null;
  this._peername = null;
  this._sockname = null;
  this.server = null;
  this._server = null;
  this.allowHalfOpen = making.allowHalfOpen;
  this[kBytesRead] = 0;
  this[kBytesWritten] = 0;
  this[kNoDelay] = making.noDelay;
  this[kKeepAlive] = making.keepAlive ? keepAliveOf(making.keepAliveInitialDelay) : null;
  this[kTimer] = null;
  this[kPendingEnd] = null;
  this[kEndContext] = null;
  this[kUnrefed] = false;
  this[kReset] = false;
  this[kHadHandle] = false;
  this[kTypeOfService] = null;
  this[kOnread] = null;
  writer.init(this);
  wrapper.init(this);
  this.on('end', onReadableEnd);

  if (isAccepted) {
    this[kOpen](making.handle);
    return;
  }
  this[kOnread] = checkOnread(options.onread);
  if (options.blockList) this.blockList = checkBlockList(options.blockList);
  tuning.init(this, options);
  if (options.fd !== undefined) openDescriptor(this, options.fd, options);
  if (options.typeOfService !== undefined) this.setTypeOfService(options.typeOfService);
  if (options.signal) abortOn(this, options.signal);
}
Object.setPrototypeOf(Socket, Duplex);

/** Half-open is for those who asked for it: the others are told whose end it was that they wrote after. */
function onReadableEnd() {
  if (this.allowHalfOpen) return;
  if (!wrapper.isWrapped(this)) {
    this.write = writeAfterEnd;
    return;
  }
  // Duplex looks when the listeners have run, and then never again.
  this.allowHalfOpen = true;
  process.nextTick(() => {
    this.allowHalfOpen = false;
  });
}

function writeAfterEnd(chunk, encoding, callback) {
  if (!this.writableEnded) return Socket.prototype.write.call(this, chunk, encoding, callback);
  const done = typeof encoding === 'function' ? encoding : callback;
  const err = endedByPeer(this);
  if (typeof done === 'function') process.nextTick(done, err);
  this.destroy(err);
  return false;
}

function openDescriptor(socket, fd, options) {
  const handle = new StreamHandle();
  const status = handle.open(fd, { ...tuning.streamOptions(socket), readAtOnce: false });
  if (status < 0) throw isSocket(fd) ? errnoError(status, 'open') : invalidFdType(fd);
  socket[kOpen](handle);
  if (socket[kOnread] !== null) nextBuffer(socket[kOnread]);
  if (options.readable !== false && !options.manualStart) socket.read(0);
}

function abortOn(socket, signal) {
  const abort = () => {
    socket.destroy(new AbortError(signal.reason));
  };
  if (signal.aborted) {
    process.nextTick(abort);
    return;
  }
  signal.addEventListener('abort', abort, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', abort));
}

function reset(socket) {
  socket[kReset] = true;
  return socket.destroy();
}

/** `'close'`, once the socket's own handle and the attempts to connect that it was destroyed with are closed. */
function onHandleClosed(socket) {
  if (socket[kStillOpen] === true) socket[kStillOpen] = false;
  else socket.emit('close', socket._hadError);
}

/** As in Node, whose secure sockets have a handle from the start, and keep that of the socket beneath. */
function closedWithoutHandle(socket) {
  if (socket[kHadHandle]) socket.emit('close', socket._hadError);
  else socket.emit('close');
}

const closing = { ...callbacks, onclose: onHandleClosed };

const methods = {
  /** A handle that is open: accepted, or connected. */
  [kOpen](handle) {
    this._handle = handle;
    this._sockname = null;
    this._peername = null;
    handle.attach(this, callbacks);
    if (this[kUnrefed]) handle.unref();
  },

  [kConnectOptions]() {
    return tuning.streamOptions(this);
  },

  connect(...args) {
    // A server's or another module's normalized arguments come as one array.
    const isNormal = Array.isArray(args[0]) && args[0].length > 0;
    const [options, callback] = isNormal ? args[0] : normalizeArgs(args);
    if (!this.encrypted) refuseTls(options, 'socket.connect()');
    connect(this, options, callback);
    return this;
  },

  _read() {
    if (this.connecting || !this._handle) this.once('connect', () => this._read());
    else this._handle.readStart();
  },

  /** Whoever ended it hears of it as itself: what was written before may end the tick in another context. */
  end(chunk, encoding, callback) {
    this[kEndContext] ??= new AsyncResource('SHUTDOWNWRAP', CONTEXT);
    return Duplex.prototype.end.call(this, chunk, encoding, callback);
  },

  _final(callback) {
    if (this.connecting) {
      this[kEndContext] = null; // As in Node, it is that of the connection then.
      this.once('connect', () => this._final(callback));
      return;
    }
    if (!this._handle) {
      callback();
      return;
    }
    const status = this._handle.end();
    const context = this[kEndContext] ?? new AsyncResource('SHUTDOWNWRAP', CONTEXT);
    this[kEndContext] = null;
    this[kPendingEnd] = (err) => {
      callIn(context, callback, err);
      context.emitDestroy();
    };
    if (status < 0) endFailed(this, connectionError(this, status, 'shutdown'));
    // Not now: the end is done when the ticks and promise jobs of this callback have run, as in Node;
    // a listener of `'end'` that writes relies on finding the socket still there.
    else if (status === 0) afterTicks(() => endDone(this));
  },

  destroySoon() {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  },

  destroy(err, callback) {
    // What was written in this tick goes out first: in Node it would be with the system already.
    writer.flushBeforeClose(this);
    return Duplex.prototype.destroy.call(this, err, callback);
  },

  resetAndDestroy() {
    if (this._handle?.isLocal()) {
      throw codedError(TypeError, 'ERR_INVALID_HANDLE_TYPE', 'This handle type cannot be sent');
    }
    if (!this._handle) {
      this.destroy(codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'));
      return this;
    }
    if (this.connecting) {
      this.once('connect', () => reset(this));
      return this;
    }
    return reset(this);
  },

  _destroy(err, callback) {
    this.connecting = false;
    clearTimeout(this[kTimer]);
    this[kTimer] = null;
    this._hadError = Boolean(err);
    const handle = this._handle;
    this._handle = null;
    writer.abort(this, err);
    this[kPendingEnd] = null;
    if (abandon(this, handle, () => onHandleClosed(this))) this[kStillOpen] = true;
    if (handle) {
      handle.attach(this, closing);
      handle.close(this[kReset]);
    }
    this[kReset] = false; // The socket may be connected again.
    callback(err);
    if (!handle) process.nextTick(closedWithoutHandle, this);
    const server = this._server;
    if (server) {
      server[kServer]();
      this._server = null;
    }
  },

  setTimeout(msecs, callback) {
    if (this.destroyed) return this;
    const timeout = validateTimeout(msecs, 'msecs');
    if (callback !== undefined) validateFunction(callback, 'callback');
    this.timeout = msecs;
    clearTimeout(this[kTimer]);
    this[kTimer] = null;
    if (timeout === 0) {
      if (callback) this.removeListener('timeout', callback);
      return this;
    }
    startTimer(this, timeout);
    if (callback) this.once('timeout', callback);
    return this;
  },

  // With `onread` nothing is kept in the stream, so pausing has to stop the reading itself.
  pause() {
    if (this[kOnread] !== null && this._handle && !this.connecting) this._handle.readStop();
    return Duplex.prototype.pause.call(this);
  },

  resume() {
    wrapper.lookForWrapper(this);
    if (this[kOnread] !== null && this._handle && !this.connecting) this._handle.readStart();
    return Duplex.prototype.resume.call(this);
  },

  address() {
    return sockname(this);
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

  get _connecting() {
    return this.connecting;
  },

  get pending() {
    return !this._handle || this.connecting;
  },

  get readyState() {
    if (this.connecting) return 'opening';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  },

  get bufferSize() {
    return this._handle ? this.writableLength : undefined;
  },

  get bytesRead() {
    return this[kBytesRead];
  },

  get bytesWritten() {
    return writer.bytesWritten(this);
  },

  get _bytesDispatched() {
    return this[kBytesWritten];
  },

  get localAddress() {
    return sockname(this).address;
  },

  get localPort() {
    return sockname(this).port;
  },

  get localFamily() {
    return sockname(this).family;
  },

  get remoteAddress() {
    return peername(this).address;
  },

  get remotePort() {
    return peername(this).port;
  },

  get remoteFamily() {
    return peername(this).family;
  },
};

Object.setPrototypeOf(Socket.prototype, Duplex.prototype);
defineMethods(Socket.prototype, methods);
defineMethods(Socket.prototype, tuning.methods);
defineMethods(Socket.prototype, writer.methods);

/**
 * A server's new connection.
 * @param {import('../stream-handle').StreamHandle} handle
 * @param {object} server whose properties are the options
 */
function acceptedSocket(handle, server) {
  const socket = new Socket(acceptedMaking(handle, server));
  if (server.pauseOnConnect) socket.pause();
  return socket;
}

/** What it is made from. */
function acceptedMaking(handle, server) {
  const making = new Making(server, handle);
  making.readableHighWaterMark = server.highWaterMark;
  making.writableHighWaterMark = server.highWaterMark;
  return making;
}

module.exports = { Socket, acceptedMaking, acceptedSocket, callbacks };
