'use strict';
// Images to be sent: a file's bytes are checked and go out as they are, raw pixels are encoded natively.

const { encodeImage: encodeNative, imageFormat } = require('../native');
const { MessageError } = require('./errors');

/** More than any signature. */
const SIGNATURE = 32;

/** What plain `image` encodes pixels as. */
const DEFAULT_FORMAT = 'jpeg';

/**
 * The bytes to send; null if `value` is no image; or what is wrong with it.
 * @param {import('./types').Type} type
 * @param {unknown} value
 * @returns {Uint8Array | MessageError | null}
 */
function encodeImage(type, value) {
  if (value instanceof Uint8Array) return checked(type.format, value);
  if (!isPixels(value)) return null;
  const { data, width, height } = value;
  try {
    // The engine takes no clamped array, which is what a canvas has.
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return encodeNative(type.format || DEFAULT_FORMAT, width, height, bytes);
  } catch (cause) {
    const message = `The image cannot be encoded as ${type.format || DEFAULT_FORMAT}: ${cause.message}`;
    return new MessageError('ERR_MESSAGE_INVALID_VALUE', message, { cause });
  }
}

/** @param {string} format '' takes every one */
function checked(format, bytes) {
  if (format === '') return bytes;
  const found = imageFormat(bytes.subarray(0, SIGNATURE));
  if (found === format) return bytes;
  const what = found === null ? 'these bytes are none that is known' : `this one is ${found}`;
  const message = `Expected an image of type ${format} to send, but ${what}`;
  return new MessageError('ERR_MESSAGE_INVALID_VALUE', message);
}

/** What the engine takes as a number of pixels. */
const isLength = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;

/** RGBA, four bytes a pixel, as of a canvas. */
function isPixels(value) {
  if (typeof value !== 'object' || value === null) return false;
  const { data, width, height } = value;
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  return isBytes && isLength(width) && isLength(height);
}

module.exports = { encodeImage };
