'use strict';
// The orderly end of a connection: what is left is sent, then our half is ended, and when the peer's is too, all of it.

const { clearTimeout, setTimeout } = require('node:timers');

/**
 * Milliseconds that a connection is kept, after all is sent and ended, for the peer to end it too. Closing it with
 * something unread would make the system send a reset, which may destroy what the peer has not read yet.
 */
const LINGER = 2000;

class Parting {
  /**
   * @param {import('./stream-handle').StreamHandle} handle its owner calls `goOn` when something was sent or has ended
   * @param {import('./outbox').Outbox} outbox
   */
  constructor(handle, outbox) {
    this.handle = handle;
    this.outbox = outbox;
    this.isEnded = false;
    this.isPeerEnded = false;
    this.timer = null;
  }

  /** @param {boolean} isPeersEnd the peer has just ended its half */
  goOn(isPeersEnd) {
    const { handle } = this;
    this.isPeerEnded ||= isPeersEnd;
    if (!this.isEnded) {
      if (this.outbox.backlog.length > 0) return;
      this.isEnded = true;
      // Where that fails the connection is gone already.
      if (handle.end() < 0) this.isPeerEnded = true;
    }
    if (handle.isEnding) return;
    if (this.isPeerEnded) handle.close();
    else if (this.timer === null) this.linger();
  }

  linger() {
    this.timer = setTimeout(() => this.handle.close(), LINGER);
    // Nor does this keep the process alive, if the handle does not.
    if (!this.handle.hasRef()) this.timer.unref();
  }

  /** Keeps the process alive, as the handle does. */
  ref() {
    this.timer?.ref();
  }

  unref() {
    this.timer?.unref();
  }

  /** The connection is closed. */
  stop() {
    clearTimeout(this.timer);
  }
}

module.exports = { Parting };
