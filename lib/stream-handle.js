'use strict';
// A connection, or an attempt at one, with libuv's words.

const { AsyncResource } = require('node:async_hooks');
const { Buffer } = require('node:buffer');
const { debug } = require('./debug');
const { CONNECT, SYSCALLS, codeOf } = require('./errors');
const { addSend, bare, engine, queuedBytes, sendAccepted, sendQueued, start } = require('./engine');
const {
  CLOSING,
  CONNECTING,
  EBADF,
  ENDING,
  Handle,
  CONTEXT,
  READING,
  SECURING,
  WRITING,
} = require('./handle');
const { ReceiveMemory } = require('./memory');
const { callIn } = require('./tick');

/**
 * Callbacks: `onconnect(owner, handle)`,
 * `onconnectfailed(owner, handle, errno, isAtOnce)`, `ondata(owner, buffer)`, `onend(owner)`,
 * `onwritten(owner)`, `onfinished(owner)`, `onfailed(owner, syscall, errno)`, `onclose(owner, handle)`.
 * A stream with a codec has, instead of `ondata`: `onmessages(owner, chunk, offset, length)`, which answers
 * a reader of the run (see `openRun`), `onmessage(owner, buffer)` and `onfault(owner, kind, bytes)`. One of values has
 * before them `onhello(owner, isRefused, limit)` or `onstranger(owner, buffer)`. Who calls `watchQueue` has `onpassed(owner)`.
 * With TLS also `onsecured(owner, needsOwner)`, `ontlsfailed(owner, failure)`, and where they are wanted
 * `onnamed(owner)` and `onsession(owner)`: see `lib/tls/context.js`.
 */
class StreamHandle extends Handle {
  /** @param {AsyncResource} [shared] somebody else's context */
  constructor(shared) {
    super(shared ?? new AsyncResource('TCPWRAP', CONTEXT), shared === undefined);
    /** Who accepted it. @type {import('./listen-handle').ListenHandle | null} */
    this.listener = null;
    this.isReading = false;
    /** Whether the TLS over it is ready. */
    this.isSecure = false;
    /** Bytes that the owner has been given. */
    this.used = 0;
    /** What arrived after `readStop()`: payloads, and what came behind them, as functions. */
    this.held = null;
    /** Why what arrives is held although it is read, or null; see {@link suspend}. */
    this.suspension = null;
    /** What to call when nothing is received any more, see {@link quiesce}. */
    this.onquiet = null;
    /**
     * Where received payloads are copied to: nobody else's bytes are there. An owner may have one of its own here; else
     * null until one comes.
     * @type {Pick<ReceiveMemory, 'copy' | 'view' | 'release'> | null}
     */
    this.memory = null;
  }

  get kind() {
    return 'stream';
  }

  /**
   * Starts an attempt to connect. Answers 0, or an errno where `local` cannot be bound.
   * @param {{ address?: string, port?: number, scopeId?: number, path?: string }} remote
   * @param {{ address: string, port: number } | null} local
   * @param {{ noDelay: boolean, keepAlive: boolean, keepAliveDelay: number, readAtOnce: boolean,
   *   copied?: boolean,
   *   socket?: { userTimeout: number, sendBufferSize: number, recvBufferSize: number } }} options
   */
  connect(remote, local, options) {
    const status = start();
    if (status < 0) {
      this.setBusy(CONNECTING);
      process.nextTick(refuse, this, status);
      return 0;
    }
    const id = engine().connect(bare(remote), bare(local), bare(options));
    if (id < 0) return id;
    this.adopt(id);
    this.isReading = options.readAtOnce;
    this.setBusy(CONNECTING);
    debug?.(
      'stream %d: connect to %s %s',
      this.id,
      remote.path ?? remote.address,
      remote.port ?? '',
    );
    return 0;
  }

  /** Two handles that are connected with each other, or an errno. */
  static pair(options, resource) {
    const status = start();
    if (status < 0) return status;
    const ids = engine().pair(bare(options));
    if (typeof ids === 'number') return ids;
    return ids.map((id) => {
      const handle = new StreamHandle(resource);
      handle.adopt(id);
      return handle;
    });
  }

  /** Takes over a connected socket by its descriptor. Answers 0 or an errno. */
  open(fd, options) {
    const status = start();
    if (status < 0) return status;
    const id = engine().adoptFd(fd, bare(options));
    if (id < 0) return id;
    this.adopt(id);
    this.isReading = options.readAtOnce;
    if (this.isReading) this.setBusy(READING);
    debug?.('stream %d: open as descriptor %d', id, fd);
    return 0;
  }

