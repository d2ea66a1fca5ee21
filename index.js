'use strict';
// The front door: every API of the package, and no logic.

const net = require('./lib/net');

module.exports = {
  BlockList: net.BlockList,
  Server: net.Server,
  Socket: net.Socket,
  SocketAddress: net.SocketAddress,
  Stream: net.Stream,
  connect: net.connect,
  createConnection: net.createConnection,
  createServer: net.createServer,
  getDefaultAutoSelectFamily: net.getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout: net.getDefaultAutoSelectFamilyAttemptTimeout,
  isIP: net.isIP,
  isIPv4: net.isIPv4,
  isIPv6: net.isIPv6,
  setDefaultAutoSelectFamily: net.setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout: net.setDefaultAutoSelectFamilyAttemptTimeout,
};
