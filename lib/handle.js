'use strict';
// What a stream and a listener of the native engine have in common as JavaScript objects: their number,
// their async context, and whether they keep the process alive. They know nothing of `net.Socket`; each
// calls back into the table of callbacks that its owner gave it, with the owner first.

const { setImmediate } = require('node:timers');
const { debug } = require('./debug');
const { errnoByCode } = require('./errors');
const { countRef, engine, handles } = require('./engine');
const { callIn } = require('./tick');

/** Why a handle is busy. A busy handle keeps the process alive, unless it is unref'd. */
const READING = 1;
const CONNECTING = 2;
const WRITING = 4;
const ENDING = 8;
const LISTENING = 16;
/** A UDP socket is open. */
const BOUND = 128;
/** A TLS handshake is under way. */
const SECURING = 64;
/** The owner holds the process whatever the handle does. */
const IN_USE = 256;
/** A closing handle keeps the process alive in any case, until its last callback. */
const CLOSING = 32;

/** The family of Unix sockets and named pipes (`src/binding/options.rs`). */
const LOCAL = 'Local';

/**
 * What all contexts are made with. Hooks for their `destroy`, if there are any, are called where the end is known, else by
 * the garbage collector. It says what is so anyway: without it Node makes an object for each context, to read that from.
 */
const CONTEXT = Object.freeze({ requireManualDestroy: false });

const EBADF = errnoByCode.get('EBADF');

class Handle {
  /**
   * @param {import('node:async_hooks').AsyncResource} resource the async context that callbacks run in
   * @param {boolean} isOwn it ends with the handle: nobody runs anything in it afterwards
   */
  constructor(resource, isOwn) {
    /** The engine's number; -1 while there is nothing native. */
    this.id = -1;
    this.resource = resource;
    this.endsContext = isOwn;
    this.owner = null;
    this.callbacks = null;
    this.busy = 0;
    this.isRefed = true;
    this.isCounted = false;
  }

  /** Who is told what happens. */
  attach(owner, callbacks) {
    this.owner = owner;
    this.callbacks = callbacks;
  }

  /** From now on the engine's events of that number come here. */
  adopt(id) {
    this.id = id;
    handles[id] = this;
  }

  setBusy(reason) {
    this.busy |= reason;
    this.count();
  }

  setIdle(reason) {
    this.busy &= ~reason;
    this.count();
  }

  count() {
    const counts = this.isRefed ? this.busy !== 0 : (this.busy & CLOSING) !== 0;
    if (counts === this.isCounted || this.id < 0) return;
    this.isCounted = counts;
    countRef(counts ? 1 : -1);
  }

  ref() {
    this.isRefed = true;
    this.count();
  }

  unref() {
    this.isRefed = false;
    this.count();
  }

  hasRef() {
    return this.isRefed;
  }

  /** `http.Agent` gives the number of the handle's context to the next request on it. */
  getAsyncId() {
    return this.resource.asyncId();
  }

  /** @returns {{ address: string, family: string, port: number, scopeId: number } | number} or an errno */
  getsockname() {
    return this.id < 0 ? EBADF : engine().localAddress(this.id);
  }

  deliverClosed() {
    debug?.('%s %d: closed', this.kind, this.id);
    handles[this.id] = undefined;
    this.setIdle(~0);
    this.id = -1;
    this.tellClosed();
  }

  tellClosed() {
    try {
      this.callbacks.onclose(this.owner, this);
    } finally {
      if (this.endsContext) this.resource.emitDestroy();
    }
  }

  /** Close without a native side: the callback comes later all the same. */
  closeLater() {
    setImmediate(callIn, this.resource, () => this.tellClosed());
  }
}

module.exports = {
  BOUND,
  CLOSING,
  CONNECTING,
  CONTEXT,
  EBADF,
  ENDING,
  Handle,
  IN_USE,
  LISTENING,
  LOCAL,
  READING,
  SECURING,
  WRITING,
};
