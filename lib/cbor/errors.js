'use strict';
// The two ways in which a value or its bytes are refused.

const { codedError } = require('../errors');

/** Parts of a path that are shown at each end; a deep one is cut in the middle. */
const PATH_END = 8;
/** Characters of one key that are shown in a path. */
const KEY_LENGTH = 40;

/**
 * Bytes that are no value of the profile, or exceed a limit.
 *
 * @param {string} message
 * @param {number} offset where, counted from the first byte of the value
 */
function decodeError(message, offset) {
  const where = `${message} (at byte ${offset})`;
  return codedError(Error, 'ERR_DATASOCKET_DECODE', where, { offset });
}

/** Thrown where the path to the value is not known; the encoder adds it. */
class Uncloneable {
  /** @param {string} what */
  constructor(what) {
    this.what = what;
  }
}

/**
 * A value that cannot be sent.
 *
 * @param {string} what
 * @param {string[]} path from the outermost value to this one, in the notation of JavaScript
 */
function cloneError(what, path) {
  const parts =
    path.length > 2 * PATH_END
      ? [...path.slice(0, PATH_END), ' … ', ...path.slice(-PATH_END)]
      : path;
  return new DOMException(`${what} cannot be encoded: value${parts.join('')}`, 'DataCloneError');
}

/**
 * More bytes than the receiver takes.
 *
 * @param {number} limit in bytes
 */
function tooLarge(limit) {
  // Without a receiver that says less, it is the most that there is.
  const whose = limit < 2 ** 31 - 1 ? ', the maxMessageSize of the receiver' : '';
  const message = `The encoded value is larger than ${limit} bytes${whose}`;
  return codedError(RangeError, 'ERR_DATASOCKET_TOO_LARGE', message);
}

/** A member as it is written behind an expression: `.name`, or `["two words"]`. */
function member(key) {
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) && key.length <= KEY_LENGTH)
    return `.${key}`;
  const shown = key.length > KEY_LENGTH ? `${key.slice(0, KEY_LENGTH)}…` : key;
  return `[${JSON.stringify(shown)}]`;
}

module.exports = { Uncloneable, cloneError, decodeError, member, tooLarge };
