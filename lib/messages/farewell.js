'use strict';
// The end of a connection that its client has left: the peer has ended it and a new one is being made, but what was
// sent on the old one still goes out. Nobody is told what becomes of it.

const { clearTimeout, setTimeout } = require('node:timers');
const { Parting } = require('../parting');

/** A peer that takes nothing for so many milliseconds is let go. */
const PATIENCE = 2000;

/** The handle's callbacks; the owner is the farewell. */
const callbacks = {
  onmessages: () => null,
  onmessage() {},
  ondata() {},
  onfault() {},
  onend() {},
  onwritten: (farewell) => farewell.outbox.resume(),
  onfinished: (farewell) => farewell.onsent(),
  onfailed: (farewell) => farewell.drop(),
  ontlsfailed: (farewell) => farewell.drop(),
  onclose: (farewell) => farewell.closed(),
};

class Farewell {
  constructor(handle, outbox) {
    this.handle = handle;
    this.outbox = outbox;
    this.parting = new Parting(handle, outbox);
    this.timer = null;
  }

  begin() {
    this.outbox.owner = this;
    this.handle.attach(this, callbacks);
    this.outbox.flush();
    this.parting.goOn(true);
    this.watch();
  }

  watch() {
    const left = Math.ceil(PATIENCE - this.handle.idleFor());
    if (left <= 0) this.drop();
    else this.timer = setTimeout(() => this.watch(), left).unref();
  }

  drop() {
    this.outbox.close();
    this.handle.close(true);
  }

  closed() {
    clearTimeout(this.timer);
    this.outbox.close();
    this.parting.stop();
  }

  // --- The outbox tells.

  onsent() {
    this.parting.goOn(false);
  }

  ondrained() {}

  onsendfailed() {
    this.drop();
  }
}

/**
 * Takes both over.
 * @param {import('../stream-handle').StreamHandle} handle
 * @param {import('../outbox').Outbox} outbox what it has yet to send
 */
function sayFarewell(handle, outbox) {
  new Farewell(handle, outbox).begin();
}

module.exports = { sayFarewell };
