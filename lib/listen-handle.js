'use strict';
// A listening socket, with libuv's words.

const { AsyncResource } = require('node:async_hooks');
const { debug } = require('./debug');
const { codeOf } = require('./errors');
const { bare, engine, start } = require('./engine');
const { CLOSING, CONTEXT, Handle, LISTENING, READING } = require('./handle');
const { StreamHandle } = require('./stream-handle');

/**
 * Callbacks: `onconnection(owner, handle)`, `ondropped(owner, reason, ends)`, `onclose(owner, handle)`,
 * and where it is wanted `onacceptfailed(owner, errno)`: the engine tries again after a pause.
 */
class ListenHandle extends Handle {
  /** @param {number} number tells the listeners of one owner apart: later ones have higher numbers */
  constructor(number) {
    super(new AsyncResource('TCPSERVERWRAP', CONTEXT), true);
    this.number = number;
    this.isPaused = false;
  }

  get kind() {
    return 'listener';
  }

  /**
   * Binds and listens. Answers 0 or an errno.
   * @param {import('../binding').TlsServer} [tls] every connection begins with a handshake
   */
  listen(local, options, streamOptions, tls) {
    const status = start();
    if (status < 0) return status;
    const id = engine().listen(bare(local), bare(options), bare(streamOptions), tls);
    return this.listening(id, streamOptions, local.path ?? `${local.address}:${local.port}`);
  }

  /** Listens on a bound socket by its descriptor. Answers 0 or an errno. */
  listenFd(fd, { backlog, proxyTimeout }, streamOptions, tls) {
    const status = start();
    if (status < 0) return status;
    const id = engine().listenFd(fd, backlog, proxyTimeout, bare(streamOptions), tls);
    return this.listening(id, streamOptions, `descriptor ${fd}`);
  }

  listening(id, streamOptions, place) {
    if (id < 0) return id;
    this.readsAtOnce = streamOptions.readAtOnce;
    this.adopt(id);
    this.setBusy(LISTENING);
    debug?.('listener %d: listen on %s', id, place);
    return 0;
  }

  /** The address is free on return; `onclose` follows. */
  close() {
    debug?.('listener %d: close', this.id);
    this.setBusy(CLOSING);
    engine().closeListener(this.id);
  }

  /** Accepts no more for now. Connections that are on their way still come. */
  pause() {
    if (this.isPaused) return;
    this.isPaused = true;
    debug?.('listener %d: pause', this.id);
    engine().pauseListener(this.id, true);
  }

  /** Accepts again. */
  resume() {
    if (!this.isPaused) return;
    this.isPaused = false;
    debug?.('listener %d: resume', this.id);
    engine().pauseListener(this.id, false);
  }

  deliverAccepted(id) {
    const handle = new StreamHandle();
    handle.listener = this;
    handle.adopt(id);
    handle.isReading = this.readsAtOnce;
    if (this.readsAtOnce) handle.setBusy(READING);
    debug?.('stream %d: accepted by listener %d', id, this.id);
    this.callbacks.onconnection(this.owner, handle);
  }

  deliverDropped(reason) {
    const ends = engine().takeDropped();
    debug?.('listener %d: dropped a connection for reason %d', this.id, reason);
    this.callbacks.ondropped(this.owner, reason, ends);
  }

  deliverAcceptPaused(errno) {
    debug?.('listener %d: accept failed: %s; trying again', this.id, codeOf(errno));
    this.callbacks.onacceptfailed?.(this.owner, errno);
  }
}

module.exports = { ListenHandle };
