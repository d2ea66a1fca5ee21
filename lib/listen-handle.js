'use strict';
// A listening socket, with libuv's words.

const { AsyncResource } = require('node:async_hooks');
const { debuglog } = require('node:util');
const { codeOf } = require('./errors');
const { engine } = require('./engine');
const { CLOSING, Handle, LISTENING, NO_DESTROY_HOOK, READING } = require('./handle');
const { StreamHandle } = require('./stream-handle');

const debug = debuglog('socket');

/**
 * Callbacks: `onconnection(owner, handle)`, `onclose(owner, handle)`.
 */
class ListenHandle extends Handle {
  constructor() {
    super(new AsyncResource('TCPSERVERWRAP', NO_DESTROY_HOOK));
  }

  get kind() {
    return 'listener';
  }

  /**
   * Binds and listens. Answers 0 or an errno.
   * @param {import('../binding').TlsServer} [tls] every connection begins with a handshake
   */
  listen(local, options, streamOptions, tls) {
    const id = engine().listen(local, options, streamOptions, tls);
    return this.listening(id, streamOptions, local.path ?? `${local.address}:${local.port}`);
  }

  /** Listens on a bound socket by its descriptor. Answers 0 or an errno. */
  listenFd(fd, backlog, streamOptions, tls) {
    return this.listening(
      engine().listenFd(fd, backlog, streamOptions, tls),
      streamOptions,
      `descriptor ${fd}`,
    );
  }

  listening(id, streamOptions, place) {
    if (id < 0) return id;
    this.readsAtOnce = streamOptions.readAtOnce;
    this.adopt(id);
    this.setBusy(LISTENING);
    debug('listener %d: listen on %s', id, place);
    return 0;
  }

  /** The address is free on return; `onclose` follows. */
  close() {
    debug('listener %d: close', this.id);
    this.setBusy(CLOSING);
    engine().closeListener(this.id);
  }

  deliverAccepted(id) {
    const handle = new StreamHandle();
    handle.adopt(id);
    handle.isReading = this.readsAtOnce;
    if (this.readsAtOnce) handle.setBusy(READING);
    debug('stream %d: accepted by listener %d', id, this.id);
    this.callbacks.onconnection(this.owner, handle);
  }

  deliverAcceptPaused(errno) {
    debug('listener %d: accept failed: %s; trying again', this.id, codeOf(errno));
  }
}

module.exports = { ListenHandle };
