/**
 * Message sockets: typed values over TCP, in messages that arrive whole.
 *
 * Both ends agree on what the bytes are; there is no type on the wire. `docs/MESSAGES.md` has the wire format.
 */

import { EventEmitter } from 'node:events';

/**
 * Received bytes: a `Buffer` over memory of its own. (Spelled this way so that it is the same type with every version
 * of `@types/node`, whether or not `Buffer` has a type parameter there.)
 */
type Bytes = ReturnType<typeof Buffer.allocUnsafeSlow>;

// ---------------------------------------------------------------------------------------------------------
// Types of messages
// ---------------------------------------------------------------------------------------------------------

/** Whole numbers. Out of range is cut as in Java: to the nearest 32-bit (or 64-bit) integer, then to the low bits. */
export type IntegerType =
  'byte' | 'int' | 'long' | 'short' | 'unsignedbyte' | 'unsignedint' | 'unsignedshort';

/** All numbers. Big-endian on the wire. `number` is `double`. */
export type NumberType = IntegerType | 'double' | 'float' | 'number';

/** What `receiveType` may be. */
export type ReceiveType = NumberType | 'image' | 'json' | 'string';

/** Encodings that images may be sent in. `jpg` is `jpeg`. */
export type ImageType = 'bmp' | 'gif' | 'jpeg' | 'jpg' | 'png' | 'wbmp';

/** What `sendType` may be. */
export type SendType = ReceiveType | ImageType;

/**
 * The same names in any case and with space around, as the functions take them. A name that is not known to the
 * compiler is not known to have a value type either.
 */
type AnyCase<Name extends string> = Name | (string & {});

/** Pixels to encode: four bytes each, red, green, blue and opacity, row by row from the top. */
export interface Pixels {
  /** `width × height × 4` bytes. */
  data: Uint8Array | Uint8ClampedArray;
  /** Pixels in a row; at least 1. */
  width: number;
  /** Rows; at least 1. */
  height: number;
}

/** Every array of numbers, `Buffer` included. */
type NumberArray =
  | readonly (number | bigint | null | undefined)[]
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/**
 * What `send()` takes, by `sendType`. `undefined`, and but for `json` `null`, is nothing: nothing is sent.
 *
 * | `sendType` | value |
 * | --- | --- |
 * | a number type | a number, a BigInt, or an array of them (ordinary or typed) that is sent as one message; `null` and `undefined` in it are left out |
 * | `string` | anything that has a string form; of an array, typed or not, the elements' forms side by side; the bytes of a `Uint8Array`, `DataView` or `ArrayBuffer` as they are |
 * | `json` | a string is JSON text already; everything else goes through `JSON.stringify` |
 * | `image` | the bytes of an image file, or pixels, which become a JPEG |
 * | `bmp` … `wbmp` | the bytes of such a file (its signature is checked), or pixels |
 */
export type SendValue<S extends string> = S extends NumberType
  ? number | bigint | NumberArray | null | undefined
  : S extends 'image' | ImageType
    ? Uint8Array | Pixels | null | undefined
    : unknown;

/**
 * What a number type is received as: in raw mode a number (with `emitBatchDataAsAvailable` an array), in frames a
 * number or, of a frame that has not exactly one, an array. `long` with `bigint: true` is a BigInt.
 */
type ReceivedNumbers<One, O> = O extends { emitBatchDataAsAvailable: true }
  ? IsRaw<O> extends true
    ? One[]
    : One | One[]
  : One | One[];

/** Whether the options say, also by silence, that `rawBytes` is true. */
type IsRaw<O> = 'rawBytes' extends keyof O
  ? [O['rawBytes']] extends [true | null | undefined]
    ? true
    : false
  : true;

/**
 * What a `data` listener gets, by `receiveType` and the other options: a number or an array of numbers, a string, any
 * JSON value, or for `image` a `Buffer`.
 */
export type ReceiveValue<R extends string, O = {}> = R extends 'long'
  ? ReceivedNumbers<O extends { bigint: true } ? bigint : number, O>
  : R extends NumberType
    ? ReceivedNumbers<number, O>
    : R extends 'string'
      ? string
      : R extends 'image'
        ? Bytes
        : any;

