/**
 * Value sockets: any JavaScript value in, the same value out, over TCP or a local path.
 *
 * `docs/DATA-SOCKET.md` has the behaviour in full, the wire format, and what becomes of which value.
 */

import type { ClientOptions, ServerSideOptions } from './tls';

/** Options of {@link DataSocket.connect} and {@link DataSocket.listen}. `undefined` means the default. */
export interface DataSocketOptions {
  /**
   * The longest value that is taken, in encoded bytes; 1 to 2³¹ − 1. The peer is told, so that its `send()` throws for a
   * longer one. Default 64 MiB.
   */
  maxMessageSize?: number | undefined;
  /**
   * Bytes that may wait to be sent on one connection that stands; more is `error` with `ERR_DATASOCKET_BUFFER_FULL`, and the
   * connection is reset. 0 is no limit. Default 0.
   */
  maxBufferedAmount?: number | undefined;
  /** Levels of arrays, objects and so on inside each other, sent (not with `'json'`) and received; at least 1. Default 1024. */
  maxDepth?: number | undefined;
  /**
   * Milliseconds that the peer has for its hello, from the moment TCP stands; 0 is no limit. Default 5000. Then: `error`
   * with `ETIMEDOUT`, or on a listener `clienterror`.
   */
  handshakeTimeout?: number | undefined;
  /**
   * `'cbor'`: all values. `'json'`: what JSON has, for peers that read nothing else; frames are checked before they reach
   * JavaScript. Both ends have to agree; if they do not, that is `ERR_DATASOCKET_CODEC`. Default `'cbor'`.
   */
  codec?: 'cbor' | 'json' | undefined;
  /** No Nagle's algorithm. Default true. */
  noDelay?: boolean | undefined;
  /** Milliseconds of silence after which TCP looks whether the peer is there; 0 is never. Default 0. */
  keepAliveDelay?: number | undefined;
  /** Aborting it is `error` (an `AbortError`, `ABORT_ERR`), then `close`. Of a listener: its connections live on. */
  signal?: AbortSignal | undefined;
}

/** Options of {@link DataSocket.connect}. */
export interface DataSocketConnectOptions extends DataSocketOptions {
  /** TLS, with the options of `tls.connect`; `true` is without any. Default: none. */
  tls?: boolean | ClientOptions | undefined;
}

/** Options of {@link DataSocket.listen}. Those of values hold for each of its connections. */
export interface DataSocketListenOptions extends DataSocketOptions {
  /** TLS, with the options of `tls.createServer`: at least a certificate. Default: none. */
  tls?: false | ServerSideOptions | undefined;
}

/**
 * What an `error` or a `clienterror` is about.
 *
 * | `code` | what happened |
 * | --- | --- |
 * | `ERR_DATASOCKET_PROTOCOL` | the peer is none of ours (the message says what it looks like), or closed before its hello |
 * | `ERR_DATASOCKET_VERSION` | it speaks another version; both are in the message |
 * | `ERR_DATASOCKET_CODEC` | its values come in another codec; both are in the message |
 * | `ERR_DATASOCKET_REFUSED` | its acceptor did not return true |
 * | `ERR_DATASOCKET_TOO_LARGE` | a value came in that is longer than `maxMessageSize`; or a queued one is longer than the peer takes |
 * | `ERR_DATASOCKET_BUFFER_FULL` | more than `maxBufferedAmount` waited to be sent |
 * | `ERR_DATASOCKET_DECODE` | something came in that is no value, or has too many levels |
 * | `ERR_DATASOCKET_TRUNCATED` | the connection ended inside of a value |
 * | `ERR_DATASOCKET_OVERLOAD` | (`clienterror`) more than 1,024 connections waited for their hello, and this one longest |
 * | `ETIMEDOUT` | there was no hello in time |
 * | `ABORT_ERR` | the signal was aborted |
 * | `ECONNREFUSED`, `ECONNRESET`, … | the system's |
 */
export interface DataSocketError extends Error {
  code: string;
}

