/**
 * The `net` API: the surface of `node:net`, with sockets and servers that live on a native I/O thread.
 *
 * Code written for `node:net` compiles unchanged against this file. `Socket` and `Server` are assignable
 * to the classes of the same name in `node:net`, so they can be passed to libraries that ask for those.
 */

import type * as dns from 'node:dns';
import { EventEmitter } from 'node:events';
import { BlockList, SocketAddress } from 'node:net';
import type { IPVersion, SocketAddressInitOptions } from 'node:net';
import { Duplex, type Readable } from 'node:stream';

import type { ClientOptions, Server as TlsServer, ServerSideOptions, TLSSocket } from './tls';

export { BlockList, SocketAddress };
export type { IPVersion, SocketAddressInitOptions };

/**
 * A received piece of the stream: a `Buffer` over memory of its own. (Spelled this way so that it is the
 * same type with every version of `@types/node`, whether or not `Buffer` has a type parameter there.)
 */
type Bytes = ReturnType<typeof Buffer.allocUnsafeSlow>;

/** Called when a write has been handed to the operating system, or with the reason why it never will be. */
type WriteCallback = (error?: Error | null) => void;

// ---------------------------------------------------------------------------------------------------------
// Plain values
// ---------------------------------------------------------------------------------------------------------

/** Where a TCP socket or server is bound. */
export interface AddressInfo {
  /** The IP address in text form, for example `'127.0.0.1'` or `'::'`. */
  address: string;
  /** `'IPv4'` or `'IPv6'`. */
  family: string;
  /** The port, 1 to 65535. */
  port: number;
}

/**
 * Resolves a host name to addresses; the signature of `dns.lookup`.
 *
 * An answer that is not an IP address destroys the socket with `ERR_INVALID_IP_ADDRESS`.
 */
export type LookupFunction = (
  hostname: string,
  options: dns.LookupOptions,
  callback: (
    err: NodeJS.ErrnoException | null,
    address: string | dns.LookupAddress[],
    family?: number,
  ) => void,
) => void;

/**
 * What a socket can do at the moment: `'opening'` while it connects, `'open'` when both directions are usable,
 * `'readOnly'` or `'writeOnly'` when one of them has ended, and `'closed'` otherwise.
 */
export type SocketReadyState = 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed';

/**
 * Why a connection of a server with `proxyProtocol` was dropped before its `'connection'`.
 *
 * - `'proxy-header-malformed'`: what came is no PROXY header, or one longer than 107 (v1) or 4,096 (v2) bytes;
 * - `'proxy-header-timeout'`: the header was not complete within `proxyTimeout`;
 * - `'proxy-header-incomplete'`: the peer ended or reset the connection before that;
 * - `'proxy-header-overload'`: 1,024 connections waited for their headers, and this one had waited longest;
 * - `'server-closed'`: the server was closed before the header was complete.
 */
export type DropReason =
  | 'proxy-header-malformed'
  | 'proxy-header-timeout'
  | 'proxy-header-incomplete'
  | 'proxy-header-overload'
  | 'server-closed';

/** The two ends of a connection that a server accepted and dropped at once. See {@link ServerEventMap.drop}. */
export interface DropArgument {
  /** The server's IP address. */
  localAddress?: string;
  /** The server's port. */
  localPort?: number;
  /** `'IPv4'` or `'IPv6'`. */
  localFamily?: string;
  /** The client's IP address. */
  remoteAddress?: string;
  /** The client's port. */
  remotePort?: number;
  /** `'IPv4'` or `'IPv6'`. */
  remoteFamily?: string;
  /**
   * Why, if it was for the want of a PROXY header. The addresses are then those of the TCP connection itself: the
   * proxy's, if it was one.
   */
  reason?: DropReason;
}

// ---------------------------------------------------------------------------------------------------------
// Options
// ---------------------------------------------------------------------------------------------------------

/** Receives into one buffer that the program owns instead of `'data'` events. */
export interface OnReadOpts {
  /** The buffer to receive into, or a function that gives the buffer for the next read. */
  buffer: Uint8Array | (() => Uint8Array);
  /**
   * Called for every chunk of incoming data with the number of bytes placed at the start of `buffer`, and `buffer`.
   * Answering `false` pauses the socket.
   */
  callback(bytesWritten: number, buffer: Uint8Array): boolean;
}

/**
 * Options that `node:net` does not have. They are set before the socket connects or listens. Each throws
 * `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE` for anything but an integer in its range; `null` is the system's.
 */
