'use strict';
// `DOMException`s, with the error that they stem from as their `cause`.

const { DOMException } = globalThis;

/** @param {string} name @param {string} message @param {unknown} [cause] */
const exception = (name, message, cause) =>
  new DOMException(message, cause === undefined ? { name } : { name, cause });

/** A bad address, port or value, or one that cannot be had. */
const invalidAccess = (message, cause) => exception('InvalidAccessError', message, cause);

/** The socket is not in the state for it. */
const invalidState = (message) => exception('InvalidStateError', message);

/** What happened on the network, or was refused by the system. @param {Error} cause in Node's shape */
const networkError = (cause) => exception('NetworkError', textOf(cause), cause);

/** The system is short of something, and the address is not to blame. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** A local address and port that cannot be had. @param {Error & { code?: string }} cause in Node's shape */
const bindError = (cause) =>
  SHORTAGES.has(String(cause.code)) ? networkError(cause) : invalidAccess(cause.message, cause);

/** Several addresses were tried: what is wrong with the first of them stands for all. */
function textOf(cause) {
  const [first] = cause.errors ?? [];
  if (first === undefined) return cause.message;
  const { code, errno, syscall, address, port } = first;
  Object.assign(cause, { code, errno, syscall, address, port });
  return cause.message || cause.errors.map(({ message }) => message).join('; ');
}

module.exports = { bindError, exception, invalidAccess, invalidState, networkError };
