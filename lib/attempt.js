'use strict';
// One attempt of a client to connect: TCP, by way of a `net.Socket` that knows about names, races and time limits, and
// then the TLS handshake, if there is to be one.

const { clearTimeout, setTimeout } = require('node:timers');
const { errnoByCode, errnoError, peerError } = require('./errors');
const { Socket } = require('./net/socket');
const { kConnectOptions } = require('./net/symbols');
const { tlsError } = require('./tls/failure');

const ETIMEDOUT = errnoByCode.get('ETIMEDOUT');

const kNative = Symbol('kNative');

/** Looks names up, races attempts, and gives the handle of the connection away. */
class Dial extends Socket {
  constructor({ codec, valueCodec, socket, readAtOnce, keepAliveDelay, ...options }) {
    super({ ...options, keepAliveInitialDelay: keepAliveDelay });
    this[kNative] = { codec, valueCodec, socket, readAtOnce };
  }

  [kConnectOptions]() {
    return { ...super[kConnectOptions](), ...this[kNative] };
  }

  /** The connection, which now is the caller's. */
  takeHandle() {
    const handle = this._handle;
    this._handle = null;
    this.destroy();
    return handle;
  }
}

/** Its handle belongs to nobody any more. */
const forgotten = { onclose() {} };

/** Of a handle whose handshake is under way; the owner is the attempt. */
const securing = {
  onsecured(attempt, needsOwner) {
    const err = attempt.tls.check(attempt.handle, needsOwner);
    if (err) attempt.fail(err, true);
    else attempt.succeed();
  },
  ontlsfailed: (attempt, failure) => attempt.fail(tlsError(failure), true),
  onfailed: (attempt, syscall, errno) => attempt.fail(errnoError(errno, syscall), true),
  onend() {},
  onwritten() {},
  onclose() {},
};

class Attempt {
  /**
   * @param {{ port?: number, host?: string, path?: string, connectTimeout?: number, secureTimeout?: number }} target
   *   times in milliseconds, for all of it and for the TLS handshake alone; 0 is no limit
   * @param {object} streamOptions what the engine takes
   * @param {import('./tls/context').ClientTls | null} tls
   * @param {{ onopen(handle: any): void, onfailure(err: Error, isFinal: boolean): void }} owner one of them is called,
   *   once; `isFinal`: another attempt would fail as well
   */
  constructor(target, streamOptions, tls, owner) {
    this.target = target;
    this.tls = tls;
    this.owner = owner;
    this.dial = new Dial({ ...streamOptions, readAtOnce: tls === null });
    /** The connected handle, during the handshake. */
    this.handle = null;
    this.timer = null;
    this.isRefed = true;
    this.startedAt = performance.now();
    /** When TCP stood. */
    this.connectedAt = 0;
  }

  start() {
    const { dial } = this;
    dial.once('connect', () => this.connected(dial.takeHandle()));
    dial.once('error', (err) => this.fail(err, false));
    dial.connect(this.target);
  }

  connected(handle) {
    this.dial = null;
    this.handle = handle;
    this.connectedAt = performance.now();
    if (this.tls === null) {
      this.succeed();
      return;
    }
    handle.attach(this, securing);
    const failure = this.tls.start(handle);
    if (failure) {
      this.fail(tlsError(failure), true);
      return;
    }
    const { connectTimeout = 0, secureTimeout = 0, host, path, port } = this.target;
    if (connectTimeout === 0 && secureTimeout === 0) return;
    const left = secureTimeout || Math.max(1, connectTimeout - (this.connectedAt - this.startedAt));
    this.timer = setTimeout(() => {
      const err = peerError(ETIMEDOUT, 'connect', path ?? host, port);
      handle.resource.runInAsyncScope(() => this.fail(err, false));
    }, left);
    if (!this.isRefed) this.timer.unref();
  }

  succeed() {
    const { handle } = this;
    clearTimeout(this.timer);
    this.handle = null;
    this.owner.onopen(handle);
    if (this.tls !== null) handle.readStart();
  }

  fail(err, isFinal) {
    this.cancel();
    this.owner.onfailure(err, isFinal);
  }

  /** Nobody is called any more. */
  cancel() {
    const { dial, handle } = this;
    clearTimeout(this.timer);
    this.dial = null;
    this.handle = null;
    if (dial !== null) {
      dial.removeAllListeners();
      dial.on('error', () => {});
      dial.destroy();
    }
    if (handle !== null) forget(handle);
  }

  ref() {
    this.isRefed = true;
    this.timer?.ref();
    (this.dial ?? this.handle)?.ref();
  }

  unref() {
    this.isRefed = false;
    this.timer?.unref();
    (this.dial ?? this.handle)?.unref();
  }
}

/** Closes a handle that nobody waits for. */
function forget(handle) {
  handle.attach(null, forgotten);
  handle.close();
}

module.exports = { Attempt, forget };
