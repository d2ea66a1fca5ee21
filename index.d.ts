/**
 * Everything that `require('socket')` gives. Each API has a file of its own; `socket/net` is the `net` API alone,
 * `socket/messages` the message sockets, whose `Socket` is `MessageSocket` here, `socket/data` the value sockets and
 * `socket/web` the web sockets.
 */
import * as tls from './tls';

export * from './net';
export { tls };
export * from './data';
export {
  Socket as MessageSocket,
  SocketClient,
  SocketServer,
  supportedReceiveTypes,
  supportedSendTypes,
} from './messages';
export type {
  MessageError,
  MessageOptions,
  ReceiveType,
  ReconnectBackoff,
  SendType,
  SocketClientOptions,
  SocketServerOptions,
} from './messages';
export * from './web';
