'use strict';
// Errors of an established connection say whose they are.

const { codedError, errnoError } = require('../errors');
const { endsOf } = require('./address');

/**
 * `read ECONNRESET`, as in Node, with `localAddress`, `localPort`, `remoteAddress` and `remotePort`.
 * @param {object} socket
 * @param {number} errno
 * @param {string} syscall
 */
const connectionError = (socket, errno, syscall) =>
  Object.assign(errnoError(errno, syscall), endsOf(socket));

/** What a write is told after the peer's end. */
const endedByPeer = (socket) =>
  codedError(Error, 'EPIPE', 'This socket has been ended by the other party', endsOf(socket));

module.exports = { connectionError, endedByPeer };
