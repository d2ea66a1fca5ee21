'use strict';
// The encoder: walks a value and writes it, in one pass and without recursion.
//
// The walk is a loop over frames, one for each level. Runs of scalars, which is what most values
// consist of, are written by the function that goes through their container; it stops at anything
// else and leaves that in `nested`. Getters may run at any `object[key]`, and may encode something
// themselves (`reenter`).

const { Uncloneable, cloneError, tooLarge } = require('./errors');
const { Kind, kindOf } = require('./kinds');
const { Frame, KEPT_DEPTH, pathOf, trim } = require('./frame');
const { SLACK, output } = require('./output');
const { Shared } = require('./shared');
const special = require('./special');
const { ABSENT, IDENTIFIER } = require('./tags');
const { ARRAY, MAP, TAG, writeBigInt, writeHead, writeNumber, writeText } = require('./write');
const { writeKey } = require('./write-key');

const NULL = 0xf6;
const UNDEFINED = 0xf7;
const TRUE = 0xf5;
const FALSE = 0xf4;
const FLOAT64 = 0xfb;

/** From this length on, an array is looked at for a run of numbers. */
const LONG = 8;

/** In `nested`: the container is complete. */
const NOTHING = Symbol('nothing');

const { getPrototypeOf } = Object;
const ObjectPrototype = Object.prototype;
const { hasOwnProperty } = ObjectPrototype;

// Of the value that is being encoded.
let isBusy = false;
/** Below all levels. */
let root = new Frame(null);
/** The level that is being walked. */
let frame = root;
let shared = new Shared();
/** What the walk stopped at. @type {unknown} */
let nested = NOTHING;
let maxDepth = 0;

/** One level down. `keys` says that the list is one of keys. */
function push(container, list, isKeys, index, count) {
  const next = (frame.child ??= new Frame(frame));
  next.isKeys = isKeys;
  next.container = container;
  next.list = list;
  next.index = index;
  next.count = count;
  frame = next;
}

function pop() {
  frame.container = null;
  frame.list = null;
  frame = frame.parent;
}

function checkDepth() {
  if (frame.depth >= maxDepth) throw new Uncloneable(`Anything deeper than ${maxDepth} levels`);
}

/**
 * The numbers at the beginning of an array. In a function of its own, because the engine compiles it
 * for arrays of numbers alone, where it need not make an object of each.
 */
function writeNumbers(array, at) {
  const { count } = frame;
  let index = 0;
  for (; index < count; index++) {
    const item = array[index];
    if (typeof item !== 'number') break;
    if (at > output.limit) at = output.grow(at, SLACK);
    if ((item | 0) === item) {
      at = writeNumber(item, at);
    } else {
      output.bytes[at] = FLOAT64;
      output.view.setFloat64(at + 1, item);
      at += 9;
    }
  }
  frame.index = index;
  return at;
}

/** The elements of an array up to the first that is not a scalar. */
function writeElements(array, at) {
  const { count } = frame;
  if (frame.index === 0 && count >= LONG && typeof array[0] === 'number') {
    at = writeNumbers(array, at);
  }
  let { index } = frame;
  while (index < count) {
    if (at > output.limit) at = output.grow(at, SLACK);
    const item = array[index++];
    if (typeof item === 'string') {
      at = writeText(item, at);
    } else if (typeof item === 'number') {
      at = writeNumber(item, at);
    } else if (item === null) {
      output.bytes[at++] = NULL;
    } else if (item === true) {
      output.bytes[at++] = TRUE;
    } else if (item === false) {
      output.bytes[at++] = FALSE;
    } else if (item === undefined) {
      if (!hasOwnProperty.call(array, index - 1)) at = writeHead(TAG, ABSENT, at);
      output.bytes[at++] = UNDEFINED;
    } else {
      frame.index = index;
      nested = item;
      return at;
    }
  }
  pop();
  nested = NOTHING;
  return at;
}

/** The members of an object from the frame's on, up to the first that is not a scalar. */
function writeMembers(object, at) {
  const { list: keys, count } = frame;
  let { index } = frame;
  while (index < count) {
    if (at > output.limit) at = output.grow(at, SLACK);
    const key = keys[index++];
    at = writeKey(key, at);
    const item = object[key];
    if (needsWalk(item)) {
      frame.index = index;
      nested = item;
      return at;
    }
    at = writePrimitive(item, at);
  }
  pop();
  nested = NOTHING;
  return at;
}

