'use strict';
// The TCP and UDP socket API of the W3C's draft of 2013: sockets as event targets.

const { ConnectEvent, ErrorEvent, UDPMessageEvent } = require('./web/events');
const { UDPSocket } = require('./web/udp-socket');

// Plain names, so that Node.js finds them for `import { … }` as well.
module.exports = {
  ConnectEvent,
  ErrorEvent,
  UDPMessageEvent,
  UDPSocket,
};
