'use strict';
// One level of the encoder's walk.

const { member } = require('./errors');

/** Linked in both directions; made once and used again. */
class Frame {
  /** @param {Frame | null} parent the level above */
  constructor(parent) {
    this.parent = parent;
    /** @type {Frame | null} */
    this.child = null;
    /** Levels above this one, without the root. */
    this.depth = parent === null ? 0 : parent.depth + 1;
    /** The value itself. @type {any} */
    this.container = null;
    /** The elements of an array, or what is in a Map, Set or `Tagged`; or the keys of an object. @type {any[] | null} */
    this.list = null;
    this.isKeys = false;
    /** What of the list is next, and where it ends. */
    this.index = 0;
    this.count = 0;
  }
}

/**
 * Where the walk is, for people.
 *
 * @param {Frame} frame the innermost level
 * @returns {string[]}
 */
function pathOf(frame) {
  const path = [];
  for (let level = frame; level.parent !== null; level = level.parent) path.push(part(level));
  return path.toReversed();
}

function part({ container, list, isKeys, index }) {
  const last = index - 1;
  if (isKeys) return member(list[last]);
  if (container === list) return `[${last}]`;
  if (container instanceof Map)
    return last % 2 ? `.get(key ${last >> 1})` : `.keys()[${last >> 1}]`;
  return container instanceof Set ? `.values()[${last}]` : '.value';
}

/** So many levels are kept for the next value. */
const KEPT_DEPTH = 1024;

/**
 * Lets go of the levels that a very deep value has left behind.
 *
 * @template {{ child: T | null, depth: number }} T
 * @param {T} root
 */
function trim(root) {
  let level = root;
  while (level !== null && level.depth < KEPT_DEPTH) level = level.child;
  if (level !== null) level.child = null;
}

module.exports = { Frame, KEPT_DEPTH, pathOf, trim };
