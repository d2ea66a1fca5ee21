'use strict';
// What one TCP socket is to send: in order, whatever has to be read first, and how much of it waits.
//
// Bytes go into the outbox (`lib/outbox.js`) at once, which sends them when the tick ends. A Blob has to be read first:
// what comes behind it waits in `items`, and so does the Blob's own rest while the peer does not take what was read.

const { Buffer } = require('node:buffer');
const { slab } = require('../engine');
const { LARGEST_IN_SLAB, Outbox, SHORT_TEXT } = require('../outbox');
const { afterTicks } = require('../tick');
const { bytesOf, isBlob, lengthOf, plainView, viewOf } = require('./arguments');

/** At most so many bytes may wait, for `send()` to answer true (Gecko's number). */
const HIGH_WATER_MARK = 65_536;

class Sender {
  /**
   * @param {{ onsent(): void, ondrained(isEvent: boolean): void, onsendfailed(err: Error): void }} owner `ondrained`:
   *   after more than enough was sent, nothing is left; `isEvent`: the engine calls
   * @param {number} limit bytes that may wait
   */
  constructor(owner, limit) {
    this.owner = owner;
    this.limit = limit;
    this.box = new Outbox(false, {
      onsent: () => this.sent(),
      ondrained() {},
      onsendfailed: (err) => owner.onsendfailed(err),
    });
    /** Blobs, and bytes behind the first of them. @type {(Blob | Buffer)[]} */
    this.items = [];
    /** Bytes in them that are not in the outbox yet. */
    this.itemBytes = 0;
    /** What was said of `bufferedAmount` last: in one tick it does not fall. */
    this.amount = 0;
    this.isPinned = false;
    this.unpin = () => {
      this.isPinned = false;
    };
    this.owesDrain = false;
    /** In a call of the engine's. */
    this.isEvent = false;
    /** Reads the first of `items`. @type {ReadableStreamDefaultReader | null} */
    this.reader = null;
    /** Goes on with reading it, when the outbox is empty. @type {(() => void) | null} */
    this.goOn = null;
    this.isClosed = false;
  }

  /** Bytes that the system does not have yet. */
  get bufferedAmount() {
    this.updateAmount();
    return this.amount;
  }

  updateAmount() {
    if (this.amount === 0 || this.isPinned) return;
    this.amount = this.waiting();
    this.isPinned = true;
    afterTicks(this.unpin);
  }

  waiting() {
    return this.itemBytes + this.box.bufferedAmount;
  }

  /** Gives all that it can to the engine, now. Answers whether that was all there is. */
  flush() {
    this.box.flush();
    return this.items.length === 0 && this.box.backlog.length === 0;
  }

  /** The connection stands. */
  open(handle) {
    this.box.open(handle);
  }

  /**
   * Takes `data`. Answers whether little enough waits, or null if it is more than may wait: then nothing was taken.
   * @param {unknown} data
   * @throws {DOMException} InvalidAccessError
   */
  send(data) {
    this.updateAmount();
    const length = this.items.length === 0 ? this.sendNow(data) : this.sendBehind(data);
    if (length < 0) return null;
    this.isPinned = true;
    this.amount += length;
    this.box.commit();
    if (this.amount <= HIGH_WATER_MARK) return true;
    this.owesDrain = true;
    return false;
  }

  isTooMuch(length) {
    return this.amount + length > this.limit;
  }

  /** Answers how many bytes it was, or -1. */
  sendNow(data) {
    if (typeof data === 'string') return this.sendText(data);
    if (isBlob(data)) return this.sendBehind(data);
    const view = viewOf(data);
    const length = lengthOf(view);
    if (this.isTooMuch(length)) return -1;
    if (length > LARGEST_IN_SLAB) this.box.addBorrowed(plainView(view));
    else if (length > 0) slab.set(view, this.box.reserve(length));
    return length;
  }

  sendText(text) {
    const { box } = this;
    const length = Buffer.byteLength(text);
    if (this.isTooMuch(length)) return -1;
    // Only ASCII has as many bytes as characters. Other texts are never joined: halves of a character would become one.
    if (length === text.length && length < SHORT_TEXT) {
      if (length > 0) box.addShortText(text);
    } else if (length <= LARGEST_IN_SLAB) slab.utf8Write(text, box.reserve(length), length);
    else box.addLarge(Buffer.from(text));
    return length;
  }

  /** A Blob, or something behind one. */
  sendBehind(data) {
    const item = isBlob(data) ? data : bytesOf(data);
    const length = sizeOf(item);
    if (this.isTooMuch(length)) return -1;
    if (length === 0) return 0;
    this.items.push(item);
    this.itemBytes += length;
    if (this.items.length === 1) this.readFirst();
    return length;
  }

  /** Sends what is first in line, until there is nothing or a Blob has to be read. */
  nextItems() {
    const { items, box } = this;
    let count = 0;
    while (count < items.length && !isBlob(items[count])) {
      const bytes = items[count++];
      this.itemBytes -= bytes.length;
      if (bytes.length > LARGEST_IN_SLAB) box.addLarge(bytes);
      else slab.set(bytes, box.reserve(bytes.length));
    }
    // Not one by one: with ten thousands of them each would move all others.
    items.splice(0, count);
    // Before a Blob is asked, which may be anything.
    if (count > 0) box.commit();
    if (this.items.length > 0) this.readFirst();
  }

  /** Reads a Blob piece by piece; it may be larger than memory. */
  async readFirst() {
    const blob = this.items[0];
    let left = blob.size;
    try {
      this.reader = blob.stream().getReader();
      for (;;) {
        const { done, value } = await this.reader.read();
        if (this.isClosed) return;
        if (done) break;
        left -= value.length;
        this.itemBytes -= value.length;
        this.box.addLarge(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
        this.box.commit();
        if (this.box.mustWait) await new Promise((resolve) => (this.goOn = resolve));
        if (this.isClosed) return;
      }
      if (left !== 0) throw new Error(`The Blob is ${left} bytes shorter than it was`);
    } catch (err) {
      if (!this.isClosed) this.owner.onsendfailed(err);
      return;
    }
    this.reader = null;
    this.items.shift();
    this.nextItems();
    // Whoever waits for the end is told when the tick ends.
    this.box.commit();
  }

  /** The engine's queue is empty. */
  resume() {
    this.isEvent = true;
    this.box.resume();
    this.isEvent = false;
  }

  /** What was sent is with the engine, or with the system. */
  sent() {
    this.isPinned = false;
    this.settle();
    if (this.goOn !== null && !this.box.mustWait) {
      const { goOn } = this;
      this.goOn = null;
      goOn();
    }
    this.owner.onsent();
  }

  /** Counts what is left, and says if that is nothing at last. */
  settle() {
    this.amount = this.waiting();
    if (!this.owesDrain || this.amount > 0) return;
    this.owesDrain = false;
    this.owner.ondrained(this.isEvent);
  }

  /** What is left is dropped. */
  close() {
    this.isClosed = true;
    this.box.close();
    this.items = [];
    this.itemBytes = 0;
    this.amount = 0;
    this.owesDrain = false;
    this.reader?.cancel().catch(() => {});
    this.reader = null;
    this.goOn?.();
    this.goOn = null;
  }
}

const sizeOf = (item) => (isBlob(item) ? item.size : item.length);

module.exports = { Sender };
