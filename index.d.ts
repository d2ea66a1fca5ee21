/**
 * Everything that `require('socket')` gives. Each API has a file of its own; `socket/net` is the `net` API alone, and
 * `socket/messages` the message sockets, whose `Socket` is `MessageSocket` here.
 */
export * from './net';
export {
  Socket as MessageSocket,
  SocketClient,
  SocketServer,
  supportedReceiveTypes,
  supportedSendTypes,
} from './messages';
