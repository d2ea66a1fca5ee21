'use strict';
// The connecting end: TCP by name or path, TLS if it is wanted, our hello, and the peer's.

const { clearTimeout, setTimeout } = require('node:timers');
const { Attempt } = require('../attempt');
const { AbortError, errnoByCode, errnoError, peerError } = require('../errors');
const { clientTls } = require('../tls/context');
const { tlsError } = require('../tls/failure');
const { CLOSED, CONNECTING, Connection, FAILED } = require('./connection');
const { faultError, noHelloError, refusedError, strangerError } = require('./errors');
const { watchAbort } = require('../signal');

const ETIMEDOUT = errnoByCode.get('ETIMEDOUT');

/** Of the handle while the peer's hello is awaited; the owner is the client. */
const greeting = {
  onhello(client, isRefused, limit) {
    if (isRefused) client.fail(refusedError());
    else client.welcomed(limit);
  },
  onstranger: (client, bytes) => client.fail(strangerError(bytes)),
  onfault: (client, kind, number) => client.fail(faultError(kind, number, client.limits)),
  onend: (client) => client.fail(noHelloError()),
  onfailed: (client, syscall, errno) => client.fail(errnoError(errno, syscall)),
  ontlsfailed: (client, failure) => client.fail(tlsError(failure)),
  onwritten() {},
  onclose: (client) => client.closed(),
};

class Client extends Connection {
  /**
   * @param {import('./subscriptions').Subscriptions} events
   * @param {import('./options').Target} target
   * @param {import('./options').Options} options
   */
  constructor(events, target, options) {
    super(events, options, target);
    this.target = target;
    this.timer = null;
    /** @type {Attempt | null} */
    this.attempt = null;
    const tls = tlsOf(options.tls, target);
    this.forgetSignal = watchAbort(options.signal, (reason) => this.fail(new AbortError(reason)));
    // Aborted already.
    if (this.state !== CONNECTING) return;
    const secureTimeout = this.limits.handshakeTimeout;
    const attempt = new Attempt({ ...target, secureTimeout }, options.stream, tls, {
      onopen: (handle) => this.connected(handle, attempt.connectedAt),
      onfailure: (err) => {
        this.attempt = null;
        this.fail(err);
      },
    });
    this.attempt = attempt;
    attempt.start();
  }

  /** @param {number} since when TCP stood */
  connected(handle, since) {
    this.attempt = null;
    this.adopt(handle);
    handle.attach(this, greeting);
    const { handshakeTimeout } = this.limits;
    if (handshakeTimeout > 0) {
      const left = Math.max(1, handshakeTimeout - (performance.now() - since));
      this.timer = setTimeout(() => this.isLate(), left);
      if (!this.isRefed) this.timer.unref();
    }
    this.greet(false);
  }

  isLate() {
    const { path, host, port } = this.target;
    this.fail(peerError(ETIMEDOUT, 'connect', path ?? host, port));
  }

  welcomed(limit) {
    clearTimeout(this.timer);
    this.welcome(limit);
    if (this.state < FAILED) this.events.emit('connect', []);
  }

  close() {
    if (this.state === CONNECTING) this.giveUp();
    else super.close();
  }

  closeImmediately() {
    if (this.state === CONNECTING) this.giveUp();
    else super.closeImmediately();
  }

  /** Closes before it is open: what was sent is dropped, and the peer was told nothing. */
  giveUp() {
    this.state = FAILED;
    this.letGo();
    if (this.handle === null) this.closed();
    else this.handle.close();
  }

  fail(err) {
    if (this.state < FAILED) {
      this.attempt?.cancel();
      this.attempt = null;
    }
    super.fail(err);
  }

  ref() {
    super.ref();
    this.attempt?.ref();
    this.timer?.ref();
  }

  unref() {
    super.unref();
    this.attempt?.unref();
    this.timer?.unref();
  }

  closed() {
    if (this.state === CLOSED) return;
    this.attempt?.cancel();
    this.attempt = null;
    this.forgetSignal?.();
    super.closed();
  }

  letGo() {
    clearTimeout(this.timer);
    super.letGo();
  }
}

function tlsOf(tls, { host }) {
  return tls === undefined ? null : clientTls(tls === true ? {} : tls, host);
}

module.exports = { Client };