  readStart() {
    // What comes while TLS is about to take over is for TLS.
    if (this.isReading || this.id < 0 || this.onquiet !== null) return;
    this.isReading = true;
    this.setBusy(READING);
    if (this.held === null) engine().readStart(this.id);
    else process.nextTick(releaseHeld, this);
  }

  /** What is on its way already is held back until `readStart()`: nothing arrives in between. */
  readStop() {
    if (!this.isReading) return;
    this.isReading = false;
    engine().readStop(this.id);
    this.setIdle(READING);
  }

  /** Stops the reading, too, but what is on its way already is delivered. */
  pauseReading() {
    if (this.id >= 0) engine().readStop(this.id);
  }

  continueReading() {
    if (this.id >= 0) engine().readStart(this.id);
  }

  /** What arrives is held until `unsuspend()`; the engine reads on. @param {object} suspension the reason */
  suspend(suspension) {
    this.suspension = suspension;
    this.held ??= [];
  }

  unsuspend() {
    this.suspension = null;
    releaseHeld(this);
  }

  /**
   * Writes `chunk` (a string or a Uint8Array) from `offset` on, in bytes. Answers how many bytes
   * need not be written again, or an errno. Where the answer leaves something in the queue
   * (`hasQueued`), `onwritten` follows.
   */
  write(chunk, offset) {
    if (this.id < 0) return EBADF;
    const accepted = engine().write(this.id, chunk, offset);
    this.noteQueue(accepted, queuedBytes());
    return accepted;
  }

  /** Writes `length` bytes of the slab, from `at` on; see {@link write}. */
  writeSlab(at, length) {
    if (this.id < 0) return EBADF;
    const accepted = engine().writeSlab(this.id, at, length);
    this.noteQueue(accepted, queuedBytes());
    return accepted;
  }

  /** Has `length` bytes of the slab written by the next `flushSends()`. Answers its number, or -1. */
  addSend(at, length) {
    return this.id < 0 ? -1 : addSend(this.id, at, length);
  }

  /** What {@link write} would have answered. */
  takeSend(row) {
    const accepted = sendAccepted(row);
    this.noteQueue(accepted, sendQueued(row));
    return accepted;
  }

  /**
   * Stops reading so that TLS can take over. `then(early)` is called with what was received and not
   * delivered; an end or a failure that came meanwhile is for the handshake to find out.
   */
  quiesce(then) {
    this.isReading = false;
    this.setIdle(READING);
    this.setBusy(SECURING);
    this.onquiet = then;
    engine().quiesce(this.id);
  }

  /**
   * Puts a client's TLS over the connection; `onsecured` or `ontlsfailed` follows. Nothing may be queued,
   * and it must not be reading. Answers a failure, or null.
   * @param {import('../binding').TlsContext} context
   * @param {import('../binding').TlsSessions} sessions where they are resumed from and kept
   * @param {import('../binding').NativeTlsClientOptions} options
   * @param {Uint8Array} [early]
   */
  secureClient(context, sessions, options, early) {
    return this.securing(engine().secureClient(this.id, context, sessions, bare(options), early));
  }

  /** The same as a server. @param {import('../binding').TlsServer} server */
  secureServer(server, early) {
    return this.securing(engine().secureServer(this.id, server, early));
  }

  securing(failure) {
    debug?.('stream %d: TLS %s', this.id, failure?.code ?? 'begins');
    if (failure) this.setIdle(SECURING);
    else this.setBusy(SECURING);
    return failure;
  }

  /** Answers `onnamed`: with a context, or with the server's own. */
  tlsChoose(context) {
    if (this.id >= 0) engine().tlsChoose(this.id, context);
  }

  /** Answers `onsecured`: the peer is who it should be. */
  tlsAccept() {
    if (this.id >= 0) engine().tlsAccept(this.id);
  }

  /** What the client asked for. */
  tlsHello() {
    return this.id < 0 ? null : engine().tlsHello(this.id);
  }

  /** What was agreed, or null. */
  tlsInfo() {
    return this.id < 0 ? null : engine().tlsInfo(this.id);
  }

  /** The peer's certificate in DER, or null; at 1 the one that signed it, and so on. */
  tlsPeerCertificate(index) {
    return this.id < 0 ? null : engine().tlsPeerCertificate(this.id, index);
  }

  noteQueue(accepted, queued) {
    if (accepted >= 0 && queued > 0 && !(this.busy & WRITING)) this.setBusy(WRITING);
  }

  /** Whether `onwritten` is to come. */
  get hasQueued() {
    return (this.busy & WRITING) !== 0;
  }

  /** Whether `onfinished` is to come. */
  get isEnding() {
    return (this.busy & ENDING) !== 0;
  }

  /** Bytes that the system has not taken yet. */
  queued() {
    return this.id < 0 ? 0 : engine().queued(this.id);
  }

