'use strict';
// What an open descriptor is, for those that are not a stream socket.

const fs = require('node:fs');
const tty = require('node:tty');
const { codedError } = require('../errors');

function statOf(fd) {
  try {
    return fs.fstatSync(fd);
  } catch {
    return null;
  }
}

/** @param {number} fd */
const isSocket = (fd) => Boolean(statOf(fd)?.isSocket());

/** Node's error, in its words. @param {number} fd */
function invalidFdType(fd) {
  return codedError(TypeError, 'ERR_INVALID_FD_TYPE', `Unsupported fd type: ${typeOf(fd)}`);
}

function typeOf(fd) {
  const stat = statOf(fd);
  if (stat?.isFile()) return 'FILE';
  if (stat?.isFIFO()) return 'PIPE';
  return tty.isatty(fd) ? 'TTY' : 'UNKNOWN';
}

module.exports = { invalidFdType, isSocket };
