'use strict';
// `SocketServer`: listens, and makes a `Socket` of each connection.

const dns = require('node:dns');
const { EventEmitter } = require('node:events');
const { isIP } = require('node:net');
const { ListenHandle } = require('../listen-handle');
const { codedError, listenError } = require('../errors');
const { endpointOf } = require('../net/address');
const { forget } = require('../attempt');
const { Handshakes } = require('../tls/handshakes');
const { MessageConnection } = require('./connection');
const { MessageError, tellError, tellRejection } = require('./errors');
const { formatOf, serverOptions, streamOptions } = require('./options');
const { serverSecurity } = require('./secure');
const { kClosed, kFormat, kHandle, kOpen, kUnrefed } = require('./symbols');

/** libuv's default for the kernel's queue of connections. */
const BACKLOG = 511;

const kStart = Symbol('kStart');
const kConnections = Symbol('kConnections');
const kSecurity = Symbol('kSecurity');
const kHandshakes = Symbol('kHandshakes');
const kServer = Symbol('kServer');

/** What only servers have, to make sockets with. */
const kMaking = Symbol('kMaking');

/** The server's end of a connection. */
class Socket extends MessageConnection {
  constructor(making, server) {
    if (making !== kMaking) {
      throw codedError(
        TypeError,
        'ERR_ILLEGAL_CONSTRUCTOR',
        "A Socket cannot be constructed: a SocketServer makes it and emits it as 'connection'. To connect, use SocketClient.",
      );
    }
    super(server[kFormat]);
    this[kServer] = server;
  }

  /** Not a listener of `close`: the program may remove those, and one of its own may throw. */
  [kClosed]() {
    const server = this[kServer];
    server[kConnections].delete(this);
    // Behind the listeners of this socket's `close`: the server closes last.
    process.nextTick(closeIfDone, server);
    super[kClosed]();
  }
}

const callbacks = {
  onconnection(server, handle) {
    if (server[kHandle] === null) {
      forget(handle);
      return;
    }
    if (server[kSecurity] === null) welcome(server, handle);
    else server[kHandshakes].begin(handle);
  },
  onclose: (server) => closeIfDone(server),
};

function welcome(server, handle) {
  const socket = new Socket(kMaking, server);
  server[kConnections].add(socket);
  socket[kOpen](handle);
  server.emit('connection', socket);
}

class SocketServer extends EventEmitter {
  /** @param {object} [options] see `messages.d.ts` */
  constructor(options) {
    super();
    this.options = serverOptions(options);
    this[kFormat] = formatOf(this.options, options);
    /** @type {ListenHandle | null} */
    this[kHandle] = null;
    /** The `start()` that holds, until `close`. @type {{ isStopped: boolean, isRestarted: boolean } | null} */
    this[kStart] = null;
    this[kConnections] = new Set();
    /** TLS: what each connection begins with, or null, and those that are at it. */
    this[kSecurity] = null;
    this[kHandshakes] = new Handshakes((handle) => welcome(this, handle));
    this[kUnrefed] = false;
  }

  /** Listens. `listening` follows, or `error`. */
  start() {
    if (this[kStart] !== null) {
      // Stopping has not come to its end: it begins again then.
      this[kStart].isRestarted = this[kStart].isStopped;
      return;
    }
    const token = { isStopped: false, isRestarted: false };
    this[kStart] = token;
    try {
      this[kSecurity] = serverSecurity(this.options);
    } catch (err) {
      process.nextTick(() => {
        // Stopped meanwhile: that has an end of its own.
        if (token.isStopped) return;
        this[kStart] = null;
        tellError(this, err);
      });
      return;
    }
    const { hostInterface } = this.options;
    if (isIP(hostInterface) !== 0) {
      process.nextTick(() => listen(this, token, hostInterface));
      return;
    }
    dns.lookup(hostInterface, (err, address) => {
      if (err && this[kStart] === token) failed(this, err);
      else listen(this, token, address);
    });
  }

  /** Stops listening and closes all connections; `close` follows when they are closed. */
  stop() {
    const token = this[kStart];
    if (token === null) return;
    token.isRestarted = false;
    if (token.isStopped) return;
    token.isStopped = true;
    const handle = this[kHandle];
    this[kHandle] = null;
    if (handle === null) process.nextTick(closeIfDone, this);
    else handle.close();
    this[kHandshakes].cancel();
    for (const socket of this[kConnections]) socket.close();
  }

  /** The connections that are open or closing. */
  get connections() {
    return [...this[kConnections]];
  }

  /** Where it listens, or null. @returns {{ address: string, family: string, port: number } | null} */
  address() {
    const name = this[kHandle]?.getsockname() ?? -1;
    if (typeof name === 'number') return null;
    const { address, family, port } = name;
    return { address, family, port };
  }

  ref() {
    this[kUnrefed] = false;
    this[kHandle]?.ref();
    return this;
  }

  unref() {
    this[kUnrefed] = true;
    this[kHandle]?.unref();
    return this;
  }

  /** An async listener was rejected (with `captureRejections`). */
  [EventEmitter.captureRejectionSymbol](reason, event) {
    tellRejection(this, reason, event);
  }

  /** Stops, and waits until all is closed. */
  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    if (this[kStart] === null) return;
    await new Promise((resolve) => {
      this.once('close', resolve);
      this.stop();
    });
  }
}

function listen(server, token, address) {
  if (token.isStopped) return;
  const { options } = server;
  const handle = new ListenHandle();
  const native = { backlog: BACKLOG, ipv6Only: false, reusePort: false };
  const local = endpointOf(address, options.port);
  const status = handle.listen(
    local,
    native,
    streamOptions(options, server[kFormat]),
    server[kSecurity]?.native,
  );
  if (status < 0) {
    failed(server, listenError(status, address, options.port));
    return;
  }
  handle.attach(server, callbacks);
  server[kHandle] = handle;
  if (server[kUnrefed]) handle.unref();
  handle.resource.runInAsyncScope(() => server.emit('listening', server.address().port));
}

function failed(server, cause) {
  server[kStart] = null;
  const message = `Failed to start server listening: ${cause.message}`;
  tellError(server, new MessageError(cause.code, message, { cause }));
}

/** The last of a stopped server's connections, or its listening socket, is closed. */
function closeIfDone(server) {
  const token = server[kStart];
  if (!token?.isStopped || server[kConnections].size > 0) return;
  server[kStart] = null;
  if (token.isRestarted) server.start();
  server.emit('close');
}

module.exports = { Socket, SocketServer };