/**
 * The type that the options `O` name, in lower case; the default where they name none; `string` where it shows only when
 * the program runs.
 */
type NameOf<O, Key extends string> = Key extends keyof O
  ? [O[Key]] extends [null | undefined]
    ? 'string'
    : [O[Key]] extends [string]
      ? Lowercase<O[Key]>
      : string
  : 'string';
type SendTypeOf<O> = NameOf<O, 'sendType'>;
type ReceiveTypeOf<O> = NameOf<O, 'receiveType'>;

/** What no option is called: a slip of the pen is an error, also beside options that are right. */
type NoOthers<O, Known> = { [Name in Exclude<keyof O, keyof Known>]: never };

/** What one may send with the options `O`. */
export type SendValueOf<O> = SendValue<SendTypeOf<O>>;
/** What one receives with the options `O`. */
export type ReceiveValueOf<O> = ReceiveValue<ReceiveTypeOf<O>, O>;

/**
 * Names of the types that can be received: `byte`, `double`, `float`, `image`, `int`, `json`, `long`, `number`,
 * `short`, `string`, `unsignedbyte`, `unsignedint`, `unsignedshort`. A new array each time.
 */
export function supportedReceiveTypes(): ReceiveType[];

/** The same, and behind them `bmp`, `gif`, `jpeg`, `jpg`, `png`, `wbmp`. A new array each time. */
export function supportedSendTypes(): SendType[];

// ---------------------------------------------------------------------------------------------------------
// Options
// ---------------------------------------------------------------------------------------------------------

/**
 * Options of clients and servers. `undefined` and `null` mean the default. Numbers and booleans may be given as text.
 * A name that is none of these is ignored, with a process warning.
 *
 * What is out of range throws a `RangeError` (`ERR_OUT_OF_RANGE`), what is of a wrong type a `TypeError`
 * (`ERR_INVALID_ARG_TYPE`), in the constructor.
 */
export interface MessageOptions {
  /** What is received. Not case-sensitive. Another name throws a `TypeError`. Default `'string'`. */
  receiveType?: AnyCase<ReceiveType> | null | undefined;
  /** What is sent. Not case-sensitive. Another name throws a `TypeError`. Default `'string'`. */
  sendType?: AnyCase<SendType> | null | undefined;
  /**
   * True: the bytes of the values and nothing else, so that the peer may be anything. False: each message has a header
   * with its length and arrives whole. Default true.
   */
  rawBytes?: boolean | null | undefined;
  /** Raw numbers: all of one read are one array, instead of one event each. Default false. */
  emitBatchDataAsAvailable?: boolean | null | undefined;
  /** Event `messages` with an array of messages, instead of `data` for each. Default false. */
  batch?: boolean | null | undefined;
  /** Whether a received `long` is a BigInt. Otherwise it is the nearest number. Default false. */
  bigint?: boolean | null | undefined;
  /**
   * The longest message in bytes, without header; 1 to 2³¹ − 1. A longer one is not sent, and when it comes in, the
   * connection is closed. Default 64 MiB.
   */
  maxMessageSize?: number | null | undefined;
  /**
   * Bytes that may wait to be sent on one connection ({@link MessageConnection.bufferedAmount}). Beyond it the connection is
   * closed, with an `error` (`ERR_MESSAGE_BUFFER_FULL`); a message that is larger by itself is beyond it. 0 is no limit.
   * Default 0.
   */
  maxBufferedAmount?: number | null | undefined;
  /**
   * Seconds without anything sent or received after which the connection is closed; 0 is never. What the peer does not
   * take is dropped then. Default 0.
   */
  idleTimeout?: number | null | undefined;
  /** TCP keep-alive. Default true. */
  keepAlive?: boolean | null | undefined;
  /** No Nagle's algorithm. Default true. */
  noDelay?: boolean | null | undefined;
  /**
   * The kernel's receive buffer in bytes, fixed at that size. Where it is not given, which `options` shows as 65536, the
   * system lets it grow with the connection.
   */
  receiveBufferSize?: number | null | undefined;
  /** The kernel's send buffer in bytes, fixed at that size; see {@link receiveBufferSize}. */
  sendBufferSize?: number | null | undefined;
  /**
   * Whether to speak TLS. Default false. Where it is not given, certificates, `clientAuth`, and the words of other APIs for
   * TLS throw a `TypeError` (`ERR_INVALID_ARG_VALUE`).
   */
  sslTls?: boolean | null | undefined;
  /** A PKCS#12 file with this end's key and certificate. Default `''`, none. */
  pfxKeyCertPath?: string | null | undefined;
  /** Its password. Default `''`. */
  pfxKeyCertPassword?: string | null | undefined;
  /** A PEM file with the CA certificates that the peer's certificate must chain to. Default `''`. */
  trustedCACertPath?: string | null | undefined;
}

