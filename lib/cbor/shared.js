'use strict';
// Which objects of a value occur more than once.
//
// Where each object begins is written down as it is met; most values have no object twice, and then
// that was all. One that is met again leaves nothing in the bytes but its place. When the value is
// complete, the tags are put in: 28 before what was met again, 29 and a number at each such place.

const { output } = require('./output');
const { REFERENCE, SHAREABLE } = require('./tags');
const { TAG, UNSIGNED, headSize, writeHead } = require('./write');

/** So many objects are looked through one by one; that is faster than to fill a Set. */
const FEW = 32;
/** The lists keep room for so many between values. */
const KEPT = 1024;
/** Bytes of the head of tag 28, and of 29. */
const MARK_SIZE = 2;
/** With the largest number. */
const REFERENCE_SIZE = MARK_SIZE + 5;

class Shared {
  constructor() {
    this.reset();
  }

  reset() {
    /** In the order in which they were met. @type {(object | null)[]} */
    this.objects = new Array(KEPT).fill(null);
    /** Where they begin, from the beginning of the value. @type {number[]} */
    this.starts = new Array(KEPT).fill(0);
    this.count = 0;
    /** The same objects, when they are many. @type {Set<object> | null} */
    this.set = null;
    /** Their places in `objects`, from the first repetition on. @type {Map<object, number> | null} */
    this.places = null;
    /** Where something is met again, and its place in `objects`. @type {{ at: number, place: number }[]} */
    this.repeats = [];
  }

  /** Forgets everything, so that nothing is kept alive. */
  clear() {
    const { objects, count } = this;
    if (count > KEPT) {
      this.reset();
      return;
    }
    for (let i = 0; i < count; i++) objects[i] = null;
    this.count = 0;
    this.set = null;
    this.places = null;
    if (this.repeats.length > 0) this.repeats = [];
  }

  /**
   * @param {object} object
   * @param {number} at where it would begin
   * @returns {boolean} whether it was met before; then nothing is to be written
   */
  meet(object, at) {
    const { objects, count } = this;
    if (this.places !== null) {
      const place = this.places.get(object);
      if (place !== undefined) return this.repeat(place, at);
      this.places.set(object, count);
    } else if (count < FEW) {
      for (let i = 0; i < count; i++) {
        if (objects[i] === object) return this.repeat(i, at);
      }
    } else {
      this.set ??= new Set(objects.slice(0, count));
      // One call instead of has() and add().
      if (this.set.add(object).size === count) return this.repeat(objects.indexOf(object), at);
    }
    objects[count] = object;
    this.starts[count] = at;
    this.count = count + 1;
    return false;
  }

  repeat(place, at) {
    if (this.places === null) {
      this.places = new Map();
      for (let i = 0; i < this.count; i++) this.places.set(this.objects[i], i);
      this.set = null;
    }
    this.repeats.push({ at, place });
    return true;
  }

  /**
   * Puts the tags into a complete value.
   *
   * @param {number} end
   * @returns {number} the new end
   */
  insert(end) {
    const { repeats, starts } = this;
    if (repeats.length === 0) return end;
    const marked = [...new Set(repeats.map(({ place }) => place))].sort((a, b) => a - b);
    const numbers = new Map(marked.map((place, number) => [place, number]));
    const most = marked.length * MARK_SIZE + repeats.length * REFERENCE_SIZE;
    if (end + most > output.limit) end = output.grow(end, most);

    // From the last to the first, so that what moves never covers what is still to be moved: everything
    // goes to the end of the room, with the tags in between, and then back as one piece.
    const room = new Room(output.bytes, output.start, end, end + most);
    let mark = marked.length - 1;
    for (let i = repeats.length - 1; i >= 0; i--) {
      const { at, place } = repeats[i];
      // A mark at the same position belongs to what follows the reference.
      for (; mark >= 0 && starts[marked[mark]] >= at; mark--) room.mark(starts[marked[mark]]);
      room.refer(at, numbers.get(place));
    }
    for (; mark >= 0; mark--) room.mark(starts[marked[mark]]);
    return room.close();
  }
}

/** The bytes of a value on their way to the end of the room, `to` ahead of `from`. */
class Room {
  constructor(bytes, start, end, roomEnd) {
    this.bytes = bytes;
    this.start = start;
    this.from = end;
    this.to = roomEnd;
    this.end = roomEnd;
  }

  /** Moves all from this position of the value on. */
  move(position) {
    const begin = this.start + position;
    const length = this.from - begin;
    this.to -= length;
    this.bytes.copyWithin(this.to, begin, this.from);
    this.from = begin;
  }

  mark(position) {
    this.move(position);
    this.to -= MARK_SIZE;
    writeHead(TAG, SHAREABLE, this.to);
  }

  refer(position, number) {
    this.move(position);
    this.to -= MARK_SIZE + headSize(number);
    writeHead(UNSIGNED, number, writeHead(TAG, REFERENCE, this.to));
  }

  /** Moves everything back. @returns {number} the end of the value */
  close() {
    this.move(0);
    this.bytes.copyWithin(this.start, this.to, this.end);
    return this.start + this.end - this.to;
  }
}

module.exports = { Shared };
