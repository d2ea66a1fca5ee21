'use strict';
// The accessors `socket` module: typed messages over TCP.

const { SocketClient } = require('./messages/client');
const { Socket, SocketServer } = require('./messages/server');
const { supportedReceiveTypes, supportedSendTypes } = require('./messages/types');

// Plain names, so that Node.js finds them for `import { … }` as well.
module.exports = {
  Socket,
  SocketClient,
  SocketServer,
  supportedReceiveTypes,
  supportedSendTypes,
};
