'use strict';
// What a socket is made from: its options, checked, in one shape.

const { BlockList } = require('node:net');
const { codedError, invalidType, invalidValue } = require('../errors');
const { validateAbortSignal, validateInteger, validateNumber } = require('../args');

/**
 * What the constructor works with, in one shape for all callers: making a socket is on the path of
 * every accepted connection. It is handed to Duplex as it is.
 */
class Making {
  /**
   * @param {object} options the caller's, checked; or a server's
   * @param {import('../stream-handle').StreamHandle | null} handle
   */
  constructor(options, handle) {
    this.handle = handle;
    this.allowHalfOpen = Boolean(options.allowHalfOpen);
    this.autoDestroy = true;
    this.decodeStrings = false;
    this.emitClose = false;
    this.readable = options.readable;
    this.writable = options.writable;
    this.highWaterMark = options.highWaterMark;
    this.readableHighWaterMark = options.readableHighWaterMark;
    this.writableHighWaterMark = options.writableHighWaterMark;
    this.defaultEncoding = options.defaultEncoding;
    this.encoding = options.encoding;
    this.captureRejections = options.captureRejections;
    this.noDelay = Boolean(options.noDelay);
    this.keepAlive = Boolean(options.keepAlive);
    this.keepAliveInitialDelay = options.keepAliveInitialDelay;
  }
}

/** The making of a socket by its user. @param {object} options */
function makingOf(options) {
  validateOptions(options);
  const making = new Making(options, null);
  // The directions of a descriptor that is taken over are for the caller to say.
  if (options.fd !== undefined) making.readable = options.readable !== false;
  return making;
}

const keepAliveOf = (delay) => ({ delay: positive(delay), interval: 0, count: 0 });

function validateOptions(options) {
  for (const name of ['objectMode', 'readableObjectMode', 'writableObjectMode']) {
    if (options[name]) throw invalidValue(`options.${name}`, options[name], 'is not supported');
  }
  if (options.keepAliveInitialDelay !== undefined) {
    validateNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
  }
  if (options.fd !== undefined) validateInteger(options.fd, 'fd', 0, 2 ** 31 - 1);
  if (options.signal) validateAbortSignal(options.signal, 'signal');
  if (options.typeOfService !== undefined) {
    validateInteger(options.typeOfService, 'options.typeOfService', 0, 255);
  }
}

/** Checks the option `blockList` and answers it. */
function checkBlockList(blockList) {
  // Newer versions of Node know those of other realms and threads too.
  const isOne = BlockList.isBlockList?.(blockList) ?? blockList instanceof BlockList;
  if (!isOne) throw invalidType('options.blockList', 'an net.BlockList', blockList);
  return blockList;
}

/**
 * Where `tls` would be passed over, it is refused: what was to be encrypted would be sent in plaintext. (What is in it is
 * not shown: there may be keys.)
 * @param {{ tls?: unknown }} options
 * @param {string} where
 */
function refuseTls({ tls }, where) {
  if (!tls) return;
  const message = `The property 'options.tls' is for net.createServer() and net.connect(), not for ${where}`;
  throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

/** A number for the system; 0 leaves what it has. */
const positive = (value) => (value > 0 ? Math.floor(value) : 0);

module.exports = { Making, checkBlockList, keepAliveOf, makingOf, positive, refuseTls };
