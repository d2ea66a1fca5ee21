import socket from './index.js';

export default socket;
export const {
  BlockList,
  DataSocket,
  MessageSocket,
  Server,
  Socket,
  SocketAddress,
  SocketClient,
  SocketServer,
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
  supportedReceiveTypes,
  supportedSendTypes,
  tls,
} = socket;
