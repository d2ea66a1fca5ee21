'use strict';

/**
 * Puts methods and accessors on the prototype of a class that must be callable without `new`, as
 * `net`'s are: as a class would have them, not enumerable.
 * @param {object} prototype
 * @param {object} methods
 */
function defineMethods(prototype, methods) {
  const descriptors = Object.getOwnPropertyDescriptors(methods);
  for (const key of Reflect.ownKeys(descriptors)) descriptors[key].enumerable = false;
  Object.defineProperties(prototype, descriptors);
}

module.exports = { defineMethods };
