/**
 * Web sockets: the TCP and UDP socket API of the W3C's draft of 2013 (`TCPSocket`, `TCPServerSocket`, `UDPSocket`), with promises and
 * streams. `docs/WEB-SOCKETS.md` has what the draft left open.
 *
 * What a constructor, a method or an attribute throws is a `DOMException` with the given name; where it stems from the
 * system, `cause` is an `Error` with Node's `code`, `errno`, `syscall`, `address` and `port`. The class `TypeError` is for
 * too few arguments and options of a wrong type, as in Web IDL.
 */

/** What can be sent. A string is sent as UTF-8, of a view the part that it covers. Not with shared memory. */
export type SocketData = string | Blob | ArrayBuffer | ArrayBufferView;

/** An event's listener: a function, or an object with a method `handleEvent`. */
type Listener<T, E> = ((this: T, event: E) => any) | { handleEvent(event: E): any };

/** The value of an `on…` attribute. */
type Handler<T, E> = ((this: T, event: E) => any) | null;

interface Once {
  once?: boolean;
  passive?: boolean;
  capture?: boolean;
  signal?: AbortSignal;
}

/** What all sockets are, with their own events by type. */
declare class SocketTarget<M> extends EventTarget {
  addEventListener<K extends keyof M>(
    type: K,
    listener: Listener<this, M[K]> | null,
    options?: boolean | Once,
  ): void;
  addEventListener(
    type: string,
    listener: Listener<this, any> | null,
    options?: boolean | Once,
  ): void;
  removeEventListener<K extends keyof M>(
    type: K,
    listener: Listener<this, M[K]> | null,
    options?: boolean | { capture?: boolean },
  ): void;
  removeEventListener(
    type: string,
    listener: Listener<this, any> | null,
    options?: boolean | { capture?: boolean },
  ): void;
}

// ---------------------------------------------------------------------------------------------------------
// Events
// ---------------------------------------------------------------------------------------------------------