/** How the pause between attempts grows. */
export interface ReconnectBackoff {
  /** Each pause is so many times the one before; 1 to 1000. Default 2. */
  factor?: number | null | undefined;
  /** The longest pause in milliseconds, at least `reconnectInterval`. Default 30000. */
  max?: number | null | undefined;
  /** Each pause is made longer or shorter at random, by up to this part of it; 0 to 1. Default 0.2. */
  jitter?: number | null | undefined;
}

/** Options of a {@link SocketClient}. */
export interface SocketClientOptions extends MessageOptions {
  /** Milliseconds that one attempt to connect may take; 0 is no limit. Default 6000. */
  connectTimeout?: number | null | undefined;
  /** Drop what is sent before the connection stands, in silence. Default false: it is queued. */
  discardMessagesBeforeOpen?: boolean | null | undefined;
  /** Messages that may be queued before the connection stands; 0 is no limit. Default 100. */
  maxUnsentMessages?: number | null | undefined;
  /** Attempts after the first failed one; 0 is none, -1 goes on for ever. Default 10. */
  reconnectAttempts?: number | null | undefined;
  /** Milliseconds between a failed attempt and the next one; at least 1. Default 1000. */
  reconnectInterval?: number | null | undefined;
  /** Makes the pauses grow, from `reconnectInterval` on; `true` with its defaults. Default: they do not. */
  reconnectBackoff?: ReconnectBackoff | boolean | null | undefined;
  /** Connect again when the connection drops, instead of `close`. Default false. */
  reconnectOnDrop?: boolean | null | undefined;
  /** Aborting it is `close()`. */
  signal?: AbortSignal | null | undefined;
  /** With TLS: take every certificate. Default false. */
  trustAll?: boolean | null | undefined;
  /** With TLS: the certificate must be for the host's name. Default true. */
  verifyHost?: boolean | null | undefined;
}

type ClientAuth = 'none' | 'request' | 'required';

/** Options of a {@link SocketServer}. Those of messages hold for each of its connections. */
export interface SocketServerOptions extends MessageOptions {
  /** Where to listen; 0 is any free port. Another than 0 to 65535 throws `ERR_SOCKET_BAD_PORT`. Default 4000. */
  port?: number | string | null | undefined;
  /** The address, or name of an address, to listen on. Default `'0.0.0.0'`: all of IPv4. */
  hostInterface?: string | null | undefined;
  /**
   * With TLS: whether clients are asked for a certificate (`'request'`), must have one (`'required'`), or neither.
   * Not case-sensitive; another word throws a `TypeError` (`ERR_INVALID_ARG_VALUE`). Default `'none'`.
   */
  clientAuth?: ClientAuth | Capitalize<ClientAuth> | Uppercase<ClientAuth> | null | undefined;
  /** The old name of `pfxKeyCertPath`, which goes before it. */
  keyStorePath?: string | null | undefined;
  /** The old name of `pfxKeyCertPassword`, which goes before it. */
  keyStorePassword?: string | null | undefined;
}

/** Options with their defaults filled in. */
export type Merged<O> = { [Name in keyof O]-?: Exclude<O[Name], null> };

// ---------------------------------------------------------------------------------------------------------
// Events
// ---------------------------------------------------------------------------------------------------------

