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
  promises,
  setDefaultAutoSelectFamily,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = require('./lib/net');
const tls = require('./lib/tls');
const { DataSocket } = require('./lib/data');

const {
  Socket: MessageSocket,
  SocketClient,
  SocketServer,
  supportedReceiveTypes,
  supportedSendTypes,
} = require('./lib/messages');

const {
  ConnectEvent,
  ErrorEvent,
  TCPServerSocket,
  TCPSocket,
  UDPMessageEvent,
  UDPSocket,
} = require('./lib/web');

module.exports = {
  BlockList,
  ConnectEvent,
  DataSocket,
  ErrorEvent,
  MessageSocket,
  Server,
  Socket,
  SocketAddress,
  SocketClient,
  SocketServer,
  Stream,
  TCPServerSocket,
  TCPSocket,
  UDPMessageEvent,
  UDPSocket,
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
  supportedReceiveTypes,
  supportedSendTypes,
  tls,
};