export interface TuningOpts {
  /**
   * How long sent data may stay unacknowledged, or the peer take nothing, in milliseconds (`TCP_USER_TIMEOUT`), 0 to
   * 2^31 - 1. The connection then fails with `ETIMEDOUT`; so does an attempt that gets no answer. Default `0`: the
   * system's, many minutes. Linux only: elsewhere it has no effect, and a warning is emitted once. No effect on a
   * local socket.
   */
  userTimeout?: number | undefined;
  /**
   * Size of the system's buffer for data to send (`SO_SNDBUF`), in bytes, 1 to 2^31 - 1. The system has limits of its
   * own (`net.core.wmem_max` on Linux, which doubles the number for what it needs itself). Default: the system's,
   * which grows by itself.
   */
  sendBufferSize?: number | undefined;
  /**
   * Size of the system's buffer for received data (`SO_RCVBUF`), in bytes, 1 to 2^31 - 1. It bounds the window that the
   * peer is offered, which it is told in the handshake. The system has limits of its own. Default: the system's, which
   * grows by itself.
   */
  recvBufferSize?: number | undefined;
}

/** Options of `new Socket()`. */
export interface SocketConstructorOpts extends TuningOpts {
  /**
   * Take over this open file descriptor of a stream socket instead of making a new one.
   * Throws `ERR_INVALID_FD_TYPE` or a system error when it is not one.
   */
  fd?: number | undefined;
  /**
   * `true`: when the other side ends, this side stays writable until `end()` is called.
   * `false` (default): it ends by itself then.
   */
  allowHalfOpen?: boolean | undefined;
  /**
   * The limit, in bytes, from which `write()` answers `false` and reading stops until the program has caught up.
   * Default: `stream.getDefaultHighWaterMark(false)`.
   */
  highWaterMark?: number | undefined;
  /** Receive into a buffer of the program's own. No `'data'` events are emitted then. */
  onread?: OnReadOpts | undefined;
  /** With `fd`: allow reading. Default `false`; ignored without `fd`. */
  readable?: boolean | undefined;
  /** With `fd`: allow writing. Default `false`; ignored without `fd`. */
  writable?: boolean | undefined;
  /** Destroys the socket with an `AbortError` when it aborts. */
  signal?: AbortSignal | undefined;
  /** `true`: send small packets at once (`TCP_NODELAY`). Default `false`. */
  noDelay?: boolean | undefined;
  /** `true`: probe an idle connection (`SO_KEEPALIVE`). Default `false`. */
  keepAlive?: boolean | undefined;
  /** Idle time before the first keep-alive probe, in milliseconds. Default `0`: the system's. */
  keepAliveInitialDelay?: number | undefined;
  /** Addresses that this socket must not connect to; an attempt fails with `ERR_IP_BLOCKED`. */
  blockList?: BlockList | undefined;
  /** The IPv4 type of service or IPv6 traffic class, 0 to 255. Default: the system's. */
  typeOfService?: number | undefined;
}

/** Options of every connection that is opened. */
export interface ConnectOpts extends TuningOpts {
  /**
   * Limit for the whole connect, the lookup of the name and all attempts, in milliseconds; `0` (default) is none. The
   * socket is destroyed after it with an error whose `code` is `'ETIMEDOUT'` and `syscall` `'connect'`. It has
   * `address` and `port` where one address was tried; else `hostname`, and, where several were tried, it is an
   * `AggregateError` with one error per attempt. Throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE`.
   */
  connectTimeout?: number | undefined;
}

/** Where and how `socket.connect()` opens a TCP connection. */
export interface TcpSocketConnectOpts extends ConnectOpts {
  /** The port to connect to, 0 to 65535. `ERR_SOCKET_BAD_PORT` is thrown for anything else. */
  port: number;
  /** The name or address to connect to. Default `'localhost'`. */
  host?: string | undefined;
  /** The local address to connect from. `ERR_INVALID_IP_ADDRESS` is thrown when it is not an IP address. */
  localAddress?: string | undefined;
  /** The local port to connect from. Default: the system chooses. */
  localPort?: number | undefined;
  /** Flags for `dns.lookup`. */
  hints?: number | undefined;
  /** The IP version to use: `4`, `6`, or `0` for both (default). */
  family?: number | undefined;
  /** Resolves `host`. Default `dns.lookup`. */
  lookup?: LookupFunction | undefined;
  /**
   * `true`: try the addresses of both families until one answers. Default: {@link getDefaultAutoSelectFamily}.
   * When all fail, the error is an `AggregateError` with one error per attempt.
   */
  autoSelectFamily?: boolean | undefined;
  /**
   * How long one of these attempts may take before the next address is tried as well, in milliseconds; less than 10
   * is taken as 10. Default: {@link getDefaultAutoSelectFamilyAttemptTimeout}.
   */
  autoSelectFamilyAttemptTimeout?: number | undefined;
}

