'use strict';
// From runs of frames in a chunk (`src/core/codec/run.rs`) to values, one `data` event each.
//
// While nobody listens for `data`, what has come is held and nothing more is read:
//
// | state | frames come | a listener comes | the last listener goes |
// | --- | --- | --- | --- |
// | flowing | are delivered; without a listener: holding | – | at the next frame: holding |
// | holding | are held behind the others | releasing | – |
// | releasing, one in each turn | are held behind the others | – | holding |
//
// When all is released it flows again. What ends the stream is held as well, so that it comes behind the data.

const { Buffer } = require('node:buffer');
const { setImmediate } = require('node:timers');
const { decodeRange } = require('../cbor/decoder');
const { decodeError } = require('../cbor/errors');
const { IN_USE } = require('../handle');
const { callIn } = require('../tick');
const { JSON_TEXT } = require('./options');

const INT = Int32Array.BYTES_PER_ELEMENT;
/** Bytes in front of each value. */
const HEADER = 4;

/** Frames that were copied out of their chunk. */
class HeldRun {
  constructor(bytes, lengths) {
    this.bytes = bytes;
    this.lengths = lengths;
    this.next = 0;
    this.at = 0;
  }
}

/**
 * Reads runs, one at a time. `lib/events.js` calls `isLast()` and `deliverNext()`.
 */
class Inbox {
  /**
   * @param {import('./options').Limits} limits
   * @param {import('./subscriptions').Subscriptions} events
   * @param {(err: Error) => void} onbad something is no value; nothing more is delivered
   */
  constructor(limits, events, onbad) {
    this.events = events;
    this.onbad = onbad;
    this.isJson = limits.codec === JSON_TEXT;
    this.maxDepth = limits.maxDepth;
    /** For `lib/events.js`: in whose context values are delivered. */
    this.handle = null;
    /** Nothing is delivered any more. */
    this.isStopped = false;
    /** What is held: runs, large frames, and functions for what comes behind them; null while it flows. */
    this.held = null;
    this.isReleasing = false;
    this.release = this.releaseNext.bind(this);

    this.chunk = null;
    this.ints = null;
    /** Which of `ints` is the next frame's, the one behind the last, and where in the chunk the next frame is. */
    this.next = 0;
    this.end = 0;
    this.at = 0;
  }

  /** Begins with the run at `offset`; null: nobody is to get it now. */
  open(chunk, offset, length) {
    if (this.isStopped) return null;
    const ints = new Int32Array(chunk.buffer, offset, length / INT);
    this.chunk = chunk;
    this.ints = ints;
    this.end = ints.length - 1;
    this.next = this.end - ints[this.end];
    this.at = offset;
    if (this.held === null && this.events.data.length > 0) return this;
    this.holdRun();
    return null;
  }

  /** Whether the next delivery is the last of the run. */
  isLast() {
    return this.isStopped || this.next + 1 >= this.end;
  }

  /** Delivers one value. Goes past it first: the listener may throw. */
  deliverNext() {
    if (this.isStopped || this.next >= this.end) return;
    if (this.events.data.length === 0) {
      this.holdRun();
      return;
    }
    const entry = this.ints[this.next++];
    const from = this.at + HEADER;
    const to = from + (entry < 0 ? ~entry : entry);
    this.at = to;
    this.deliver(this.chunk, from, to, entry >= 0);
  }

  /** A frame by itself. @param {Buffer} bytes its own memory */
  deliverLarge(bytes) {
    if (this.isStopped) return;
    if (this.held === null && this.events.data.length > 0) this.deliverWhole(bytes);
    else this.hold(bytes);
  }

  /** Something that comes behind the data. @param {() => void} fn */
  deliverBehind(fn) {
    if (this.isStopped || this.held === null) fn();
    else this.held.push(fn);
  }

  /** @param {Buffer} bytes a frame's own memory */
  deliverWhole(bytes) {
    this.deliver(bytes, 0, bytes.length, false, true);
  }

  /** @param {boolean} [isOwned] the memory is the frame's */
  deliver(bytes, from, to, isAscii, isOwned = false) {
    let value;
    try {
      value = this.isJson
        ? JSON.parse(isAscii ? bytes.latin1Slice(from, to) : bytes.utf8Slice(from, to))
        : decodeRange(bytes, from, to, this.maxDepth, isOwned);
    } catch (err) {
      this.onbad(this.isJson ? decodeError(err.message, 0) : err);
      return;
    }
    this.events.emitData(value);
  }

  /** Somebody listens. */
  resume() {
    if (this.held === null || this.isReleasing) return;
    this.isReleasing = true;
    setImmediate(this.release);
  }

  /**
   * What has come and is not delivered yet is dropped, and so is what comes. Answers what was held to come behind the data.
   * @returns {(() => void)[]}
   */
  stop() {
    this.isStopped = true;
    const ends = this.held?.filter((item) => typeof item === 'function') ?? [];
    this.held = null;
    this.chunk = null;
    this.ints = null;
    this.next = this.end;
    if (this.handle === null) return ends;
    this.handle.setIdle(IN_USE);
    // It is read all the same, to see the end.
    this.handle.readStart();
    return ends;
  }

  hold(item) {
    if (this.held === null) {
      this.held = [];
      this.handle.readStop();
      this.handle.setBusy(IN_USE);
    }
    this.held.push(item);
  }

  /** What is left of the run is taken out of the chunk, which serves all streams. */
  holdRun() {
    const lengths = this.ints.slice(this.next, this.end);
    let size = 0;
    for (const entry of lengths) size += HEADER + (entry < 0 ? ~entry : entry);
    const bytes = Buffer.allocUnsafeSlow(size);
    this.chunk.copy(bytes, 0, this.at, this.at + size);
    this.next = this.end;
    this.hold(new HeldRun(bytes, lengths));
  }

  releaseNext() {
    this.isReleasing = false;
    if (this.isStopped || this.held === null) return;
    callIn(this.handle.resource, releaseOne, this);
    this.goOn();
  }

  goOn() {
    if (this.isStopped || this.held === null) return;
    if (this.held.length === 0) {
      this.held = null;
      this.handle.setIdle(IN_USE);
      this.handle.readStart();
    } else if (this.events.data.length > 0 || typeof this.held[0] === 'function') this.resume();
  }

  releaseOne() {
    const [first] = this.held;
    if (typeof first === 'function') {
      this.held.shift();
      first();
    } else if (this.events.data.length > 0) {
      if (first instanceof HeldRun) this.releaseOfRun(first);
      else {
        this.held.shift();
        this.deliverWhole(first);
      }
    }
  }

  releaseOfRun(run) {
    const entry = run.lengths[run.next++];
    const from = run.at + HEADER;
    const to = from + (entry < 0 ? ~entry : entry);
    run.at = to;
    if (run.next === run.lengths.length) this.held.shift();
    this.deliver(run.bytes, from, to, entry >= 0);
  }
}

const releaseOne = (inbox) => inbox.releaseOne();

module.exports = { Inbox };
