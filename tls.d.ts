/**
 * The `tls` API: what people use of `node:tls`, with handshakes and encryption on a native I/O thread.
 *
 * TLS 1.2 and 1.3, with the cipher suites that are safe today; there is nothing to choose among them. What
 * differs from `node:tls` on purpose is in `docs/decisions/0011-tls-and-node.md`.
 */

import type { KeyObject, X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { PeerCertificate, DetailedPeerCertificate } from 'node:tls';
import {
  Server as NetServer,
  Socket,
  type ServerEventMap as NetServerEventMap,
  type ServerOpts,
  type SocketConstructorOpts,
  type SocketEventMap,
  type TcpSocketConnectOpts,
} from './net';

export { checkServerIdentity, rootCertificates } from 'node:tls';
export type { PeerCertificate, DetailedPeerCertificate };

/** A piece of memory; the type of a `Buffer`, spelled so that it is the same with every `@types/node`. */
type Bytes = ReturnType<typeof Buffer.allocUnsafeSlow>;

/** PEM text, or PEM or DER bytes. */
type Pem = string | Uint8Array;

/** `'TLSv1'` and `'TLSv1.1'` are taken as a lower bound only: they are never spoken. */
export type SecureVersion = 'TLSv1.3' | 'TLSv1.2' | 'TLSv1.1' | 'TLSv1';

/** The lowest version that is spoken without `minVersion`. */
export const DEFAULT_MIN_VERSION: SecureVersion;
/** The highest version that is spoken without `maxVersion`. */
export const DEFAULT_MAX_VERSION: SecureVersion;
/** All cipher suites there are; there is nothing to choose. */
export const DEFAULT_CIPHERS: string;
/** `'auto'`. */
export const DEFAULT_ECDH_CURVE: string;
/** Node's; there is no renegotiation. */
export const CLIENT_RENEG_LIMIT: number;
/** Node's; there is no renegotiation. */
export const CLIENT_RENEG_WINDOW: number;

// ---------------------------------------------------------------------------------------------------------
// Options
// ---------------------------------------------------------------------------------------------------------

/** What a {@link SecureContext} is made of. */
export interface SecureContextOptions {
  /**
   * The certificates that the peer's chain must end at, instead of the operating system's. One that signed itself
   * may be given for exactly the server that has it.
   */
  ca?: Pem | Pem[] | undefined;
  /** Our certificate, with the intermediate ones after it; several with keys of different kinds. */
  cert?: Pem | Pem[] | undefined;
  /** The private keys of `cert`: RSA of at least 2048 bits, P-256, P-384, P-521 or Ed25519. */
  key?:
    | Pem
    | KeyObject
    | (Pem | KeyObject | { pem: Pem; passphrase?: string | undefined })[]
    | undefined;
  /** PKCS#12 files with key and certificates, instead of `cert` and `key`. */
  pfx?: Pem | (Pem | { buf: Pem; passphrase?: string | undefined })[] | undefined;
  /** The pass phrase of encrypted keys and PKCS#12 files. */
  passphrase?: string | undefined;
  /** Default {@link DEFAULT_MIN_VERSION}. */
  minVersion?: SecureVersion | undefined;
  /** Default {@link DEFAULT_MAX_VERSION}. */
  maxVersion?: SecureVersion | undefined;
}

/** What a connection may be told besides its context. */
export interface CommonConnectionOptions {
  /** The context; without it one is made of the options of {@link SecureContextOptions}. */
  secureContext?: SecureContext | undefined;
  /** The protocols that are spoken, best first. */
  ALPNProtocols?: string[] | Uint8Array | undefined;
  /**
   * Client: `false` lets a server through that is not trusted, see {@link TLSSocket.authorized}. Server with
   * `requestCert`: the same for clients. Default `true`.
   */
  rejectUnauthorized?: boolean | undefined;
  /**
   * The most the handshake may take, in milliseconds; 0 is for ever. Default 120,000 for a server, 0 for a client.
   * After it the error is `ERR_TLS_HANDSHAKE_TIMEOUT`.
   */
  handshakeTimeout?: number | undefined;
}

/** A client's options. */
export interface ClientOptions extends SecureContextOptions, CommonConnectionOptions {
  /** The name to ask the server for (SNI), and that its certificate must be for. Default: `host`. `''`: none is asked for. */
  servername?: string | undefined;
  /** Checks whether the certificate is the server's, instead of {@link checkServerIdentity}: an error if it is not. */
  checkServerIdentity?:
    ((host: string, certificate: PeerCertificate) => Error | undefined) | undefined;
  /** A session of the same context that is to be resumed, from the event `'session'`. */
  session?: Uint8Array | undefined;
}

/** Options of {@link connect}. */
export interface ConnectionOptions
  extends ClientOptions, Omit<SocketConstructorOpts, 'fd'>, Partial<TcpSocketConnectOpts> {
  /** The path of a Unix socket to connect to, instead of a port. */
  path?: string | undefined;
  /** The stream that TLS is to run over, instead of a new connection (STARTTLS). It belongs to the socket from then on. */
  socket?: Duplex | undefined;
  /** Calls `setTimeout()` with this number of milliseconds as soon as the socket exists. */
  timeout?: number | undefined;
}

/** Options of a server's side. */
export interface ServerSideOptions extends SecureContextOptions, CommonConnectionOptions {
  /** `true`: clients are asked for a certificate; those without a good one are refused, see `rejectUnauthorized`. */
  requestCert?: boolean | undefined;
  /**
   * The same in one word: `'required'` is `requestCert: true`, `'none'` is without it, and with `'request'` a client may
   * come in without a certificate, but not with a bad one. Throws `ERR_INVALID_ARG_VALUE` for anything else, and where
   * `requestCert` or `rejectUnauthorized` says the opposite.
   */
  clientAuth?: 'none' | 'request' | 'required' | null | undefined;
  /**
   * Chooses the context for a client by the name that it asks for, now or later. Without a context it is the
   * server's own; with an error the handshake ends. Not called for clients that ask for no name.
   */
  SNICallback?:
    | ((servername: string, callback: (err: Error | null, context?: SecureContext) => void) => void)
    | undefined;
  /** Contexts by name, as for {@link Server.addContext}. */
  contexts?: Record<string, SecureContext | SecureContextOptions> | undefined;
}

/** Options of {@link createServer}. */
export interface TlsOptions extends ServerSideOptions, ServerOpts {}

/** Options of `new TLSSocket()`. */
export interface TLSSocketOptions
  extends ServerSideOptions, ClientOptions, Omit<SocketConstructorOpts, 'fd'> {
  /** `true`: the other side begins the handshake. Default `false`. */
  isServer?: boolean | undefined;
  /** With `isServer`: the server whose `'secureConnection'` and `'tlsClientError'` are emitted. */
  server?: Server | undefined;
  /** The host that is connected to, if `servername` does not say it. */
  host?: string | undefined;
}

/** What a connection is encrypted with. */
export interface CipherNameAndProtocol {
  /** OpenSSL's name of the suite. */
  name: string;
  /** The name of the suite in the standards. */
  standardName: string;
  /** `'TLSv1.2'` or `'TLSv1.3'`. */
  version: SecureVersion;
}

/** How the keys of a connection were agreed on. */
export interface EphemeralKeyInfo {
  /** `'ECDH'`. */
  type: string;
  /** The group, for example `'X25519'`. */
  name: string;
}

// ---------------------------------------------------------------------------------------------------------
// Classes
// ---------------------------------------------------------------------------------------------------------

/** Who we are and whom we trust. Private keys are dropped when the last context and connection with them is. */
export class SecureContext {
  private constructor();
}

/** The events of a {@link TLSSocket}. */
export interface TLSSocketEventMap extends SocketEventMap {
  /** A client's handshake is over, and the server may be trusted (or need not be). */
  secureConnect: [];
  /** The handshake is over, on either side. */
  secure: [];
  /** A session that can be resumed: give it to a later connection. */
  session: [session: Bytes];
}

/**
 * A secure connection. What is written before the handshake is over waits for it; nothing is ever sent unencrypted.
 *
 * An end of the connection that the peer did not announce in TLS is an `'error'`
 * (`ERR_SSL_UNEXPECTED_EOF_WHILE_READING`): what came before it may not be all.
 */
export class TLSSocket extends Socket {
  /** TLS over `socket`, or over a connection that `connect()` is to make. */
  constructor(socket?: Duplex, options?: TLSSocketOptions);

  /** `true`. */
  readonly encrypted: true;
  /** Whether the peer showed a certificate that was asked for and is good. */
  readonly authorized: boolean;
  /** Why not: a code such as `'CERT_HAS_EXPIRED'`. */
  readonly authorizationError: string | null;
  /** The protocol that was agreed on; `false` if there is none, `null` before the handshake is over. */
  readonly alpnProtocol: string | false | null;
  /** Server: the name that the client asked for, or `false`. Client: the option. */
  readonly servername: string | false | null;

  /** `'TLSv1.2'`, `'TLSv1.3'`, or `null` before the handshake is over. */
  getProtocol(): string | null;
  /** `undefined` before the handshake is over. */
  getCipher(): CipherNameAndProtocol | undefined;
  /** An empty object on a server; `null` before the handshake is over. */
  getEphemeralKeyInfo(): EphemeralKeyInfo | {} | null;
  /** The peer's certificate; empty if it has none, `null` if the socket is closed. `detailed`: with its issuers. */
  getPeerCertificate(detailed: true): DetailedPeerCertificate | null;
  getPeerCertificate(detailed?: false): PeerCertificate | null;
  /** The same as an object of `node:crypto`. */
  getPeerX509Certificate(): X509Certificate | undefined;
  /** Stands for the session in this process; `undefined` before there is one. */
  getSession(): Bytes | undefined;
  /** Whether a session was resumed. */
  isSessionReused(): boolean;
  /** The name to ask for, and that the certificate must be for, instead of the option: before the handshake begins. */
  setServername(name: string): void;
  /** `undefined`: tickets stay with the engine. */
  getTLSTicket(): undefined;
  /** `undefined`, as in `node:tls` before there is one. */
  getFinished(): undefined;
  /** `undefined`, as in `node:tls` before there is one. */
  getPeerFinished(): undefined;
  /** Answers `false`: it cannot be set. */
  setMaxSendFragment(size: number): boolean;
  /** There is no renegotiation. */
  disableRenegotiation(): void;
  /** Answers `false`; `callback` gets `ERR_TLS_RENEGOTIATION_DISABLED`: there is no renegotiation. */
  renegotiate(options: object, callback?: (err: Error | null) => void): false;

  addListener<E extends keyof TLSSocketEventMap>(
    eventName: E,
    listener: (...args: TLSSocketEventMap[E]) => void,
  ): this;
  addListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  emit<E extends keyof TLSSocketEventMap>(eventName: E, ...args: TLSSocketEventMap[E]): boolean;
  emit(eventName: string | symbol, ...args: any[]): boolean;
  listenerCount<E extends keyof TLSSocketEventMap>(
    eventName: E,
    listener?: (...args: TLSSocketEventMap[E]) => void,
  ): number;
  listenerCount(eventName: string | symbol, listener?: (...args: any[]) => void): number;
  listeners<E extends keyof TLSSocketEventMap>(
    eventName: E,
  ): ((...args: TLSSocketEventMap[E]) => void)[];
  listeners(eventName: string | symbol): ((...args: any[]) => void)[];
  off<E extends keyof TLSSocketEventMap>(
    eventName: E,
    listener: (...args: TLSSocketEventMap[E]) => void,
  ): this;
  off(eventName: string | symbol, listener: (...args: any[]) => void): this;
  on<E extends keyof TLSSocketEventMap>(
    eventName: E,
    listener: (...args: TLSSocketEventMap[E]) => void,
  ): this;
  on(eventName: string | symbol, listener: (...args: any[]) => void): this;
  once<E extends keyof TLSSocketEventMap>(
    eventName: E,
    listener: (...args: TLSSocketEventMap[E]) => void,
  ): this;
  once(eventName: string | symbol, listener: (...args: any[]) => void): this;
  prependListener<E extends keyof TLSSocketEventMap>(
    eventName: E,
    listener: (...args: TLSSocketEventMap[E]) => void,
  ): this;
  prependListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof TLSSocketEventMap>(
    eventName: E,
    listener: (...args: TLSSocketEventMap[E]) => void,
  ): this;
  prependOnceListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  rawListeners<E extends keyof TLSSocketEventMap>(
    eventName: E,
  ): ((...args: TLSSocketEventMap[E]) => void)[];
  rawListeners(eventName: string | symbol): ((...args: any[]) => void)[];
  removeAllListeners(eventName?: keyof TLSSocketEventMap | string | symbol): this;
  removeListener<E extends keyof TLSSocketEventMap>(
    eventName: E,
    listener: (...args: TLSSocketEventMap[E]) => void,
  ): this;
  removeListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
}

/** The events of a {@link Server}. */
export interface TlsServerEventMap extends NetServerEventMap {
  /** A handshake is over. */
  secureConnection: [socket: TLSSocket];
  /** A handshake failed, or a client went away in it. The socket is destroyed. */
  tlsClientError: [err: Error, socket: TLSSocket];
}

/** Accepts connections, and emits `'secureConnection'` with a {@link TLSSocket} for each when it is secure. */
export class Server extends NetServer {
  constructor(secureConnectionListener?: (socket: TLSSocket) => void);
  constructor(options?: TlsOptions, secureConnectionListener?: (socket: TLSSocket) => void);

  /** For clients that ask for `hostname`, which may begin with `*.` for one label; the last that fits is taken. */
  addContext(hostname: string, context: SecureContext | SecureContextOptions): void;
  /** For connections from now on, where no other context fits: new certificates without a restart. */
  setSecureContext(options: SecureContext | SecureContextOptions): void;

  addListener<E extends keyof TlsServerEventMap>(
    eventName: E,
    listener: (...args: TlsServerEventMap[E]) => void,
  ): this;
  addListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  emit<E extends keyof TlsServerEventMap>(eventName: E, ...args: TlsServerEventMap[E]): boolean;
  emit(eventName: string | symbol, ...args: any[]): boolean;
  listenerCount<E extends keyof TlsServerEventMap>(
    eventName: E,
    listener?: (...args: TlsServerEventMap[E]) => void,
  ): number;
  listenerCount(eventName: string | symbol, listener?: (...args: any[]) => void): number;
  listeners<E extends keyof TlsServerEventMap>(
    eventName: E,
  ): ((...args: TlsServerEventMap[E]) => void)[];
  listeners(eventName: string | symbol): ((...args: any[]) => void)[];
  off<E extends keyof TlsServerEventMap>(
    eventName: E,
    listener: (...args: TlsServerEventMap[E]) => void,
  ): this;
  off(eventName: string | symbol, listener: (...args: any[]) => void): this;
  on<E extends keyof TlsServerEventMap>(
    eventName: E,
    listener: (...args: TlsServerEventMap[E]) => void,
  ): this;
  on(eventName: string | symbol, listener: (...args: any[]) => void): this;
  once<E extends keyof TlsServerEventMap>(
    eventName: E,
    listener: (...args: TlsServerEventMap[E]) => void,
  ): this;
  once(eventName: string | symbol, listener: (...args: any[]) => void): this;
  prependListener<E extends keyof TlsServerEventMap>(
    eventName: E,
    listener: (...args: TlsServerEventMap[E]) => void,
  ): this;
  prependListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof TlsServerEventMap>(
    eventName: E,
    listener: (...args: TlsServerEventMap[E]) => void,
  ): this;
  prependOnceListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
  rawListeners<E extends keyof TlsServerEventMap>(
    eventName: E,
  ): ((...args: TlsServerEventMap[E]) => void)[];
  rawListeners(eventName: string | symbol): ((...args: any[]) => void)[];
  removeAllListeners(eventName?: keyof TlsServerEventMap | string | symbol): this;
  removeListener<E extends keyof TlsServerEventMap>(
    eventName: E,
    listener: (...args: TlsServerEventMap[E]) => void,
  ): this;
  removeListener(eventName: string | symbol, listener: (...args: any[]) => void): this;
}

// ---------------------------------------------------------------------------------------------------------
// Functions
// ---------------------------------------------------------------------------------------------------------

/**
 * Makes a context.
 *
 * Throws `ERR_INVALID_ARG_TYPE`, and OpenSSL's codes for what cannot be read or does not fit together
 * (`ERR_OSSL_X509_KEY_VALUES_MISMATCH`, `ERR_OSSL_BAD_DECRYPT`, `ERR_OSSL_PEM_NO_START_LINE`, …). The options `crl`,
 * `pskCallback`, `secureProtocol` and `ticketKeys` of `node:tls` throw `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 */
export function createSecureContext(options?: SecureContextOptions): SecureContext;

/** Makes a {@link Server}; the same as `new Server(...)`. */
export function createServer(secureConnectionListener?: (socket: TLSSocket) => void): Server;
export function createServer(
  options?: TlsOptions,
  secureConnectionListener?: (socket: TLSSocket) => void,
): Server;

/**
 * Connects, and makes the connection secure. `'secureConnect'` follows, or `'error'` and `'close'`. The error's `code`
 * says what is wrong with the server: `ERR_TLS_CERT_ALTNAME_INVALID`, `CERT_HAS_EXPIRED`,
 * `DEPTH_ZERO_SELF_SIGNED_CERT`, `SELF_SIGNED_CERT_IN_CHAIN`, `UNABLE_TO_VERIFY_LEAF_SIGNATURE`, or an `ERR_SSL_…` of
 * the handshake.
 */
export function connect(options: ConnectionOptions, secureConnectListener?: () => void): TLSSocket;
export function connect(
  port: number,
  host?: string,
  options?: ConnectionOptions,
  secureConnectListener?: () => void,
): TLSSocket;
export function connect(
  port: number,
  options?: ConnectionOptions,
  secureConnectListener?: () => void,
): TLSSocket;

/** Puts the wire format of `protocols` on `out.ALPNProtocols`. */
export function convertALPNProtocols(
  protocols: string[] | Uint8Array,
  out: { ALPNProtocols?: Bytes },
): void;

/** The cipher suites there are, in the words of `node:tls`. */
export function getCiphers(): string[];