/** Events and their arguments. `receive` is `data`, `send` is `sent`. */
export interface DataSocketEvents<Value> {
  /** The connection stands and the peer's acceptor took it. Only for who has called {@link DataSocket.connect}. */
  connect: [];
  /**
   * A value. While nobody listens, values are held, nothing more is read, and neither the peer's end nor a broken frame
   * is noticed.
   */
  data: [value: Value];
  receive: [value: Value];
  /** The system has taken the last byte of a value: one for each `send()`, in their order. */
  sent: [];
  send: [];
  /** At most once; `close` follows. Without a listener it is silent (`NODE_DEBUG=socket` shows it). */
  error: [error: DataSocketError];
  /** The last event, once. */
  close: [];
  /** Listeners: a connection ended before the acceptor was asked, with the address of the peer. */
  clienterror: [error: DataSocketError, address: string];
}

/** The name of an event, or of an event in a namespace: `data`, `data.mine`. */
export type DataSocketEvent = keyof DataSocketEvents<unknown>;

/** The arguments of an event with or without a namespace. */
type ArgumentsOf<Name extends string, Value> = Name extends `${infer Event}.${string}`
  ? Event extends DataSocketEvent
    ? DataSocketEvents<Value>[Event]
    : never
  : Name extends DataSocketEvent
    ? DataSocketEvents<Value>[Name]
    : never;

/** Decides about a connection: exactly `true` takes it. What it sends before is sent when it is taken. */
export type DataSocketAcceptor<Received = any, Sent = any> = (
  this: DataSocket,
  connection: DataSocket<Received, Sent>,
) => boolean;

/**
 * One end of a connection that carries values, or a listener. Not an EventEmitter: {@link DataSocket.off} takes
 * namespaces, and an `error` without a listener does not throw. Callbacks are called with the socket as `this`.
 *
 * ```js
 * const listener = DataSocket.listen((socket) => {
 *   socket.on('data', (value) => socket.send({ got: value }));
 *   return true;
 * }, 4000);
 *
 * const client = DataSocket.connect(4000);
 * client.on('data', (value) => console.log(value));
 * client.send(new Map([['now', new Date()]]));
 * ```
 *
 * @typeParam Received what `data` gives
 * @typeParam Sent what `send()` takes
 */
export class DataSocket<Received = any, Sent = Received> {
  /** @throws {TypeError} Always: `connect` and `listen` make sockets. */
  private constructor();

  /**
   * Connects to a port and returns at once; `connect` follows, or `error` and `close`.
   * @param port 1 to 65535, as the first argument also as text (`'4000'`); another throws a `RangeError`
   *   (`ERR_SOCKET_BAD_PORT`)
   * @param domain a name or an IP address. Default `'localhost'`.
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   * @throws {RangeError} `ERR_SOCKET_BAD_PORT`, `ERR_OUT_OF_RANGE`
   */
  static connect<Received = any, Sent = Received>(
    port: number | `${number}`,
    domain?: string | null,
    options?: DataSocketConnectOptions | null,
  ): DataSocket<Received, Sent>;
  static connect<Received = any, Sent = Received>(
    port: number | `${number}`,
    options: DataSocketConnectOptions,
  ): DataSocket<Received, Sent>;
  /** The same in the other order. */
  static connect<Received = any, Sent = Received>(
    domain: string,
    port: number,
    options?: DataSocketConnectOptions | null,
  ): DataSocket<Received, Sent>;
  /** Connects to a Unix socket by its path, or to a named pipe on Windows. Digits alone are a port; `'host:4000'` throws. */
  static connect<Received = any, Sent = Received>(
    path: string,
    options?: DataSocketConnectOptions | null,
  ): DataSocket<Received, Sent>;

