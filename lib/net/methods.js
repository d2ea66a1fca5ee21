'use strict';

/** What Node has not enumerable, and what is not for others. */
const HIDDEN = new Set([
  '_connecting',
  'bufferSize',
  'flushTick',
  'pending',
  'prepareFlush',
  'readyState',
]);

/**
 * Puts methods and accessors on the prototype of a class that must be callable without `new`, as
 * `net`'s are; enumerable like `net`'s.
 * @param {object} prototype
 * @param {object} methods
 */
function defineMethods(prototype, methods) {
  const descriptors = Object.getOwnPropertyDescriptors(methods);
  for (const key of Reflect.ownKeys(descriptors)) {
    descriptors[key].enumerable = typeof key === 'string' && !HIDDEN.has(key);
  }
  Object.defineProperties(prototype, descriptors);
}

module.exports = { defineMethods };
