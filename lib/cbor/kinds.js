'use strict';
// What an object is. Asked only for those that are neither arrays nor plain objects.
//
// What counts is what the engine made (a Map has the slots of a Map), not the prototype, which anybody
// can set. An instance of a class is a plain object, unless the class is one of the engine's: then it
// has state that cannot be seen from outside, and would arrive empty.

const { Blob } = require('node:buffer');
const { types } = require('node:util');
const { Tagged } = require('./tagged');

/** What to do with an object. */
const Kind = Object.freeze({
  PLAIN: 0,
  VIEW: 1,
  ARRAY_BUFFER: 2,
  DATE: 3,
  REGEXP: 4,
  MAP: 5,
  SET: 6,
  ERROR: 7,
  BOXED: 8,
  TAGGED: 9,
  UNCLONEABLE: 10,
});

const { getPrototypeOf } = Object;
const hasOwn = Function.prototype.call.bind(Object.prototype.hasOwnProperty);

/** Those that have a name which people look for. */
const UNCLONEABLE = [
  types.isPromise,
  types.isWeakMap,
  types.isWeakSet,
  types.isSharedArrayBuffer,
  types.isGeneratorObject,
  types.isMapIterator,
  types.isSetIterator,
  types.isExternal,
  types.isKeyObject,
  types.isCryptoKey,
  (value) => value instanceof Blob,
];

/**
 * Prototypes of classes that only programs, and not the engine, had a part in: all their instances are
 * plain objects.
 *
 * @type {WeakSet<object>}
 */
const plainPrototypes = new WeakSet();

/**
 * @param {object} value
 * @returns {number} a `Kind`
 */
function kindOf(value) {
  if (ArrayBuffer.isView(value)) return Kind.VIEW;
  const prototype = getPrototypeOf(value);
  if (plainPrototypes.has(prototype)) return Kind.PLAIN;
  if (types.isDate(value)) return Kind.DATE;
  if (types.isMap(value)) return Kind.MAP;
  if (types.isSet(value)) return Kind.SET;
  if (types.isNativeError(value) || value instanceof DOMException) return Kind.ERROR;
  if (types.isArrayBuffer(value)) return Kind.ARRAY_BUFFER;
  if (types.isRegExp(value)) return Kind.REGEXP;
  if (value instanceof Tagged) return Kind.TAGGED;
  if (types.isBoxedPrimitive(value)) return Kind.BOXED;
  if (UNCLONEABLE.some((is) => is(value))) return Kind.UNCLONEABLE;
  return kindOfInstance(prototype);
}

function kindOfInstance(prototype) {
  if (prototype === null) return Kind.PLAIN;
  if (isOfEngine(prototype)) return Kind.UNCLONEABLE;
  for (let base = getPrototypeOf(prototype); base !== null; base = getPrototypeOf(base)) {
    // Some instances are what the base makes, and some (by Object.create) are not: nothing to learn.
    if (isOfEngine(base)) return Kind.PLAIN;
  }
  plainPrototypes.add(prototype);
  return Kind.PLAIN;
}

/** Whether it is the prototype of a class of the engine other than Object (of any realm). */
function isOfEngine(prototype) {
  if (getPrototypeOf(prototype) === null) return false;
  // Iterators have no class, but a name.
  if (!hasOwn(prototype, 'constructor')) return hasOwn(prototype, Symbol.toStringTag);
  const { constructor } = prototype;
  return typeof constructor === 'function' && isNativeClass(constructor);
}

const sourceOf = Function.prototype.call.bind(Function.prototype.toString);

/**
 * Whether a constructor is the engine's, of any realm.
 *
 * @param {Function} constructor
 */
function isNativeClass(constructor) {
  return /\{\s*\[native code\]\s*\}\s*$/.test(sourceOf(constructor).slice(-40));
}

module.exports = { Kind, isNativeClass, kindOf };
