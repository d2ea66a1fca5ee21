'use strict';
// Keys of objects, found in a table of those seen before, so that a key that comes again is the same
// string, ready for use as a property's name.
//
// As in write-key.js, a slot holds one key, and remembers which one came after it: what a peer sends
// can fill the table with other keys, but not make it grow or slow.

const { input } = require('./input');
const { textAt } = require('./read-text');

const SLOTS = 2048;
/** Bytes of a slot; a longer key is read as any text. */
const SLOT_SIZE = 24;

const slots = new Uint8Array(SLOTS * SLOT_SIZE);
/** So long as there is none, the slot does not match. */
const lengths = new Uint8Array(SLOTS);
/** @type {string[]} */
const keys = new Array(SLOTS).fill('');
const successors = new Uint16Array(SLOTS);
let last = 0;

/** Without a prototype, so that no key is special. */
const pad = Object.create(null);
const { keys: keysOf } = Object;
const ObjectPrototype = Object.prototype;

/**
 * @param {number} at
 * @param {number} length in bytes, all of which are there
 * @returns {string | null} null for a key that is not in the table
 */
function knownKeyAt(at, length) {
  let slot = successors[last];
  if (lengths[slot] !== length || !isSame(at, length, slot)) {
    if (length === 0 || length > SLOT_SIZE) return null;
    const { bytes } = input;
    const ends = bytes[at] * 31 + bytes[at + length - 1] * 131;
    slot = (length * 683 + bytes[at + (length >> 1)] * 397 + ends) & (SLOTS - 1);
    if (lengths[slot] !== length || !isSame(at, length, slot)) {
      if (!learn(at, length, slot)) return null;
    }
    successors[last] = slot;
  }
  last = slot;
  return keys[slot];
}

function isSame(at, length, slot) {
  const { bytes } = input;
  const offset = slot * SLOT_SIZE - at;
  const end = at + length;
  while (at < end) {
    if (bytes[at] !== slots[at + offset]) return false;
    at++;
  }
  return true;
}

/** @returns {boolean} whether the key is in the table now */
function learn(at, length, slot) {
  const text = textAt(at, length);
  // Of ASCII only, because two spellings of one key would be two strings; and none that means
  // something on every object (`__proto__`), because that needs another way to be set.
  if (text.length !== length || text in ObjectPrototype) return false;
  // The engine's one copy of the name, which it finds properties by.
  pad[text] = true;
  [keys[slot]] = keysOf(pad);
  delete pad[text];
  lengths[slot] = length;
  slots.set(input.bytes.subarray(at, at + length), slot * SLOT_SIZE);
  return true;
}

module.exports = { knownKeyAt };