/** Where `socket.connect()` opens a local connection. */
export interface IpcSocketConnectOpts extends ConnectOpts {
  /**
   * The path of a Unix socket; a NUL and an abstract name (Linux); or the name of a Windows named pipe. One that is too
   * long fails with `EINVAL`.
   */
  path: string;
}

/** Options of `socket.connect()`. */
export type SocketConnectOpts = TcpSocketConnectOpts | IpcSocketConnectOpts;

/** Options of {@link connect} for TCP: those of `new Socket()` and of `socket.connect()` together. */
export interface TcpNetConnectOpts extends TcpSocketConnectOpts, SocketConstructorOpts {
  /** Makes the connection secure: `true`, or the options of `tls.connect`. Then the socket is a `tls.TLSSocket`. */
  tls?: true | ClientOptions | undefined;
  /** Calls `socket.setTimeout()` with this number of milliseconds as soon as the socket exists. */
  timeout?: number | undefined;
}

/** Options of {@link connect} for a local connection. */
export interface IpcNetConnectOpts extends IpcSocketConnectOpts, SocketConstructorOpts {
  /** Calls `socket.setTimeout()` with this number of milliseconds as soon as the socket exists. */
  timeout?: number | undefined;
}

/** Options of {@link connect} and {@link createConnection}. */
export type NetConnectOpts = TcpNetConnectOpts | IpcNetConnectOpts;

/** The object form of `socket.setKeepAlive()`. Each value is as for its argument of the same meaning. */
export interface SetKeepAliveOptions {
  /** Whether an idle connection is probed. Default `false`. */
  enable?: boolean | undefined;
  /** Idle time before the first probe, in milliseconds. Default `0`: leave it as it is. */
  initialDelay?: number | undefined;
  /** Time between two probes, in milliseconds. Default `1000`. */
  interval?: number | undefined;
  /** Unanswered probes after which the connection counts as lost. Default `10`. */
  count?: number | undefined;
}

/** Options of `server.listen()`. */
export interface ListenOptions {
  /** The port, 0 to 65535; `0` lets the system choose. `ERR_SOCKET_BAD_PORT` is thrown for anything else. */
  port?: number | undefined;
  /** The name or address to listen on. Default: every address (`'::'`, or `'0.0.0.0'` without IPv6). */
  host?: string | undefined;
  /**
   * The path of a Unix socket, a NUL and an abstract name (Linux), or the name of a Windows named pipe to listen on.
   * Ignored when `port` is given. A path is removed when the server closes. One that is there already fails with
   * `EADDRINUSE`, even if nobody is behind it any more: remove it first if you know that it is stale. `EACCES`: the
   * directory is not there or may not be written to; `EINVAL`: too long.
   */
  path?: string | undefined;
  /** Take over this open file descriptor of a listening stream socket. */
  fd?: number | undefined;
  /** How many connections may wait to be accepted. Default `511`; the system may allow fewer. */
  backlog?: number | undefined;
  /** Taken, and without effect: a cluster worker always listens by itself, as with `true` in Node.js. */
  exclusive?: boolean | undefined;
  /** `true`: a server on `'::'` does not accept IPv4 connections. Default `false`. */
  ipv6Only?: boolean | undefined;
  /**
   * `true`: several processes may listen on this port and the system spreads the connections (`SO_REUSEPORT`). Default
   * `false`. Where the system cannot (macOS, Windows), the server listens without it and a warning is emitted once;
   * `node:net` fails with `ENOTSUP`.
   */
  reusePort?: boolean | undefined;
  /** With `path`: every user may read from the socket. Default `false`. No effect on Windows. */
  readableAll?: boolean | undefined;
  /** With `path`: every user may write to the socket, and so connect. Default `false`. No effect on Windows. */
  writableAll?: boolean | undefined;
  /** Closes the server when it aborts. */
  signal?: AbortSignal | undefined;
}

