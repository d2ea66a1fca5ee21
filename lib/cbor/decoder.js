'use strict';
// The decoder: builds a value from its bytes, in one pass and without recursion.
//
// The bytes are taken for hostile. Whatever they say about sizes is compared with what is there before
// memory is taken for it, every level is counted, and nothing is looked for twice.
//
// `readElements` and `readMembers` take runs of scalars, which is what most values consist of. They
// stop at anything else, which `readItem` takes; `deliver` puts it where it belongs.

const { setField } = require('./error-value');
const { float64At, input, malformed, truncated, uint32At } = require('./input');
const {
  Major,
  readArgument,
  readCount,
  readFloat,
  readInteger,
  readLength,
  readText,
} = require('./item');
const { knownKeyAt } = require('./read-key');
const { HOLE, readTagged } = require('./read-tag');
const { textAt } = require('./read-text');
const { copyBytes, resetBudgets } = require('./tag-values');
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

/** The elements of the innermost array. @returns {boolean} whether they are all there now */
function readElements() {
  const { frame } = walk;
  const { container: array, count } = frame;
  let { index } = frame;
  const { bytes, end } = input;
  let { at } = input;
  while (index < count) {
    if (at >= end) throw truncated();
    const head = bytes[at++];
    if (head < 0x18) {
      array[index++] = head;
    } else if (head === 0xfb) {
      if (end - at < 8) throw truncated();
      array[index++] = float64At(at);
      at += 8;
    } else if (head === 0x19) {
      if (end - at < 2) throw truncated();
      array[index++] = (bytes[at] << 8) | bytes[at + 1];
      at += 2;
    } else if (head >= 0x60 && head < 0x78) {
      const length = head - 0x60;
      if (end - at < length) throw truncated();
      array[index++] = textAt(at, length);
      at += length;
    } else if (head === 0x18) {
      if (at >= end) throw truncated();
      array[index++] = bytes[at++];
    } else if (head === 0x1a) {
      if (end - at < 4) throw truncated();
      array[index++] = uint32At(at);
      at += 4;
    } else if (head >= 0x20 && head < 0x38) {
      array[index++] = 0x1f - head;
    } else if (head === 0x39) {
      if (end - at < 2) throw truncated();
      array[index++] = ~((bytes[at] << 8) | bytes[at + 1]);
      at += 2;
    } else if (head === 0xf6) {
      array[index++] = null;
    } else if (head === 0xf5) {
      array[index++] = true;
    } else if (head === 0xf4) {
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

/** The members of the innermost object. @returns {boolean} whether they are all there now */
function readMembers() {
  const { frame } = walk;
  const { container: object, count } = frame;
  let { index } = frame;
  const { bytes, end } = input;
  let { at } = input;
  while (index < count) {
    index++;
    if (at >= end) throw truncated();
    const keyHead = bytes[at];
    if (keyHead < 0x60 || keyHead > 0x77) return stopAtKey(index, at);
    const keyLength = keyHead - 0x60;
    // The value has one byte at least.
    if (end - at < keyLength + 2) throw truncated();
    const key = knownKeyAt(at + 1, keyLength);
    if (key === null) return stopAtKey(index, at);
    at += keyLength + 1;
    const head = bytes[at++];
    if (head >= 0x60 && head < 0x78) {
      const length = head - 0x60;
      if (end - at < length) throw truncated();
      object[key] = textAt(at, length);
      at += length;
    } else if (head < 0x18) {
      object[key] = head;
    } else if (head === 0x18) {
      if (at >= end) throw truncated();
      object[key] = bytes[at++];
    } else if (head === 0x19) {
      if (end - at < 2) throw truncated();
      object[key] = (bytes[at] << 8) | bytes[at + 1];
      at += 2;
    } else if (head === 0x1a) {
      if (end - at < 4) throw truncated();
      object[key] = uint32At(at);
      at += 4;
    } else if (head === 0xfb) {
      if (end - at < 8) throw truncated();
      object[key] = float64At(at);
      at += 8;
    } else if (head === 0xf5) {
      object[key] = true;
    } else if (head === 0xf4) {
      object[key] = false;
    } else if (head === 0xf6) {
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

/** The next key is not one that can be assigned to without looking. */
function stopAtKey(index, at) {
  walk.frame.index = index;
  walk.frame.wantsKey = true;
  input.at = at;
  return false;
}

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
  return copyBytes(start, input.at);
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
  open(Container.ARRAY, count > MOST_PREPARED ? [] : new Array(count), count);
  return readElements();
}

function readMap(head) {
  const count = readCount(head, 2, reserved());
  if (walk.lateMaps.has(walk.mark)) {
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
  const isKey = frame.wantsKey;
  frame.wantsKey = !isKey;
  if (!isKey) setField(frame.container, frame.key, item);
  else if (typeof item === 'string') frame.key = item;
  else throw malformed('A field of an error has no name');
  return ++frame.index === frame.count && close();
}

/** From `input.at` on, which must be the whole value. */
function readValue() {
  const { root } = walk;
  for (;;) {
    let isComplete = readItem();
    if (isComplete && walk.mark >= 0) endMark();
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
 * Decodes the value in `bytes` from `start` to `end`. Nothing of it refers to `bytes` afterwards.
 *
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @param {number} maxDepth
 * @returns {unknown}
 * @throws {Error} ERR_DATASOCKET_DECODE, with the `offset` in bytes from `start`
 */
function decodeRange(bytes, start, end, maxDepth) {
  if (isBusy) return reenter(bytes, start, end, maxDepth);
  isBusy = true;
  walk.maxDepth = maxDepth;
  input.use(bytes, start, end);
  resetBudgets();
  try {
    const value = readValue();
    if (walk.lateMaps.size === 0) return value;
    walk.forgetMarks();
    input.use(bytes, start, end);
    resetBudgets();
    return readValue();
  } finally {
    walk.clear();
    input.use(NO_BYTES, 0, 0);
    isBusy = false;
  }
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
