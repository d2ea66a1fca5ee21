'use strict';
// Private state of sockets and servers that more than one file of this folder touches.

module.exports = {
  /** Method of a server: the socket of a new connection. */
  kAccept: Symbol('kAccept'),
  kBytesRead: Symbol('kBytesRead'),
  /** Bytes handed to the engine. */
  kBytesWritten: Symbol('kBytesWritten'),
  /** Method of a socket: the engine's options for its connection. */
  kConnectOptions: Symbol('kConnectOptions'),
  /** Of a socket: TLS has its handle. It closes as one that has a handle does, which says whether there was an error. */
  kHadHandle: Symbol('kHadHandle'),
  /** Of a server: the connections that nobody has taken yet (`Incoming`), or null where nobody iterates. */
  kIncoming: Symbol('kIncoming'),
  /** Of a server: it has been closed, and does not listen again. */
  kIsClosed: Symbol('kIsClosed'),
  /** `{ delay, interval, count }`, or null while off. */
  kKeepAlive: Symbol('kKeepAlive'),
  kNoDelay: Symbol('kNoDelay'),
  /** The option `onread`, or null. */
  kOnread: Symbol('kOnread'),
  /** Method of a socket: takes an open handle. */
  kOpen: Symbol('kOpen'),
  /** `_final`'s callback, while the FIN waits for queued bytes. */
  kPendingEnd: Symbol('kPendingEnd'),
  /** Of a server: how long a PROXY header may take (ms); undefined where connections have none. */
  kProxyTimeout: Symbol('kProxyTimeout'),
  /** The next close is a reset. */
  kReset: Symbol('kReset'),
  /** Method of a server: one of its sockets is destroyed. */
  kServer: Symbol('kServer'),
  kTimer: Symbol('kTimer'),
  /** Method of a server: the native TLS server, or undefined. */
  kTlsServer: Symbol('kTlsServer'),
  /** Options of the descriptor (`tuning.js`), or null. */
  kTuning: Symbol('kTuning'),
  /** What was asked for, or null. */
  kTypeOfService: Symbol('kTypeOfService'),
  kUnrefed: Symbol('kUnrefed'),
};