/** Options of {@link createServer} and `new Server()`. They apply to every accepted socket. */
export interface ServerOpts extends TuningOpts {
  /**
   * `true`: when a client ends, the accepted socket stays writable until `end()` is called.
   * `false` (default): it ends by itself then.
   */
  allowHalfOpen?: boolean | undefined;
  /** `true`: nothing is read from an accepted socket before its `resume()`. Default `false`. */
  pauseOnConnect?: boolean | undefined;
  /** `true`: accepted sockets send small packets at once (`TCP_NODELAY`). Default `false`. */
  noDelay?: boolean | undefined;
  /** `true`: idle accepted connections are probed (`SO_KEEPALIVE`). Default `false`. */
  keepAlive?: boolean | undefined;
  /** Idle time before the first keep-alive probe, in milliseconds. Default `0`: the system's. */
  keepAliveInitialDelay?: number | undefined;
  /** High-water mark of accepted sockets, in bytes. Default: `stream.getDefaultHighWaterMark(false)`. */
  highWaterMark?: number | undefined;
  /**
   * Addresses whose connections are closed at once, without a `'connection'` or `'drop'` event. With `proxyProtocol` the
   * client's address counts, not the proxy's.
   */
  blockList?: BlockList | undefined;
  /**
   * `true`: every connection comes from a proxy and begins with a header of the PROXY protocol (v1 or v2), which is
   * read before `'connection'` is emitted. `remoteAddress`, `remotePort` and `remoteFamily` of the socket are then the
   * client's, and `localAddress`, `localPort` and `localFamily` where the client connected to, as the header says.
   * Where it names nobody (v1 `UNKNOWN`, v2 `LOCAL`, as in health checks) they are those of the connection itself.
   * A client on a Unix socket of the proxy has no addresses, as on any Unix socket. TLVs are passed over.
   *
   * A connection without a good header in time is closed, and `'drop'` says why. Anybody who can connect can claim any
   * address: let only your proxies reach such a server.
   *
   * Connections whose header is awaited, at most 1,024, are not counted by `getConnections()` and `maxConnections`.
   * Default `false`. Throws `ERR_INVALID_ARG_TYPE` for anything but a boolean.
   */
  proxyProtocol?: boolean | undefined;
  /**
   * With `proxyProtocol`: how long after the connection its header may be complete, in milliseconds, an integer from 1
   * to 2,147,483,647. Default `5000`. Throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE`.
   */
  proxyTimeout?: number | undefined;
}

/** Options of `server.close()`. */
export interface CloseOptions {
  /**
   * How long open connections may still take to end, in milliseconds from 0 on; those that are left then are destroyed.
   * Default: as long as they like.
   */
  grace?: number | undefined;
}

// ---------------------------------------------------------------------------------------------------------
// Events
// ---------------------------------------------------------------------------------------------------------

/**
 * The shape of a system error of a socket. Which properties are there depends on what failed: `address` and `port` say
 * whom an attempt was for; the others name both ends of an established connection, which `node:net` does not do. Of a
 * local socket they are paths.
 */
export interface SocketError extends Error {
  /** `'ECONNRESET'` and the like. */
  code: string;
  /** The system's number, negated. */
  errno?: number;
  /** `'connect'`, `'bind'`, `'read'`, `'write'` or `'shutdown'`. */
  syscall?: string;
  /** The address or path that was to be connected to. */
  address?: string;
  /** The port that was to be connected to. */
  port?: number;
  /** The name that was looked up. */
  hostname?: string;
  /** The IP address of this side. */
  localAddress?: string;
  /** The port of this side. */
  localPort?: number;
  /** The IP address of the other side. */
  remoteAddress?: string;
  /** The port of the other side. */
  remotePort?: number;
}

/** The events of a {@link Socket}, each with the arguments of its listeners. */
export interface SocketEventMap {
  /** The socket is closed; always the last event, and emitted once. `hadError`: an `'error'` came before it. */
  close: [hadError: boolean];
  /** The connection is established. */
  connect: [];
  /**
   * An attempt to connect begins. Of a local connection: its path alone, inside of the call of `connect()` and so only
   * for listeners that were there before it.
   */
  connectionAttempt: [ip: string, port: number, family: number];
  /** An attempt to connect failed; another address may still answer. */
  connectionAttemptFailed: [ip: string, port: number, family: number, error: Error];
  /**
   * An attempt to connect has taken longer than `autoSelectFamilyAttemptTimeout`. It goes on beside the one to the next
   * address, and may still win.
   */
  connectionAttemptTimeout: [ip: string, port: number, family: number];
  /** Data arrived: a `Buffer`, or a string after `setEncoding()`. */
  data: [data: string | Bytes];
  /** The write queue is empty again after a `write()` that answered `false`. */
  drain: [];
  /** The other side sent its last byte, and it has been read. */
  end: [];
  /** Something failed, see {@link SocketError}; `'close'` follows. Thrown as an uncaught exception when nobody listens. */
  error: [err: Error];
  /** All data was handed to the system after `end()`. */
  finish: [];
  /** The host name was resolved, or not (`err`). Not emitted for a numeric address or a local path. */
  lookup: [err: Error | null, address: string, family: number | null, host: string];
  /** Reading was paused. */
  pause: [];
  /** A readable stream began to pipe into this socket. */
  pipe: [src: Readable];
  /** There is data for `read()`, or the end was reached. */
  readable: [];
  /** The socket can be used; follows `'connect'` at once. */
  ready: [];
  /** Reading was resumed. */
  resume: [];
  /** Nothing was received or sent for the time given to `setTimeout()`. The socket stays open. */
  timeout: [];
  /** A readable stream stopped piping into this socket. */
  unpipe: [src: Readable];
}