/**
 * What an `error` listener gets as its second argument: something with a message, or the system's error.
 *
 * | `code` | what happened |
 * | --- | --- |
 * | `ERR_MESSAGE_INVALID_VALUE` | this value cannot be sent as this type; nothing was sent |
 * | `ERR_MESSAGE_TOO_LARGE` | longer than `maxMessageSize`: not sent; or came in, and the connection is closed |
 * | `ERR_MESSAGE_INCOMPLETE` | bytes that make no whole number came in |
 * | `ERR_MESSAGE_TRUNCATED` | the connection ended in the middle of a message |
 * | `ERR_MESSAGE_NOT_JSON` | a text came in that is not JSON |
 * | `ERR_MESSAGE_QUEUE_FULL` | thrown by `send()`: too many messages before the connection stands |
 * | `ERR_MESSAGE_BUFFER_FULL` | more than `maxBufferedAmount` waits to be sent; the connection is closed |
 * | `ERR_MESSAGE_TLS_OPTION` | a file of TLS is missing, cannot be read, or holds something else |
 * | `ERR_SOCKET_CLOSED` | sent after the close |
 * | `ECONNREFUSED`, `ECONNRESET`, … | the system's; the error itself, or `cause` |
 */
export interface MessageError extends Error {
  code: string;
  cause?: unknown;
}

/** Events of one end of a connection. */
export interface MessageEventMap<Value> {
  /** A message. Not with `batch: true`. */
  data: [value: Value];
  /** Messages that came together, at least one, in their order. Only with `batch: true`. */
  messages: [values: Value[]];
  /** What was sent too much (`send()` answered false) is with the system. */
  drain: [];
  /** Something went wrong. Without a listener it is a process warning and not an exception. */
  error: [message: string, error: MessageError];
  /** The connection is closed. Once for each connection, and the last event. */
  close: [];
}

/** Events of a {@link SocketClient}. */
export interface SocketClientEventMap<Value> extends MessageEventMap<Value> {
  /** The connection stands. */
  open: [];
  /** An attempt has failed, or with `reconnectOnDrop` the connection: the next attempt follows after the delay in milliseconds. */
  reconnecting: [attempt: number, delayMs: number];
}

/** Events of a {@link SocketServer}. */
export interface SocketServerEventMap<S> {
  /** It listens; at this port. */
  listening: [port: number];
  /** A client has connected. There is no `data` before the listener has returned. */
  connection: [socket: S];
  /** It cannot listen. Without a listener it is a process warning and not an exception. */
  error: [message: string, error: MessageError];
  /** After `stop()`: it does not listen any more, and all connections are closed. */
  close: [];
}

// ---------------------------------------------------------------------------------------------------------
// Classes
// ---------------------------------------------------------------------------------------------------------

/** A listener of the event `E`; there is none of an event that is not one of these. */
type Listener<Events, E> = E extends keyof Events
  ? Events[E] extends unknown[]
    ? (...args: Events[E]) => void
    : never
  : never;

/** An emitter of these events and no others. `captureRejections` is as in `node:events`. */
declare abstract class Emitter<Events> extends EventEmitter {
  addListener<E extends string | symbol>(event: E, listener: Listener<Events, E>): this;
  off<E extends string | symbol>(event: E, listener: Listener<Events, E>): this;
  on<E extends string | symbol>(event: E, listener: Listener<Events, E>): this;
  once<E extends string | symbol>(event: E, listener: Listener<Events, E>): this;
  prependListener<E extends string | symbol>(event: E, listener: Listener<Events, E>): this;
  prependOnceListener<E extends string | symbol>(event: E, listener: Listener<Events, E>): this;
  removeListener<E extends string | symbol>(event: E, listener: Listener<Events, E>): this;
}

