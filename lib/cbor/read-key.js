'use strict';
// Keys of objects, found in a table of those seen before, so that a key that comes again is the same
// string, ready for use as a property's name.
//
// As in write-key.js, a slot holds one key, and remembers which one came after it, and there are two in
// which a key may be. A key gets its slot
// when it comes for the second time, so that the keys of a dictionary, each of which comes once, cost
// little. What a peer sends can fill the table with other keys, but not make it grow or slow.

const { input } = require('./input');
const { textAt } = require('./read-text');

const SLOTS = 2048;
/** Bytes of a slot; a longer key has none. */
const SLOT_SIZE = 24;

const slots = new Uint8Array(SLOTS * SLOT_SIZE);
/** So long as there is none, the slot does not match. */
const lengths = new Uint8Array(SLOTS);
/** @type {string[]} */
const keys = new Array(SLOTS).fill('');
const successors = new Uint16Array(SLOTS);
let last = 0;
/** Hashes of keys that had no slot, each in the place of its own: two that want one slot do not hide each other. */
const candidates = new Uint16Array(SLOTS);

/** Without a prototype, so that no key is special. */
const pad = Object.create(null);
const { keys: keysOf } = Object;
const ObjectPrototype = Object.prototype;

/**
 * Which pairs of a length and a first byte may be a name that means something on every object; most
 * keys need not be looked up there.
 */
const specials = new Uint8Array(2 ** 13);
for (const name of Object.getOwnPropertyNames(ObjectPrototype)) {
  specials[specialIndex(name.length, name.charCodeAt(0))] = 1;
}

function specialIndex(length, first) {
  return ((length & 0x1f) << 8) | first;
}

/**
 * @param {number} at
 * @param {number} length in bytes, all of which are there, and one more
 * @returns {string | null} null for a key that cannot simply be assigned to: `__proto__` and its like
 */
function keyAt(at, length) {
  const slot = successors[last];
  if (!holds(slot, at, length)) return findKey(at, length);
  last = slot;
  return keys[slot];
}

/** A key that is not the one that was expected. */
function findKey(at, length) {
  if (length === 0 || length > SLOT_SIZE) return unknownKeyAt(at, length);
  const { bytes } = input;
  const ends = bytes[at] * 31 + bytes[at + length - 1] * 131;
  const hash = length * 683 + bytes[at + (length >> 1)] * 397 + ends;
  let slot = hash & (SLOTS - 1);
  if (!holds(slot, at, length) && !holds((slot ^= 1), at, length)) {
    if (lengths[slot] !== 0) slot ^= 1;
    const candidate = (hash + bytes[at + (length >> 2)] * 7919) & 0xffff;
    const place = candidate & (SLOTS - 1);
    if (candidates[place] !== candidate || !learn(at, length, slot)) {
      candidates[place] = candidate;
      return unknownKeyAt(at, length);
    }
  }
  successors[last] = slot;
  last = slot;
  return keys[slot];
}

function holds(slot, at, length) {
  return lengths[slot] === length && isSame(at, length, slot);
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

function unknownKeyAt(at, length) {
  const text = textAt(at, length);
  if (specials[specialIndex(length, input.bytes[at])] === 0) return text;
  return text in ObjectPrototype ? null : text;
}

/** @returns {boolean} whether the key has the slot now */
function learn(at, length, slot) {
  const text = textAt(at, length);
  if (text in ObjectPrototype) return false;
  // The engine's one copy of the name, which it finds properties by.
  pad[text] = true;
  [keys[slot]] = keysOf(pad);
  delete pad[text];
  lengths[slot] = length;
  slots.set(input.bytes.subarray(at, at + length), slot * SLOT_SIZE);
  return true;
}

module.exports = { keyAt };
