'use strict';
// The decoder: builds a value from its bytes, in one pass and without recursion.
//
// The bytes are taken for hostile. Whatever they say about sizes is compared with what is there before
// memory is taken for it, every level is counted, and nothing is looked for twice.
//
// Runs of scalars, which is what most values consist of, are taken by read-runs.js. What they stop at
// is taken by `readItem`, and put where it belongs by `deliver`.

const { Buffer } = require('node:buffer');
const { isField, setField } = require('./error-value');
const { input, malformed, truncated } = require('./input');
const {
  Major,
  readArgument,
  readCount,
  readFloat,
  readInteger,
  readLength,
  readText,
} = require('./item');
const { isNumber, readElements, readMembers, readNumbers } = require('./read-runs');
const { HOLE, readTagged } = require('./read-tag');
const { resetBudgets, takeBytes } = require('./tag-values');
const { SHAREABLE } = require('./tags');
const {
  Container,
  beginMark,
  close,
  endMark,
  guard,
  open,
  reserved,
  spend,
  walk,
} = require('./walk');

/** Longer arrays grow as their elements come, because V8 would make a sparse one of the length. */
const MOST_PREPARED = 2 ** 24;

const ObjectPrototype = Object.prototype;
const NO_BYTES = Buffer.alloc(0);

let isBusy = false;

/**
 * The next item: whole, or up to the first thing in it that has to be read by itself.
 *
 * @returns {boolean} whether `walk.item` is complete
 */
function readItem() {
  for (;;) {
    if (input.at >= input.end) throw truncated();
    const head = input.bytes[input.at++];
    switch (head >> 5) {
      case Major.UNSIGNED:
      case Major.NEGATIVE:
        walk.item = readInteger(head);
        return true;
      case Major.BYTES:
        walk.item = readBytes(head);
        return true;
      case Major.TEXT:
        walk.item = readText(head);
        return true;
      case Major.ARRAY:
        return readArray(head);
      case Major.MAP:
        return readMap(head);
      case Major.OTHER:
        walk.item = readOther(head);
        return true;
      default: {
        const at = input.at - 1;
        const tag = readArgument(head);
        if (tag !== SHAREABLE) return readTagged(tag, at);
        beginMark();
      }
    }
  }
}

function readBytes(head) {
  const length = readLength(head);
  const start = input.at;
  input.at = start + length;
  return takeBytes(start, input.at);
}

function readOther(head) {
  switch (head) {
    case 0xf4:
      return false;
    case 0xf5:
      return true;
    case 0xf6:
      return null;
    case 0xf7:
      return undefined;
    case 0xf9:
    case 0xfa:
    case 0xfb:
      return readFloat(head);
    default: {
      const at = input.at - 1;
      throw malformed(`The simple value ${readArgument(head)} means nothing`, at);
    }
  }
}

function readArray(head) {
  const count = readCount(head, 1, reserved());
  if (count > MOST_PREPARED) {
    open(Container.ARRAY, [], count);
  } else if (count > 0 && isNumber(input.bytes[input.at])) {
    // Apart from the others, so that the engine learns how arrays of numbers are best stored.
    open(Container.ARRAY, new Array(count), count);
    readNumbers();
  } else {
    open(Container.ARRAY, new Array(count), count);
  }
  return readElements();
}

function readMap(head) {
  const count = readCount(head, 2, reserved());
  if (walk.mark >= 0 && walk.lateMaps.has(walk.mark)) {
    open(Container.MAP, new Map(), 2 * count);
    guard(count);
    return false;
  }
  open(Container.OBJECT, {}, count);
  return readMembers();
}

/**
 * Puts the item that is complete into the innermost container.
 *
 * @returns {boolean} whether that completes the container
 */
function deliver() {
  const { frame, item } = walk;
  switch (frame.kind) {
    case Container.ARRAY:
      // It has its full length from the beginning, unless that is very large.
      if (item !== HOLE) frame.container[frame.index] = item;
      else frame.container.length = Math.max(frame.container.length, frame.index + 1);
      frame.index++;
      return readElements();
    case Container.OBJECT:
      return deliverToObject(frame, item);
    case Container.MAP:
      return deliverToMap(frame, item);
    case Container.SET: {
      const { container: set } = frame;
      const { size } = set;
      set.add(item);
      if (frame.guard !== null && set.size > size) spend(frame.guard.cost(item));
      return ++frame.index === frame.count && close();
    }
    case Container.TAGGED:
      frame.container.value = item;
      return close();
    default:
      return deliverToError(frame, item);
  }
}