  /**
   * `onpassed` follows when the system has taken all but `left` bytes of what is queued, unless `onwritten` says that
   * it has all. Answers how many are queued; if they are not more, nothing follows.
   */
  watchQueue(left) {
    return this.id < 0 ? 0 : engine().watchQueue(this.id, left);
  }

  /** For how many milliseconds nothing was received and nothing was sent, measured from the first call on. */
  idleFor() {
    return this.id < 0 ? 0 : engine().idleFor(this.id);
  }

  /** Ends our half. 0: done; 1: `onfinished` follows; otherwise an errno. */
  end() {
    if (this.id < 0) return EBADF;
    const status = engine().end(this.id);
    debug?.('stream %d: end', this.id);
    if (status === 1) this.setBusy(ENDING);
    return status;
  }

  /** `onclose` follows. @param {boolean} reset the peer gets a reset */
  close(reset = false) {
    if (this.id < 0) {
      this.setIdle(CONNECTING);
      return this.closeLater();
    }
    debug?.('stream %d: %s', this.id, reset ? 'reset' : 'close');
    this.isReading = false;
    this.memory?.release();
    this.held = null;
    this.onquiet = null;
    engine().closeStream(this.id, reset, this.used);
    this.setBusy(CLOSING);
  }

  /** Answers 0 or an errno. */
  setNoDelay(on) {
    return this.id < 0 ? EBADF : engine().setNoDelay(this.id, on);
  }

  /** Answers 0 or an errno. Times in milliseconds; 0 leaves the system's. */
  setKeepAlive(on, delay, interval, count) {
    return this.id < 0 ? EBADF : engine().setKeepAlive(this.id, on, delay, interval, count);
  }

  /** Answers 0 or an errno. @param {number} ms 0 is the system's */
  setUserTimeout(ms) {
    return this.id < 0 ? EBADF : engine().setUserTimeout(this.id, ms);
  }

  /** Answers 0 or an errno. @param {number} value 0 to 255 */
  setTypeOfService(value) {
    return this.id < 0 ? EBADF : engine().setTypeOfService(this.id, value);
  }

  /** Answers the value or an errno. */
  getTypeOfService() {
    return this.id < 0 ? EBADF : engine().typeOfService(this.id);
  }

  /** Whether it is a Unix socket or a named pipe, once it is connected. */
  isLocal() {
    return this.id >= 0 && engine().isLocal(this.id);
  }

  getpeername() {
    return this.id < 0 ? EBADF : engine().peerAddress(this.id);
  }

  deliverConnected() {
    debug?.('stream %d: connected', this.id);
    this.setIdle(CONNECTING);
    if (this.busy & CLOSING) return; // It was on its way when the attempt was given up.
    if (this.isReading) this.setBusy(READING);
    this.callbacks.onconnect(this.owner, this);
  }

  deliverConnectFailed(syscall, errno) {
    debug?.('stream %d: %s failed: %s', this.id, SYSCALLS[syscall], codeOf(errno));
    if (this.busy & CLOSING) return;
    this.setBusy(CLOSING); // The engine closes it on its own.
    this.callbacks.onconnectfailed(this.owner, this, errno, syscall === CONNECT);
  }

  /** The bytes at `offset` are to be copied out: the chunk serves all streams. */
  deliverCopy(chunk, offset, length) {
    if (this.busy & CLOSING) return;
    this.memory ??= new ReceiveMemory();
    this.deliverPayload(this.memory.copy(chunk, offset, length));
  }

  /** The chunk served this stream alone: the bytes may be handed out as they are. */
  deliverView(chunk, offset, length) {
    if (this.busy & CLOSING) return;
    this.memory ??= new ReceiveMemory();
    this.deliverPayload(this.memory.view(chunk, offset, length));
  }

  /**
   * Messages in one piece (`src/core/codec/run.rs`). Answers who delivers them one by one, or null if nobody
   * is to get them. The chunk serves all streams.
   */
  openRun(chunk, offset, length) {
    if (this.busy & CLOSING) return null;
    return this.callbacks.onmessages(this.owner, chunk, offset, length);
  }

  deliverMessage(bytes) {
    if (!(this.busy & CLOSING)) this.callbacks.onmessage(this.owner, bytes);
  }

  /** @param {number} limit the longest message that the peer takes, in bytes */
  deliverHello(isRefused, limit) {
    if (!(this.busy & CLOSING)) this.callbacks.onhello(this.owner, isRefused, limit);
  }

  /** The first `length` bytes of something else, four in each number. */
  deliverStranger(length, first, second) {
    if (this.busy & CLOSING) return;
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(first, 0);
    bytes.writeInt32BE(second, 4);
    this.callbacks.onstranger(this.owner, bytes.subarray(0, length));
  }

