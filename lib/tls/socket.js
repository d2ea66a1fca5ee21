'use strict';
// `tls.TLSSocket`: a `net.Socket` whose handle has TLS over it.
//
// | state | has | becomes |
// | --- | --- | --- |
// | connecting | no handle of its own, or one that connects | securing, when the handle is open |
// | securing | a handle; what is written is queued behind the handshake | secure, or destroyed |
// | secure | `kInfo` | – |

const { Duplex } = require('node:stream');
const { codedError, invalidType } = require('../errors');
const { connectionError } = require('../net/failure');
const { Making } = require('../net/making');
const { writeAhead } = require('../net/writer');
const { defineMethods } = require('../net/methods');
const { Socket, callbacks } = require('../net/socket');
const { kConnectOptions, kHadHandle, kIncoming, kOpen, kUnrefed } = require('../net/symbols');
const { certificateAt, legacyCertificate } = require('./certificate');
const { chooseContext } = require('./choose');
const { normalizeArgs, validateString } = require('../args');
const { clientTls, serverTls } = require('./context');
const { cutError, hangUpError, tlsError } = require('./failure');
const { tokenFor } = require('./sessions');
const { takeOver } = require('./wrap');

/** What was agreed, once it is; see `NativeTlsInfo`. */
const kInfo = Symbol('kInfo');
/** `ClientTls` or `ServerTls`. */
const kTls = Symbol('kTls');
/** What the constructor was given: of use when `connect()` is called. */
const kWishes = Symbol('kWishes');
/** What `setServername()` was given before there was a connection; or null. */
const kName = Symbol('kName');
/** Options of the connection, for errors to name. */
const kTarget = Symbol('kTarget');
/** The Buffer that stands for this connection's sessions, once it was asked for. */
const kSession = Symbol('kSession');
const kHasSession = Symbol('kHasSession');
/** The peer ended before the handshake was over: there is nobody to say an end to. */
const kIsCut = Symbol('kIsCut');
const kServerOwner = Symbol('kServerOwner');

const secureCallbacks = {
  ...callbacks,
  onsecured(socket, needsOwner) {
    socket[kInfo] = socket._handle.tlsInfo();
    socket.secureConnecting = false;
    socket.alpnProtocol = socket[kInfo].alpn ?? false;
    takeAddresses(socket);
    if (socket.isServer) serverSecured(socket);
    else clientSecured(socket, needsOwner);
  },
  onnamed(socket) {
    const { SNICallback } = socket[kTls];
    chooseContext(
      socket._handle,
      SNICallback,
      () => socket.destroyed,
      // A second answer may come when the first one has long been good.
      (err) => (socket.secureConnecting ? handshakeFailed(socket, err) : socket.destroy(err)),
    );
  },
  ontlsfailed(socket, failure) {
    if (!socket.secureConnecting) socket.destroy(tlsError(failure));
    else if (failure.code === 'ECONNRESET') handshakeCut(socket);
    else {
      // What is wrong with a chain has OpenSSL's own names; all else begins like that.
      if (!failure.code.startsWith('ERR_')) socket.authorizationError = failure.code;
      handshakeFailed(socket, tlsError(failure));
    }
  },
  onfailed(socket, syscall, errno) {
    if (socket.secureConnecting) handshakeFailed(socket, connectionError(socket, errno, syscall));
    else callbacks.onfailed(socket, syscall, errno);
  },
  onsession(socket) {
    socket[kHasSession] = true;
    if (socket.listenerCount('session') > 0) socket.emit('session', socket.getSession());
  },
};

/** Over a connection to a server; `socket.authorized` says what the check of its certificate found. */
function clientSecured(socket, needsOwner) {
  const tls = socket[kTls];
  let err;
  try {
    err = tls.check(socket._handle, needsOwner);
  } catch (thrown) {
    // The program's own check threw: as in Node, that is an exception like any other, and the
    // connection stays what it is, which is closed to both sides.
    socket.destroy();
    throw thrown;
  }
  const problem = err ?? tls.problem;
  socket.authorized = problem === null;
  socket.authorizationError = problem === null ? null : (problem.code ?? problem.message);
  if (err) {
    socket.destroy(err);
    return;
  }
  socket.emit('secure');
  if (!socket.destroyed) socket.emit('secureConnect');
}