interface EventOptions {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

interface MessageOptions extends EventOptions {
  data?: any;
  origin?: string;
  lastEventId?: string;
  source?: any;
  ports?: any[];
}

/** A `message` of a `TCPSocket`: at least 1 and at most 65,536 bytes, in memory of their own. */
export interface TCPMessageEvent extends MessageEvent {
  readonly data: ArrayBuffer;
}

/** Something went wrong. Nobody has to listen. */
export class ErrorEvent extends Event {
  constructor(type: string, init?: (EventOptions & { error?: DOMException | null }) | null);
  /** What; of a socket's own events always a `DOMException`, named `NetworkError` as a rule. */
  readonly error: DOMException | null;
  /** The name of `error`, or `''`. */
  readonly name: string;
  /** The message of `error`, or `''`. */
  readonly message: string;
}

/** A server has a new connection. */
export class ConnectEvent extends Event {
  constructor(type: string, init?: (EventOptions & { connectedSocket?: TCPSocket | null }) | null);
  /** The connection; null only in an event that a program made without one. */
  readonly connectedSocket: TCPSocket | null;
}

/** A `connect` of a `TCPServerSocket`. */
export interface TCPConnectEvent extends ConnectEvent {
  /** Its state is `'open'`, and there is no `open` event for it. It reads when the listeners have run. */
  readonly connectedSocket: TCPSocket;
}

/** A datagram came in. */
export class UDPMessageEvent extends MessageEvent<ArrayBuffer> {
  constructor(
    type: string,
    init?: (MessageOptions & { remoteAddress?: string; remotePort?: number }) | null,
  );
  /** The whole datagram; may be empty. */
  readonly data: ArrayBuffer;
  /** The IP address that it came from. */
  readonly remoteAddress: string;
  /** The port that it came from. */
  readonly remotePort: number;
}

// ---------------------------------------------------------------------------------------------------------
// TCPSocket
// ---------------------------------------------------------------------------------------------------------

/** A certificate or a key: PEM, or its bytes. */
type Pem = string | NodeJS.ArrayBufferView;

/** Options of connections. Absent, `undefined` and `null` are the same. */
interface ConnectionOptions {
  /** Send small pieces at once (`TCP_NODELAY`); default `false`. */
  noDelay?: boolean | null;
  /** Probe an idle peer after so many milliseconds, at least 1000; default: never. */
  keepAliveDelay?: number | null;
  /** When the peer ends its half, `halfclose` is all that happens; default `false`: ours is closed as well. */
  allowHalfOpen?: boolean | null;
  /** Bytes of the system's buffer for sending (`SO_SNDBUF`); default: the system's. */
  sendBufferSize?: number | null;
  /** Bytes of the system's buffer for receiving (`SO_RCVBUF`); default: the system's. */
  receiveBufferSize?: number | null;
}

/** Options of a `TCPSocket`. */
export interface TCPOptions extends ConnectionOptions {
  /** The IP address to connect from; default: the system chooses. */
  localAddress?: string | null;
  /** The port to connect from; default, and 0: any. */
  localPort?: number | string | null;
  /** TLS; default `false`. */
  useSecureTransport?: boolean | null;
  /** Which addresses of a host name are connected to; default: all of them race. */
  dnsQueryType?: 'ipv4' | 'ipv6' | null;
  /** Milliseconds that the peer has to close its half after `close()`; default 5000. */
  closeTimeout?: number | null;
  /** Bytes that may wait to be sent. More is an error, and the socket is closed; default: no limit. */
  maxBufferedAmount?: number | null;
  /** Ends the connection. Already aborted, its reason is thrown by the constructor. */
  signal?: AbortSignal | null;
  /** TLS: the certificates that are trusted; default: the operating system's. */
  ca?: Pem | Pem[] | null;
  /** TLS: our certificate, with those between it and the authority, if the server asks for one. */
  cert?: Pem | Pem[] | null;
  /** TLS: its private key. */
  key?: Pem | Pem[] | null;
  /** TLS: the name that the server's certificate must be for; default: `remoteAddress`. */
  serverName?: string | null;
  /** TLS: a server whose certificate is not good is refused; default `true`. */
  rejectUnauthorized?: boolean | null;
}

/** What `TCPSocket.opened` is fulfilled with. The streams are made when they are asked for. */
export interface TCPSocketOpenInfo {
  /**
   * What is received. Asked for, it takes over: there are no `message` events any more. It ends with the peer's half, and
   * fails when the connection is lost. Cancelling it throws away what is still received.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * What is to be sent; chunks are all that `send()` takes. Closing it is `halfclose()`, aborting it is
   * `closeImmediately()`.
   */
  readonly writable: WritableStream<SocketData>;
  readonly localAddress: string;
  readonly localPort: number;
  /** The IP address of the peer. */
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** `'open'`: we may send. `'halfclosed'`: we have ended our half. `'closing'`: both are being ended. */
export type TCPSocketState = 'connecting' | 'open' | 'closing' | 'closed' | 'halfclosed';

export interface TCPSocketEventMap {
  /** The connection stands. */
  open: Event;
  /** After `send()` returned false: all is with the system. */
  drain: Event;
  /** The connection is closed, or lost (then `error` comes first). Not when it never stood, but for `close()`. */
  close: Event;
  /** The peer has ended its half. If this is not cancelled, `close()` follows. */
  halfclose: Event;
  /** Before `open`: not connected, and `close` does not follow. After it: lost, and `close` follows. */
  error: ErrorEvent;
  /** Something came in. */
  message: TCPMessageEvent;
}

/** One end of a TCP connection. */
export class TCPSocket extends SocketTarget<TCPSocketEventMap> {
  /**
   * Connects. `open` or `error` follows.
   * @param remoteAddress an IP address, or the name of a host
   * @param remotePort 1 to 65535
   * @throws InvalidAccessError: an address or a port that is none, or a local one that cannot be had; NetworkError:
   *   there is no socket to be had
   */
  constructor(remoteAddress: string, remotePort: number | string, options?: TCPOptions | null);

