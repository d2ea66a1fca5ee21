'use strict';
// From runs of messages in a chunk (`src/core/codec/run.rs`) to values, one `data` event each.
//
// Short texts of ASCII are made several at a time: one call makes a string of some kilobytes, and each text is a
// part of it. V8 keeps the whole as long as a part of it is in use, so the whole is small.

const { ReceiveMemory } = require('../memory');
const { notJson } = require('./errors');

/** Bytes that are made a string together. What a program keeps of them keeps no more than this in memory. */
const GROUP = 4096;
/** A longer text is made by itself. */
const SHORT_TEXT = 1024;

const INT = Int32Array.BYTES_PER_ELEMENT;

/**
 * Reads runs, one at a time.
 */
class Inbox {
  /**
   * @param {import('./types').Type} type
   * @param {{ isFramed: boolean, isBatch: boolean, emitsArrays: boolean }} mode
   *   `isBatch`: all messages of a run are delivered together; `emitsArrays`: raw numbers are delivered as arrays
   * @param {{ ondata(value: any): void, onmessages(values: any[]): void, onbadmessage(err: Error): void }} owner
   */
  constructor(type, mode, owner) {
    this.type = type;
    this.mode = mode;
    this.owner = owner;
    this.isText = type.family === 'text' || type.family === 'json';
    /** Raw numbers are delivered one by one. */
    this.isSplit = type.family === 'number' && !mode.isFramed && !mode.emitsArrays;
    /** Where received bytes are copied to. */
    this.memory = null;
    /** For `lib/events.js`: in whose context messages are delivered. */
    this.handle = null;

    /** Nothing is delivered any more. */
    this.isStopped = true;

    this.chunk = null;
    this.ints = null;
    this.numbers = null;
    /** Which of `ints` are the messages' (`next` is the next one's), and where the next one's payload is. */
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
  }

  /** What has come and is not delivered yet is dropped. */
  stop() {
    this.isStopped = true;
  }

  /** Begins with the run at `offset`. */
  open(chunk, offset, length) {
    const ints = new Int32Array(chunk.buffer, offset, length / INT);
    const { View, size } = this.type;
    this.chunk = chunk;
    this.ints = ints;
    this.end = ints.length - 1;
    this.next = this.end - ints[this.end];
    this.groupEnd = 0;
    if (View !== null) {
      // The payloads come first, and are aligned.
      this.numbers = new View(chunk.buffer, offset, Math.floor((this.next * INT) / size));
      this.at = 0;
    } else this.at = offset;
    if (this.isSplit) this.left = ints[this.next];
    return this;
  }

  /** Whether the next delivery is the last of the run. */
  isLast() {
    if (this.mode.isBatch || this.isStopped) return true;
    if (this.isSplit) return this.left <= 1 && this.next + 1 >= this.end;
    return this.next + 1 >= this.end;
  }

  /** Delivers one message, or, in batches, all. Goes past it first: the listener may throw. */
  deliverNext() {
    if (this.isStopped) return;
    if (!this.mode.isBatch) {
      this.deliver(this.take());
      return;
    }
    const values = [];
    while (this.next < this.end) {
      const value = this.take();
      if (value !== BAD) values.push(value);
    }
    if (values.length > 0) this.owner.onmessages(values);
  }

  deliver(value) {
    if (value !== BAD) this.owner.ondata(value);
  }

  /** The next value of the run. */
  take() {
    if (this.isSplit) return this.takeNumber();
    const entry = this.ints[this.next++];
    if (this.isText) {
      const text = entry < 0 ? this.takeText(~entry) : this.takeAscii(entry);
      return this.type.family === 'json' ? this.parse(text) : text;
    }
    return this.numbers === null ? this.takeBytes(entry) : this.takeNumbers(entry);
  }

  takeNumber() {
    if (--this.left === 0) {
      this.next++;
      if (this.next < this.end) this.left = this.ints[this.next];
    }
    return this.numbers[this.at++];
  }

  takeNumbers(count) {
    const { numbers, at } = this;
    this.at += count;
    if (count === 1 && this.mode.isFramed) return numbers[at];
    return arrayOf(numbers, at, count);
  }

  takeBytes(length) {
    const { chunk, at } = this;
    this.at += length;
    this.memory ??= new ReceiveMemory();
    return this.memory.copy(new Uint8Array(chunk.buffer, at, length));
  }

  takeText(length) {
    const { at } = this;
    this.at += length;
    return this.chunk.utf8Slice(at, at + length);
  }

  takeAscii(length) {
    const { at } = this;
    this.at += length;
    if (length > SHORT_TEXT) return this.chunk.latin1Slice(at, at + length);
    if (at + length > this.groupEnd) this.openGroup(length);
    const from = at - this.groupAt;
    return this.group.substring(from, from + length);
  }

  /** Makes a string of the next text, of `length` bytes, and of as many of those behind it as are short. */
  openGroup(length) {
    const { at, next, end, ints } = this;
    const from = at - length;
    let to = at;
    for (let i = next; i < end; i++) {
      const entry = ints[i];
      if (entry < 0 || to + entry - from > GROUP) break;
      to += entry;
    }
    this.group = this.chunk.latin1Slice(from, to);
    this.groupAt = from;
    this.groupEnd = to;
  }

  parse(text) {
    try {
      return JSON.parse(text);
    } catch (cause) {
      this.owner.onbadmessage(notJson(Buffer.byteLength(text), cause));
      return BAD;
    }
  }

  /** A message by itself. @param {Buffer} bytes its own memory */
  deliverLarge(bytes) {
    const { family } = this.type;
    if (family === 'number') this.deliverOne(this.largeNumbers(bytes));
    else if (family === 'image') this.deliverOne(bytes);
    else {
      const text = bytes.utf8Slice(0, bytes.length);
      this.deliverOne(family === 'json' ? this.parse(text) : text);
    }
  }

  largeNumbers(bytes) {
    const { View, size } = this.type;
    const isAligned = bytes.byteOffset % size === 0;
    const { buffer, byteOffset, length } = isAligned
      ? bytes
      : Buffer.allocUnsafeSlow(bytes.length).fill(bytes);
    const count = length / size;
    return arrayOf(new View(buffer, byteOffset, count), 0, count);
  }

  deliverOne(value) {
    if (value === BAD) return;
    if (this.mode.isBatch) this.owner.onmessages([value]);
    else this.owner.ondata(value);
  }

  /** The connection is closed. */
  release() {
    this.memory?.release();
    this.chunk = null;
    this.ints = null;
    this.numbers = null;
    this.group = '';
  }
}

/** In place of a value that could not be made, and was told of. */
const BAD = Symbol('BAD');

function arrayOf(numbers, from, count) {
  const values = new Array(count);
  for (let i = 0; i < count; i++) values[i] = numbers[from + i];
  return values;
}

module.exports = { Inbox };
