'use strict';
// `TCPSocket`: the attributes and methods of a connection, whose life is in `connection.js`.

const { AsyncResource } = require('node:async_hooks');
const { isIP } = require('node:net');
const { peerError } = require('../errors');
const { bare, engine, start } = require('../engine');
const { CONTEXT } = require('../handle');
const { Attempt } = require('../attempt');
const { bindPlace } = require('./address');
const { hostOf, portOf } = require('./arguments');
const { Connection } = require('./connection');
const { bindError } = require('./exceptions');
const { defineInterface, requireArguments } = require('./interface');
const { SocketTarget, defineHandlers } = require('./target');
const { tcpOptions } = require('./tcp-options');

/** In place of the arguments of a program: a server's connection. */
class Accepted {
  constructor(handle, options) {
    this.handle = handle;
    this.options = options;
  }
}

/** @type {(socket: TCPSocket) => Connection} */
let connectionOf;

class TCPSocket extends SocketTarget {
  /** @type {Connection} */
  #connection;
  #remoteAddress;
  #remotePort;
  #localAddress = null;
  #localPort = null;

  static {
    connectionOf = (socket) => socket.#connection;
  }

  /**
   * @param {string} remoteAddress
   * @param {number | string} remotePort
   * @param {object} [options] see `web.d.ts`
   */
  constructor(remoteAddress, remotePort, options) {
    super();
    if (remoteAddress instanceof Accepted) this.#accept(remoteAddress);
    else {
      requireArguments(arguments.length, 2, 'TCPSocket constructor');
      this.#connect(remoteAddress, remotePort, options);
    }
  }

  #accept({ handle, options }) {
    this.#connection = new Connection(this, options, handle.resource);
    this.#connection.accept(handle);
    const { address, port } = this.#connection.remote;
    this.#remoteAddress = address;
    this.#remotePort = port;
  }

  #connect(remoteAddress, remotePort, given) {
    this.#remoteAddress = hostOf(remoteAddress, 'remoteAddress');
    this.#remotePort = portOf(remotePort, 'remotePort');
    const options = tcpOptions(this.#remoteAddress, given);
    if (options.signal?.aborted) throw options.signal.reason;
    this.#localAddress = options.localAddress;
    this.#localPort = options.localPort || null;
    const resource = new AsyncResource('TCPWRAP', CONTEXT);
    this.#connection = new Connection(this, options, resource);
    this.#connection.connectBy(startAttempt(this, this.#connection, options));
    this.#connection.abortBy(options.signal);
  }

  get remoteAddress() {
    return this.#remoteAddress;
  }

  get remotePort() {
    return this.#remotePort;
  }

  get localAddress() {
    return this.#connection.local.address ?? this.#localAddress;
  }

  get localPort() {
    return this.#connection.local.port ?? this.#localPort;
  }

  get bufferedAmount() {
    return this.#connection.sender.bufferedAmount;
  }

  get readyState() {
    return this.#connection.state;
  }

  get opened() {
    return this.#connection.opened.promise;
  }

  get closed() {
    return this.#connection.closed.promise;
  }

  send(data) {
    const connection = this.#connection;
    requireArguments(arguments.length, 1, 'TCPSocket.send');
    return connection.send(data);
  }

  close() {
    this.#connection.close();
  }

  halfclose() {
    this.#connection.halfclose();
  }

  suspend() {
    this.#connection.suspend();
  }

  resume() {
    this.#connection.resume();
  }

  closeImmediately() {
    this.#connection.closeImmediately();
  }

  ref() {
    this.#connection.setRef(true);
    return this;
  }

  unref() {
    this.#connection.setRef(false);
    return this;
  }
}

defineInterface(TCPSocket);
defineHandlers(TCPSocket, 'open', 'drain', 'close', 'halfclose', 'error', 'message');
// `options` and the server's way in do not count.
Object.defineProperty(TCPSocket, 'length', { value: 2, configurable: true });

/**
 * Starts to connect. Where to connect from is known to be good on return.
 * @throws {DOMException} InvalidAccessError, NetworkError
 */
function startAttempt({ remoteAddress: host, remotePort: port }, connection, options) {
  const { family, localAddress, localPort, stream, tls } = options;
  const target = {
    host,
    port,
    connectTimeout: 0,
    localAddress: localAddress ?? undefined,
    localPort: localPort ?? undefined,
    family,
    autoSelectFamily: true,
  };
  const attempt = new Attempt(target, stream, tls, connection);
  const remoteFamily = isIP(host);
  const local = bindPlace(options, remoteFamily || family);
  // Of a name the family is not known yet, so the place is only looked at.
  let status = 0;
  if (remoteFamily !== 0) status = attempt.startAt(local, connection.queue.resource);
  else if (local !== null) status = start() || engine().checkLocal(bare(local));
  if (status < 0) {
    const cause = peerError(status, 'bind', localAddress ?? local?.address ?? host, localPort ?? 0);
    throw bindError(cause);
  }
  if (remoteFamily === 0) attempt.start();
  return attempt;
}

/** The socket of a server's connection. */
const acceptedSocket = (handle, options) => new TCPSocket(new Accepted(handle, options));

module.exports = { TCPSocket, acceptedSocket, connectionOf };
