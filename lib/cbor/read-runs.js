'use strict';
// Runs of scalars in arrays and objects. Each function goes on where the innermost container stands,
// up to the first item that it does not know, which stays to be read. `input.at` and the frame's index
// are local meanwhile, which is most of the speed; so is that each kind of item is stored by a line of
// its own, which the engine then compiles for this kind.

const { float64At, input, truncated, uint32At } = require('./input');
const { keyAt } = require('./read-key');
const { textAt } = require('./read-text');
const { close, walk } = require('./walk');

// Heads, as bytes: the kind of an item, and how long what follows is.
const UINT8 = 0x18;
const UINT16 = 0x19;
const UINT32 = 0x1a;
const UINT64 = 0x1b;
const NEGATIVE = 0x20;
const NEGATIVE8 = 0x38;
const NEGATIVE16 = 0x39;
const NEGATIVE64 = 0x3b;
const TEXT = 0x60;
const TEXT8 = 0x78;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const FLOAT64 = 0xfb;

/** @param {number} head */
function isNumber(head) {
  return head <= UINT64 || (head >= NEGATIVE && head <= NEGATIVE64) || head === FLOAT64;
}

/**
 * The numbers at the beginning of an array. In a function of its own, because the engine compiles it
 * for arrays of numbers alone.
 */
function readNumbers() {
  const { frame } = walk;
  const { container: array, count } = frame;
  let index = 0;
  const { bytes, end } = input;
  let { at } = input;
  // A number has nine bytes at most; the last few are left to others.
  while (index < count && end - at >= 9) {
    const head = bytes[at];
    if (head < UINT8) {
      array[index++] = head;
      at++;
    } else if (head === FLOAT64) {
      array[index++] = float64At(at + 1);
      at += 9;
    } else if (head === UINT16) {
      array[index++] = (bytes[at + 1] << 8) | bytes[at + 2];
      at += 3;
    } else if (head === UINT8) {
      array[index++] = bytes[at + 1];
      at += 2;
    } else if (head === UINT32) {
      array[index++] = uint32At(at + 1);
      at += 5;
    } else if (head === UINT64 && bytes[at + 1] === 0 && bytes[at + 2] < 0x20) {
      array[index++] = uint32At(at + 1) * 0x100000000 + uint32At(at + 5);
      at += 9;
    } else if (head >= NEGATIVE && head < NEGATIVE8) {
      array[index++] = NEGATIVE - 1 - head;
      at++;
    } else if (head === NEGATIVE16) {
      array[index++] = ~((bytes[at + 1] << 8) | bytes[at + 2]);
      at += 3;
    } else {
      break;
    }
  }
  frame.index = index;
  input.at = at;
}

/**
 * The elements of the innermost array.
 *
 * @returns {boolean} whether they are all there now
 */
function readElements() {
  const { frame } = walk;
  const { container: array, count } = frame;
  let { index } = frame;
  const { bytes, end } = input;
  let { at } = input;
  while (index < count) {
    if (at >= end) throw truncated();
    const head = bytes[at++];
    if (head < UINT8) {
      array[index++] = head;
    } else if (head === FLOAT64) {
      if (end - at < 8) throw truncated();
      array[index++] = float64At(at);
      at += 8;
    } else if (head === UINT16) {
      if (end - at < 2) throw truncated();
      array[index++] = (bytes[at] << 8) | bytes[at + 1];
      at += 2;
    } else if (head >= TEXT && head <= TEXT8) {
      let length = head - TEXT;
      if (head === TEXT8 && at < end) length = bytes[at++];
      if (end - at < length) throw truncated();
      array[index++] = textAt(at, length);
      at += length;
    } else if (head === UINT8) {
      if (at >= end) throw truncated();
      array[index++] = bytes[at++];
    } else if (head === UINT32) {
      if (end - at < 4) throw truncated();
      array[index++] = uint32At(at);
      at += 4;
    } else if (head >= NEGATIVE && head < NEGATIVE8) {
      array[index++] = NEGATIVE - 1 - head;
    } else if (head === NEGATIVE16) {
      if (end - at < 2) throw truncated();
      array[index++] = ~((bytes[at] << 8) | bytes[at + 1]);
      at += 2;
    } else if (head === NULL) {
      array[index++] = null;
    } else if (head === TRUE) {
      array[index++] = true;
    } else if (head === FALSE) {
      array[index++] = false;
    } else {
      frame.index = index;
      input.at = at - 1;
      return false;
    }
  }
  input.at = at;
  return close();
}

/**
 * The members of the innermost object.
 *
 * @returns {boolean} whether they are all there now
 */
function readMembers() {
  const { frame } = walk;
  const { container: object, count } = frame;
  let { index } = frame;
  const { bytes, end } = input;
  let { at } = input;
  while (index < count) {
    index++;
    if (at >= end) throw truncated();
    const keyHead = bytes[at++];
    let keyLength = keyHead - TEXT;
    if (keyHead === TEXT8 && at < end) keyLength = bytes[at++];
    else if (keyHead < TEXT || keyHead >= TEXT8) return stopAtKey(index, at - 1);
    // The value has one byte at least.
    if (end - at <= keyLength) throw truncated();
    const key = keyAt(at, keyLength);
    if (key === null) return stopAtKey(index, keyHead === TEXT8 ? at - 2 : at - 1);
    at += keyLength;
    const head = bytes[at++];
    if (head >= TEXT && head <= TEXT8) {
      let length = head - TEXT;
      if (head === TEXT8 && at < end) length = bytes[at++];
      if (end - at < length) throw truncated();
      object[key] = textAt(at, length);
      at += length;
    } else if (head < UINT8) {
      object[key] = head;
    } else if (head === UINT8) {
      if (at >= end) throw truncated();
      object[key] = bytes[at++];
    } else if (head === UINT16) {
      if (end - at < 2) throw truncated();
      object[key] = (bytes[at] << 8) | bytes[at + 1];
      at += 2;
    } else if (head === UINT32) {
      if (end - at < 4) throw truncated();
      object[key] = uint32At(at);
      at += 4;
    } else if (head === FLOAT64) {
      if (end - at < 8) throw truncated();
      object[key] = float64At(at);
      at += 8;
    } else if (head === UINT64 && end - at >= 8 && bytes[at] === 0 && bytes[at + 1] < 0x20) {
      object[key] = uint32At(at) * 0x100000000 + uint32At(at + 4);
      at += 8;
    } else if (head === TRUE) {
      object[key] = true;
    } else if (head === FALSE) {
      object[key] = false;
    } else if (head === NULL) {
      object[key] = null;
    } else {
      frame.index = index;
      frame.key = key;
      frame.isOrdinary = true;
      input.at = at - 1;
      return false;
    }
  }
  input.at = at;
  return close();
}

/** The next key is no text, or cannot simply be assigned to. */
function stopAtKey(index, at) {
  walk.frame.index = index;
  walk.frame.wantsKey = true;
  input.at = at;
  return false;
}

module.exports = { isNumber, readElements, readMembers, readNumbers };
