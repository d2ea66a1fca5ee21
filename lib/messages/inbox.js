'use strict';
// From runs of messages in a chunk (`src/core/codec/run.rs`) to values, one `data` event each.
//
// Short texts of ASCII are made several at a time: one call makes a string of some kilobytes, and each text is a
// part of it. V8 keeps the whole as long as a part of it is in use, so the whole is small.
//
// While it is paused, what has come is held and nothing more is read:
//
// | state | messages come | `pause()` | `resume()` |
// | --- | --- | --- | --- |
// | flowing | are delivered | holding | – |
// | holding | are held behind the others | – | releasing |
// | releasing, each in a callback of its own | are held behind the others | holding | – |
//
// When all is released it flows again. What ends the stream is held as well, so that it comes behind the data.

const { Buffer } = require('node:buffer');
const { setImmediate } = require('node:timers');
const { IN_USE } = require('../handle');
const { ReceiveMemory } = require('../memory');
const { callIn } = require('../tick');
const { incompleteError, notJson, tooLongForV8 } = require('./errors');
const { kFail, kLost } = require('./symbols');

/** Bytes that are made a string together. What a program keeps of them keeps no more than this in memory. */
const GROUP = 4096;
/** A longer text is made by itself. */
const SHORT_TEXT = 1024;

/** So many that were held are released in one turn of the loop. */
const RELEASES = 32;

const INT = Int32Array.BYTES_PER_ELEMENT;
/** Of an integer: the message has a header of five bytes (`LONG` in `run.rs`). */
const LONG = 1 << 30;

/** In place of a value that could not be made, and was told of. */
const BAD = Symbol('BAD');

/**
 * Reads runs, one at a time. `lib/events.js` calls `isLast()` and `deliverNext()`.
 */
class Inbox {
  /**
   * @param {import('./options').Format} format
   * @param {import('./connection').MessageConnection} owner emits `data`, or in batches `messages`
   */
  constructor(format, owner) {
    const { receive, isFramed, isBatch, emitsArrays } = format;
    this.format = format;
    this.owner = owner;
    this.isBatch = isBatch;
    this.isFramed = isFramed;
    this.type = receive;
    this.View = receive.View;
    this.size = receive.size;
    this.isJson = receive.family === 'json';
    this.isBytes = receive.family === 'image';
    /** Raw numbers are delivered one by one. */
    this.isSplit = receive.family === 'number' && !isFramed && !emitsArrays;
    /** Bytes before a payload: of text, JSON and bytes the header is still there. */
    this.header = isFramed && receive.View === null ? 1 : 0;
    /** Where received bytes are copied to. */
    this.memory = null;
    /** For `lib/events.js`: in whose context messages are delivered. */
    this.handle = null;
    /** Nothing is delivered any more. */
    this.isStopped = true;

    this.isPaused = false;
    /** What is held: readers of runs, large messages, and functions for what comes behind them; null while it flows. */
    this.held = null;
    /** Releases that are to come. */
    this.releases = 0;
    this.release = this.releaseNext.bind(this);

    this.chunk = null;
    /** The run: where in the chunk it is. */
    this.offset = 0;
    this.length = 0;
    this.ints = null;
    this.numbers = null;
    /** Which of `ints` are the messages' (`next` is the next one's), and where the next message is. */
    this.next = 0;
    this.end = 0;
    this.at = 0;
    /** Of raw numbers: how many of the current message are left. */
    this.left = 0;
    this.group = '';
    this.groupAt = 0;
    this.groupEnd = 0;
  }

  /** A connection begins. */
  start(handle) {
    this.handle = handle;
    this.isStopped = false;
    this.isPaused = false;
    this.held = null;
  }

  /**
   * What has come and is not delivered yet is dropped. Answers what was held to come behind it.
   * @returns {(() => void)[]}
   */
  stop() {
    const { held, handle } = this;
    this.isStopped = true;
    this.held = null;
    if (held === null) return [];
    handle.setIdle(IN_USE);
    // It is read all the same, to see the end.
    handle.readStart();
    return held.filter((item) => typeof item === 'function');
  }

  /** Begins with the run at `offset`. Answers null where it is held. */
  receive(chunk, offset, length) {
    this.open(chunk, offset, length);
    if (this.held === null) return this;
    this.held.push(this.detach());
    return null;
  }

