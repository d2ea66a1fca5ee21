'use strict';
// The end of a tick: what sockets wrote during it goes out then, in one system call per socket.
//
// A tick is everything from one callback of the event loop to its last `process.nextTick` and promise
// job. While native events are delivered, `lib/events.js` knows where a tick ends; elsewhere (a timer,
// a file callback) it is found by queueing behind the ticks and jobs that are already there.

/** @type {{ flushTick(): void }[]} Sockets that wrote in this tick. */
let dirty = [];
let draining = false;
let scheduled = false;

/** `socket.flushTick()` will be called at the end of this tick. */
function atTickEnd(socket) {
  dirty.push(socket);
  if (!draining && !scheduled) {
    scheduled = true;
    process.nextTick(afterTicks);
  }
}

/** Once more behind the promise jobs, so that what follows an `await` is of the same tick. */
function afterTicks() {
  queueMicrotask(flushScheduled);
}

function flushScheduled() {
  scheduled = false;
  flushTick();
}

/** Lets every socket send what it wrote; what callbacks write meanwhile is of the next tick. */
function flushTick() {
  const sockets = dirty;
  dirty = [];
  for (let i = 0; i < sockets.length; i++) {
    try {
      sockets[i].flushTick();
    } catch (err) {
      // A listener threw. The others are sent nevertheless.
      dirty = sockets.slice(i + 1).concat(dirty);
      if (dirty.length > 0 && !draining) scheduleFlush();
      throw err;
    }
  }
}

function scheduleFlush() {
  scheduled = true;
  process.nextTick(flushScheduled);
}

/** While draining, `lib/events.js` ends each tick; when it stops, what is left is scheduled. */
function setDraining(value) {
  draining = value;
  if (!value && dirty.length > 0 && !scheduled) scheduleFlush();
}

const isTickDirty = () => dirty.length > 0;

// `process.exit()` right after a write, or an uncaught exception: what was written still goes out, and
// what is written from now on goes out at once, because no tick ends any more.
let exiting = false;
process.on('exit', () => {
  exiting = true;
  flushTick();
});

module.exports = { atTickEnd, flushTick, isExiting: () => exiting, isTickDirty, setDraining };
