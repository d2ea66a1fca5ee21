'use strict';
// The `net` API: what `require('node:net')` gives, on this package's engine.

const net = require('node:net');
const { Server } = require('./net/server');
const { Socket } = require('./net/socket');
const defaults = require('./net/defaults');
const { normalizeArgs } = require('./args');

/**
 * Makes a server; it listens when told to.
 * @param {object | Function} [options]
 * @param {Function} [connectionListener]
 */
function createServer(options, connectionListener) {
  return new Server(options, connectionListener);
}

/**
 * Makes a socket and connects it: `(options, callback?)`, `(port, host?, callback?)`, `(path, callback?)`.
 * @param {...any} args
 */
function connect(...args) {
  const [options, callback] = normalizeArgs(args);
  const socket = new Socket(options);
  if (options.timeout) socket.setTimeout(options.timeout);
  return callback === null ? socket.connect(options) : socket.connect(options, callback);
}

module.exports = {
  BlockList: net.BlockList,
  Server,
  Socket,
  SocketAddress: net.SocketAddress,
  Stream: Socket,
  connect,
  createConnection: connect,
  createServer,
  getDefaultAutoSelectFamily: defaults.getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout: defaults.getDefaultAutoSelectFamilyAttemptTimeout,
  isIP: net.isIP,
  isIPv4: net.isIPv4,
  isIPv6: net.isIPv6,
  setDefaultAutoSelectFamily: defaults.setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout: defaults.setDefaultAutoSelectFamilyAttemptTimeout,
};
