'use strict';
// A UDP socket of the engine.

const { AsyncResource } = require('node:async_hooks');
const { debug } = require('./debug');
const { SYSCALLS, codeOf } = require('./errors');
const { bare, engine, start } = require('./engine');
const { BOUND, CLOSING, CONTEXT, EBADF, Handle } = require('./handle');
const { DatagramRun } = require('./datagram-run');

/**
 * Callbacks: `ondatagram(owner, data, address, port)` with an `ArrayBuffer`, `onlost(owner, err)` for a datagram that
 * there was no memory for, `onwritten(owner)`, `onrefused(owner, errno, address, port)`, `onfailed(owner, syscall, errno)`,
 * `onclose(owner, handle)`.
 */
class DatagramHandle extends Handle {
  constructor() {
    // Its owner may still have something to tell when it is closed.
    super(new AsyncResource('UDPWRAP', CONTEXT), false);
    this.isReading = true;
    this.run = new DatagramRun(this);
  }

  get kind() {
    return 'datagram';
  }

  /**
   * Binds, and receives from the next turn on. Answers 0 or an errno.
   * @param {import('../binding').NativeEndpoint} local
   * @param {import('../binding').NativeDatagramOptions} options
   */
  bind(local, options) {
    const status = start();
    if (status < 0) return status;
    const id = engine().bindDatagram(bare(local), bare(options));
    if (id < 0) return id;
    this.adopt(id);
    this.setBusy(BOUND);
    debug?.('datagram %d: bind to %s %d', id, local.address, local.port);
    return 0;
  }

  /** Whether nothing is delivered any more. */
  get isClosing() {
    return this.id < 0 || (this.busy & CLOSING) !== 0;
  }

  /** Receives, or goes on. */
  readStart() {
    if (this.isReading || this.isClosing) return;
    this.isReading = true;
    engine().receiveDatagrams(this.id, true);
  }

  /** What is on its way still arrives. */
  readStop() {
    if (!this.isReading || this.isClosing) return;
    this.isReading = false;
    engine().receiveDatagrams(this.id, false);
  }

  /** Joins a group, or leaves it. Answers 0 or an errno. @param {import('../binding').NativeInterface} where */
  setMembership(group, where, on) {
    return this.isClosing ? EBADF : engine().setMembership(this.id, group, bare(where), on);
  }

  /** Datagrams that the system has dropped; null where it does not tell. */
  dropped() {
    return this.isClosing ? null : engine().droppedDatagrams(this.id);
  }

  /** The address is free on return; `onclose` follows. */
  close() {
    if (this.isClosing) return;
    debug?.('datagram %d: close', this.id);
    this.setBusy(CLOSING);
    engine().closeDatagram(this.id);
  }

  /** Datagrams in one piece. The chunk serves all handles. */
  openRun(chunk, offset, length) {
    return this.isClosing ? null : this.run.open(chunk, offset, length);
  }

  deliverWritten() {
    if (!this.isClosing) this.callbacks.onwritten(this.owner);
  }

  deliverFailed(syscall, errno) {
    debug?.('datagram %d: %s failed: %s', this.id, SYSCALLS[syscall], codeOf(errno));
    if (this.isClosing) return;
    const name = SYSCALLS[syscall];
    const to = name === 'send' ? engine().takeRefused(this.id) : null;
    if (to === null) this.callbacks.onfailed(this.owner, name, errno);
    else this.callbacks.onrefused(this.owner, errno, to.address, to.port);
  }
}

module.exports = { DatagramHandle };