/** The events of a {@link Server}, each with the arguments of its listeners. */
export interface ServerEventMap {
  /** The server is closed and its last connection has ended. */
  close: [];
  /** A connection was accepted. */
  connection: [socket: Socket];
  /**
   * A connection was accepted and closed at once because `maxConnections` was reached (no data for a local socket), or
   * because it had no good PROXY header (`data.reason`).
   */
  drop: [data?: DropArgument];
  /** Listening failed. Unlike with a socket, `'close'` does not follow. */
  error: [err: Error];
  /** The server listens. */
  listening: [];
}

// ---------------------------------------------------------------------------------------------------------
// Socket
// ---------------------------------------------------------------------------------------------------------

/**
 * One connection: a duplex stream of bytes over TCP, or over a Unix socket or Windows named pipe.
 *
 * It is made by the program to connect, or by a {@link Server} for every connection it accepts. Everything that
 * `stream.Duplex` can do, it can: `pipe()`, `read()`, `for await`, `pipeline()`.
 */
export class Socket extends Duplex {
  /**
   * Makes a socket that is not connected yet.
   *
   * Throws `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for wrong options.
   */
  constructor(options?: SocketConstructorOpts);

  /** The addresses that were tried, as `'ip:port'`, the last one being the connected one. Only with `autoSelectFamily`. */
  readonly autoSelectFamilyAttemptedAddresses: string[];
  /**
   * How many bytes wait to be sent.
   * @deprecated Use `writableLength`.
   */
  readonly bufferSize: number;
  /** How many bytes were received. */
  readonly bytesRead: number;
  /** How many bytes were written, those that still wait included. */
  readonly bytesWritten: number;
  /** `true` from `connect()` until the connection is established or has failed. */
  readonly connecting: boolean;
  /** `true` once the socket was destroyed; nothing can be read or written any more. */
  readonly destroyed: boolean;
  /** The IP address of this side; `undefined` while there is no connection. */
  readonly localAddress?: string;
  /** The port of this side; `undefined` while there is no connection. */
  readonly localPort?: number;
  /** The IP version of this side, `'IPv4'` or `'IPv6'`; `undefined` while there is no connection. */
  readonly localFamily?: string;
  /** `true` until the connection is established. */
  readonly pending: boolean;
  /** What the socket can do at the moment. */
  readonly readyState: SocketReadyState;
  /** The IP address of the other side; `undefined` while there is no connection. */
  readonly remoteAddress: string | undefined;
  /** The IP version of the other side, `'IPv4'` or `'IPv6'`; `undefined` while there is no connection. */
  readonly remoteFamily: string | undefined;
  /** The port of the other side; `undefined` while there is no connection. */
  readonly remotePort: number | undefined;
  /** The server that accepted this socket, or `null`. */
  readonly server: Server | null;
  /** The idle time given to `setTimeout()`, in milliseconds; `undefined` when it was never set. */
  readonly timeout?: number;

  /** The local address, port and family as the system reports them; an empty object while there is no connection. */
  address(): AddressInfo | {};

  /**
   * Connects. `'connect'` follows, or `'error'` and `'close'`; `connectionListener` listens to `'connect'` once.
   *
   * Throws `ERR_MISSING_ARGS` without a port or path, `ERR_SOCKET_BAD_PORT`, `ERR_INVALID_ARG_TYPE` and
   * `ERR_INVALID_IP_ADDRESS` (`localAddress`). What the system or the network refuses is an `'error'` with `code`
   * (such as `'ECONNREFUSED'`), `errno`, `syscall`, `address` and `port`.
   */
  connect(options: SocketConnectOpts, connectionListener?: () => void): this;
  connect(port: number, host: string, connectionListener?: () => void): this;
  connect(port: number, connectionListener?: () => void): this;
  connect(path: string, connectionListener?: () => void): this;

  /** Destroys the socket as soon as all written data was sent. Ends it first when it is still writable. */
  destroySoon(): void;

  /**
   * Sends what was written, then the end of the stream. Reading goes on until the other side ends too.
   * `callback` is called when everything was handed to the system.
   */
  end(callback?: () => void): this;
  end(buffer: Uint8Array | string, callback?: () => void): this;
  end(str: Uint8Array | string, encoding?: BufferEncoding, callback?: () => void): this;

  /** Stops reading. The other side feels it: once the buffers are full, it cannot send. */
  pause(): this;
  /** Reads again after `pause()`. */
  resume(): this;

  /** Lets the process live as long as this socket is open (the default). */
  ref(): this;
  /** Lets the process end although this socket is open. */
  unref(): this;

