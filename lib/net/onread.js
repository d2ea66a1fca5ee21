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
  if (typeof buffer !== 'function') return { buffer, generate: null, callback };
  return { buffer: null, generate: buffer, callback };
}

/** As in Node, the memory of the next piece is asked for when the one before was used; here, of the first one. */
function nextBuffer(onread) {
  if (onread.generate === null) return;
  const { generate } = onread;
  const buffer = generate();
  if (buffer instanceof Uint8Array) onread.buffer = buffer; // Else the same once more.
}

/** Gives `bytes` to the callback, piece by piece, until it says false or pauses; then the rest waits. */
function giveToCaller(socket, onread, bytes) {
  let at = 0;
  while (at < bytes.length && !socket.destroyed) {
    if (onread.buffer === null) nextBuffer(onread);
    const { buffer } = onread;
    // Also where the program has given its memory away since.
    if (buffer === null || buffer.length === 0) {
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
      wantsMore = onread.callback.call(socket, piece.length, buffer) !== false;
      nextBuffer(onread);
      if (socket._handle !== null && !socket._handle.isReading) wantsMore = false;
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

module.exports = { checkOnread, giveToCaller, nextBuffer };