/** Whether something cannot be written in the middle of a run: objects, and what may be refused. */
function needsWalk(item) {
  const type = typeof item;
  return type === 'object' ? item !== null : type === 'function' || type === 'symbol';
}

/**
 * A plain object from its beginning. `for…in` is the fastest way through one, but cannot be left and
 * taken up again: an object with others inside goes on by a list of its keys. The kinds of scalars are
 * written out here and for arrays, because a function for them costs a seventh of the time.
 */
function writeObject(object, at) {
  const head = at - output.start;
  at++;
  let count = 0;
  for (const key in object) {
    if (!hasOwnProperty.call(object, key)) continue;
    if (at > output.limit) at = output.grow(at, SLACK);
    at = writeKey(key, at);
    const item = object[key];
    if (typeof item === 'string') {
      at = writeText(item, at);
    } else if (typeof item === 'number') {
      at = writeNumber(item, at);
    } else if (item === null) {
      output.bytes[at++] = NULL;
    } else if (item === true) {
      output.bytes[at++] = TRUE;
    } else if (item === false) {
      output.bytes[at++] = FALSE;
    } else if (item === undefined) {
      output.bytes[at++] = UNDEFINED;
    } else {
      const keys = Object.keys(object);
      push(object, keys, true, count + 1, keys.length);
      if (keys[count] === key) {
        nested = item;
        return placeHead(keys.length, head, at);
      }
      // A getter has changed the object meanwhile: all of it anew.
      frame.index = 0;
      return writeMembers(object, writeHead(MAP, keys.length, output.start + head));
    }
    count++;
  }
  nested = NOTHING;
  if (count === 0) return writeEmpty(object, output.start + head);
  return placeHead(count, head, at);
}

/** What looks like a plain object and shows nothing may be something else that hides all it has. */
function writeEmpty(object, at) {
  if (!isPlainByPrototype(object)) {
    const kind = kindOf(object);
    if (kind === Kind.BOXED) return writePrimitive(special.unbox(object), at);
    if (kind !== Kind.PLAIN) return writeOther(object, kind, at);
  }
  return writeHead(MAP, 0, at);
}

/** Writes the head of a map for which one byte was left free. */
function placeHead(count, head, at) {
  const begin = output.start + head;
  if (count < 24) {
    output.bytes[begin] = MAP | count;
    return at;
  }
  if (at > output.limit) at = output.grow(at, SLACK);
  const { bytes, start } = output;
  const size = count < 0x100 ? 2 : count < 0x10000 ? 3 : 5;
  bytes.copyWithin(start + head + size, start + head + 1, at);
  writeHead(MAP, count, start + head);
  return at + size - 1;
}

/** An object that is neither an array nor plain. */
function writeOther(value, kind, at) {
  switch (kind) {
    case Kind.MAP:
    case Kind.SET: {
      checkDepth();
      const items = special.itemsOf(value, kind);
      push(value, items, false, 0, items.length);
      return writeElements(items, special.writeItemsHead(kind, items.length, at));
    }
    case Kind.ERROR: {
      checkDepth();
      const className = special.classOf(value);
      const fields = special.fieldsOf(value, className);
      at = special.writeErrorHead(value, className, at);
      const keys = Object.keys(fields);
      push(fields, keys, true, 0, keys.length);
      return writeMembers(fields, writeHead(MAP, keys.length, at));
    }
    case Kind.TAGGED:
      checkDepth();
      at = special.writeTag(value, at);
      push(value, [value.value], false, 0, 1);
      return writeElements(frame.list, at);
    default:
      at = special.writeLeaf(value, kind, at);
      nested = NOTHING;
      return at;
  }
}

/** Anything that is no object. */
function writePrimitive(value, at) {
  switch (typeof value) {
    case 'number':
      return writeNumber(value, at);
    case 'string':
      return writeText(value, at);
    case 'bigint':
      return writeBigInt(value, at);
    case 'symbol': {
      const name = Symbol.keyFor(value);
      if (name === undefined) throw new Uncloneable(special.describe(value));
      return writeText(name, writeHead(TAG, IDENTIFIER, at));
    }
    case 'undefined':
      output.bytes[at] = UNDEFINED;
      return at + 1;
    case 'boolean':
      output.bytes[at] = value ? TRUE : FALSE;
      return at + 1;
    case 'object':
      output.bytes[at] = NULL;
      return at + 1;
    default:
      throw new Uncloneable(special.describe(value));
  }
}