  /**
   * Closes the connection by a reset (RST) and destroys the socket. One that is still connecting is reset when it
   * is connected; one that has no connection is destroyed with `ERR_SOCKET_CLOSED`.
   *
   * Throws `ERR_INVALID_HANDLE_TYPE` for anything but TCP.
   */
  resetAndDestroy(): this;

  /** Gives received data as strings in this encoding (default `'utf8'`) rather than as `Buffer`s. */
  setEncoding(encoding?: BufferEncoding): this;

  /**
   * Switches keep-alive probes of an idle connection on or off.
   *
   * @param enable Whether to probe. Default `false`.
   * @param initialDelay Idle time before the first probe, in milliseconds. Default `0`: leave it as it is.
   * @param interval Time between two probes, in milliseconds. Default `1000`.
   * @param count Unanswered probes after which the connection counts as lost. Default `10`.
   */
  setKeepAlive(enable?: boolean, initialDelay?: number, interval?: number, count?: number): this;
  setKeepAlive(options: SetKeepAliveOptions): this;

  /** `true` (default): send small packets at once (`TCP_NODELAY`). `false`: let the system gather them. */
  setNoDelay(noDelay?: boolean): this;

  /**
   * Emits `'timeout'` when nothing was received or sent for this many milliseconds; `0` switches it off.
   * The socket stays open: call `end()` or `destroy()` yourself. `callback` listens to `'timeout'` once.
   *
   * Throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE` for anything but a finite number from 0.
   */
  setTimeout(timeout: number, callback?: () => void): this;

  /**
   * Sets how long sent data may stay unacknowledged, in milliseconds; see {@link TuningOpts.userTimeout}. Before
   * `connect()` it is kept and applied then.
   *
   * Throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, and where the platform does not have it
   * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
   */
  setUserTimeout(ms: number): this;

  /** The IPv4 type of service or IPv6 traffic class, 0 to 255. Some systems mask some of the bits. */
  getTypeOfService(): number;
  /**
   * Sets the IPv4 type of service or IPv6 traffic class, 0 to 255; before `connect()` it is kept and applied then.
   *
   * Throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE`.
   */
  setTypeOfService(tos: number): this;

  /**
   * Sends data; a string is encoded first (default `'utf8'`). Writes of one turn of the event loop go out together.
   *
   * Answers `false` when the queue has reached the high-water mark: wait for `'drain'` then. `callback` is called
   * when the data was handed to the system, or with the error that prevented it. A `Uint8Array` must not be changed
   * before that.
   */
  write(buffer: Uint8Array | string, callback?: WriteCallback): boolean;
  write(str: Uint8Array | string, encoding?: BufferEncoding, callback?: WriteCallback): boolean;

  addListener<E extends keyof SocketEventMap>(
    eventName: E,
    listener: (...args: SocketEventMap[E]) => void,
  ): this;
  addListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  emit<E extends keyof SocketEventMap>(eventName: E, ...args: SocketEventMap[E]): boolean;
  emit(eventName: string | symbol, ...args: any[]): boolean;
  listenerCount<E extends keyof SocketEventMap>(
    eventName: E,
    listener?: (...args: SocketEventMap[E]) => void,
  ): number;
  listenerCount(eventName: string | symbol, listener?: (...args: any[]) => void): number;
  listeners<E extends keyof SocketEventMap>(eventName: E): ((...args: SocketEventMap[E]) => void)[];
  listeners(eventName: string | symbol): ((...args: any[]) => void)[];
  off<E extends keyof SocketEventMap>(
    eventName: E,
    listener: (...args: SocketEventMap[E]) => void,
  ): this;
  off(eventName: string | symbol, listener: (...args: any[]) => void): this;
  on<E extends keyof SocketEventMap>(
    eventName: E,
    listener: (...args: SocketEventMap[E]) => void,
  ): this;
  on(eventName: string | symbol, listener: (...args: any[]) => void): this;
  once<E extends keyof SocketEventMap>(
    eventName: E,
    listener: (...args: SocketEventMap[E]) => void,
  ): this;
  once(eventName: string | symbol, listener: (...args: any[]) => void): this;
  prependListener<E extends keyof SocketEventMap>(
    eventName: E,
    listener: (...args: SocketEventMap[E]) => void,
  ): this;
  prependListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof SocketEventMap>(
    eventName: E,
    listener: (...args: SocketEventMap[E]) => void,
  ): this;
  prependOnceListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  rawListeners<E extends keyof SocketEventMap>(
    eventName: E,
  ): ((...args: SocketEventMap[E]) => void)[];
  rawListeners(eventName: string | symbol): ((...args: any[]) => void)[];
  removeAllListeners(eventName?: keyof SocketEventMap | string | symbol): this;
  removeListener<E extends keyof SocketEventMap>(
    eventName: E,
    listener: (...args: SocketEventMap[E]) => void,
  ): this;
  removeListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
}

