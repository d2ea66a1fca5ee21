'use strict';
// The options of a socket that are the system's: those that may be set at any time, and those that are
// set on the descriptor before it connects or listens (`userTimeout`, `sendBufferSize` and
// `recvBufferSize`, which `node:net` does not have).

const { codedError, errnoByCode, errnoError, invalidType } = require('../errors');
const { validateInteger, validateNumber } = require('../args');
const { positive } = require('./making');
const { kKeepAlive, kNoDelay, kTuning, kTypeOfService } = require('./symbols');

const ENOTSUP = errnoByCode.get('ENOTSUP');

const LONGEST = 2 ** 31 - 1;

const NO_TUNING = Object.freeze({ userTimeout: 0, sendBufferSize: 0, recvBufferSize: 0 });

/** Whether the user was told that `userTimeout` has no effect here. */
let isWarned = false;

/**
 * Checks these options. Answers them in the engine's shape, where 0 is the system's, or `base` where
 * none is given.
 *
 * @typedef {{ userTimeout: number, sendBufferSize: number, recvBufferSize: number }} Tuning
 * @param {object} options the caller's
 * @param {Tuning | null} [base] what holds for those that are not given
 * @returns {Tuning | null}
 */
function tuningOf({ userTimeout, sendBufferSize, recvBufferSize }, base = null) {
  if (userTimeout == null && sendBufferSize == null && recvBufferSize == null) return base;
  if (userTimeout != null) {
    validateInteger(userTimeout, 'options.userTimeout', 0, LONGEST);
    if (userTimeout > 0) warnWithoutUserTimeout();
  }
  if (sendBufferSize != null) validateInteger(sendBufferSize, 'options.sendBufferSize', 1, LONGEST);
  if (recvBufferSize != null) validateInteger(recvBufferSize, 'options.recvBufferSize', 1, LONGEST);
  const { userTimeout: u, sendBufferSize: s, recvBufferSize: r } = base ?? NO_TUNING;
  return {
    userTimeout: userTimeout ?? u,
    sendBufferSize: sendBufferSize ?? s,
    recvBufferSize: recvBufferSize ?? r,
  };
}

// Asked when it matters and not once, so that a test may say what the platform is.
const hasUserTimeout = () => process.platform === 'linux' || process.platform === 'android';

/**
 * An option is often set by a program that runs on several systems, so it warns and does not fail; who
 * calls the method wants an effect.
 */
function warnWithoutUserTimeout() {
  if (isWarned || hasUserTimeout()) return;
  isWarned = true;
  const { code, message } = noUserTimeout();
  process.emitWarning(`${message}; the option has no effect`, { code });
}

const noUserTimeout = () =>
  codedError(
    TypeError,
    'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    'userTimeout needs TCP_USER_TIMEOUT, which this platform does not have',
  );

/** Checks the argument of `setUserTimeout()`. */
function checkUserTimeout(ms) {
  validateInteger(ms, 'ms', 0, LONGEST);
  if (!hasUserTimeout()) throw noUserTimeout();
}

/** Few sockets have any, so the others have no place for it: see the prototype's below. */
function init(socket, options) {
  const tuning = tuningOf(options);
  if (tuning !== null) socket[kTuning] = tuning;
}

/** What the engine is to set on a new connection. */
function streamOptions(socket) {
  return {
    noDelay: socket[kNoDelay],
    keepAlive: socket[kKeepAlive] !== null,
    keepAliveDelay: socket[kKeepAlive]?.delay ?? 0,
    socket: socket[kTuning] ?? undefined,
    readAtOnce: socket.readable && !socket.isPaused(),
  };
}

const methods = {
  [kTuning]: null,

  setNoDelay(enable) {
    const on = enable === undefined ? true : Boolean(enable);
    if (on === this[kNoDelay]) return this;
    this[kNoDelay] = on;
    if (this._handle && !this.connecting) this._handle.setNoDelay(on);
    return this;
  },

  setKeepAlive(enable, initialDelay, interval, count) {
    if (enable !== null && typeof enable === 'object') {
      ({ enable, initialDelay, interval, count } = enable);
    }
    const on = Boolean(enable);
    const numbers = {
      delay: positive(initialDelay),
      interval: positive(interval),
      count: positive(count),
    };
    this[kKeepAlive] = on ? numbers : null;
    if (this._handle && !this.connecting) {
      this._handle.setKeepAlive(on, numbers.delay, numbers.interval, numbers.count);
    }
    return this;
  },

  setUserTimeout(ms) {
    checkUserTimeout(ms);
    this[kTuning] = { ...NO_TUNING, ...this[kTuning], userTimeout: ms };
    if (this._handle && !this.connecting) {
      const status = this._handle.setUserTimeout(ms);
      if (status < 0) throw errnoError(status, 'setUserTimeout');
    }
    return this;
  },

  setTypeOfService(value) {
    validateNumber(value, 'tos');
    if (Number.isNaN(value)) throw invalidType('tos', 'of type number', value);
    validateInteger(value, 'tos', 0, 255);
    this[kTypeOfService] = value;
    if (this._handle && !this.connecting) {
      const status = this._handle.setTypeOfService(value);
      if (status < 0) throw errnoError(status, 'setTypeOfService');
    }
    return this;
  },

  getTypeOfService() {
    if (!this._handle || this.connecting) return this[kTypeOfService] ?? 0;
    const value = this._handle.getTypeOfService();
    if (value === ENOTSUP) return this[kTypeOfService] ?? 0; // A local socket has none to ask for.
    if (value < 0) throw errnoError(value, 'getTypeOfService');
    return value;
  },
};

module.exports = { init, methods, streamOptions, tuningOf };
