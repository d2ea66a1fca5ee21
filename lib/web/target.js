'use strict';
// What sockets are as event targets: their `on…` attributes, and the order in which events are dispatched.
//
// Events that the engine brings are dispatched as they come: `lib/events.js` delivers one by one, with ticks and promise
// jobs between them. Those that a method or a constructor gives rise to get a turn of the loop each, and what the engine
// brings meanwhile queues behind them.
//
// | `fire`d | queue empty | queue not empty |
// | --- | --- | --- |
// | running | now | queued |
// | suspended, input | queued | queued |
// | suspended, other | now | queued; passes by the input |

const { setImmediate } = require('node:timers');
const { setTarget } = require('./events');

const { EventTarget } = globalThis;

// Of the prototype: a program may have functions of these names on its sockets.
const { addEventListener, dispatchEvent, removeEventListener } = EventTarget.prototype;

/** Dispatches an event now. @param {EventTarget} target @param {Event} event */
function dispatch(target, event) {
  setTarget(event, target);
  dispatchEvent.call(target, event);
  setTarget(event, null);
}

/** Delivered entries behind which the array is made shorter. */
const COMPACT = 1024;

/** What is to be delivered to one socket, in order, each in a turn of its own. */
class DeliveryQueue {
  /**
   * @param {import('node:async_hooks').AsyncResource} resource the socket's async context
   * @param {() => void} onfree the last input of the queue is about to be delivered: whoever stops receiving while
   *   `hasInput` may go on. One who does not may receive faster than in a turn for each, and so without end.
   */
  constructor(resource, onfree) {
    this.resource = resource;
    this.onfree = onfree;
    /** From `head` on. @type {{ deliver: () => void, isInput: boolean }[]} */
    this.entries = [];
    this.head = 0;
    /** How many of them are input. */
    this.inputs = 0;
    this.isScheduled = false;
    this.isSuspended = false;
    this.run = () => this.deliverNext();
  }

  get isEmpty() {
    return this.head === this.entries.length;
  }

  get hasInput() {
    return this.inputs > 0;
  }

  /**
   * Delivers now, if nothing is to come before. Only for who is called by the engine.
   * @param {() => void} deliver
   * @param {boolean} [isInput] not while suspended
   */
  fire(deliver, isInput = false) {
    if (this.mayFire(isInput)) deliver();
    else this.push(deliver, isInput);
  }

  /** Whether something is to be delivered now instead of being queued: saves a closure. */
  mayFire(isInput) {
    return this.isEmpty && !(isInput && this.isSuspended);
  }

  /** Delivers in a turn of its own. */
  push(deliver, isInput = false) {
    this.entries.push({ deliver, isInput });
    if (isInput) this.inputs++;
    this.schedule();
  }

  /** Input waits until `resume()`. */
  suspend() {
    this.isSuspended = true;
  }

  resume() {
    this.isSuspended = false;
    this.schedule();
  }

  /** Input that has not been delivered never is. */
  dropInput() {
    this.entries = this.entries.slice(this.head).filter(({ isInput }) => !isInput);
    this.head = 0;
    this.inputs = 0;
  }

  /** Of the entry whose turn it is; -1 if it is nobody's. */
  nextIndex() {
    if (!this.isSuspended) return this.isEmpty ? -1 : this.head;
    return this.entries.findIndex(({ isInput }, index) => index >= this.head && !isInput);
  }

  schedule() {
    if (this.isScheduled || this.nextIndex() < 0) return;
    this.isScheduled = true;
    setImmediate(this.run);
  }

  deliverNext() {
    this.isScheduled = false;
    const index = this.nextIndex();
    if (index < 0) return;
    const { deliver, isInput } = this.take(index);
    this.schedule();
    if (isInput && --this.inputs === 0) this.onfree();
    this.resource.runInAsyncScope(deliver);
  }

  take(index) {
    const entry = this.entries[index];
    if (index > this.head) this.entries.splice(index, 1);
    else if (++this.head === this.entries.length || this.head === COMPACT) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
    return entry;
  }
}

/**
 * An event handler of HTML.
 * @typedef {{ value: any, listener: (event: Event) => unknown }} Handler
 */

/** @type {(target: any) => Map<string, Handler> | null} throws a TypeError if it is no socket */
let handlersOf;
/** @type {(target: any) => Map<string, Handler>} */
let makeHandlers;

/** The base of all sockets. */
class SocketTarget extends EventTarget {
  /** The values and listeners of `on…` attributes, by type. @type {Map<string, Handler> | null} */
  #handlers = null;

  static {
    handlersOf = (target) => target.#handlers;
    makeHandlers = (target) => (target.#handlers ??= new Map());
  }
}

/** HTML's event handler processing algorithm. */
function processEvent(target, { value }, event) {
  // An object that cannot be called is kept, and does nothing.
  if (typeof value !== 'function') return undefined;
  // Not `event.currentTarget`, which Node.js forgets behind the first listener.
  const result = Reflect.apply(value, target, [event]);
  if (result === false) event.preventDefault();
  return result;
}

function setHandler(target, type, value) {
  const known = handlersOf(target)?.get(type);
  const isObject = typeof value === 'function' || (typeof value === 'object' && value !== null);
  if (!isObject) {
    if (known === undefined) return;
    // It loses its place: a later one is called after those that listen by then.
    handlersOf(target).delete(type);
    removeEventListener.call(target, type, known.listener);
  } else if (known !== undefined) {
    known.value = value;
  } else {
    const handler = { value, listener: (event) => processEvent(target, handler, event) };
    makeHandlers(target).set(type, handler);
    addEventListener.call(target, type, handler.listener);
  }
}

/**
 * Gives a class its `on…` attributes.
 * @param {Function} Class extends `SocketTarget`
 * @param {string[]} types of events
 */
function defineHandlers(Class, ...types) {
  for (const type of types) {
    Object.defineProperty(Class.prototype, `on${type}`, {
      get() {
        return handlersOf(this)?.get(type)?.value ?? null;
      },
      set(value) {
        setHandler(this, type, value);
      },
      enumerable: true,
      configurable: true,
    });
  }
}

module.exports = { DeliveryQueue, SocketTarget, defineHandlers, dispatch };
