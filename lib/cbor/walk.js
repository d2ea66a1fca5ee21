'use strict';
// Where the decoder is: the containers that are open, one frame for each, and what was marked to be
// referred to. One for all decoders, as `input` is.

const { KEPT_DEPTH, trim } = require('./frame');
const { malformed } = require('./input');
const { KeyGuard, MOST_STEPS } = require('./key-guard');

/** What a frame's container is. */
const Container = Object.freeze({ ARRAY: 0, OBJECT: 1, MAP: 2, SET: 3, TAGGED: 4, ERROR: 5 });

/**
 * About how many bytes of memory an empty one takes; an object, one whose names are like no others'.
 * Index: `Container`.
 */
const WEIGHTS = [64, 128, 256, 192, 64, 512];
/**
 * How much objects may weigh in all: so much for any value, and so much for each of its bytes. One byte
 * can make an object of 200; sixty million of them would be the end of the process.
 */
const FREE_WEIGHT = 2 ** 28;
const WEIGHT_PER_BYTE = 16;

/** Smaller collections need no guard. */
const UNGUARDED = 64;

/** In the place of a marked value that is not there yet. */
const UNKNOWN = Symbol('unknown');

/** One container that is open. Frames are linked, made once and used again. */
class Frame {
  /** @param {Frame | null} parent */
  constructor(parent) {
    this.parent = parent;
    /** @type {Frame | null} */
    this.child = null;
    this.depth = parent === null ? 0 : parent.depth + 1;
    this.kind = Container.TAGGED;
    /** @type {any} */
    this.container = null;
    /** Items that are complete, of how many. A member of an object is one, and counts when it begins. */
    this.index = 0;
    this.count = 1;
    /** The key whose value comes next. @type {unknown} */
    this.key = null;
    /** Whether the next item is a key. */
    this.wantsKey = false;
    /** Whether the key can simply be assigned to. */
    this.isOrdinary = false;
    /** Its number among the marked values, or −1. */
    this.mark = -1;
    /** Bytes at least that the levels above still need. */
    this.reserved = 0;
    /** @type {KeyGuard | null} */
    this.guard = null;
  }
}

class Walk {
  constructor() {
    this.reset();
  }

  reset() {
    /** Around the whole value. */
    this.root = new Frame(null);
    /** The innermost container that is open. */
    this.frame = this.root;
    /** The item that was completed last. @type {any} */
    this.item = null;
    this.maxDepth = 0;
    /** The number of the mark on the item that comes next, or −1; and of one between its tag and the rest. */
    this.mark = -1;
    this.innerMark = -1;
    /** The marked values, in the order of their marks. @type {unknown[]} */
    this.marks = [];
    /** Which of them were referred to. @type {Set<number>} */
    this.referred = new Set();
    /** Maps that turned out to need a Map after they had been referred to. @type {Set<number>} */
    this.lateMaps = new Set();
    /** What the keys have cost. */
    this.steps = 0;
    /** What the objects may still weigh. */
    this.allowance = 0;
  }

  /**
   * From the beginning.
   *
   * @param {number} maxDepth
   * @param {number} length of the whole value in bytes
   */
  begin(maxDepth, length) {
    this.maxDepth = maxDepth;
    this.allowance = FREE_WEIGHT + WEIGHT_PER_BYTE * length;
  }

  /** Forgets everything about a value, so that nothing is kept alive. */
  clear() {
    while (this.frame !== this.root) close();
    if (this.maxDepth > KEPT_DEPTH) trim(this.root);
    this.item = null;
    this.forgetMarks();
    if (this.lateMaps.size > 0) this.lateMaps = new Set();
    this.steps = 0;
  }

  forgetMarks() {
    this.mark = -1;
    this.innerMark = -1;
    if (this.marks.length === 0) return;
    this.marks = [];
    this.referred = new Set();
  }
}

const walk = new Walk();

/**
 * Goes one level down.
 *
 * @param {number} kind a `Container`
 * @param {any} container
 * @param {number} count of the items in it; of the members, if it is an object
 */
function open(kind, container, count) {
  const { frame, mark } = walk;
  if (frame.depth >= walk.maxDepth) throw malformed(`Nested deeper than ${walk.maxDepth} levels`);
  weigh(WEIGHTS[kind]);
  const next = (frame.child ??= new Frame(frame));
  next.kind = kind;
  next.container = container;
  next.index = 0;
  next.count = count;
  next.wantsKey = kind === Container.MAP || kind === Container.ERROR;
  next.mark = mark;
  next.reserved = reserved();
  if (mark >= 0) endMark(container);
  walk.frame = next;
}

/** @param {number} weight of an object that is about to be made, in bytes */
function weigh(weight) {
  walk.allowance -= weight;
  if (walk.allowance < 0) throw malformed('So many objects take too much memory for so few bytes');
}

/**
 * Watches over the keys of the innermost container. To be called when its size is known.
 *
 * @param {number} entries
 */
function guard(entries) {
  if (entries > UNGUARDED) walk.frame.guard = new KeyGuard(entries);
}

/** @param {number} cost of a key that was added, according to the guard */
function spend(cost) {
  walk.steps += cost;
  if (walk.steps > MOST_STEPS) throw malformed('Keys that were chosen to collide');
}

/** How many bytes at least the open containers need, beside the item that is being read. */
function reserved() {
  const { kind, count, index, reserved: above } = walk.frame;
  return above + (kind === Container.OBJECT ? 2 * (count - index) : count - index - 1);
}

/**
 * Goes one level up, with the container as the item that is complete.
 *
 * @returns {true}
 */
function close() {
  const { frame } = walk;
  walk.item = frame.container;
  frame.container = null;
  frame.key = null;
  frame.guard = null;
  walk.frame = frame.parent;
  return true;
}

/** Begins a mark on the next item: tag 28. */
function beginMark() {
  if (walk.mark >= 0) throw malformed('Tag 28 on tag 28');
  walk.mark = newMark();
}

/** A mark between a tag that is known and what it is on. It is on the same value. */
function beginInnerMark() {
  if (walk.mark < 0) walk.mark = newMark();
  else walk.innerMark = newMark();
}

/** @returns {number} a mark on what can never be referred to, unless something is done about it */
function newMark() {
  return walk.marks.push(UNKNOWN) - 1;
}

/** Ends the mark on a value that is there now. */
function endMark(value) {
  walk.marks[walk.mark] = value;
  walk.mark = -1;
  if (walk.innerMark < 0) return;
  walk.marks[walk.innerMark] = value;
  walk.innerMark = -1;
}

/**
 * @param {number | bigint} number of a mark
 * @param {number} at where it is referred to
 */
function marked(number, at) {
  const value = number < walk.marks.length ? walk.marks[Number(number)] : UNKNOWN;
  if (value === UNKNOWN) throw malformed(`Nothing was marked as number ${number}`, at);
  walk.referred.add(Number(number));
  return value;
}

module.exports = {
  Container,
  beginInnerMark,
  beginMark,
  close,
  endMark,
  guard,
  marked,
  newMark,
  open,
  reserved,
  spend,
  walk,
  weigh,
};
