'use strict';
// Known tags and what they are on. An unknown one becomes a `Tagged`; a known one on the wrong kind of
// item is an error.

const { isErrorClass, makeError } = require('./error-value');
const { input, malformed, truncated } = require('./input');
const {
  Major,
  peek,
  readArgument,
  readBignum,
  readBytesContent,
  readCount,
  readNumberItem,
  readStringItem,
  readWtf8Content,
} = require('./item');
const {
  copyBytes,
  dateFrom,
  dateFromSeconds,
  regExpFrom,
  symbolFrom,
  typedArrayFrom,
} = require('./tag-values');
const { Tagged } = require('./tagged');
const Tag = require('./tags');
const {
  Container,
  beginInnerMark,
  close,
  guard,
  marked,
  newMark,
  open,
  reserved,
  walk,
} = require('./walk');

/** In the place of an element that is not there. */
const HOLE = Symbol('hole');

const UNDEFINED = 0xf7;

/** Those that this engine has. @type {Map<number, Function>} */
const typedArrays = new Map(
  Object.entries(Tag.TYPED_ARRAYS)
    .filter(([, name]) => name in globalThis)
    .map(([tag, name]) => [Number(tag), globalThis[name]]),
);

/**
 * What a tag is on: whole, or up to the first thing in it that has to be read by itself.
 *
 * @param {number | bigint} tag
 * @param {number} at where the tag is
 * @returns {boolean} whether `walk.item` is complete
 */
function readTagged(tag, at) {
  switch (tag) {
    case Tag.EPOCH:
      return complete(dateFromSeconds(readNumber('Tag 1', at), at));
    case Tag.POSITIVE_BIGNUM:
    case Tag.NEGATIVE_BIGNUM:
      return complete(readBignum(tag === Tag.NEGATIVE_BIGNUM));
    case Tag.OBJECT:
      return readObject(at);
    case Tag.REFERENCE:
      return complete(readReference(at));
    case Tag.ABSENT:
      return complete(readHole(at));
    case Tag.IDENTIFIER:
      return complete(symbolFrom(readString('Tag 39', at), at));
    case Tag.SET:
      return enter(Container.SET, new Set(), readHead(Major.ARRAY, 'Tag 258', at), 1);
    case Tag.MAP:
      return enter(Container.MAP, new Map(), readHead(Major.MAP, 'Tag 259', at), 2);
    case Tag.WTF8:
      return complete(readWtf8Content());
    case Tag.REGEXP:
      return complete(readRegExp(at));
    default: {
      const Class = typedArrays.get(tag);
      if (Class === undefined) return enterTagged(tag);
      return complete(typedArrayFrom(Class, readBytesContent(`Tag ${tag}`)));
    }
  }
}

/** @returns {true} */
function complete(value) {
  walk.item = value;
  return true;
}

/** Opens what has a count of things in it. @returns {boolean} whether that is none */
function enter(kind, container, head, per) {
  const count = readCount(head, per, reserved());
  open(kind, container, count * per);
  guard(count);
  return count === 0 && close();
}

/** The same for one that has no more to it. @returns {true} */
function enterNothing(kind, container) {
  open(kind, container, 0);
  return close();
}

function enterTagged(tag) {
  open(Container.TAGGED, new Tagged(tag, undefined), 1);
  return false;
}

/** The head of the array or map that a tag demands. */
function readHead(major, tag, at) {
  // Where Python's cbor2 puts it.
  if (skipMark()) beginInnerMark();
  const head = peek();
  if (head < 0) throw truncated();
  if (head >> 5 !== major) {
    throw malformed(`${tag} is not on ${major === Major.MAP ? 'a map' : 'an array'}`, at);
  }
  input.at++;
  return head;
}

/** Goes on behind a tag 28. @returns {boolean} whether there was one */
function skipMark() {
  const { at } = input;
  const head = peek();
  if (head >> 5 !== Major.TAG) return false;
  input.at++;
  if (readArgument(head) === Tag.SHAREABLE) return true;
  input.at = at;
  return false;
}

function readNumber(tag, at) {
  const number = readNumberItem();
  if (number === null) throw malformed(`${tag} is not on a number`, at);
  return number;
}

function readString(tag, at) {
  const text = readStringItem();
  if (text === null) throw malformed(`${tag} is not on text`, at);
  return text;
}

function readReference(at) {
  const head = peek();
  if (head < 0) throw truncated();
  if (head >> 5 !== Major.UNSIGNED || walk.mark >= 0) {
    throw malformed('Tag 29 is not on a number, or has a mark itself', at);
  }
  input.at++;
  return marked(readArgument(head), at);
}

function readHole(at) {
  if (peek() !== UNDEFINED || walk.frame.kind !== Container.ARRAY || walk.mark >= 0) {
    throw malformed('Tag 31 is not on undefined in an array', at);
  }
  input.at++;
  return HOLE;
}

function readRegExp(at) {
  if (readCount(readHead(Major.ARRAY, 'Tag 21066', at), 1, reserved()) !== 2) {
    throw malformed('Tag 21066 is not on a source and flags', at);
  }
  const source = readString('The source of tag 21066', at);
  return regExpFrom(source, readString('The flags of tag 21066', at), at);
}

/** Tag 27: an object of a class with a name. */
function readObject(at) {
  const begin = input.at;
  const { mark, innerMark } = walk;
  const marks = walk.marks.length;
  const count = readCount(readHead(Major.ARRAY, 'Tag 27', at), 1, reserved());
  const name = count === 0 ? null : readStringItem();
  if (name === null) throw malformed('Tag 27 names no type', at);
  const pair = () => {
    if (count !== 2) throw malformed(`${name} in tag 27 has ${count - 1} arguments, not one`, at);
  };
  switch (name) {
    case 'Date':
      pair();
      return complete(dateFrom(Number(readNumber('Date in tag 27', at))));
    case 'ArrayBuffer':
      pair();
      return complete(readMemory(name));
    case 'DataView':
      pair();
      return complete(new DataView(readMemory(name)));
    default:
      if (isErrorClass(name)) return readError(name, count, at);
  }
  // A class of somebody else's: as if nothing had been read.
  input.at = begin;
  Object.assign(walk, { mark, innerMark });
  walk.marks.length = marks;
  return enterTagged(Tag.OBJECT);
}

function readMemory(name) {
  const { start, end } = readBytesContent(`${name} in tag 27`);
  return copyBytes(start, end).buffer;
}

/** [class, message, fields]. The fields may refer to the error. */
function readError(name, count, at) {
  if (count > 3) throw malformed(`${name} in tag 27 has ${count - 1} arguments, not two`, at);
  const message = count > 1 ? readString(`The message of ${name} in tag 27`, at) : '';
  const error = makeError(name, message);
  if (count < 3) return enterNothing(Container.ERROR, error);
  // The fields are no value by themselves here, so nothing can refer to them.
  if (skipMark()) newMark();
  const head = peek();
  if (head >> 5 !== Major.MAP) throw malformed(`The fields of ${name} in tag 27 are no map`, at);
  input.at++;
  return enter(Container.ERROR, error, head, 2);
}

module.exports = { HOLE, readTagged };
