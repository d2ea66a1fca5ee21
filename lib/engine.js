'use strict';
// The one native engine of this JavaScript environment (the main thread or a worker), made on first
// use; the memory it reads into; and the count of what keeps the process alive.

const { markAsUntransferable } = require('node:worker_threads');
const { Engine } = require('./native');
const { createDrain } = require('./events');

/** Events per drain: 2,048 and a header, in 32-bit integers (`src/binding/shared.rs`). */
const EVENTS_LENGTH = 4 + 5 * 2048;
/** Cells of the header (`Cell` in `src/binding/shared.rs`). */
const WANTED_SHARED = 0;
const WANTED_OWN = 1;
const QUEUED = 2;

/** Room for the small writes of a tick (`lib/net/writer.js`). */
const SLAB_SIZE = 128 * 1024;
/** One piece of memory to read into. Large, so that a chunk serves many reads. */
const CHUNK_SIZE = 1024 * 1024;

/** @type {Engine | null} */
let native = null;
/** What both sides share: a header, then five integers per event. */
const events = new Int32Array(EVENTS_LENGTH);
/** Where small writes are put together. */
const slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
/** @type {(Buffer | undefined)[]} Chunks by number. */
const chunks = [];
/** @type {any[]} Handles by number. */
const handles = [];
/** Handles that keep the process alive. */
let refs = 0;

const drain = createDrain({
  events,
  handles,
  drainNative: (wait) => native.drain(wait),
  supply,
  takeChunk: (id) => chunks[id],
  dropChunk: (id) => {
    chunks[id] = undefined;
  },
  fatalException: (err) => native.fatalException(err),
});

/** The engine; its I/O thread starts with the first call. */
function engine() {
  if (native === null) {
    // The array and the slab are written natively: a transfer would pull them away.
    markAsUntransferable(events.buffer);
    markAsUntransferable(slab.buffer);
    native = new Engine(events, slab, drain);
    lend(false);
  }
  return native;
}

/** Lends one chunk to read into. The I/O thread writes to it, so it must not be transferred away. */
function lend(own) {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  markAsUntransferable(chunk.buffer);
  chunks[native.addChunk(chunk, own)] = chunk;
}

/** Gives what the engine asked for in the header of the last drain. */
function supply() {
  for (let n = events[WANTED_SHARED]; n > 0; n--) lend(false);
  for (let n = events[WANTED_OWN]; n > 0; n--) lend(true);
}

/** Counts a handle that keeps the process alive (1), or does so no more (-1). */
function countRef(change) {
  const before = refs;
  refs += change;
  if (before === 0 || refs === 0) native.setRef(refs > 0);
}

module.exports = {
  SLAB_SIZE,
  countRef,
  engine,
  handles,
  /** Bytes in the native queue after the last write. */
  queuedBytes: () => events[QUEUED],
  slab,
};
