'use strict';
// From runs of datagrams in a chunk (`src/core/datagram/run.rs`) to one callback each.

const { IPV6, textOfIPv4, textOfIPv6 } = require('./datagram-address');

const INT = Int32Array.BYTES_PER_ELEMENT;
/** Of a length: the source follows. It is the sign of the integer. */
const LENGTH = 0x7fffffff;

/**
 * Reads runs of one socket, one at a time. `lib/events.js` calls `isLast()` and `deliverNext()`.
 */
class DatagramRun {
  /** @param {import('./datagram-handle').DatagramHandle} handle */
  constructor(handle) {
    /** For `lib/events.js`: in whose context datagrams are delivered. */
    this.handle = handle;
    /** @type {ArrayBuffer | null} */
    this.memory = null;
    /** All of it. @type {Uint8Array | null} */
    this.bytes = null;
    /** @type {Int32Array | null} */
    this.ints = null;
    this.offset = 0;
    /** Which of `ints` is next. */
    this.next = 0;
    /** The source of the last datagram: as text, and the integers that it was made of. */
    this.address = '';
    this.port = 0;
    this.source = [];
    /** Datagrams for which there was no memory. */
    this.lost = 0;
  }

  /** Begins with the run at `offset`. @param {Buffer} chunk */
  open(chunk, offset, length) {
    if (this.memory !== chunk.buffer) {
      this.memory = chunk.buffer;
      this.bytes = new Uint8Array(chunk.buffer);
    }
    this.ints = new Int32Array(chunk.buffer, offset, length / INT);
    this.offset = offset;
    this.next = 0;
    return this;
  }

  /** Whether the next delivery is the last of the run; so it is when nothing is to be delivered any more. */
  isLast() {
    if (this.handle.isClosing) return true;
    const { ints, next } = this;
    const first = ints[next];
    return next + this.around(first) + wordsFor(first & LENGTH) >= ints.length;
  }

  /** Delivers one datagram. Goes past it first: the listener may throw. */
  deliverNext() {
    const { handle, ints, next } = this;
    if (handle.isClosing) return;
    const first = ints[next];
    const length = first & LENGTH;
    if (first < 0) this.takeSource(next + 1);
    const at = next + this.around(first);
    this.next = at + wordsFor(length);
    const from = this.offset + at * INT;
    let data;
    try {
      // Memory of its own, as large as the datagram.
      data = copyOf(this.bytes, from, length);
    } catch (err) {
      this.lost++;
      handle.callbacks.onlost(handle.owner, err);
      return;
    }
    handle.callbacks.ondatagram(handle.owner, data, this.address, this.port);
  }

  /** Integers before the payload. */
  around(first) {
    if (first >= 0) return 1;
    return this.ints[this.next + 1] & IPV6 ? 7 : 3;
  }

  /** The source at `at`. Most come from the same one as those before, also in another run. */
  takeSource(at) {
    const { ints, source } = this;
    const isIPv6 = (ints[at] & IPV6) !== 0;
    const end = at + (isIPv6 ? 6 : 2);
    let isSame = source.length === end - at;
    for (let i = at; isSame && i < end; i++) isSame = ints[i] === source[i - at];
    if (isSame) return;
    this.source = Array.from(ints.subarray(at, end));
    this.port = ints[at] & 0xffff;
    this.address = isIPv6 ? textOfIPv6(ints, at + 1) : textOfIPv4(ints[at + 1]);
  }
}

/** Up to so many bytes, V8 makes a typed array in its own heap at first. */
const SHORT = 64;

/** Memory with a copy of `length` bytes, and nothing else. Each way is the fastest for its sizes. */
function copyOf(bytes, from, length) {
  if (length > SHORT) return bytes.slice(from, from + length).buffer;
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = bytes[from + i];
  return copy.buffer;
}

/** Integers that so many bytes take. */
const wordsFor = (length) => (length + INT - 1) >>> 2;

module.exports = { DatagramRun };
