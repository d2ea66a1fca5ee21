'use strict';
// The end of a tick: what sockets wrote during it goes out then, in one system call per socket.
//
// A tick is everything from one callback of the event loop to its last `process.nextTick` and promise
// job. While native events are delivered, `lib/events.js` knows where a tick ends; elsewhere (a timer,
// a file callback) it is found by queueing behind the ticks and jobs that are already there.

/**
 * Who has something to do at the end of this tick: first all `prepareFlush`, which put their sends
 * together, then all `hearFlush`, which look what became of them, then all `flushTick`, which may call the program.
 * @type {{ prepareFlush?(): void, hearFlush?(): void, flushTick(): void }[]}
 */
let dirty = [];
// Kept from the start: a program's tests may fake them, and what was written must go out all the same.
const { nextTick } = process;
const { queueMicrotask } = globalThis;

/** Runs ticks and promise jobs. Where it is missing, every event gets a turn of the loop. */
const runTicks =
  typeof process._tickCallback === 'function' ? undeprecated(process._tickCallback) : null;

/**
 * With `--pending-deprecation` Node puts a function around it that warns (DEP0134), which `--throw-deprecation` makes an
 * exception in every drain. There is nothing else that does the same, and the function itself is the other one's prototype.
 */
function undeprecated(fn) {
  const inner = Object.getPrototypeOf(fn);
  return inner?.name === 'runNextTicks' ? inner : fn;
}

/** What is to run when the ticks and jobs of this callback have run. @type {(() => void)[]} */
let afterwards = [];
/** Does the sends that were put together. */
let flushSends = () => {};
let draining = false;
let scheduled = false;

/** `socket.flushTick()` will be called at the end of this tick. */
function atTickEnd(socket) {
  dirty.push(socket);
  if (!draining && !scheduled) scheduleFlush();
}

/** `fn` will be called behind the ticks and promise jobs of the callback that runs now. */
function afterTicks(fn) {
  afterwards.push(fn);
  if (!draining && !scheduled) scheduleFlush();
}

function scheduleFlush() {
  scheduled = true;
  nextTick(flushLater);
}

/** Once more behind the promise jobs, so that what follows an `await` is of the same tick. */
function flushLater() {
  queueMicrotask(flushScheduled);
}

function flushScheduled() {
  scheduled = false;
  runAfterwards();
  flushTick();
}

function runAfterwards() {
  const list = afterwards;
  afterwards = [];
  callEach(list, (fn) => fn());
}

/** Lets every socket send what it wrote; what callbacks write meanwhile is of the next tick. */
function flushTick() {
  const sockets = dirty;
  dirty = [];
  for (let i = 0; i < sockets.length; i++) sockets[i].prepareFlush?.();
  flushSends();
  // Before any code of the program, which may send again: to these sockets, and in the memory that was sent from.
  for (let i = 0; i < sockets.length; i++) sockets[i].hearFlush?.();
  callEach(sockets, (socket) => socket.flushTick());
}

/** Calls `fn` with each; one that throws does not keep the others from their turn, and is told of in a tick. */
function callEach(items, fn) {
  let failure = null;
  for (let i = 0; i < items.length; i++) {
    try {
      fn(items[i]);
    } catch (err) {
      if (exiting) failure ??= { err };
      else nextTick(rethrow, err);
    }
  }
  if (failure !== null) throw failure.err; // There are no ticks any more.
}

/**
 * Calls `fn(arg)` in an async context. What it throws is told there, in a tick: outside it would be told in the context
 * of whoever calls, and a handler of 'uncaughtException' that is called in the middle ends all contexts.
 * @param {import('node:async_hooks').AsyncResource} resource
 */
function callIn(resource, fn, arg) {
  resource.runInAsyncScope(callAndTell, null, fn, arg);
}

function callAndTell(fn, arg) {
  try {
    fn(arg);
  } catch (err) {
    if (exiting) throw err;
    nextTick(rethrow, err);
  }
}

function rethrow(err) {
  throw err;
}

/** While draining, `lib/events.js` ends each tick; when it stops, what is left is scheduled. */
function setDraining(value) {
  draining = value;
  if (!value && (dirty.length > 0 || afterwards.length > 0) && !scheduled) scheduleFlush();
}

const isTickDirty = () => dirty.length > 0;

// `process.exit()` right after a write, or an uncaught exception: what was written still goes out, and
// what is written from now on goes out at once, because no tick ends any more.
let exiting = false;
process.on('exit', () => {
  exiting = true;
  flushTick();
});

/** Who knows how to send says so: this file is below it. */
function setFlushSends(flush) {
  flushSends = flush;
}

module.exports = {
  afterTicks,
  atTickEnd,
  callEach,
  callIn,
  flushTick,
  hasAfterwards: () => afterwards.length > 0,
  isExiting: () => exiting,
  isTickDirty,
  runAfterwards,
  runTicks,
  setDraining,
  setFlushSends,
};
