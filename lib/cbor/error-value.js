'use strict';
// An Error as a value: its class, its message, and fields. The stack stays at home: it tells about the
// sender's files, and means nothing elsewhere.

const { isNativeClass } = require('./kinds');

const { defineProperty, getPrototypeOf } = Object;
const hasOwn = Function.prototype.call.bind(Object.prototype.hasOwnProperty);

/** By name. A class that is not here is sent as the first of its bases that is. */
const CLASSES = new Map(
  [
    Error,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
    AggregateError,
  ].map((Class) => [Class.name, Class]),
);
const DOM_EXCEPTION = 'DOMException';

/** Fields that are always text, and those that an Error has without showing them in an enumeration. */
const TEXTS = new Set(['name', 'message', 'stack']);
const HIDDEN = new Set([...TEXTS, 'cause', 'errors']);

/** @param {string} name */
function isErrorClass(name) {
  return name === DOM_EXCEPTION || CLASSES.has(name);
}

/** @param {Error} error */
function classOf(error) {
  if (error instanceof DOMException) return DOM_EXCEPTION;
  for (let base = getPrototypeOf(error); base !== null; base = getPrototypeOf(base)) {
    const constructor = hasOwn(base, 'constructor') ? base.constructor : null;
    // By name, for it may be the class of another realm.
    if (typeof constructor === 'function' && CLASSES.has(constructor.name)) {
      if (isNativeClass(constructor)) return constructor.name;
    }
  }
  return 'Error';
}

/**
 * What there is to an Error beside class and message: the cause, and what was put on it.
 *
 * @param {Error} error
 * @param {string} className
 */
function fieldsOf(error, className) {
  const fields = Object.create(null);
  const { name } = error;
  if (typeof name === 'string' && name !== className) fields.name = name;
  if (hasOwn(error, 'cause')) fields.cause = error.cause;
  if (hasOwn(error, 'errors')) fields.errors = error.errors;
  for (const key of Object.keys(error)) {
    if (!TEXTS.has(key)) fields[key] = error[key];
  }
  return fields;
}

/** @param {Error} error */
function messageOf({ message }) {
  return message === undefined ? '' : String(message);
}

/**
 * @param {string} className one of which `isErrorClass` says so
 * @param {string} message
 */
function makeError(className, message) {
  const limit = Error.stackTraceLimit;
  // A stack would show how the bytes were decoded, which is no news, and costs more than the rest.
  // In a realm that is frozen it stays as it is.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    if (className === DOM_EXCEPTION) return new DOMException(message);
    const Class = CLASSES.get(className);
    return className === 'AggregateError' ? new Class([], message) : new Class(message);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

/**
 * Whether a field may have a value.
 *
 * @param {string} key
 * @param {unknown} value
 */
function isField(key, value) {
  return typeof value === 'string' || !TEXTS.has(key);
}

/**
 * @param {Error} error
 * @param {string} key
 * @param {unknown} value
 */
function setField(error, key, value) {
  const enumerable = !HIDDEN.has(key);
  defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
  if (key === 'name' && error instanceof DOMException) {
    // It follows from the name.
    const { code } = new DOMException('', String(value));
    defineProperty(error, 'code', { value: code, configurable: true, writable: true });
  }
}

module.exports = { classOf, fieldsOf, isErrorClass, isField, makeError, messageOf, setField };
