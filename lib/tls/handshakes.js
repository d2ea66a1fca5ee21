'use strict';
// Connections of a server whose TLS handshake is under way. One that fails is closed, and no affair of the program's.

/** The owner is `{ handshakes, handle }`. */
const callbacks = {
  onsecured({ handshakes, handle }) {
    handshakes.running.delete(handle);
    handshakes.onsecured(handle);
    handshakes.onover();
  },
  ontlsfailed: dismiss,
  onfailed: dismiss,
  onend() {},
  onwritten() {},
  onclose() {},
};

const forgotten = { onclose() {} };

function dismiss({ handshakes, handle }) {
  handshakes.running.delete(handle);
  forget(handle);
  handshakes.onover();
}

function forget(handle) {
  handle.attach(null, forgotten);
  handle.close();
}

class Handshakes {
  /**
   * @param {(handle: import('../stream-handle').StreamHandle) => void} onsecured takes a connection over
   * @param {() => void} [onover] behind each one; `isIdle` says whether it was the last
   */
  constructor(onsecured, onover = () => {}) {
    this.onsecured = onsecured;
    this.onover = onover;
    this.running = new Set();
  }

  /** The first that happens to a connection of a listener with TLS. */
  begin(handle) {
    this.running.add(handle);
    handle.attach({ handshakes: this, handle }, callbacks);
  }

  get isIdle() {
    return this.running.size === 0;
  }

  /** Closes those that are not over. */
  cancel() {
    this.running.forEach(forget);
    this.running.clear();
  }
}

module.exports = { Handshakes };