function deliverToObject(frame, item) {
  if (frame.wantsKey) {
    frame.wantsKey = false;
    frame.key = item;
    if (typeof item === 'string') frame.isOrdinary = !(item in ObjectPrototype);
    else becomeMap(frame);
    return false;
  }
  if (frame.isOrdinary) frame.container[frame.key] = item;
  else define(frame.container, frame.key, item);
  return readMembers();
}

/** What means something on every object, like `__proto__`, is data here. */
function define(object, key, value) {
  Object.defineProperty(object, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

/** A map whose key is no text cannot be an object. The members so far are its first entries. */
function becomeMap(frame) {
  const { container, mark, count, index } = frame;
  const map = new Map(Object.entries(container));
  if (mark >= 0) {
    // Who referred to it already has the object: then the value has to be decoded again.
    if (walk.referred.has(mark)) walk.lateMaps.add(mark);
    walk.marks[mark] = map;
  }
  frame.kind = Container.MAP;
  frame.container = map;
  frame.count = 2 * count;
  frame.index = 2 * index - 1;
  guard(count);
}

function deliverToMap(frame, item) {
  const isKey = frame.wantsKey;
  frame.wantsKey = !isKey;
  if (isKey) {
    frame.key = item;
  } else {
    const { container: map, key } = frame;
    const { size } = map;
    map.set(key, item);
    if (frame.guard !== null && map.size > size) spend(frame.guard.cost(key));
  }
  return ++frame.index === frame.count && close();
}

function deliverToError(frame, item) {
  const { wantsKey: isKey, container: error, key } = frame;
  frame.wantsKey = !isKey;
  if (isKey) {
    if (typeof item !== 'string') throw malformed('A field of an error without a name');
    frame.key = item;
  } else {
    if (!isField(key, item)) throw malformed(`The ${key} of an error that is not text`);
    setField(error, key, item);
  }
  return ++frame.index === frame.count && close();
}

/** From `input.at` on, which must be the whole value. */
function readValue() {
  const { root } = walk;
  for (;;) {
    let isComplete = readItem();
    if (isComplete && walk.mark >= 0) endMark(walk.item);
    while (isComplete) {
      if (walk.frame === root) {
        if (input.at === input.end) return walk.item;
        throw malformed(`${input.end - input.at} bytes are left over`);
      }
      isComplete = deliver();
    }
  }
}

/**
 * Decodes the value in `bytes` from `start` to `end`. Nothing of it refers to `bytes` afterwards, unless those are
 * the value's own: then a byte string that is most of them is a view of them.
 *
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @param {number} maxDepth
 * @param {boolean} [isOwned] nobody else has the memory or will write to it
 * @returns {unknown}
 * @throws {Error} ERR_DATASOCKET_DECODE, with the `offset` in bytes from `start`
 */
function decodeRange(bytes, start, end, maxDepth, isOwned = false) {
  if (isBusy) return reenter(bytes, start, end, maxDepth, isOwned);
  isBusy = true;
  try {
    begin(bytes, start, end, maxDepth, isOwned);
    const value = readValue();
    if (walk.lateMaps.size === 0) return value;
    walk.forgetMarks();
    begin(bytes, start, end, maxDepth, isOwned);
    return readValue();
  } finally {
    walk.clear();
    input.use(NO_BYTES, 0, 0, false);
    isBusy = false;
  }
}

function begin(bytes, start, end, maxDepth, isOwned) {
  input.use(bytes, start, end, isOwned);
  walk.begin(maxDepth, end - start);
  resetBudgets();
}

/** From a setter that somebody put on a prototype of the engine's. */
function reenter(...args) {
  const outer = { walk: { ...walk }, input: { ...input } };
  walk.reset();
  isBusy = false;
  try {
    return decodeRange(...args);
  } finally {
    Object.assign(walk, outer.walk);
    Object.assign(input, outer.input);
    isBusy = true;
  }
}

module.exports = { decodeRange };
