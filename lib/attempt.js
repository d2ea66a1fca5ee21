'use strict';
// One attempt of a client to connect: TCP, by way of a `net.Socket` that knows about names, races and time limits, and
// then the TLS handshake, if there is to be one.

const { clearTimeout, setTimeout } = require('node:timers');
const { errnoByCode, errnoError, peerError } = require('./errors');
const { endpointOf } = require('./net/address');
const { Socket } = require('./net/socket');
const { kConnectOptions } = require('./net/symbols');
const { StreamHandle } = require('./stream-handle');
const { callIn } = require('./tick');
const { tlsError } = require('./tls/failure');

const ETIMEDOUT = errnoByCode.get('ETIMEDOUT');

const kNative = Symbol('kNative');

/** Looks names up, races attempts, and gives the handle of the connection away. */
class Dial extends Socket {
  constructor({ codec, valueCodec, copied, socket, readAtOnce, keepAliveDelay, ...options }) {
    super({ ...options, keepAliveInitialDelay: keepAliveDelay });
    this[kNative] = { codec, valueCodec, copied, socket, readAtOnce };
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

/** Of a handle that connects by itself; the owner is the attempt. */
const connecting = {
  onconnect: (attempt, handle) => attempt.connected(handle),
  onconnectfailed(attempt, handle, errno) {
    // The engine closes it.
    handle.attach(null, forgotten);
    attempt.handle = null;
    const { host, port } = attempt.target;
    attempt.fail(peerError(errno, 'connect', host, port), false);
  },
  onclose() {},
};

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
   *   times in milliseconds, for all of it and for the TLS handshake alone; 0 is no limit; and what else `net.connect()`
   *   takes
   * @param {object} streamOptions what the engine sets on the connection
   * @param {import('./tls/context').ClientTls | null} tls
   * @param {{ onopen(handle: any): void, onfailure(err: Error, isFinal: boolean): void }} owner one of them is called,
   *   once; `isFinal`: another attempt would fail as well
   */
  constructor(target, streamOptions, tls, owner) {
    this.target = target;
    this.tls = tls;
    this.owner = owner;
    this.streamOptions = { ...streamOptions, readAtOnce: tls === null };
    /** @type {Dial | null} */
    this.dial = null;
    /** The handle: of an address from the start, else during the handshake. */
    this.handle = null;
    this.timer = null;
    this.isRefed = true;
    this.startedAt = performance.now();
    /** When TCP stood. */
    this.connectedAt = 0;
  }

  start() {
    const dial = new Dial(this.streamOptions);
    this.dial = dial;
    if (!this.isRefed) dial.unref();
    dial.once('connect', () => this.connected(dial.takeHandle()));
    dial.once('error', (err) => this.fail(err, false));
    dial.connect(this.target);
  }

  /**
   * Instead of `start()`, of an IP address and without a time limit: answers 0, or an errno where `local` cannot be
   * bound; then nothing follows.
   * @param {{ address: string, port: number } | null} local
   * @param {import('node:async_hooks').AsyncResource} resource the context of what follows
   */
  startAt(local, resource) {
    const { host, port } = this.target;
    const handle = new StreamHandle(resource);
    handle.attach(this, connecting);
    const status = handle.connect(endpointOf(host, port), local, this.streamOptions);
    if (status < 0) return status;
    this.handle = handle;
    if (!this.isRefed) handle.unref();
    return 0;
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
      callIn(handle.resource, () => this.fail(err, false));
    }, left);
    if (!this.isRefed) this.timer.unref();
  }

  succeed() {
    const { handle } = this;
    clearTimeout(this.timer);
    this.handle = null;
    if (this.tls !== null) handle.readStart();
    this.owner.onopen(handle);
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
