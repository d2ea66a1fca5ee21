'use strict';
// The one native engine of this JavaScript environment (the main thread or a worker), made on first
// use; the memory it reads into; and the count of what keeps the process alive.

const { Buffer } = require('node:buffer');
const { markAsUntransferable } = require('node:worker_threads');
const { startEngine } = require('./native');
const { createDrain } = require('./events');
const { setFlushSends } = require('./tick');

/** Events per drain: 2,048 and a header, in 32-bit integers (`src/binding/shared.rs`). */
const EVENTS_LENGTH = 4 + 5 * 2048;
/** Cells of the header (`Cell` in `src/binding/shared.rs`). */
const WANTED_SHARED = 0;
const WANTED_OWN = 1;
/** Of that one: where the number of pieces begins, in bits. */
const PIECES = 16;
const QUEUED = 2;
const SENT = 3;

/** Room for the small writes of a tick: of byte streams (`lib/net/writer.js`), then of messages (`lib/outbox.js`). */
const SLAB_SIZE = 128 * 1024;
const MESSAGE_SLAB_SIZE = 2 * 1024 * 1024;
/** The same for datagrams (`lib/datagram-outbox.js`): their bytes, then the integers of their list. */
const DATAGRAM_SLAB_SIZE = 128 * 1024;
const DATAGRAM_LIST_SIZE = 32 * 1024;
/** Memory that reads of all streams go to. Large, so that a chunk serves many of them. */
const SHARED_CHUNK_SIZE = 1024 * 1024;
/** Memory for one large read (`OWN_WINDOW` in `src/core/chunks.rs`). */
const OWN_CHUNK_SIZE = 256 * 1024;
/** The same for a stream whose bytes are to be in memory of exactly their size (`PIECE`). */
const PIECE_SIZE = 64 * 1024;

/** Sends that one call may do; more than sockets that write in one batch of events. */
const MAX_SENDS = 256;
const SEND_WIDTH = 4;

/** @type {import('../binding').Engine | null} */
let native = null;
/** Its functions for every batch. @type {(wait: boolean) => number} */
let nativeDrain;
/** @type {(count: number) => void} */
let nativeFlush;
/** What both sides share: a header, then five integers per event. */
const events = new Int32Array(EVENTS_LENGTH);
/** Where small writes are put together. Of what nobody uses the system gives no memory. */
const slab = Buffer.allocUnsafeSlow(
  SLAB_SIZE + MESSAGE_SLAB_SIZE + DATAGRAM_SLAB_SIZE + DATAGRAM_LIST_SIZE,
);
/** What is to be sent from the slab by the next {@link flushSends} (`Sends` in `src/binding/shared.rs`). */
const sends = new Int32Array(MAX_SENDS * SEND_WIDTH);
let sendCount = 0;
/** @type {(Buffer | undefined)[]} Chunks by number. */
const chunks = [];
/** @type {any[]} Handles by number. */
const handles = [];
/** Handles that keep the process alive. */
let refs = 0;

const drain = createDrain({
  events,
  handles,
  drainNative: (wait) => nativeDrain(wait),
  supply,
  sharedChunk: (id) => chunks[id],
  takeOwnChunk,
  takeMessage: (index) => native.takeMessage(index),
  isHeld: () => refs > 0,
  fatalException: (err) => native.fatalException(err),
});

/** Starts the engine, unless it runs. Answers 0 or an errno. */
function start() {
  if (native !== null) return 0;
  const started = startEngine(events, slab, sends, drain);
  if (typeof started === 'number') return started;
  // They are read and written natively: a transfer would pull them away.
  markAsUntransferable(events.buffer);
  markAsUntransferable(slab.buffer);
  markAsUntransferable(sends.buffer);
  native = started;
  nativeDrain = native.drainer();
  nativeFlush = native.flusher();
  lend(SHARED_CHUNK_SIZE);
  return 0;
}

/** The engine. It runs: whatever has a handle has called `start`. */
const engine = () => native;

/**
 * Lends one chunk to read into. The I/O thread writes to it, so nobody outside of this package may have
 * it: not a shared one ever, an own one not before the engine is done with it.
 */
function lend(size) {
  const chunk = Buffer.allocUnsafeSlow(size);
  chunks[native.addChunk(chunk, size !== SHARED_CHUNK_SIZE)] = chunk;
}

/** A chunk that the engine is done with. */
function takeOwnChunk(id) {
  const chunk = chunks[id];
  chunks[id] = undefined;
  return chunk;
}

/** Gives what the engine asked for in the header of the last drain. */
function supply() {
  for (let n = events[WANTED_SHARED]; n > 0; n--) lend(SHARED_CHUNK_SIZE);
  const own = events[WANTED_OWN];
  if (own === 0) return;
  for (let n = own & ((1 << PIECES) - 1); n > 0; n--) lend(OWN_CHUNK_SIZE);
  for (let n = own >> PIECES; n > 0; n--) lend(PIECE_SIZE);
}

/** Puts a send of `slab[at..at + length]` together. Answers its number, or -1 if there is no room. */
function addSend(id, at, length) {
  if (sendCount === MAX_SENDS) return -1;
  const row = sendCount++ * SEND_WIDTH;
  sends[row] = id;
  sends[row + 1] = at;
  sends[row + 2] = length;
  return row;
}

/** Does all of them in one call. */
function flushSends() {
  if (sendCount === 0) return;
  const count = sendCount;
  sendCount = 0;
  nativeFlush(count);
}

/** Counts a handle that keeps the process alive (1), or does so no more (-1). */
function countRef(change) {
  const before = refs;
  refs += change;
  if (before === 0 || refs === 0) native.setRef(refs > 0);
}

/**
 * Options for the engine, which looks for those that are absent along the prototypes: it is not to find what somebody has put
 * into `Object.prototype`.
 * @template {object | null} T
 * @param {T} options
 * @returns {T}
 */
const bare = (options) => options && { __proto__: null, ...options };

setFlushSends(flushSends);

module.exports = {
  DATAGRAM_LIST_SIZE,
  DATAGRAM_SLAB_SIZE,
  MESSAGE_SLAB_SIZE,
  SLAB_SIZE,
  addSend,
  bare,
  countRef,
  engine,
  handles,
  /** Bytes in the native queue after the last write. */
  queuedBytes: () => events[QUEUED],
  /** What became of a send: bytes accepted, or an errno; and bytes queued. */
  sendAccepted: (row) => sends[row + 2],
  sendQueued: (row) => sends[row + 3],
  /** Datagrams that the last send of some got rid of. */
  sentDatagrams: () => events[SENT],
  slab,
  start,
};
