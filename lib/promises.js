'use strict';
// `socket/promises`: what happens once in the life of a socket or a server, as promises. The names and
// arguments are those of `node:net/promises`.

const { once } = require('node:events');
const { BlockList, SocketAddress, isIP, isIPv4, isIPv6 } = require('node:net');
const { Server } = require('./net/server');
const { Socket } = require('./net/socket');
const { connectSecurely, serverOptions } = require('./tls/option');
const { Server: TlsServer } = require('./tls/server');
const { Incoming } = require('./net/incoming');
const { kIncoming } = require('./net/symbols');
const { normalizeArgs, validateAbortSignal } = require('./args');

/** A server whose connections wait from the start for somebody to take them, and whose end is a promise. */
const promising = (Base) =>
  class extends Base {
    constructor(options, connectionListener) {
      super(options, connectionListener);
      this[kIncoming] = new Incoming(this);
    }

    async close(options, callback) {
      super.close(options, callback);
      await new Promise((resolve) => this.once('close', resolve));
    }

    [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
      return this.close();
    }
  };

const PromiseServer = promising(Server);
const PromiseTlsServer = promising(TlsServer);

/**
 * Connects: `(options)`, `(port, host?)`, `(path)`. Fulfilled with the socket when it is connected,
 * with the option `tls` when its handshake is over.
 * @param {...any} args
 */
async function connect(...args) {
  const [{ signal, ...options }] = normalizeArgs(args);
  checkSignal(signal);
  const socket = options.tls ? connectSecurely(options) : new Socket(options);
  try {
    if (!options.tls) {
      if (options.timeout) socket.setTimeout(options.timeout);
      socket.connect(options);
    }
    await once(socket, options.tls ? 'secureConnect' : 'connect', { signal });
  } catch (err) {
    socket.destroy();
    throw err;
  }
  return socket;
}

/**
 * Makes a server and listens: `(options?)`, `(port, host?, backlog?)`, `(path, backlog?)`. Fulfilled with
 * the server when it listens. Without a port or a path, the system chooses a port.
 * @param {...any} args
 */
async function listen(...args) {
  const isObject = typeof args[0] === 'object' && args[0] !== null;
  const options = isObject ? args[0] : {};
  const { signal, connectionListener } = options;
  checkSignal(signal);
  if (isObject && !hasTarget(options)) args[0] = { ...options, port: 0 };
  const server = options.tls
    ? new PromiseTlsServer(serverOptions(options), connectionListener)
    : new PromiseServer(options, connectionListener);
  try {
    server.listen(...args);
    await once(server, 'listening', { signal });
  } catch (err) {
    server.close();
    throw err;
  }
  return server;
}

function checkSignal(signal) {
  if (signal === undefined) return;
  validateAbortSignal(signal, 'options.signal');
  signal.throwIfAborted();
}

const hasTarget = ({ port, path, fd, handle, _handle }) =>
  [port, path, fd, handle, _handle].some((target) => target !== undefined);

module.exports = { BlockList, SocketAddress, connect, isIP, isIPv4, isIPv6, listen };
