'use strict';
// The front door: every API of the package, and no logic. The exports are plain names, so that Node.js
// finds them for `import { … }` as well.

const {
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
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = require('./lib/net');
const tls = require('./lib/tls');

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
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
  tls,
};