function serverSecured(socket) {
  const { failure, isAuthorized, serverName } = socket[kInfo];
  socket.servername = serverName ?? false;
  socket.authorized = isAuthorized;
  // Whom nobody asked for a certificate is as in Node: not authorized, and nothing is wrong.
  socket.authorizationError = failure ? failure.code : null;
  socket.emit('secure');
  const server = socket[kServerOwner];
  if (!server || socket.destroyed) return;
  server.emit('secureConnection', socket);
  server[kIncoming]?.add(socket);
}

function handshakeFailed(socket, err) {
  const server = socket[kServerOwner];
  if (!server) {
    socket.destroy(err);
    return;
  }
  socket.destroy();
  server.emit('tlsClientError', err, socket);
}

/** The peer ended before the handshake was over. */
function handshakeCut(socket) {
  if (!socket.isServer) handshakeFailed(socket, cutError(socket[kTarget]));
  else if (socket[kServerOwner]) handshakeFailed(socket, hangUpError());
  else {
    // As in Node, where nobody but a server takes it for more than an end.
    socket[kIsCut] = true;
    // What waits for the handshake would keep the socket open.
    socket.once('end', () => {
      if (socket.writableLength > 0) socket.destroy();
    });
    callbacks.onend(socket);
  }
}

/**
 * @this {any}
 * @param {import('node:stream').Duplex | Making | undefined} socket what TLS is to run over: nothing for
 *   a connection that `connect()` is to make
 * @param {Record<string, any>} [options] see `tls.d.ts`
 */
function TLSSocket(socket, options) {
  if (!(this instanceof TLSSocket)) return new TLSSocket(socket, options);
  const isAccepted = socket instanceof Making;
  options ??= {};
  if (socket != null && !isAccepted && !(socket instanceof Duplex)) {
    throw invalidType('socket', 'an instance of stream.Duplex', socket);
  }
  this.encrypted = true;
  this.isServer = isAccepted || Boolean(options.isServer);
  this.secureConnecting = true;
  this.authorized = false;
  this.authorizationError = null;
  this.alpnProtocol = null;
  this.servername = null;
  this[kInfo] = null;
  this[kSession] = undefined;
  this[kHasSession] = false;
  this[kTarget] = {};
  this[kName] = null;
  // Keys may be in there, which nobody wants to see when a socket is printed.
  Object.defineProperty(this, kWishes, { value: options });
  this[kServerOwner] = isAccepted ? options.server : (options.server ?? null);
  this[kTls] = null;
  if (isAccepted) this[kTls] = options.tls;
  else if (this.isServer) this[kTls] = serverTls(options);
  else if (socket != null) this[kTls] = clientTls(options, options.host);
  if (!this.isServer) this.servername = options.servername ?? null;

  const { fd, onread, ...rest } = isAccepted ? {} : options;
  if (fd !== undefined) throw invalidType('options.fd', 'left out: give the socket instead', fd);
  Socket.call(this, isAccepted ? socket : { ...rest, onread });
  writeAhead(this);
  this[kHadHandle] = true;
  this[kIsCut] = false;
  // As in Node: what a client does to its connection never is an unhandled error of the server.
  if (this.isServer) this.on('error', ignore);
  if (socket == null || isAccepted) return;

  this._parent = socket;
  // What is written, and who wants to read, waits for the handle, as for one that connects.
  this.connecting = true;
  if (socket[kUnrefed]) this[kUnrefed] = true;
  takeOver(this, socket, (handle, early) => begin(this, handle, early));
}
Object.setPrototypeOf(TLSSocket, Socket);

function ignore() {}

/** The handshake on a handle that was somebody else's. */
function begin(socket, handle, early) {
  const { isServer } = socket;
  const tls = socket[kTls];
  const failure = isServer ? handle.secureServer(tls.native, early) : tls.start(handle, early);
  socket.connecting = false;
  socket[kOpen](handle);
  if (failure) {
    process.nextTick(() => socket.destroy(tlsError(failure)));
    return;
  }
  socket.emit('connect');
  socket.emit('ready');
  if (socket.readable && !socket.isPaused()) socket.read(0);
}

