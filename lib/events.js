'use strict';
// One native event -> its JavaScript owner, the way Node itself would have called back:
//
// - in the owner's own async context (the threadsafe function's is somebody else's),
// - with `process.nextTick` and promise jobs run before the next event,
// - with an exception going to `uncaughtException`, and the rest of the batch delivered after it,
// - without starving timers and I/O of others: a batch has a budget.

const { executionAsyncId } = require('node:async_hooks');
const { setImmediate } = require('node:timers');
const { EventKind } = require('./native');
const {
  flushTick,
  hasAfterwards,
  isTickDirty,
  runAfterwards,
  runTicks,
  setDraining,
} = require('./tick');
const { inNextTurn, stopRinging } = require('./turn');

/** Integers before the first event, and per event (`src/binding/shared.rs`, `encode.rs`). */
const HEADER = 4;
const WIDTH = 5;

/** After so many events, or so long (ms), other work of the loop gets its turn. */
const BUDGET_EVENTS = 2048;
const BUDGET_TIME = 0.5;
/** The clock is looked at after so many events that carry data, and after each that begins or ends something. */
const EVENTS_PER_LOOK = 8;
const isLight = (kind) =>
  kind === EventKind.Data ||
  kind === EventKind.Messages ||
  kind === EventKind.Written ||
  kind === EventKind.Passed;
/**
 * What is written goes out after so many events, at the latest. Sending one after the other is a good deal
 * cheaper than sending between other work: the code stays in the CPU's cache, and so does the receiver.
 */
const EVENTS_PER_FLUSH = 32;

/** A wait for replies is worth it only where few sockets are in play (`core::hot_wait`). */
const MAX_HOT_EVENTS = 2;
/** `SOCKET_HOT_WAIT=0` switches that wait off altogether. */
const MAY_WAIT = process.env.SOCKET_HOT_WAIT !== '0';

/** Kept from the start: a program's tests may fake clocks and timers, and sockets must go on. */
const now = performance.now.bind(performance);

/**
 * @param {object} host
 * @param {Int32Array} host.events
 * @param {any[]} host.handles
 * @param {(wait: boolean) => number} host.drainNative
 * @param {() => void} host.supply
 * @param {(id: number) => Buffer} host.sharedChunk
 * @param {(id: number) => Buffer} host.takeOwnChunk
 * @param {(index: number) => Buffer} host.takeMessage
 * @param {() => boolean} host.isHeld whether a handle keeps the process alive
 * @param {(err: unknown) => void} host.fatalException
 * @returns {() => void} what the engine calls when there are events
 */
