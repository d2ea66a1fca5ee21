'use strict';
// Errors of an established connection say whose they are.

const { errnoError } = require('../errors');
const { endsOf } = require('./address');

/**
 * `read ECONNRESET`, as in Node, with `localAddress`, `localPort`, `remoteAddress` and `remotePort`.
 * @param {object} socket
 * @param {number} errno
 * @param {string} syscall
 */
const connectionError = (socket, errno, syscall) =>
  Object.assign(errnoError(errno, syscall), endsOf(socket));

/** What a write is told after the peer's end. The code is not in the first line of its stack, as in Node. */
function endedByPeer(socket) {
  const err = new Error('This socket has been ended by the other party');
  Error.captureStackTrace(err, endedByPeer);
  err.code = 'EPIPE';
  return Object.assign(err, endsOf(socket));
}

module.exports = { connectionError, endedByPeer };