  /** The run at `offset`. */
  open(chunk, offset, length) {
    this.offset = offset;
    this.length = length;
    const ints = new Int32Array(chunk.buffer, offset, length / INT);
    this.chunk = chunk;
    this.ints = ints;
    this.end = ints.length - 1;
    this.next = this.end - ints[this.end];
    this.groupEnd = 0;
    if (this.View === null) this.at = offset;
    else {
      this.numbers = new this.View(chunk.buffer, offset, Math.floor((this.next * INT) / this.size));
      this.at = 0;
      if (this.isSplit) this.left = ints[this.next];
    }
  }

  /** Whether the next delivery is the last of the run. */
  isLast() {
    if (this.isStopped || this.isBatch) return true;
    return this.next + 1 >= this.end && this.left <= 1;
  }

  /** Delivers one message, or, in batches, all. Goes past it first: the listener may throw. */
  deliverNext() {
    // The rest of the run may have been held meanwhile.
    if (this.isStopped || this.next >= this.end) return;
    if (this.isBatch) this.deliverAll();
    else {
      const value = this.take();
      if (value !== BAD) this.owner.emit('data', value);
    }
  }

  deliverAll() {
    // oxlint-disable-next-line unicorn/no-new-array -- a length, and nothing is filled twice
    const values = new Array(this.isSplit ? this.numbers.length : this.end - this.next);
    let count = 0;
    while (this.next < this.end) {
      const value = this.take();
      if (value !== BAD) values[count++] = value;
    }
    values.length = count;
    if (count > 0) this.owner.emit('messages', values);
  }

  /** The next value of the run. */
  take() {
    if (this.View !== null) return this.isSplit ? this.takeNumber() : this.takeNumbers();
    const entry = this.ints[this.next++];
    let length = entry < 0 ? ~entry : entry;
    let from = this.at + this.header;
    if (length >= LONG) {
      length -= LONG;
      from += 4;
    }
    const to = from + length;
    this.at = to;
    if (this.isBytes) return this.copy(from, length);
    let text;
    if (entry < 0) text = this.chunk.utf8Slice(from, to);
    else if (length > SHORT_TEXT) text = this.chunk.latin1Slice(from, to);
    else {
      if (to > this.groupEnd) this.openGroup(from, to);
      text = this.group.substring(from - this.groupAt, to - this.groupAt);
    }
    return this.isJson ? this.parse(text) : text;
  }

  /** Makes a string of the text in `from..to`, and of as many of those behind it as are short. */
  openGroup(from, to) {
    const { header, end, ints } = this;
    const limit = from + GROUP;
    for (let i = this.next; i < end; i++) {
      const entry = ints[i];
      if (entry < 0 || entry > SHORT_TEXT || to + header + entry > limit) break;
      to += header + entry;
    }
    this.group = this.chunk.latin1Slice(from, to);
    this.groupAt = from;
    this.groupEnd = to;
  }

  parse(text) {
    try {
      return JSON.parse(text);
    } catch (cause) {
      return this.tell(notJson(Buffer.byteLength(text), cause));
    }
  }

  /** Tells of an error, in place of a value. */
  tell(err) {
    // Of a batch the good ones come first: a listener that throws here would lose them.
    if (this.isBatch) process.nextTick(() => this.owner[kFail](err));
    else this.owner[kFail](err);
    return BAD;
  }

  takeNumber() {
    if (--this.left === 0) {
      this.next++;
      if (this.next < this.end) this.left = this.ints[this.next];
    }
    return this.numbers[this.at++];
  }

  takeNumbers() {
    const { numbers, at } = this;
    const count = this.ints[this.next++];
    if (count < 0) return this.tell(incompleteError(~count, this.type));
    this.at += count;
    if (count === 1 && this.isFramed) return numbers[at];
    return arrayOf(numbers, at, count);
  }

  copy(at, length) {
    this.memory ??= new ReceiveMemory();
    return this.memory.copy(this.chunk, at, length);
  }

  /** A message by itself. @param {Buffer} bytes its own memory */
  receiveLarge(bytes) {
    if (this.held === null) this.deliverLarge(bytes);
    else this.held.push(bytes);
  }

