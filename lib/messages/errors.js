'use strict';
// What can be wrong with a message, in words and as a code.

const { errorMonitor } = require('node:events');
const { inspect } = require('node:util');
const { FaultKind } = require('../native');

class MessageError extends Error {
  /** @param {string} code @param {string} message @param {ErrorOptions} [options] */
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }

  get name() {
    return 'MessageError';
  }
}

/**
 * What came in and is no message.
 * @param {number} kind see `FaultKind`
 * @param {number} bytes what it counts
 * @param {import('./types').Type} type
 * @param {number} limit the longest message
 */
function faultError(kind, bytes, type, limit) {
  const expected = `Expect to receive type ${type.name.toUpperCase()}, but received`;
  switch (kind) {
    case FaultKind.TooFew:
      return new MessageError(
        'ERR_MESSAGE_INCOMPLETE',
        `${expected} an insufficient number of bytes: ${bytes}`,
      );
    case FaultKind.Over:
      return new MessageError(
        'ERR_MESSAGE_INCOMPLETE',
        `${expected} bytes over behind the last whole one: ${bytes}`,
      );
    case FaultKind.Truncated:
      return new MessageError(
        'ERR_MESSAGE_TRUNCATED',
        `The connection ended in the middle of a message: at least ${bytes} bytes are missing`,
      );
    case FaultKind.NotJson:
      return new MessageError(
        'ERR_MESSAGE_NOT_JSON',
        `${expected} ${bytes} bytes that are not JSON`,
      );
    default:
      return new MessageError(
        'ERR_MESSAGE_TOO_LARGE',
        `A message of ${bytes} bytes came in, more than maxMessageSize (${limit})`,
      );
  }
}

/** Of the complement of an integer among framed numbers: bytes behind the last whole one (`OVER` in `run.rs`). */
const OVER = 8;

/** @param {number} entry how many bytes make no number, and whether others came before @param {import('./types').Type} type */
const incompleteError = (entry, type) =>
  entry & OVER
    ? faultError(FaultKind.Over, entry & ~OVER, type, 0)
    : faultError(FaultKind.TooFew, entry, type, 0);

/** A message that is within the limit, but cannot be made a value of. @param {number} bytes @param {Error} cause */
const tooLongForV8 = (bytes, cause) =>
  new MessageError(
    'ERR_MESSAGE_TOO_LARGE',
    `A message of ${bytes} bytes came in, more than one value can hold: ${cause.message}`,
    { cause },
  );

const closedError = () =>
  new MessageError('ERR_SOCKET_CLOSED', 'Socket is closed. Cannot send data.');

/** A frame that is not JSON. @param {number} bytes @param {Error} cause */
const notJson = (bytes, cause) =>
  new MessageError(
    'ERR_MESSAGE_NOT_JSON',
    `Expect to receive type JSON, but received ${bytes} bytes that are not JSON`,
    { cause },
  );

/**
 * Tells of an error. Nobody has to listen: a message that went wrong is no reason to end the process.
 * @param {import('node:events').EventEmitter} emitter
 * @param {Error} err
 */
function tellError(emitter, err) {
  if (emitter.listenerCount('error') > 0) {
    emitter.emit('error', err.message, err);
    return;
  }
  process.emitWarning(err);
  // `emit` would do this in front of 'error', and then throw.
  emitter.emit(errorMonitor, err.message, err);
}

/**
 * Tells of the rejection of an async listener.
 * @param {import('node:events').EventEmitter} emitter
 * @param {unknown} reason
 * @param {string | symbol} event what it listened to
 */
function tellRejection(emitter, reason, event) {
  // Told to the listener that it came from, it would come again and again.
  if (event === 'error') Promise.reject(reason);
  else tellError(emitter, reason instanceof Error ? reason : new Error(inspect(reason)));
}

module.exports = {
  MessageError,
  closedError,
  faultError,
  incompleteError,
  notJson,
  tellError,
  tellRejection,
  tooLongForV8,
};