  /** As given to the constructor; of a server's connection the peer's IP address. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** As given to the constructor, else null until the connection stands. */
  readonly localAddress: string | null;
  /** As given to the constructor, else null until the connection stands. */
  readonly localPort: number | null;
  /** Bytes given to `send()` that the system does not have yet. It falls between turns, never within one. */
  readonly bufferedAmount: number;
  readonly readyState: TCPSocketState;

  /** Fulfilled when the connection stands. A rejection need not be handled. */
  readonly opened: Promise<TCPSocketOpenInfo>;
  /** Fulfilled with `close`; rejected when there was an `error`. A rejection need not be handled. */
  readonly closed: Promise<void>;

  onopen: Handler<this, Event>;
  ondrain: Handler<this, Event>;
  onclose: Handler<this, Event>;
  onhalfclose: Handler<this, Event>;
  onerror: Handler<this, ErrorEvent>;
  onmessage: Handler<this, TCPMessageEvent>;

  /**
   * Sends, in order. Memory that is given may be used again at once; a Blob is read later.
   * @returns whether at most 65,536 bytes wait; if not, `drain` follows when none do
   * @throws InvalidStateError: the state is not `'open'`; InvalidAccessError: data of another type
   */
  send(data: SocketData): boolean;
  /** Sends what waits, then closes; `close` follows. What is still received is thrown away. */
  close(): void;
  /** Sends what waits, then ends our half. */
  halfclose(): void;
  /** No `message` and no `halfclose` until `resume()`; the peer is held back. */
  suspend(): void;
  resume(): void;
  /** Closes with a reset: what waits to be sent is dropped. `close` follows. */
  closeImmediately(): void;
  /** The socket keeps the process alive, as it does from the start. */
  ref(): this;
  /** It does not. */
  unref(): this;
}

// ---------------------------------------------------------------------------------------------------------
// TCPServerSocket
// ---------------------------------------------------------------------------------------------------------

/** Options of a `TCPServerSocket`. */
export interface TCPServerOptions extends ConnectionOptions {
  /** The IP address to listen on; default: every one (`'::'`, or `'0.0.0.0'` where there is no IPv6). */
  localAddress?: string | null;
  /** The port; default, and 0: any that is free. */
  localPort?: number | string | null;
  /** TLS, with `cert` and `key`, or `pfx`; default `false`. */
  useSecureTransport?: boolean | null;
  /** Connections that the system holds until they are accepted; default 511. */
  backlog?: number | null;
  /** `'::'` takes no IPv4 connections; default `false`. */
  ipv6Only?: boolean | null;
  /** The port may be had again while old connections linger in the system; default `true`. No effect on Windows. */
  addressReuse?: boolean | null;
  /** TLS: the certificate, with those between it and the authority. */
  cert?: Pem | Pem[] | null;
  /** TLS: its private key. */
  key?: Pem | Pem[] | null;
  /** TLS: both, as PKCS#12. */
  pfx?: NodeJS.ArrayBufferView | null;
  /** TLS: of `key` or `pfx`. */
  passphrase?: string | null;
}

/** What `TCPServerSocket.opened` is fulfilled with. */
export interface TCPServerSocketOpenInfo {
  /**
   * The connections. Asked for, it takes over: there are no `connect` events any more. Cancelling it closes the server.
   */
  readonly readable: ReadableStream<TCPSocket>;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface TCPServerSocketEventMap {
  /** A new connection. */
  connect: TCPConnectEvent;
  /** A connection could not be accepted; the server goes on. */
  error: ErrorEvent;
}

/** Listens for TCP connections, from the constructor on. */
export class TCPServerSocket extends SocketTarget<TCPServerSocketEventMap> {
  /**
   * @throws InvalidAccessError: an address or a port that is none, or that cannot be had; TLS without a good certificate
   */
  constructor(options?: TCPServerOptions | null);

