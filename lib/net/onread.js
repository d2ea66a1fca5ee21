'use strict';
// The option `onread`: received bytes go into memory of the caller's, and to its callback instead of
// `'data'`.

const { errnoByCode, invalidType } = require('../errors');
const { validateFunction, validateObject } = require('../args');
const { connectionError } = require('./failure');

const ENOBUFS = errnoByCode.get('ENOBUFS');

/**
 * Checks the option and answers it, or null.
 * @param {{ buffer: Uint8Array | (() => Uint8Array), callback: (length: number, buffer: Uint8Array) => boolean }} [onread]
 */
function checkOnread(onread) {
  if (onread == null) return null;
  validateObject(onread, 'options.onread');
  const { buffer, callback } = onread;
  if (!(buffer instanceof Uint8Array) && typeof buffer !== 'function') {
    throw invalidType('options.onread.buffer', 'an instance of Uint8Array or a function', buffer);
  }
  validateFunction(callback, 'options.onread.callback');
  return { buffer, callback };
}

/** Gives `bytes` to the callback, piece by piece, until it says false; then the rest waits. */
function giveToCaller(socket, onread, bytes) {
  let at = 0;
  while (at < bytes.length && !socket.destroyed) {
    const buffer = typeof onread.buffer === 'function' ? onread.buffer() : onread.buffer;
    // Also where the program has given its memory away since.
    if (buffer.length === 0) {
      socket.destroy(connectionError(socket, ENOBUFS, 'read'));
      return;
    }
    const piece = bytes.subarray(at, at + buffer.length);
    buffer.set(piece);
    at += piece.length;
    const rest = bytes.subarray(at);
    let goesOn = false; // nor if it throws
    let wantsMore = true;
    try {
      wantsMore = onread.callback(piece.length, buffer) !== false;
      goesOn = wantsMore;
    } finally {
      if (!goesOn) keepRest(socket, onread, rest, wantsMore);
    }
    if (!goesOn) return;
  }
}

/** Keeps what the callback was not given yet, for later or, if it only threw, for the next tick. */
function keepRest(socket, onread, rest, wantsMore) {
  const handle = socket._handle;
  if (handle === null) return;
  handle.readStop();
  if (rest.length > 0) handle.holdFirst(() => giveToCaller(socket, onread, rest));
  if (wantsMore) handle.readStart();
}

module.exports = { checkOnread, giveToCaller };
