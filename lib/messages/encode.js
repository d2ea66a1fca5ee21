'use strict';
// From a value to its bytes in the outbox, at the time of `send()`: what cannot be sent is refused as a whole, and
// what changes later does not change what goes out.

const { Buffer } = require('node:buffer');
const { isAnyArrayBuffer, isDataView } = require('node:util/types');
const { slab } = require('../engine');
const { headerSize, writeHeader } = require('../frame');
const { LARGEST_IN_SLAB, SHORT_TEXT } = require('../outbox');
const { MessageError, closedError } = require('./errors');
const { encodeImage } = require('./image');

const { latin1Write } = Buffer.prototype;
/** That of all typed arrays, which throws where the memory is gone. */
const { at: typedArrayAt } = Uint8Array.prototype;
const slabView = new DataView(slab.buffer, slab.byteOffset, slab.byteLength);

/** No character of UTF-16 has more bytes in UTF-8. */
const MOST_BYTES = 3;

/**
 * Adds the message `value` to `box`; the caller commits. Answers null, or what is wrong with it; then nothing was
 * added.
 *
 * A value may run code of the program: `toString`, `toJSON`, getters. All of that has run, and whether the connection
 * still takes something been asked again, before anything is reserved in the box.
 *
 * @param {import('../outbox').Outbox} box
 * @param {import('./types').Type} type
 * @param {number} limit the longest message in bytes
 * @param {unknown} value not nothing, see `isNothing`
 * @param {() => boolean} mayAdd
 * @returns {MessageError | null}
 */
function addMessage(box, type, limit, value, mayAdd) {
  const { family } = type;
  // Most are one of these; small enough to be part of `send()` when it is compiled.
  if (typeof value === 'string' && (family === 'text' || family === 'json'))
    return addText(box, limit, value);
  if (family === 'number' && isNumber(value)) return addNumber(box, type, limit, value);
  return addContent(box, type, limit, value, mayAdd);
}

function addContent(box, type, limit, value, mayAdd) {
  let content;
  try {
    content = contentOf(type, value);
  } catch (cause) {
    return cannotConvert(type.name, value, cause);
  }
  if (content instanceof MessageError) return content;
  if (!mayAdd()) return closedError();
  if (typeof content === 'string') return addText(box, limit, content);
  if (type.family !== 'number') return addBytes(box, limit, content);
  if (type.size === 1 && content instanceof Uint8Array) return addBytes(box, limit, content);
  return addNumbers(box, type, limit, content);
}

/** What is to be sent of `value`: a string, bytes, or numbers; or what is wrong with it. May throw what the program throws. */
function contentOf(type, value) {
  if (isDetached(value)) return cannotConvert(type.name, value);
  switch (type.family) {
    case 'text':
      return bytesOf(value) ?? textOf(value);
    case 'number':
      return numbersOf(type, value);
    case 'json':
      return JSON.stringify(value) ?? cannotConvert('json', value);
    default:
      return encodeImage(type, value) ?? noImage(value);
  }
}

/** Whether there is nothing to send: in JSON, null is a value. */
const isNothing = (type, value) =>
  value === undefined || (value === null && type.family !== 'json');

/** What a value is called in an error. */
function nameOf(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function'))
    return value === null ? 'null' : typeof value;
  try {
    return `${value.constructor?.name || typeof value}`;
  } catch {
    // A getter of the program, or a proxy.
    return typeof value;
  }
}

function cannotConvert(typeName, value, cause) {
  const name = isDetached(value) ? `${nameOf(value)}, and its memory is gone` : nameOf(value);
  const message = `Data cannot be converted to ${typeName}. It is: ${name}`;
  const options = cause === undefined ? undefined : { cause };
  return new MessageError('ERR_MESSAGE_INVALID_VALUE', message, options);
}

const noImage = (value) =>
  new MessageError(
    'ERR_MESSAGE_INVALID_VALUE',
    `Expected an image to send, but instead got ${nameOf(value)}`,
  );

/** A view whose memory was transferred, or resized away from under it: it looks as if it were empty. */
function isDetached(value) {
  if (!ArrayBuffer.isView(value)) return false;
  try {
    // A DataView throws here already.
    if (value.byteLength === 0 && !isDataView(value)) typedArrayAt.call(value, 0);
    return false;
  } catch {
    return true;
  }
}

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

/** The bytes of memory that is no array of numbers, or null. */
function bytesOf(value) {
  if (value instanceof Uint8Array) return value;
  if (isDataView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (isAnyArrayBuffer(value)) return new Uint8Array(value);
  return null;
}

/** A string for everything that has one; the strings of an array's elements, side by side. */
function textOf(values) {
  if (!Array.isArray(values) && !ArrayBuffer.isView(values)) return String(values);
  let text = '';
  for (let i = 0; i < values.length; i++) if (values[i] != null) text += String(values[i]);
  return text;
}

function addNumber(box, type, limit, value) {
  const { size } = type;
  if (size > limit) return tooLong(size, limit);
  let at = box.reserve(size + (box.isFramed ? 1 : 0));
  if (box.isFramed) slab[at++] = size;
  type.write(slabView, at, value);
  return null;
}

/** A typed array as it is, or the numbers of another one, each looked at once. */
function numbersOf({ name }, values) {
  if (ArrayBuffer.isView(values) && !isDataView(values)) {
    // Whose class may say that there are more than there are.
    for (let i = 0; i < values.length; i++)
      if (!isNumber(values[i])) return cannotConvert(name, values[i]);
    return values;
  }
  if (!Array.isArray(values)) return cannotConvert(name, values);
  const numbers = [];
  for (let i = 0; i < values.length; i++) {
    const number = values[i];
    if (number == null) continue;
    if (!isNumber(number)) return cannotConvert(name, number);
    numbers.push(number);
  }
  return numbers;
}

function addNumbers(box, type, limit, numbers) {
  const { size } = type;
  const { length } = numbers;
  const place = placeFor(box, length * size, limit);
  if (place instanceof MessageError) return place;
  let { at } = place;
  for (let i = 0; i < length; i++) {
    type.write(place.view, at, numbers[i]);
    at += size;
  }
  if (place.message !== null) box.addLarge(place.message);
  return null;
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

module.exports = { addMessage, isNothing };
