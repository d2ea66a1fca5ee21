'use strict';
// What Web IDL asks of a class: members that are seen in a loop, a name in `[object …]`, arguments that are counted.

/**
 * Makes the members of a class enumerable and gives its objects their `[object Name]`.
 * @param {Function} Class
 * @param {string} [name]
 */
function defineInterface(Class, name = Class.name) {
  const { prototype } = Class;
  for (const key of Object.getOwnPropertyNames(prototype)) {
    if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: true });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}

/**
 * @param {number} given
 * @param {number} least
 * @param {string} what `TCPSocket constructor`
 * @throws {TypeError}
 */
function requireArguments(given, least, what) {
  if (given >= least) return;
  const noun = least === 1 ? 'argument' : 'arguments';
  throw new TypeError(`${what}: ${least} ${noun} required, but only ${given} present`);
}

/**
 * Options: `undefined` and `null` are none, and anything else that is no object is refused.
 * @param {unknown} value
 * @param {string} what
 * @returns {Record<string, any>}
 * @throws {TypeError}
 */
function dictionaryOf(value, what) {
  if (value == null) return {};
  if (typeof value === 'object' || typeof value === 'function') return value;
  throw new TypeError(`${what}: the options must be an object`);
}

module.exports = { defineInterface, dictionaryOf, requireArguments };