/** A joined connection's own addresses are nobody's business: those of the other Duplex are. */
function takeAddresses(socket) {
  const { _parent: parent } = socket;
  if (!parent?.remoteAddress) return;
  const { remoteAddress, remotePort, remoteFamily, localAddress, localPort, localFamily } = parent;
  socket._peername = { address: remoteAddress, port: remotePort, family: remoteFamily };
  socket._sockname = { address: localAddress, port: localPort, family: localFamily };
}

const methods = {
  [kOpen](handle) {
    Socket.prototype[kOpen].call(this, handle);
    handle.attach(this, secureCallbacks);
    if (this.isServer || this._parent) return;
    // The first thing after the connection, before anything is written.
    const failure = this[kTls].start(handle);
    if (failure) process.nextTick(() => this.destroy(tlsError(failure)));
  },

  /** What is read before the handshake is for TLS to read. */
  [kConnectOptions]() {
    return { ...Socket.prototype[kConnectOptions].call(this), readAtOnce: false };
  },

  connect(...args) {
    const [options] = Array.isArray(args[0]) ? args[0] : normalizeArgs(args);
    const { host, port, path, localAddress } = options;
    this[kTarget] = { host, port, path, localAddress };
    const named = this[kName] === null ? null : { servername: this[kName] };
    this[kTls] = clientTls({ ...this[kWishes], ...named, ...options }, options.host);
    this.secureConnecting = true;
    this[kInfo] = null;
    return Socket.prototype.connect.apply(this, args);
  },

  _final(callback) {
    if (this[kIsCut]) callback();
    else Socket.prototype._final.call(this, callback);
  },

  /** As what Node's own modules know one. */
  get _secureEstablished() {
    return this[kInfo] !== null;
  },

  getProtocol() {
    return this[kInfo]?.protocol ?? null;
  },

  getCipher() {
    const info = this[kInfo];
    if (info === null) return undefined;
    return { name: info.cipher, standardName: info.standardCipher, version: info.protocol };
  },

  getEphemeralKeyInfo() {
    const info = this[kInfo];
    if (info === null) return null;
    return this.isServer || info.group === '' ? {} : { type: 'ECDH', name: info.group };
  },

  getPeerCertificate(isDetailed) {
    if (this[kInfo] === null || !this._handle) return this._handle ? {} : null;
    return legacyCertificate(this._handle, isDetailed);
  },

  getPeerX509Certificate() {
    if (this[kInfo] === null || !this._handle) return undefined;
    return certificateAt(this._handle, 0) ?? undefined;
  },

  getSession() {
    if (!this[kHasSession]) return undefined;
    this[kSession] ??= tokenFor(this[kTls].sessions);
    return this[kSession];
  },

  isSessionReused() {
    return this[kInfo]?.isResumed ?? false;
  },

  /** Before the handshake begins; then it is too late, as in Node. */
  setServername(name) {
    validateString(name, 'name');
    if (this.isServer) {
      const message = 'Cannot issue SNI from a TLS server-side socket';
      throw codedError(Error, 'ERR_TLS_SNI_FROM_SERVER', message);
    }
    this[kName] = name;
    this[kTls]?.setName(name);
    if (!this[kTls]?.isStarted) this.servername = name;
  },

  /** Of use with OpenSSL alone: tickets stay with the engine, and records are as long as they are. */
  getTLSTicket() {},
  getFinished() {},
  getPeerFinished() {},
  setMaxSendFragment: () => false,

  /** It is not there. */
  disableRenegotiation() {},

  /** There is no renegotiation: TLS 1.3 has none, and in TLS 1.2 it was given up for good reasons. */
  renegotiate(_options, callback) {
    if (typeof callback === 'function') {
      const message = 'TLS session renegotiation disabled for this socket';
      process.nextTick(callback, codedError(Error, 'ERR_TLS_RENEGOTIATION_DISABLED', message));
    }
    return false;
  },
};

Object.setPrototypeOf(TLSSocket.prototype, Socket.prototype);
defineMethods(TLSSocket.prototype, methods);

module.exports = { TLSSocket };
