'use strict';
// From a value to its bytes in the outbox, at the time of `send()`: what cannot be sent is refused as a whole, and
// what changes later does not change what goes out.

const { Buffer } = require('node:buffer');
const { slab } = require('../engine');
const { headerSize, writeHeader } = require('../frame');
const { LARGEST_IN_SLAB, SHORT_TEXT } = require('../outbox');
const { MessageError } = require('./errors');
const { encodeImage } = require('./image');

const { latin1Write } = Buffer.prototype;
const slabView = new DataView(slab.buffer, slab.byteOffset, slab.byteLength);

/** No character of UTF-16 has more bytes in UTF-8. */
const MOST_BYTES = 3;

/**
 * Adds the message `value` to `box`; the caller commits. Answers null, or what is wrong with it; then nothing was
 * added.
 *
 * @param {import('../outbox').Outbox} box
 * @param {import('./types').Type} type
 * @param {number} limit the longest message in bytes
 * @param {unknown} value not nothing, see `isNothing`
 * @returns {MessageError | null}
 */
function addMessage(box, type, limit, value) {
  switch (type.family) {
    case 'text':
      if (typeof value === 'string') return addText(box, limit, value);
      return addAsText(box, limit, value);
    case 'number':
      return addNumbers(box, type, limit, value);
    case 'json':
      return addJson(box, limit, value);
    default:
      return addImage(box, type, limit, value);
  }
}

/** Whether there is nothing to send: in JSON, null is a value. */
const isNothing = (type, value) =>
  value === undefined || (value === null && type.family !== 'json');

/** What a value is called in an error. */
function nameOf(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function'))
    return value === null ? 'null' : typeof value;
  return value.constructor?.name || typeof value;
}

const cannotConvert = (typeName, value) =>
  new MessageError(
    'ERR_MESSAGE_INVALID_VALUE',
    `Data cannot be converted to ${typeName}. It is: ${nameOf(value)}`,
  );

const tooLong = (length, limit) =>
  new MessageError(
    'ERR_MESSAGE_TOO_LARGE',
    `The message has ${length} bytes, more than maxMessageSize (${limit}). It was not sent.`,
  );

function addText(box, limit, text) {
  const { length } = text;
  if (length < SHORT_TEXT && length * MOST_BYTES <= limit) {
    if (length > 0 || box.isFramed) box.addShortText(text);
    return null;
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > limit) return tooLong(bytes, limit);
  const header = box.isFramed ? headerSize(bytes) : 0;
  if (header + bytes > LARGEST_IN_SLAB) {
    const message = Buffer.allocUnsafeSlow(header + bytes);
    writeText(message, 0, text, header, bytes);
    box.addLarge(message);
  } else writeText(slab, box.reserve(header + bytes), text, header, bytes);
  return null;
}

/** Writes `text`, which has so many bytes in UTF-8, with a header of `header` bytes in front of it. */
function writeText(to, at, text, header, bytes) {
  if (header > 0) writeHeader(to, at, bytes);
  // ASCII, which most is: written with the cheaper of the two.
  if (bytes === text.length) latin1Write.call(to, text, at + header);
  else to.utf8Write(text, at + header, bytes);
}

/** A string for everything that has one; the strings of an array's elements, side by side. */
function addAsText(box, limit, value) {
  if (value instanceof Uint8Array) return addBytes(box, limit, value);
  let text;
  try {
    text = Array.isArray(value) ? joined(value) : String(value);
  } catch {
    return cannotConvert('string', value);
  }
  return addText(box, limit, text);
}

function joined(values) {
  let text = '';
  for (let i = 0; i < values.length; i++) if (values[i] != null) text += String(values[i]);
  return text;
}

function addJson(box, limit, value) {
  if (typeof value === 'string') return addText(box, limit, value);
  let text;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const err = cannotConvert('json', value);
    err.cause = cause;
    return err;
  }
  return text === undefined ? cannotConvert('json', value) : addText(box, limit, text);
}

function addNumbers(box, type, limit, value) {
  const { size, name } = type;
  if (isNumber(value)) {
    if (size > limit) return tooLong(size, limit);
    let at = box.reserve(size + (box.isFramed ? 1 : 0));
    if (box.isFramed) slab[at++] = size;
    type.write(slabView, at, value);
    return null;
  }
  const isView = ArrayBuffer.isView(value) && !(value instanceof DataView);
  if (isView && size === 1 && value instanceof Uint8Array) return addBytes(box, limit, value);
  if (!isView && !Array.isArray(value)) return cannotConvert(name, value);
  const elements = isView ? value : elementsOf(value);
  const { length } = elements;
  for (let i = 0; i < length; i++) {
    if (!isNumber(elements[i])) return cannotConvert(name, elements[i]);
  }
  const place = placeFor(box, length * size, limit);
  if (place instanceof MessageError) return place;
  let { at } = place;
  for (let i = 0; i < length; i++) {
    type.write(place.view, at, elements[i]);
    at += size;
  }
  if (place.message !== null) box.addLarge(place.message);
  return null;
}

/** Those that are something, each looked at once: a getter among them may do anything, send a message for instance. */
function elementsOf(values) {
  const elements = [];
  for (let i = 0; i < values.length; i++) {
    const element = values[i];
    if (element != null) elements.push(element);
  }
  return elements;
}

const isNumber = (value) => typeof value === 'number' || typeof value === 'bigint';

/**
 * Room for a message of `length` bytes, its header written: in the slab, or by itself as `message`, which is to be
 * added when it is filled.
 */
function placeFor(box, length, limit) {
  if (length > limit) return tooLong(length, limit);
  const header = box.isFramed ? headerSize(length) : 0;
  if (header + length > LARGEST_IN_SLAB) {
    const message = Buffer.allocUnsafeSlow(header + length);
    if (header > 0) writeHeader(message, 0, length);
    return { view: new DataView(message.buffer), at: header, message };
  }
  if (header + length === 0) return { view: slabView, at: 0, message: null };
  const at = box.reserve(header + length);
  if (header > 0) writeHeader(slab, at, length);
  return { view: slabView, at: at + header, message: null };
}

/** @param {Uint8Array} bytes */
function addBytes(box, limit, bytes) {
  const place = placeFor(box, bytes.length, limit);
  if (place instanceof MessageError) return place;
  (place.message ?? slab).set(bytes, place.at);
  if (place.message !== null) box.addLarge(place.message);
  return null;
}

function addImage(box, type, limit, value) {
  const image = encodeImage(type, value);
  if (image instanceof MessageError) return image;
  if (image === null) {
    const message = `Expected an image to send, but instead got ${nameOf(value)}`;
    return new MessageError('ERR_MESSAGE_INVALID_VALUE', message);
  }
  return addBytes(box, limit, image);
}

module.exports = { addMessage, isNothing };
