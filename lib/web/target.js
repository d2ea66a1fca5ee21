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

/** What is to be delivered to one socket, in order, each in a turn of its own. */
class DeliveryQueue {
  /** @param {import('node:async_hooks').AsyncResource} resource the socket's async context */
  constructor(resource) {
    this.resource = resource;
    /** @type {{ deliver: () => void, isInput: boolean }[]} */
    this.entries = [];
    this.isScheduled = false;
    this.isSuspended = false;
    this.run = () => this.deliverNext();
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
    return this.entries.length === 0 && !(isInput && this.isSuspended);
  }

  /** Delivers in a turn of its own. */
  push(deliver, isInput = false) {
    this.entries.push({ deliver, isInput });
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
    this.entries = this.entries.filter(({ isInput }) => !isInput);
  }

  nextIndex() {
    if (!this.isSuspended) return this.entries.length > 0 ? 0 : -1;
    return this.entries.findIndex(({ isInput }) => !isInput);
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
    const [{ deliver }] = this.entries.splice(index, 1);
    this.schedule();
    this.resource.runInAsyncScope(deliver);
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