/** The older name of {@link Socket}. */
export { Socket as Stream };

// ---------------------------------------------------------------------------------------------------------
// Server
// ---------------------------------------------------------------------------------------------------------

/** Accepts connections and emits `'connection'` with a {@link Socket} for each. */
export class Server extends EventEmitter {
  /**
   * Makes a server that does not listen yet. `connectionListener` listens to `'connection'`.
   *
   * Throws `ERR_INVALID_ARG_TYPE` for wrong options.
   */
  constructor(connectionListener?: (socket: Socket) => void);
  constructor(options?: ServerOpts, connectionListener?: (socket: Socket) => void);

  /** Whether the server listens. */
  readonly listening: boolean;
  /** From this number of open connections on, new ones are closed at once (`'drop'`). Default: no limit. */
  maxConnections: number;
  /**
   * Has no effect: connections above `maxConnections` are always closed, because sockets are not handed on to other
   * cluster workers. Declared as in `node:net`.
   */
  dropMaxConnection: boolean;
  /**
   * Declared so that this class is assignable to the one of `node:net`.
   * @deprecated Use {@link Server.getConnections}.
   */
  connections: number;

  /**
   * Where the server listens: address, port and family, or the path. `null` while it does not listen.
   * With a numeric address, or without a host, it is known as soon as `listen()` returns.
   */
  address(): AddressInfo | string | null;

  /**
   * Stops accepting, and removes the path of a local server. `'close'` follows when the last open connection has ended; `callback` is called then, or with
   * `ERR_SERVER_NOT_RUNNING` when the server was not listening.
   *
   * With `grace`, connections that are still open after so many milliseconds are destroyed. Waiting for that does not
   * keep the process alive; the connections do, unless they are unref'd. Of several graces each holds, so the shortest
   * one decides. A server that listens again meanwhile keeps the connections that it accepts then.
   *
   * Throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE` for anything but a finite number from 0.
   */
  close(callback?: (err?: Error) => void): this;
  close(options: CloseOptions, callback?: (err?: Error) => void): this;

  /**
   * Destroys every open connection of this server. It goes on listening. A connection whose PROXY header is still
   * awaited is none yet.
   */
  closeAllConnections(): void;

  /** Gives the number of open connections to `cb`. */
  getConnections(cb: (error: Error | null, count: number) => void): this;

  /**
   * Listens. `'listening'` follows, or `'error'` with `code` (such as `'EADDRINUSE'`), `errno`, `syscall`, `address`
   * and `port`. `listeningListener` listens to `'listening'` once.
   *
   * Throws `ERR_SERVER_ALREADY_LISTEN`, `ERR_SOCKET_BAD_PORT`, `ERR_INVALID_ARG_VALUE` and `ERR_INVALID_ARG_TYPE`.
   */
  listen(port?: number, hostname?: string, backlog?: number, listeningListener?: () => void): this;
  listen(port?: number, hostname?: string, listeningListener?: () => void): this;
  listen(port?: number, backlog?: number, listeningListener?: () => void): this;
  listen(port?: number, listeningListener?: () => void): this;
  listen(path: string, backlog?: number, listeningListener?: () => void): this;
  listen(path: string, listeningListener?: () => void): this;
  listen(options: ListenOptions, listeningListener?: () => void): this;
  listen(listeningListener?: () => void): this;

  /** Lets the process live as long as this server listens (the default). */
  ref(): this;
  /** Lets the process end although this server listens. */
  unref(): this;

  /** Closes the server; the promise is fulfilled when it is closed. */
  [Symbol.asyncDispose](): Promise<void>;