  deliverLarge(bytes) {
    if (this.isBytes) {
      this.deliver(bytes);
      return;
    }
    let value;
    try {
      value = this.View === null ? bytes.utf8Slice(0, bytes.length) : this.largeNumbers(bytes);
    } catch (cause) {
      // More than a string or an array can have. To the peer that is no other than a message over the limit.
      this.owner[kLost](tooLongForV8(bytes.length, cause));
      return;
    }
    this.deliver(this.isJson ? this.parse(value) : value);
  }

  largeNumbers(bytes) {
    const { View, size } = this;
    const isAligned = bytes.byteOffset % size === 0;
    const { buffer, byteOffset, length } = isAligned
      ? bytes
      : Buffer.allocUnsafeSlow(bytes.length).fill(bytes);
    return arrayOf(new View(buffer, byteOffset, length / size), 0, length / size);
  }

  /** A value that is in no run. */
  deliver(value) {
    if (value === BAD) return;
    if (this.isBatch) this.owner.emit('messages', [value]);
    else this.owner.emit('data', value);
  }

  /** Something that comes behind the messages. @param {() => void} fn */
  deliverBehind(fn) {
    if (this.held === null) fn();
    else this.held.push(fn);
  }

  // --- Pauses.

  pause() {
    if (this.isStopped || this.isPaused) return;
    this.isPaused = true;
    // Else it was about to be released.
    if (this.held !== null) return;
    this.held = [];
    this.handle.readStop();
    this.handle.setBusy(IN_USE);
    if (this.next < this.end) this.held.push(this.detach());
  }

  resume() {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (this.releases === 0) this.scheduleRelease();
  }

  /** What is left of the run, as a reader of its own: out of the chunk, which serves all streams. */
  detach() {
    const { chunk, offset, length } = this;
    const bytes = Buffer.allocUnsafeSlow(length);
    chunk.copy(bytes, 0, offset, offset + length);
    const reader = new Inbox(this.format, this.owner);
    reader.start(this.handle);
    reader.open(bytes, 0, length);
    reader.next = this.next;
    reader.at = this.View === null ? this.at - offset : this.at;
    reader.left = this.left;
    this.next = this.end;
    this.left = 0;
    return reader;
  }

  scheduleRelease() {
    this.releases++;
    setImmediate(this.release);
  }

  releaseNext() {
    this.releases--;
    if (this.held === null || this.isPaused) return;
    if (this.held.length > 0) callIn(this.handle.resource, releaseOne, this);
    this.goOn();
  }

  /** Takes it away first: the listener may throw, pause, or close. */
  releaseOne() {
    const { held } = this;
    const [first] = held;
    if (first instanceof Inbox) {
      if (first.isLast()) held.shift();
      first.deliverNext();
      return;
    }
    held.shift();
    if (typeof first === 'function') first();
    else this.deliverLarge(first);
  }

  goOn() {
    if (this.held === null || this.isPaused) return;
    if (this.held.length === 0) {
      this.held = null;
      this.handle.setIdle(IN_USE);
      this.handle.readStart();
    } else if (this.releases === 0) {
      for (let i = 0; i < RELEASES; i++) this.scheduleRelease();
    }
  }

  /** The connection is closed. */
  letGo() {
    this.memory?.release();
    this.memory = null;
    this.chunk = null;
    this.ints = null;
    this.numbers = null;
    this.group = '';
  }
}

const releaseOne = (inbox) => inbox.releaseOne();

/** V8 makes a dictionary, which is ten times slower, of an array that begins with more elements. */
const LARGEST_PIECE = 2 ** 25;

function arrayOf(numbers, from, count) {
  if (count <= LARGEST_PIECE) return pieceOf(numbers, from, count);
  const pieces = [];
  for (let at = 0; at < count; at += LARGEST_PIECE) {
    pieces.push(pieceOf(numbers, from + at, Math.min(LARGEST_PIECE, count - at)));
  }
  return [].concat(...pieces);
}

function pieceOf(numbers, from, count) {
  // oxlint-disable-next-line unicorn/no-new-array -- a length, and nothing is filled twice
  const values = new Array(count);
  for (let i = 0; i < count; i++) values[i] = numbers[from + i];
  return values;
}

module.exports = { Inbox };