  deliverPassed() {
    if (!(this.busy & CLOSING)) this.callbacks.onpassed(this.owner);
  }

  deliverFault(kind, bytes) {
    if (!(this.busy & CLOSING)) this.callbacks.onfault(this.owner, kind, bytes);
  }

  deliverPayload(payload) {
    if (this.isReading && this.held === null) {
      this.used += payload.byteLength;
      this.callbacks.ondata(this.owner, payload);
    } else {
      this.hold(() => {
        this.used += payload.byteLength;
        this.callbacks.ondata(this.owner, payload);
      });
    }
  }

  /** Keeps something for the time when reading goes on. */
  hold(deliver) {
    this.held ??= [];
    this.held.push(deliver);
  }

  /** The same, before all that is kept already. */
  holdFirst(deliver) {
    this.held ??= [];
    this.held.unshift(deliver);
  }

  deliverEnd() {
    debug?.('stream %d: the peer ended', this.id);
    const end = () => {
      this.setIdle(READING);
      this.callbacks.onend(this.owner);
    };
    if (this.busy & CLOSING) return;
    if (this.held === null && this.onquiet === null) end();
    else this.hold(end);
  }

  deliverWritten() {
    // More was written since, or a write's first piece was sent before the next was there: it is told again. Who
    // watches the queue may have waited for this, as an empty one is not told as a short one.
    if (this.isSecure && this.queued() > 0) {
      if (!(this.busy & CLOSING)) this.callbacks.onpassed?.(this.owner);
      return;
    }
    this.setIdle(WRITING);
    if (!(this.busy & CLOSING)) this.callbacks.onwritten(this.owner);
  }

  deliverFinished() {
    this.setIdle(ENDING);
    if (!(this.busy & CLOSING)) this.callbacks.onfinished(this.owner);
  }

  deliverFailed(syscall, errno) {
    debug?.('stream %d: %s failed: %s', this.id, SYSCALLS[syscall], codeOf(errno));
    if (SYSCALLS[syscall] === 'shutdown') this.setIdle(ENDING);
    if (this.busy & CLOSING) return;
    const fail = () => this.callbacks.onfailed(this.owner, SYSCALLS[syscall], errno);
    // Bytes that came before the failure are still good.
    const mayWait = this.held !== null || this.onquiet !== null;
    if (mayWait && SYSCALLS[syscall] === 'read') this.hold(fail);
    else fail();
  }

  deliverNamed() {
    if (!(this.busy & CLOSING)) this.callbacks.onnamed(this.owner);
  }

  deliverSecured(needsOwner) {
    debug?.('stream %d: secure', this.id);
    this.setIdle(SECURING);
    this.isSecure = true;
    if (!(this.busy & CLOSING)) this.callbacks.onsecured(this.owner, needsOwner);
  }

  deliverTlsFailed() {
    const failure = engine().tlsFailure(this.id);
    this.setIdle(SECURING);
    if (this.busy & CLOSING) return;
    debug?.('stream %d: TLS failed: %s', this.id, failure.code);
    const fail = () => this.callbacks.ontlsfailed(this.owner, failure);
    if (this.held === null) fail();
    else this.hold(fail);
  }

  deliverSession() {
    if (!(this.busy & CLOSING)) this.callbacks.onsession?.(this.owner);
  }

  deliverQuiet() {
    const { held, owner, callbacks, onquiet } = this;
    this.held = null;
    this.onquiet = null;
    if (onquiet === null) return;
    const early = [];
    this.attach(early, collecting);
    held?.forEach((deliver) => deliver());
    this.attach(owner, callbacks);
    onquiet(Buffer.concat(early));
  }
}

/** Takes what was received before TLS. */
const collecting = {
  ondata: (early, payload) => early.push(payload),
  onend() {},
  onfailed() {},
};

/** There is no engine to connect: that is told as if the system had refused the attempt. */
function refuse(handle, errno) {
  if (!(handle.busy & CONNECTING) || handle.owner === null) return;
  handle.setIdle(CONNECTING);
  const { onconnectfailed } = handle.callbacks;
  callIn(handle.resource, () => onconnectfailed(handle.owner, handle, errno, true));
}

/** Delivers what was held back, one at a time, for as long as the owner reads. */
function releaseHeld(handle) {
  if (!handle.isReading || handle.held === null || handle.suspension !== null) return;
  const deliver = handle.held.shift();
  const isLast = handle.held.length === 0;
  if (isLast) {
    handle.held = null;
    engine().readStart(handle.id);
  }
  if (deliver === undefined) return; // Nothing came while it was suspended.
  callIn(handle.resource, deliver);
  if (!isLast) process.nextTick(releaseHeld, handle);
}

module.exports = { StreamHandle };