  readonly localAddress: string;
  readonly localPort: number;
  readonly readyState: 'open' | 'closed';

  /** Is fulfilled. */
  readonly opened: Promise<TCPServerSocketOpenInfo>;
  /** Fulfilled when the server is closed. */
  readonly closed: Promise<void>;

  onconnect: Handler<this, TCPConnectEvent>;
  onerror: Handler<this, ErrorEvent>;

  /** The port is free on return. Connections that were accepted are still delivered, and go on. */
  close(): void;
  /** No `connect` until `resume()`; new connections wait with the system. */
  suspend(): void;
  resume(): void;
  /** The server keeps the process alive, as it does from the start. */
  ref(): this;
  /** It does not. */
  unref(): this;
}

// ---------------------------------------------------------------------------------------------------------
// UDPSocket
// ---------------------------------------------------------------------------------------------------------

/** Options of a `UDPSocket`. Absent, `undefined` and `null` are the same. */
export interface UDPOptions {
  /**
   * The IP address to bind; default: every one, `'0.0.0.0'`, or `'::'` where `remoteAddress`, `family` or `dnsQueryType` are
   * of IPv6.
   */
  localAddress?: string | null;
  /** The port; default, and 0: any that is free. */
  localPort?: number | string | null;
  /** Where `send()` sends to by default: an IP address or the name of a host. */
  remoteAddress?: string | null;
  /** The port there, 1 to 65535. */
  remotePort?: number | string | null;
  /**
   * Other sockets that want the same may have the same port (`SO_REUSEADDR`); default `true`. It is without effect where
   * `localPort` is not given: ports that the system chooses are never shared.
   */
  addressReuse?: boolean | null;
  /** Groups on this machine, this socket's among them, get what it sends to them; default **`false`**, unlike elsewhere. */
  loopback?: boolean | null;
  /** 4 or 6, where `localAddress` does not say it. */
  family?: 4 | 6 | null;
  /** A socket on `'::'` has nothing to do with IPv4; default `false`. */
  ipv6Only?: boolean | null;
  /** It may send to broadcast addresses; default `false`. */
  broadcast?: boolean | null;
  /** Hops that a datagram may take, 1 to 255; default: the system's, usually 64. */
  ttl?: number | null;
  /** The same for groups, 0 to 255; default: the system's, which is 1. */
  multicastTTL?: number | null;
  /**
   * Where groups are joined and what is sent to them leaves: the name of an interface, or one of its addresses; default:
   * that of `localAddress` if that is of one interface, else the system chooses.
   */
  multicastInterface?: string | null;
  /** Which addresses of a host name are sent to; default: those that the socket can reach. */
  dnsQueryType?: 'ipv4' | 'ipv6' | null;
  /** Bytes of the system's buffer for sending (`SO_SNDBUF`); default: the system's. */
  sendBufferSize?: number | null;
  /**
   * Bytes of the system's buffer for receiving (`SO_RCVBUF`); default: the system's. Linux takes some 700 of them for the
   * smallest datagram.
   */
  receiveBufferSize?: number | null;
  /** Closes the socket with an `error`. Already aborted, its reason is thrown by the constructor. */
  signal?: AbortSignal | null;
}

/** A chunk of the streams of a `UDPSocket`. */
export interface UDPMessage {
  data: Uint8Array;
  remoteAddress: string;
  remotePort: number;
}

/** What `UDPSocket.opened` is fulfilled with. The streams are made when they are asked for. */
export interface UDPSocketOpenInfo {
  /**
   * What is received. Asked for, it takes over: there are no `message` events any more. Who does not read makes the system
   * drop datagrams. It ends when the socket is closed. Cancelling it ends receiving.
   */
  readonly readable: ReadableStream<UDPMessage>;
  /**
   * What is to be sent: what `send()` takes, alone or with its destination. Closing it leaves the socket open, aborting it is
   * `closeImmediately()`.
   */
  readonly writable: WritableStream<
    SocketData | { data: SocketData; remoteAddress?: string | null; remotePort?: number | null }
  >;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string | null;
  readonly remotePort: number | null;
}

export interface UDPSocketEventMap {
  /** A datagram. */
  message: UDPMessageEvent;
  /** After `send()` returned false: all is with the system. */
  drain: Event;
  /** A datagram could not be sent, or not be received; the socket goes on unless its state is `'closed'`. */
  error: ErrorEvent;
}

/** A bound UDP socket, from the constructor on. It is never connected: it receives from everybody. */
export class UDPSocket extends SocketTarget<UDPSocketEventMap> {
  /**
   * @throws InvalidAccessError: an address or a port that is none, or a local one that cannot be had; NetworkError: there is
   *   no socket to be had
   */
  constructor(options?: UDPOptions | null);

