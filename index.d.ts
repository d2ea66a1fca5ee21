/**
 * Everything that `require('socket')` gives. Each API has a file of its own; `socket/net` is the `net` API alone, and
 * `socket/messages` the message sockets, whose `Socket` is `MessageSocket` here; `socket/web` the web sockets.
 */
import * as tls from './tls';

export * from './net';
export { tls };
export {
  Socket as MessageSocket,
  SocketClient,
  SocketServer,
  supportedReceiveTypes,
  supportedSendTypes,
} from './messages';
export * from './web';