  /**
   * The connections of this server, for `for await`. They wait, unread, until they are taken; from 64 on no more are
   * accepted (up to 512 may be on their way then) and further ones wait with the system. Several loops share: each
   * connection goes to one of them. Listeners of `'connection'` are told of it all the same.
   *
   * `close()` ends the loop when those that wait have been given out; an `'error'` of the server ends it by throwing.
   * After `break` the server goes on listening, and connections for which there is no listener wait for the next loop.
   * Those for which there is none when the server is closed are reset.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Socket>;

  addListener<E extends keyof ServerEventMap>(
    eventName: E,
    listener: (...args: ServerEventMap[E]) => void,
  ): this;
  addListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  emit<E extends keyof ServerEventMap>(eventName: E, ...args: ServerEventMap[E]): boolean;
  emit(eventName: string | symbol, ...args: any[]): boolean;
  listenerCount<E extends keyof ServerEventMap>(
    eventName: E,
    listener?: (...args: ServerEventMap[E]) => void,
  ): number;
  listenerCount(eventName: string | symbol, listener?: (...args: any[]) => void): number;
  listeners<E extends keyof ServerEventMap>(eventName: E): ((...args: ServerEventMap[E]) => void)[];
  listeners(eventName: string | symbol): ((...args: any[]) => void)[];
  off<E extends keyof ServerEventMap>(
    eventName: E,
    listener: (...args: ServerEventMap[E]) => void,
  ): this;
  off(eventName: string | symbol, listener: (...args: any[]) => void): this;
  on<E extends keyof ServerEventMap>(
    eventName: E,
    listener: (...args: ServerEventMap[E]) => void,
  ): this;
  on(eventName: string | symbol, listener: (...args: any[]) => void): this;
  once<E extends keyof ServerEventMap>(
    eventName: E,
    listener: (...args: ServerEventMap[E]) => void,
  ): this;
  once(eventName: string | symbol, listener: (...args: any[]) => void): this;
  prependListener<E extends keyof ServerEventMap>(
    eventName: E,
    listener: (...args: ServerEventMap[E]) => void,
  ): this;
  prependListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof ServerEventMap>(
    eventName: E,
    listener: (...args: ServerEventMap[E]) => void,
  ): this;
  prependOnceListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  rawListeners<E extends keyof ServerEventMap>(
    eventName: E,
  ): ((...args: ServerEventMap[E]) => void)[];
  rawListeners(eventName: string | symbol): ((...args: any[]) => void)[];
  removeAllListeners(eventName?: keyof ServerEventMap | string | symbol): this;
  removeListener<E extends keyof ServerEventMap>(
    eventName: E,
    listener: (...args: ServerEventMap[E]) => void,
  ): this;
  removeListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
}

// ---------------------------------------------------------------------------------------------------------
// Functions
// ---------------------------------------------------------------------------------------------------------

/** Makes a {@link Server}; the same as `new Server(...)`. */
export function createServer(connectionListener?: (socket: Socket) => void): Server;
/**
 * With the option `tls` (those of `tls.createServer`), a `tls.Server`; the listener is told of secure connections. Throws
 * `ERR_MISSING_ARGS` where there is neither a certificate with its key nor anything that gives one. (`new Server()`,
 * `new Socket()` and `socket.connect()` know no such option and throw `ERR_INVALID_ARG_VALUE`.)
 */
export function createServer(
  options: ServerOpts & { tls: ServerSideOptions },
  connectionListener?: (socket: TLSSocket) => void,
): TlsServer;
export function createServer(
  options?: ServerOpts,
  connectionListener?: (socket: Socket) => void,
): Server;

/**
 * Makes a {@link Socket} and connects it: `new Socket(options).connect(options)`. Listen to `'error'`.
 * `connectionListener` listens to `'connect'` once. Throws what the constructor and `connect()` throw.
 */
export function connect(
  options: NetConnectOpts & { tls: true | ClientOptions },
  connectionListener?: () => void,
): TLSSocket;
export function connect(options: NetConnectOpts, connectionListener?: () => void): Socket;
export function connect(port: number, host?: string, connectionListener?: () => void): Socket;
export function connect(port: number, connectionListener?: () => void): Socket;
export function connect(path: string, connectionListener?: () => void): Socket;

/** The same as {@link connect}. */
export function createConnection(
  options: NetConnectOpts & { tls: true | ClientOptions },
  connectionListener?: () => void,
): TLSSocket;
export function createConnection(options: NetConnectOpts, connectionListener?: () => void): Socket;
export function createConnection(
  port: number,
  host?: string,
  connectionListener?: () => void,
): Socket;
export function createConnection(port: number, connectionListener?: () => void): Socket;
export function createConnection(path: string, connectionListener?: () => void): Socket;

/** The IP version of an address in text form: `4`, `6`, or `0` when it is not an address. */
export function isIP(input: string): number;
/** Whether `input` is an IPv4 address in dotted decimal form without leading zeros. */
export function isIPv4(input: string): boolean;
/** Whether `input` is an IPv6 address. */
export function isIPv6(input: string): boolean;

/** The default of the `autoSelectFamily` option. */
export function getDefaultAutoSelectFamily(): boolean;
/** Sets the default of the `autoSelectFamily` option. Throws `ERR_INVALID_ARG_TYPE`. */
export function setDefaultAutoSelectFamily(value: boolean): void;
/** The default of the `autoSelectFamilyAttemptTimeout` option, in milliseconds. */
export function getDefaultAutoSelectFamilyAttemptTimeout(): number;
/**
 * Sets the default of the `autoSelectFamilyAttemptTimeout` option, in milliseconds; less than 10 is taken as 10.
 * Throws `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE` for anything but a positive integer.
 */
export function setDefaultAutoSelectFamilyAttemptTimeout(value: number): void;

/** The same as `socket/promises`. */
export * as promises from './promises';