  /** The address in use. */
  readonly localAddress: string;
  /** The port in use. */
  readonly localPort: number;
  /** As given to the constructor. */
  readonly remoteAddress: string | null;
  readonly remotePort: number | null;
  readonly addressReuse: boolean;
  readonly loopback: boolean;
  /** Bytes given to `send()` that the system does not have yet. It falls between turns, never within one. */
  readonly bufferedAmount: number;
  readonly readyState: 'open' | 'closed';

  /** Is fulfilled. */
  readonly opened: Promise<UDPSocketOpenInfo>;
  /** Fulfilled by `close()`; rejected where an `error` closed the socket. A rejection need not be handled. */
  readonly closed: Promise<void>;
  /** The groups that are joined, as they were given. */
  readonly joinedGroups: readonly string[];

  ondrain: Handler<this, Event>;
  onerror: Handler<this, ErrorEvent>;
  onmessage: Handler<this, UDPMessageEvent>;

  /**
   * Sends one datagram. Memory that is given may be used again at once; a Blob is read, and a name looked up, later, and
   * what is sent behind it waits. What takes more than a datagram can have (65,507 bytes, over IPv6 65,527) closes the
   * socket with an `error`.
   * @param remoteAddress an IP address or the name of a host; absent, `undefined` and `null`: the socket's
   * @param remotePort 1 to 65535; the same
   * @returns whether at most 65,536 bytes wait; if not, `drain` follows when none do
   * @throws InvalidStateError: the socket is closed; InvalidAccessError: data of another type, no destination, or one of a
   *   family that the socket cannot reach
   */
  send(
    data: SocketData,
    remoteAddress?: string | null,
    remotePort?: number | string | null,
  ): boolean;
  /**
   * Joins a group of the socket's family, on the interface of `multicastInterface`, or in IPv6 that of its zone.
   * @throws InvalidStateError: closed, or joined already; InvalidAccessError: no address of a group; NetworkError: the
   *   system refuses (Linux lets a socket have 20 groups)
   */
  joinMulticastGroup(multicastGroupAddress: string): void;
  /** @throws InvalidStateError: closed, or not joined; InvalidAccessError: no address of a group */
  leaveMulticastGroup(multicastGroupAddress: string): void;
  /** Closes at once: the port is free on return. What the system has not taken is dropped. No event follows. */
  close(): void;
  /** The same, but what was sent in this turn of the loop is dropped as well. */
  closeImmediately(): void;
  /** No `message` until `resume()`: the system keeps what it has room for, and drops the rest. */
  suspend(): void;
  resume(): void;
  /** The socket keeps the process alive, as it does from the start. */
  ref(): this;
  /** It does not. */
  unref(): this;
  /**
   * How many datagrams were received and are not delivered: for want of memory, and because the system's buffer was full.
   * The latter is the system's number: it counts datagrams that it has joined as one. It is null where the system does not
   * tell (it does on Linux) and when the socket is closed. Asking is slow: the system lists all UDP sockets.
   */
  dropCounts(): { memory: number; system: number | null };
}

// oxlint-disable-next-line unicorn/require-module-specifiers -- or all of the above would be exported
export {};
