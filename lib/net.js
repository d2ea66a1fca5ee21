'use strict';
// The `net` API: what `require('node:net')` gives, on this package's engine.

const { BlockList, SocketAddress, isIP, isIPv4, isIPv6 } = require('node:net');
const { connectSecurely, serverOptions } = require('./tls/option');
const { Server: TlsServer } = require('./tls/server');
const { Server } = require('./net/server');
const { Socket } = require('./net/socket');
const {
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = require('./net/defaults');
const promises = require('./promises');
const { normalizeArgs } = require('./args');

/**
 * Makes a server; it listens when told to. With the option `tls` it is a `tls.Server`, and its listener is
 * told of secure connections.
 * @param {object | Function} [options]
 * @param {Function} [connectionListener]
 */
function createServer(options, connectionListener) {
  if (options?.tls) return new TlsServer(serverOptions(options), connectionListener);
  return new Server(options, connectionListener);
}

/**
 * Makes a socket and connects it, with the option `tls` securely: `(options, callback?)`, `(port, host?, callback?)`, `(path, callback?)`.
 * @param {...any} args
 */
function connect(...args) {
  const [options, callback] = normalizeArgs(args);
  if (options.tls) return connectSecurely(options, callback ?? undefined);
  const socket = new Socket(options);
  if (options.timeout) socket.setTimeout(options.timeout);
  return callback === null ? socket.connect(options) : socket.connect(options, callback);
}

const createConnection = connect;
const Stream = Socket;

// Plain names, so that Node.js finds them for `import { … }` as well.
module.exports = {
  BlockList,
  Server,
  Socket,
  SocketAddress,
  Stream,
  connect,
  createConnection,
  createServer,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  isIP,
  isIPv4,
  isIPv6,
  promises,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
};
