'use strict';
// The TCP and UDP socket API of the W3C's draft of 2013: sockets as event targets.

const { ConnectEvent, ErrorEvent, UDPMessageEvent } = require('./web/events');
const { TCPServerSocket } = require('./web/tcp-server-socket');
const { TCPSocket } = require('./web/tcp-socket');
const { UDPSocket } = require('./web/udp-socket');

// Plain names, so that Node.js finds them for `import { … }` as well.
module.exports = {
  ConnectEvent,
  ErrorEvent,
  TCPServerSocket,
  TCPSocket,
  UDPMessageEvent,
  UDPSocket,
};
