'use strict';
// Keys of objects, written from a table of those seen before, four bytes at a time.
//
// The keys of a program's objects are few and come in the same order again and again, so that each
// slot also remembers which one came after it. A slot holds one key, and there are two in which a key
// may be; a third one that belongs there takes the place of another. So the table never grows, and keys
// that are never seen again cost one entry.

const { output } = require('./output');
const { writeText } = require('./write');

const SLOTS = 1024;
/** Bytes of a slot as 32-bit words; a longer key is written as any text. */
const WORDS = 6;
const LONGEST = 23;

/** @type {string[]} */
const keys = new Array(SLOTS).fill('');
/** Bytes with the head; so long as there is none, the slot does not match. */
const sizes = new Uint8Array(SLOTS);
const words = new Int32Array(SLOTS * WORDS);
const successors = new Uint16Array(SLOTS);
let last = 0;

/**
 * @param {string} key
 * @param {number} at
 */
function writeKey(key, at) {
  let slot = successors[last];
  if (keys[slot] !== key || sizes[slot] === 0) {
    const { length } = key;
    if (length === 0 || length > LONGEST) return writeText(key, at);
    const first = key.charCodeAt(0);
    const middle = key.charCodeAt(length >> 1);
    slot =
      (length * 683 + first * 31 + middle * 397 + key.charCodeAt(length - 1) * 131) & (SLOTS - 1);
    if (keys[slot] !== key) {
      slot ^= 1;
      if (keys[slot] !== key) return learn(key, at, slot);
    }
    successors[last] = slot;
  }
  last = slot;
  const { view } = output;
  const size = sizes[slot];
  let word = slot * WORDS;
  view.setInt32(at, words[word], true);
  for (let done = 4; done < size; done += 4) view.setInt32(at + done, words[++word], true);
  return at + size;
}

/** `slot` is the second of the two. */
function learn(key, at, slot) {
  const end = writeText(key, at);
  // Only what is ASCII has one byte for each character, and surely fits.
  if (end - at !== key.length + 1) return end;
  if (sizes[slot] !== 0) slot ^= 1;
  keys[slot] = key;
  sizes[slot] = end - at;
  for (let i = 0; i < WORDS; i++) {
    words[slot * WORDS + i] = output.view.getInt32(at + 4 * i, true);
  }
  successors[last] = slot;
  last = slot;
  return end;
}

module.exports = { writeKey };
