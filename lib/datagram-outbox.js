'use strict';
// What UDP sockets are to send: datagrams of one tick are put side by side in memory that all sockets share, and go
// out with one native call for each socket, which gives them to the system in as few calls as it can.
//
// | where a datagram is | until |
// | --- | --- |
// | in the slab | the tick ends, the slab is full, or another socket sends |
// | in the engine's queue | the system takes it |

const { Buffer } = require('node:buffer');
const {
  DATAGRAM_LIST_SIZE,
  DATAGRAM_SLAB_SIZE,
  MESSAGE_SLAB_SIZE,
  SLAB_SIZE,
  engine,
  queuedBytes,
  sentDatagrams,
  slab,
} = require('./engine');
const { IPV6, textOfIPv4, textOfIPv6 } = require('./datagram-address');
const { atTickEnd, isExiting } = require('./tick');

const START = SLAB_SIZE + MESSAGE_SLAB_SIZE;
const LIST = START + DATAGRAM_SLAB_SIZE;
/** With so many bytes it is time to send: much less than fits, so that the CPU still has it in its cache. */
const ENOUGH = START + DATAGRAM_SLAB_SIZE / 2;
/** Integers that one datagram takes at most. */
const MOST_INTEGERS = 7;
/** Of a length: where it goes follows (`ADDRESSED` in `src/core/datagram/run.rs`). */
const ADDRESSED = 1 << 31;

const list = new Int32Array(slab.buffer, LIST, DATAGRAM_LIST_SIZE / Int32Array.BYTES_PER_ELEMENT);

/** Whose datagrams are in the slab. @type {DatagramOutbox | null} */
let stager = null;
/** Where the next payload goes, and which of `list` is free. */
let used = START;
let listed = 0;
/** Where the last datagram in the slab goes. @type {import('./datagram-address').Target | null} */
let lastTarget = null;
let lastPort = 0;

class DatagramOutbox {
  /**
   * @param {import('./datagram-handle').DatagramHandle} handle
   * @param {{ onrefused(errno: number, address: string, port: number): void, onsent(): void }} owner called at the
   *   end of a tick, or when the engine says so
   */
  constructor(handle, owner) {
    this.handle = handle;
    this.owner = owner;
    /** Bytes that waited when this tick began, and those sent since. */
    this.waiting = 0;
    this.recent = 0;
    /** Bytes in the engine's queue after the last send. */
    this.queued = 0;
    /** The end of this tick is waited for. */
    this.isDirty = false;
    /** What the system refused in this tick. @type {{ errno: number, address: string, port: number }[]} */
    this.refused = [];
  }

  /** Bytes that the system does not have yet. Falls between ticks alone. */
  get bufferedAmount() {
    if (!this.isDirty && this.waiting > 0) {
      this.waiting = engine().queuedDatagrams(this.handle.id);
      this.touch();
    }
    return this.waiting + this.recent;
  }

  /**
   * Adds a datagram.
   * @param {Uint8Array} bytes copied at once
   * @param {number} length so many they are, whatever they say
   * @param {import('./datagram-address').Target} target
   * @param {number} port
   */
  add(bytes, length, target, port) {
    this.reserve(length);
    if (length < 64) for (let i = 0; i < length; i++) slab[used + i] = bytes[i];
    else slab.set(bytes, used);
    this.commit(length, target, port);
  }

  /** Adds a datagram of text; answers its bytes, or -1 if they are more than `most`. */
  addText(text, target, port, most) {
    let size = text.length * 3;
    if (size > most) {
      size = Buffer.byteLength(text);
      if (size > most) return -1;
    }
    this.reserve(size);
    const length = slab.utf8Write(text, used, size);
    this.commit(length, target, port);
    return length;
  }

  /** Makes room for `size` bytes, at most half of the slab. */
  reserve(size) {
    if (stager !== this) {
      stager?.flush();
      stager = this;
    } else if (used >= ENOUGH || used + size > LIST || listed + MOST_INTEGERS > list.length) {
      this.flush();
      stager = this;
    }
  }

  commit(length, target, port) {
    if (target === lastTarget && port === lastPort) list[listed++] = length;
    else this.address(length, target, port);
    used += length;
    this.recent += length;
    this.touch();
    if (isExiting()) this.flush();
  }

  address(length, target, port) {
    const { family, words } = target;
    list[listed++] = length | ADDRESSED;
    list[listed++] = family === 6 ? port | IPV6 : port;
    for (let i = 0; i < words.length; i++) list[listed++] = words[i];
    lastTarget = target;
    lastPort = port;
  }

  /** The end of this tick is of interest. */
  touch() {
    if (this.isDirty) return;
    this.isDirty = true;
    atTickEnd(this);
  }

  /** What is in the slab goes out. */
  flush() {
    if (stager !== this) return;
    const [bytes, count] = [used - START, listed];
    stager = null;
    used = START;
    listed = 0;
    lastTarget = null;
    const { id } = this.handle;
    if (id < 0 || count === 0) return;
    let errno = engine().sendDatagrams(id, START, bytes, LIST, count, 0);
    while (errno !== 0) {
      const index = sentDatagrams();
      this.refused.push({ errno, ...destinationOf(index) });
      errno = engine().sendDatagrams(id, START, bytes, LIST, count, index + 1);
    }
    this.queued = queuedBytes();
  }

  /** The end of a tick. */
  flushTick() {
    this.isDirty = false;
    this.flush();
    this.recent = 0;
    if (this.handle.isClosing) return;
    this.waiting = this.queued === 0 ? 0 : engine().queuedDatagrams(this.handle.id);
    const { refused } = this;
    this.refused = [];
    for (const { errno, address, port } of refused) this.owner.onrefused(errno, address, port);
    if (this.waiting === 0) this.owner.onsent();
  }

  /** The engine's queue was empty; meanwhile it may have been filled again, and then it will say so again. */
  written() {
    if (this.isDirty) return; // Told at the end of the tick.
    this.waiting = engine().queuedDatagrams(this.handle.id);
    if (this.waiting === 0) this.owner.onsent();
  }

  /** Nothing is sent any more. */
  drop() {
    if (stager === this) {
      stager = null;
      used = START;
      listed = 0;
      lastTarget = null;
    }
    this.waiting = 0;
    this.recent = 0;
    this.refused = [];
  }
}

/** Where the datagram goes that is the `index`th of `list`. */
function destinationOf(index) {
  let [at, target, port] = [0, null, 0];
  for (let i = 0; i <= index; i++) {
    if (list[at++] >= 0) continue;
    target = at;
    port = list[at] & 0xffff;
    at += list[at] & IPV6 ? 6 : 2;
  }
  const isIPv6 = (list[target] & IPV6) !== 0;
  const address = isIPv6 ? textOfIPv6(list, target + 1) : textOfIPv4(list[target + 1]);
  return { address, port };
}

module.exports = { DatagramOutbox };
