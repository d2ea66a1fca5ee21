/**
 * What happens once in the life of a socket or a server, as promises: the surface of `node:net/promises` of newer
 * versions of Node.js, on any version, and a server whose `close()` answers a promise.
 */

import type {
  CloseOptions,
  ListenOptions,
  NetConnectOpts,
  Server as NetServer,
  ServerEventMap,
  ServerOpts,
  Socket,
} from './net';

import type { ClientOptions, Server as TlsServer, ServerSideOptions, TLSSocket } from './tls';

export { BlockList, SocketAddress, isIP, isIPv4, isIPv6 } from './net';

/** Options of {@link listen}: those of `net.createServer()` and of `server.listen()` together. */
export interface PromiseListenOptions extends ServerOpts, ListenOptions {
  /** Listens to `'connection'`. Default: connections wait for a `for await` loop, or a listener that comes later. */
  connectionListener?: ((socket: Socket) => void) | undefined;
  /**
   * Closes the server whenever it aborts; while it does not listen yet, the promise is rejected with an `AbortError`.
   */
  signal?: AbortSignal | undefined;
}

/** The methods of a server that are different here, and those that answer the server itself. */
type Own =
  | 'addListener'
  | 'close'
  | 'getConnections'
  | 'listen'
  | 'off'
  | 'on'
  | 'once'
  | 'prependListener'
  | 'prependOnceListener'
  | 'ref'
  | 'removeAllListeners'
  | 'removeListener'
  | 'unref';

/** Adds or removes a listener of an event. */
interface Listen<S> {
  <E extends keyof ServerEventMap>(eventName: E, listener: (...args: ServerEventMap[E]) => void): S;
  (eventName: string | symbol, listener: (...args: any[]) => void): S;
}

/**
 * A server that {@link listen} made: a `net.Server` whose `close()` answers a promise, and whose connections wait from
 * the start until somebody takes them.
 */
export interface Server extends Omit<NetServer, Own> {
  /**
   * Stops accepting. The promise is fulfilled when the last open connection has ended, also if the server was closed
   * already. `callback` is called at the same time, as that of `net.Server`.
   *
   * With `grace`, connections that are still open after so many milliseconds are destroyed.
   *
   * Rejected with `ERR_INVALID_ARG_TYPE` or `ERR_OUT_OF_RANGE` for a `grace` that is no finite number from 0.
   */
  close(callback?: (err?: Error) => void): Promise<void>;
  close(options: CloseOptions, callback?: (err?: Error) => void): Promise<void>;

  /** `close()`, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;

  /** Gives the number of open connections to `cb`; those that wait are among them. */
  getConnections(cb: (error: Error | null, count: number) => void): this;

  /** Listens again after it was closed, as {@link NetServer.listen} does. */
  listen(options?: ListenOptions, listeningListener?: () => void): this;
  listen(port: number, host?: string, backlog?: number, listeningListener?: () => void): this;
  listen(path: string, backlog?: number, listeningListener?: () => void): this;

  /** Lets the process live as long as this server listens (the default). */
  ref(): this;
  /** Lets the process end although this server listens. */
  unref(): this;

  addListener: Listen<this>;
  off: Listen<this>;
  on: Listen<this>;
  once: Listen<this>;
  prependListener: Listen<this>;
  prependOnceListener: Listen<this>;
  removeAllListeners(eventName?: keyof ServerEventMap | string | symbol): this;
  removeListener: Listen<this>;
}

/** The same with TLS: a `tls.Server`. What waits, and what a `for await` loop gets, is connections whose handshake is over. */
export interface SecureServer extends Server, Pick<TlsServer, 'addContext' | 'setSecureContext'> {
  [Symbol.asyncIterator](): AsyncIterableIterator<TLSSocket>;
}

/**
 * Connects. The promise is fulfilled with the socket when the connection is established.
 *
 * It is rejected with the error of the socket (`code`, `errno`, `syscall`, `address`, `port`), with what `net.connect()`
 * throws for wrong arguments, or with an `AbortError` when `options.signal` aborts before that; the socket is destroyed
 * then. An abort afterwards has no effect. Listen to `'error'` of the socket, as with any other.
 *
 * With the option `tls`, as of `net.connect()`, it is fulfilled with a `tls.TLSSocket` when the handshake is over, and
 * rejected when that fails.
 */
export function connect(
  options: NetConnectOpts & { tls: true | ClientOptions },
): Promise<TLSSocket>;
export function connect(options: NetConnectOpts): Promise<Socket>;
export function connect(port: number, host?: string): Promise<Socket>;
export function connect(path: string): Promise<Socket>;

/**
 * Makes a server and listens. The promise is fulfilled with the server when it listens. Without a port, path or
 * descriptor the system chooses a port.
 *
 * It is rejected with the error of the server (such as `'EADDRINUSE'`), with what `net.createServer()` and
 * `server.listen()` throw for wrong arguments, or with an `AbortError` when `options.signal` aborts before that.
 */
export function listen(
  options: Omit<PromiseListenOptions, 'connectionListener'> & {
    /** Those of `tls.createServer()`. */
    tls: ServerSideOptions;
    /** Listens to `'secureConnection'`. */
    connectionListener?: ((socket: TLSSocket) => void) | undefined;
  },
): Promise<SecureServer>;
export function listen(options?: PromiseListenOptions): Promise<Server>;
export function listen(port: number, host?: string, backlog?: number): Promise<Server>;
export function listen(path: string, backlog?: number): Promise<Server>;
