'use strict';
// Objects of the engine's classes, and `Tagged`. Those with nothing to walk in them are written here;
// of the others only the head is, and the encoder gets a list of what follows.

const {
  TypedArray,
  getter,
  placeOfDataView,
  placeOfTypedArray,
  uncurry,
} = require('../intrinsics');
const { types } = require('node:util');
const { Uncloneable } = require('./errors');
const { classOf, fieldsOf, messageOf } = require('./error-value');
const { Kind } = require('./kinds');
const { secondsOf } = require('./time');
const Tag = require('./tags');
const { checkTag } = require('./tagged');
const {
  ARRAY,
  MAP,
  TAG,
  writeBigHead,
  writeBytes,
  writeHead,
  writeNumber,
  writeText,
} = require('./write');

const nameOfView = getter(TypedArray.prototype, Symbol.toStringTag);
const timeOf = uncurry(Date.prototype.getTime);
const sourceOf = getter(RegExp.prototype, 'source');
const flagsOf = getter(RegExp.prototype, 'flags');
const numberOf = uncurry(Number.prototype.valueOf);
const stringOf = uncurry(String.prototype.valueOf);
const booleanOf = uncurry(Boolean.prototype.valueOf);
const bigIntOf = uncurry(BigInt.prototype.valueOf);
const symbolOf = uncurry(Symbol.prototype.valueOf);
const forEachOfMap = uncurry(Map.prototype.forEach);
const forEachOfSet = uncurry(Set.prototype.forEach);

/** @type {Map<string, number>} */
const tagsOfViews = new Map(
  Object.entries(Tag.TYPED_ARRAYS).map(([tag, name]) => [name, Number(tag)]),
);

/**
 * @param {object} value
 * @param {number} kind
 * @param {number} at
 * @returns {number} the end
 */
function writeLeaf(value, kind, at) {
  switch (kind) {
    case Kind.VIEW:
      return writeView(value, at);
    case Kind.ARRAY_BUFFER:
      refuseDetached(value);
      return writeBytes(new Uint8Array(value), writeObjectHead('ArrayBuffer', 2, at));
    case Kind.DATE:
      return writeDate(timeOf(value), at);
    case Kind.REGEXP:
      at = writeHead(ARRAY, 2, writeHead(TAG, Tag.REGEXP, at));
      return writeText(flagsOf(value), writeText(sourceOf(value), at));
    default:
      throw new Uncloneable(describe(value));
  }
}

function writeView(view, at) {
  const name = nameOfView(view);
  const [bufferOf, offsetOf, lengthOf] = name === undefined ? placeOfDataView : placeOfTypedArray;
  const buffer = bufferOf(view);
  // A DataView does not even tell its length then.
  if (name === undefined || lengthOf(view) === 0) refuseDetached(buffer);
  const bytes = new Uint8Array(buffer, offsetOf(view), lengthOf(view));
  if (name === undefined) return writeBytes(bytes, writeObjectHead('DataView', 2, at));
  if (name === 'Uint8Array') return writeBytes(bytes, at);
  const tag = tagsOfViews.get(name);
  // A kind that there was not yet when this was written.
  if (tag === undefined) throw new Uncloneable(describe(view));
  return writeBytes(bytes, writeHead(TAG, tag, at));
}

/** Memory that was transferred elsewhere would arrive as if there had never been any. */
function refuseDetached(buffer) {
  try {
    void new Uint8Array(buffer);
  } catch {
    throw new Uncloneable('A detached ArrayBuffer');
  }
}

function writeDate(milliseconds, at) {
  const seconds = secondsOf(milliseconds);
  if (seconds !== null) return writeNumber(seconds, writeHead(TAG, Tag.EPOCH, at));
  return writeNumber(milliseconds, writeObjectHead('Date', 2, at));
}

/** Tag 27, and the name of the type. `count` includes the name. */
function writeObjectHead(name, count, at) {
  return writeText(name, writeHead(ARRAY, count, writeHead(TAG, Tag.OBJECT, at)));
}

/**
 * A snapshot: nothing that runs while it is being written changes it.
 *
 * @param {Map<unknown, unknown> | Set<unknown>} value
 * @param {number} kind
 * @returns {unknown[]} keys and values in turn, or the members of a Set
 */
function itemsOf(value, kind) {
  const items = [];
  if (kind === Kind.MAP) forEachOfMap(value, (item, key) => items.push(key, item));
  else forEachOfSet(value, (item) => items.push(item));
  return items;
}

/**
 * @param {number} kind
 * @param {number} length of the list
 * @param {number} at
 */
function writeItemsHead(kind, length, at) {
  return kind === Kind.MAP
    ? writeHead(MAP, length / 2, writeHead(TAG, Tag.MAP, at))
    : writeHead(ARRAY, length, writeHead(TAG, Tag.SET, at));
}

/**
 * All of an Error but its fields, which follow as an object.
 *
 * @param {Error} error
 * @param {number} at
 * @returns {number} the end
 */
function writeErrorHead(error, className, at) {
  return writeText(messageOf(error), writeObjectHead(className, 3, at));
}

/**
 * @param {import('./tagged').Tagged} tagged
 * @param {number} at
 * @returns {number} where its value follows
 */
function writeTag({ tag }, at) {
  // It may have been changed since it was made.
  checkTag(tag);
  return typeof tag === 'bigint' ? writeBigHead(TAG, tag, at) : writeHead(TAG, tag, at);
}

/** The primitive in an object like `new Number(1)`. */
function unbox(value) {
  if (types.isNumberObject(value)) return numberOf(value);
  if (types.isStringObject(value)) return stringOf(value);
  if (types.isBooleanObject(value)) return booleanOf(value);
  return types.isBigIntObject(value) ? bigIntOf(value) : symbolOf(value);
}

/** What a value is, for the message. */
function describe(value) {
  if (typeof value === 'function') return value.name ? `The function ${value.name}` : 'A function';
  if (typeof value === 'symbol') return `${String(value)}, which is not registered,`;
  const name = value.constructor?.name;
  return typeof name === 'string' && name ? `An instance of ${name}` : 'An object of the engine';
}

module.exports = {
  classOf,
  describe,
  fieldsOf,
  itemsOf,
  unbox,
  writeErrorHead,
  writeItemsHead,
  writeLeaf,
  writeTag,
};