/** One end of a connection: what {@link SocketClient} and {@link Socket} have in common. */
declare abstract class MessageConnection<Send, Events> extends Emitter<Events> {
  /**
   * Sends one message. The value is encoded now; later changes do not count.
   *
   * A value that cannot be sent is an `error` event, in a later tick, and nothing of it is sent.
   * @returns False when more than 64 KiB wait: better send again after `drain`. After the close it is false without a
   *   `drain` to come, and an `error` event tells why.
   */
  send(data: Send): boolean;
  /**
   * Sends what was sent before, however long the peer takes to read it, then closes in both directions. `close` follows.
   * A second call does nothing.
   */
  close(): void;
  /**
   * Closes now. What waits to be sent is dropped; if that is something, the peer gets a reset. `close` follows. Also
   * while closing, where a peer does not read.
   */
  destroy(): void;
  /**
   * Delivers no more messages until {@link resume}, and reads no more: the peer has to wait. What is on its way is held, and
   * what ends the connection comes behind it. Only while the connection stands; a client's next one is not paused.
   */
  pause(): void;
  /** Goes on behind {@link pause}: with what was held, in later callbacks, and then with what is read. */
  resume(): void;
  /** Whether the connection stands. */
  isOpen(): boolean;
  /** The peer's IP address, also after the close. `undefined` before the first connection. */
  remoteHost(): string | undefined;
  /** The peer's port, also after the close. `undefined` before the first connection. */
  remotePort(): number | undefined;
  /** Bytes that were sent and are not with the system yet. */
  readonly bufferedAmount: number;
  /** The connection keeps the process alive; this is so from the beginning. */
  ref(): this;
  /** The connection does not keep the process alive. */
  unref(): this;
  /** Closes, and waits for the close. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Connects to a server, again and again if need be.
 *
 * ```js
 * const client = new SocketClient(4000, 'localhost', { rawBytes: false });
 * client.on('data', (text) => console.log(text));
 * client.open();
 * client.send('hello'); // queued until the connection stands
 * ```
 *
 * The types of values follow from the options where these are literal.
 */
export class SocketClient<const O extends SocketClientOptions = {}> extends MessageConnection<
  SendValueOf<O>,
  SocketClientEventMap<ReceiveValueOf<O>>
> {
  /**
   * Does not connect.
   * @param port Default 4000. Another than 0 to 65535 throws a `RangeError` (`ERR_SOCKET_BAD_PORT`).
   * @param host Name or IP address. Default `'localhost'`.
   */
  constructor(
    port?: number | string | null,
    host?: string | null,
    options?: (O & NoOthers<O, SocketClientOptions>) | null,
  );
  /** The server's port. */
  port: number;
  /** The server's name or address. */
  host: string;
  /** The options, with their defaults filled in. Changes have no promised effect. */
  readonly options: Merged<SocketClientOptions>;
  /**
   * Connects. `open` follows, or `error` when the last attempt has failed. Allowed again after `close`; while
   * connecting, open or closing it does nothing.
   */
  open(): void;
  /**
   * Sends one message, see {@link MessageConnection.send}. Before the connection stands it is queued, or with
   * `discardMessagesBeforeOpen` dropped.
   * @throws Error with `code` `ERR_MESSAGE_QUEUE_FULL` when `maxUnsentMessages` are queued.
   */
  send(data: SendValueOf<O>): boolean;
}

/** The server's end of a connection. Servers make them. */
export class Socket<const O extends MessageOptions = {}> extends MessageConnection<
  SendValueOf<O>,
  MessageEventMap<ReceiveValueOf<O>>
> {
  private constructor();
  remoteHost(): string;
  remotePort(): number;
}

/**
 * Listens, and makes a {@link Socket} of each connection.
 *
 * ```js
 * const server = new SocketServer({ port: 4000, sendType: 'short', rawBytes: false });
 * server.on('connection', (socket) => socket.send([1, 2, 3]));
 * server.start();
 * ```
 */
export class SocketServer<const O extends SocketServerOptions = {}> extends Emitter<
  SocketServerEventMap<Socket<O>>
> {
  /** Does not listen. */
  constructor(options?: (O & NoOthers<O, SocketServerOptions>) | null);
  /** The options, with their defaults filled in. */
  readonly options: Merged<SocketServerOptions>;
  /** Listens. `listening` follows, or `error`. While it listens this does nothing; after `stop()` it listens again. */
  start(): void;
  /**
   * Stops listening and closes all connections, each with its own `close`; the server's own follows them. A peer that
   * does not read makes it wait, see {@link Socket.destroy}.
   */
  stop(): void;
  /** The connections that are open or closing: an array of the caller's own. */
  readonly connections: Socket<O>[];
  /** Where it listens; null while it does not. */
  address(): { address: string; family: string; port: number } | null;
  /** It keeps the process alive while it listens; this is so from the beginning. */
  ref(): this;
  /** It does not keep the process alive. Its connections do. */
  unref(): this;
  /** Stops, and waits until all is closed. */
  [Symbol.asyncDispose](): Promise<void>;
}

// oxlint-disable-next-line unicorn/require-module-specifiers -- without it all of the above would be exported
export {};