function createDrain({
  events,
  handles,
  drainNative,
  supply,
  sharedChunk,
  takeOwnChunk,
  takeMessage,
  isHeld,
  fatalException,
}) {
  let index = 0; // of the next event of the batch
  let count = 0; // of events in the batch
  /**
   * Messages of one event, see `StreamHandle.openRun`. Each is delivered like an event of its own.
   * @type {{ handle: any, isLast(): boolean, deliverNext(): void } | null}
   */
  let run = null;
  let delivered = 0; // events, counting each message of a run
  let isDear = false; // The last event may have cost more than a hundred messages do.

  /** Delivers the event at `index` and goes past it first: if it throws, it is not delivered twice. */
  function deliverNext() {
    if (run !== null) {
      deliverOfRun();
      return;
    }
    const at = HEADER + WIDTH * index++;
    const kind = events[at + 1];
    isDear = !isLight(kind);
    const handle = handles[events[at]];
    if (kind === EventKind.Messages) {
      run = handle.openRun(sharedChunk(events[at + 2]), events[at + 3], events[at + 4]);
      if (run !== null) deliverOfRun();
      return;
    }
    const a = events[at + 2];
    const b = events[at + 3];
    const c = events[at + 4];
    handle.resource.runInAsyncScope(deliver, handle, kind, a, b, c);
  }

  /** Messages of a run, as far as the next flush, each like an event of its own. */
  function deliverOfRun() {
    run.handle.resource.runInAsyncScope(deliverSome);
  }

  function deliverSome() {
    const scope = executionAsyncId();
    for (;;) {
      const messages = run;
      if (messages.isLast()) run = null;
      try {
        messages.deliverNext();
      } catch (err) {
        fatalException(err);
        return; // It has ended the scope.
      }
      if (run === null || runTicks === null || (delivered + 1) % EVENTS_PER_FLUSH === 0) return;
      delivered++;
      if (!runTicksInScope()) return;
      // An exception in a promise job, or a rejection that nobody handled: it was told, which has ended the scope.
      if (executionAsyncId() !== scope) return;
    }
  }

  /**
   * Runs ticks inside of a resource's scope, and answers whether all went well. An exception must not leave the
   * scope: the tick that threw is still on Node's stack of async contexts until the exception has been told.
   */
  function runTicksInScope() {
    try {
      runTicks();
      if (hasAfterwards()) {
        runAfterwards();
        runTicks();
      }
      return true;
    } catch (err) {
      fatalException(err);
      return false;
    }
  }

  /** In the handle's own async context: whoever logs an exception may look there. @this {any} the handle */
  function deliver(kind, a, b, c) {
    try {
      deliverTo(this, kind, a, b, c);
    } catch (err) {
      fatalException(err);
    }
  }

  function deliverTo(handle, kind, a, b, c) {
    switch (kind) {
      case EventKind.Data:
        return handle.deliverCopy(sharedChunk(a), b, c);
      case EventKind.OwnData:
        return handle.deliverView(takeOwnChunk(a), b, c);
      case EventKind.Message:
        return handle.deliverMessage(takeMessage(a));
      case EventKind.Hello:
        return handle.deliverHello(a !== 0, b >>> 0);
      case EventKind.Stranger:
        return handle.deliverStranger(a, b, c);
      case EventKind.Fault:
        return handle.deliverFault(a, b >>> 0);
      case EventKind.Written:
        return handle.deliverWritten();
      case EventKind.Passed:
        return handle.deliverPassed();
      case EventKind.End:
        return handle.deliverEnd();
      case EventKind.Finished:
        return handle.deliverFinished();
      case EventKind.Failed:
        return handle.deliverFailed(a, b);
      case EventKind.Connected:
        return handle.deliverConnected();
      case EventKind.ConnectFailed:
        return handle.deliverConnectFailed(a, b);
      case EventKind.Accepted:
        return handle.deliverAccepted(a);
      case EventKind.Dropped:
        return handle.deliverDropped(a);
      case EventKind.AcceptPaused:
        return handle.deliverAcceptPaused(b);
      case EventKind.Closed:
        return handle.deliverClosed();
      case EventKind.Named:
        return handle.deliverNamed();
      case EventKind.Secured:
        return handle.deliverSecured(a !== 0);
      case EventKind.TlsFailed:
        return handle.deliverTlsFailed();
      case EventKind.Session:
        return handle.deliverSession();
      case EventKind.Quiet:
        return handle.deliverQuiet();
    }
  }

  /** Delivers until the batch or the budget is used up; answers whether the budget is. */
  function deliverBatch(budget) {
    while (run !== null || index < count) {
      deliverNext();
      if (runTicks === null) {
        flushTick();
        return true;
      }
      runTicks();
      if (hasAfterwards()) {
        runAfterwards();
        runTicks();
      }
      if (++delivered % EVENTS_PER_LOOK === 0 || isDear) {
        const isOver = isSpent(budget);
        if (isOver || delivered % EVENTS_PER_FLUSH === 0) flush(budget);
        if (isOver) return true;
      }
    }
    flush(budget);
    return isSpent(budget);
  }

  /** What was written meanwhile goes out, in one call per socket. */
  function flush(budget) {
    if (!isTickDirty()) return;
    budget.hot = true;
    flushTick();
    runTicks();
  }

  const isSpent = (budget) => delivered >= BUDGET_EVENTS || now() - budget.start > BUDGET_TIME;

  /** One turn of the loop: answers whether there is more to do in a later one. */
  function drainOnce(budget) {
    if (budget.owesTicks) {
      budget.owesTicks = false;
      runTicks?.();
    }
    if (run === null && index === count) {
      const wait = MAY_WAIT && budget.hot && count <= MAX_HOT_EVENTS;
      budget.hot = false;
      index = 0;
      count = drainNative(wait);
      supply();
    }
    if (count === 0) return 'asleep';
    return deliverBatch(budget) ? 'spent' : 'going on';
  }

  /** The last drain ended because its budget was spent, and something had just been written. */
  let isStillHot = false;

  /** What is left waits for the next turn; it does not keep the process alive if no handle does. */
  function drainLater() {
    if (isHeld()) setImmediate(drain);
    else inNextTurn(drain);
  }

  function drain() {
    stopRinging();
    delivered = 0;
    const budget = { start: now(), hot: isStillHot, owesTicks: false };
    let state = 'going on';
    setDraining(true);
    try {
      while (state === 'going on') {
        try {
          state = drainOnce(budget);
        } catch (err) {
          budget.owesTicks = true;
          // A tick's, whose context is still there.
          fatalException(err);
        }
      }
    } finally {
      isStillHot = state === 'spent' && budget.hot;
      // Also where the handling of an exception threw: the engine does not call again by itself.
      if (state !== 'asleep') drainLater();
      setDraining(false);
    }
  }

  return drain;
}

module.exports = { createDrain };