/** An object up to the first thing in it that has to be walked by itself, or all of it. */
function writeReference(value, at) {
  if (Array.isArray(value)) {
    if (shared.meet(value, at - output.start)) return at;
    checkDepth();
    let { length } = value;
    // A Proxy's may be anything.
    if (!Number.isInteger(length) || length < 0) length = toLength(length);
    // Which may be nothing but a number, and take very long to write.
    if (length > output.maxLength) throw tooLarge(output.maxLength);
    push(value, value, false, 0, length);
    return writeElements(value, writeHead(ARRAY, length, at));
  }
  const kind = isPlain(value) ? Kind.PLAIN : kindOf(value);
  if (kind === Kind.BOXED) return writePrimitive(special.unbox(value), at);
  if (shared.meet(value, at - output.start)) return at;
  if (kind !== Kind.PLAIN) return writeOther(value, kind, at);
  checkDepth();
  return writeObject(value, at);
}

/** What the language makes of a `length`. */
const toLength = (length) => Math.max(0, Math.trunc(Number(length)) || 0);

/** `constructor` is asked first, because that is faster. It may lie; see `writeEmpty`. */
function isPlain(object) {
  return object.constructor === Object || isPlainByPrototype(object);
}

function isPlainByPrototype(object) {
  const prototype = getPrototypeOf(object);
  return prototype === ObjectPrototype || prototype === null;
}

/** The whole of a value. */
function writeValue(value, at) {
  for (;;) {
    if (at > output.limit) at = output.grow(at, SLACK);
    nested = NOTHING;
    if (typeof value === 'object' && value !== null) at = writeReference(value, at);
    else at = writePrimitive(value, at);
    while (nested === NOTHING) {
      if (frame === root) return at;
      at = frame.isKeys ? writeMembers(frame.container, at) : writeElements(frame.list, at);
    }
    value = nested;
  }
}

/** What has been written: `bytes` from `start` to `end`. */
class Encoded {
  constructor() {
    /** @type {Buffer} */
    this.bytes = output.bytes;
    this.start = 0;
    this.end = 0;
  }
}

/**
 * Encodes a value into `bytes` from `start` on, or, when it does not fit, into new memory that begins
 * with `headroom` bytes that are left free. When it throws, nothing has been encoded; what was in
 * `bytes` before `start` is untouched in any case, what follows is not.
 *
 * @param {unknown} value
 * @param {Buffer} bytes
 * @param {number} start
 * @param {{ maxDepth: number, maxLength: number, headroom: number }} limits
 * @param {Encoded} encoded is told where the value is
 * @throws {DOMException} DataCloneError
 * @throws {RangeError} ERR_DATASOCKET_TOO_LARGE
 */
function encodeInto(value, bytes, start, limits, encoded) {
  if (isBusy) {
    reenter(value, bytes, start, limits, encoded);
    return;
  }
  isBusy = true;
  maxDepth = limits.maxDepth;
  output.maxLength = limits.maxLength;
  output.headroom = limits.headroom;
  output.use(bytes, start);
  try {
    const end = shared.insert(writeValue(value, start));
    encoded.bytes = output.bytes;
    encoded.start = output.start;
    encoded.end = end;
  } catch (error) {
    throw error instanceof Uncloneable ? cloneError(error.what, pathOf(frame)) : error;
  } finally {
    while (frame !== root) pop();
    if (maxDepth > KEPT_DEPTH) trim(root);
    nested = NOTHING;
    shared.clear();
    // What it has moved to is the caller's.
    output.use(bytes, start);
    isBusy = false;
  }
  if (encoded.end - encoded.start > limits.maxLength) throw tooLarge(limits.maxLength);
}

/** From a getter, in the middle of another value. */
function reenter(...args) {
  const outer = { root, frame, shared, maxDepth, output: { ...output } };
  root = frame = new Frame(null);
  shared = new Shared();
  isBusy = false;
  try {
    encodeInto(...args);
  } finally {
    ({ root, frame, shared, maxDepth } = outer);
    Object.assign(output, outer.output);
    isBusy = true;
  }
}

module.exports = { Encoded, encodeInto, isEncoding: () => isBusy };