  /**
   * Listens. On an address, on `'localhost'` and without a domain it does so before it returns; a name is looked up first,
   * and what goes wrong then is `error` and `close`.
   * @param acceptor is asked about each connection
   * @param port 0 is any free port, which `port` then tells
   * @param domain Default: loopback only (127.0.0.1). `'0.0.0.0'` and `'::'` are for the network.
   * @throws {Error} the system's: `EADDRINUSE`, `EACCES`, …
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   * @throws {RangeError} `ERR_SOCKET_BAD_PORT`, `ERR_OUT_OF_RANGE`
   */
  static listen<Received = any, Sent = Received>(
    acceptor: DataSocketAcceptor<Received, Sent>,
    port: number | `${number}`,
    domain?: string | null,
    options?: DataSocketListenOptions | null,
  ): DataSocket<never, never>;
  static listen<Received = any, Sent = Received>(
    acceptor: DataSocketAcceptor<Received, Sent>,
    port: number | `${number}`,
    options: DataSocketListenOptions,
  ): DataSocket<never, never>;
  /** The same in the other order. */
  static listen<Received = any, Sent = Received>(
    acceptor: DataSocketAcceptor<Received, Sent>,
    domain: string,
    port: number,
    options?: DataSocketListenOptions | null,
  ): DataSocket<never, never>;
  /** Listens on a Unix socket, or a named pipe on Windows. The file goes when the listener closes. */
  static listen<Received = any, Sent = Received>(
    acceptor: DataSocketAcceptor<Received, Sent>,
    path: string,
    options?: DataSocketListenOptions | null,
  ): DataSocket<never, never>;

  /**
   * Calls `callback` for each event. What is behind the first dot of the name is its namespace, by which it can be taken
   * off. The same callback twice is called twice.
   * @throws {TypeError} the name is empty or not text, the callback no function
   */
  on<Name extends DataSocketEvent | `${DataSocketEvent}.${string}`>(
    event: Name,
    callback: (this: this, ...args: ArgumentsOf<Name, Received>) => void,
  ): this;

  /** The same for the next event only. */
  once<Name extends DataSocketEvent | `${DataSocketEvent}.${string}`>(
    event: Name,
    callback: (this: this, ...args: ArgumentsOf<Name, Received>) => void,
  ): this;

  /**
   * Takes callbacks off: all of an event in every namespace (`'data'`), of an event in a namespace (`'data.mine'`), of a
   * namespace in every event (`'.mine'`). With a callback, only that one.
   */
  off(
    event: DataSocketEvent | `${DataSocketEvent}.${string}` | `.${string}`,
    callback?: (...args: any[]) => void,
  ): this;
  /** Takes a callback off, wherever it is. */
  off(callback: (...args: any[]) => void): this;

  /**
   * Sends a value, which arrives as one `data`. It is encoded before this returns, so later changes do not matter. Before
   * the connection stands, it is queued.
   * @returns whether at most 65,536 bytes wait now; if not, a `sent` is a good moment to go on
   * @throws {DOMException} `DataCloneError`: it cannot be sent (a function, a promise, …); nothing of it is
   * @throws {RangeError} `ERR_DATASOCKET_TOO_LARGE`: it is longer than the peer takes; the socket stays usable
   * @throws {Error} `ERR_SOCKET_CLOSED`; `ERR_INVALID_STATE` on a listener
   */
  send(value: Sent): boolean;

  /** Sends what was sent before, then closes; `close` follows. Nothing is delivered any more. A listener stops listening. */
  close(): void;

  /** Closes and drops what waits to be sent; if something does, the peer gets a reset. */
  closeImmediately(): void;

  /** False once it is closed, is being closed or has failed. */
  readonly active: boolean;
  /** The same. */
  readonly state: boolean;
  /**
   * The name that is connected to; when the connection stands, the IP address of the peer; of a listener, where it listens.
   * Of a local socket, its path.
   */
  readonly address: string;
  /** The same. */
  readonly remoteAddress: string;
  /** The port of the peer; of a listener, its own. 0 of a local socket. */
  readonly port: number;
  /** Bytes that were sent and are not with the system yet. */
  readonly bufferedAmount: number;

  /** Closes as {@link close} does, and is fulfilled with `close`: `await using`. */
  [Symbol.asyncDispose](): Promise<void>;

  /** It keeps the process alive while it is active; this is so from the beginning. */
  ref(): this;
  /** It does not keep the process alive. */
  unref(): this;
}

// oxlint-disable-next-line unicorn/require-module-specifiers -- without it all of the above would be exported
export {};
