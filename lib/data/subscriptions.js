'use strict';
// Who wants to hear of what: `on`, `once` and `off` with namespaces, and the calls. Not an EventEmitter: `off` takes names
// and namespaces, and an `error` that nobody listens for is silent, but for `NODE_DEBUG=socket`.

const { AsyncResource } = require('node:async_hooks');
const { validateFunction, validateString } = require('../args');
const { debug } = require('../debug');
const { invalidType, invalidValue } = require('../errors');
const { CONTEXT } = require('../handle');
const { callEach } = require('../tick');

/** Other names of events. */
const ALIASES = new Map([
  ['receive', 'data'],
  ['send', 'sent'],
]);

class Subscription {
  constructor(event, namespace, callback, isOnce) {
    this.event = event;
    /** Behind the first dot, or null. */
    this.namespace = namespace;
    this.callback = callback;
    this.isOnce = isOnce;
    /** It is called no more, also where a call to it is due. */
    this.isOff = false;
  }
}

/** `data.mine` as `['data', 'mine']`; of `.mine` the event is empty. */
function parse(name) {
  validateString(name, 'event');
  const dot = name.indexOf('.');
  const event = dot < 0 ? name : name.slice(0, dot);
  return [ALIASES.get(event) ?? event, dot < 0 ? null : name.slice(dot + 1)];
}

class Subscriptions {
  /** @param {object} target `this` of the callbacks */
  constructor(target) {
    this.target = target;
    /** The async context of events. */
    this.resource = new AsyncResource('DATASOCKET', CONTEXT);
    /** By event. Lists are replaced and never changed, so one that is being called stays as it is. */
    this.lists = { __proto__: null };
    /** Those of `data`, to which most calls go. @type {Subscription[]} */
    this.data = [];
    /** Called when somebody begins to listen for `data`. */
    this.ondata = () => {};
    /** `close` was delivered; who waits for that. */
    this.isClosed = false;
    /** @type {(() => void)[]} */
    this.closeWaiters = [];
  }

  /** When `close` was delivered. Not a callback of it, which `off('close')` would take off. */
  whenClosed() {
    return new Promise((resolve) => {
      if (this.isClosed) resolve();
      else this.closeWaiters.push(resolve);
    });
  }

  add(name, callback, isOnce) {
    const [event, namespace] = parse(name);
    if (event === '') throw invalidValue('event', name, 'must begin with the name of an event');
    validateFunction(callback, 'callback');
    const subscription = new Subscription(event, namespace, callback, isOnce);
    this.replace(event, [...this.of(event), subscription]);
    if (event === 'data') this.ondata();
  }

  /** @param {string | Function} what an event, an event with its namespace, a namespace, or a callback */
  remove(what, callback) {
    if (typeof what === 'function') {
      this.removeWhere((each) => each.callback === what);
      return;
    }
    if (typeof what !== 'string')
      throw invalidType('event', 'one of type string or function', what);
    const [event, namespace] = parse(what);
    if (event === '' && namespace === null) throw invalidValue('event', what, 'must not be empty');
    if (callback !== undefined) validateFunction(callback, 'callback');
    this.removeWhere(
      (each) =>
        (event === '' || each.event === event) &&
        (namespace === null || each.namespace === namespace) &&
        (callback === undefined || each.callback === callback),
    );
  }

  removeWhere(isMeant) {
    for (const event of Object.keys(this.lists)) {
      const list = this.lists[event];
      for (const each of list) if (isMeant(each)) each.isOff = true;
      if (list.some((each) => each.isOff)) {
        this.replace(
          event,
          list.filter((each) => !each.isOff),
        );
      }
    }
  }

  of(event) {
    return this.lists[event] ?? [];
  }

  replace(event, list) {
    this.lists[event] = list;
    if (event === 'data') this.data = list;
  }

  /** Calls who listens, now. What they throw is uncaught. */
  emit(event, args) {
    const list = this.of(event);
    if (event === 'close') {
      this.isClosed = true;
      for (const resolve of this.closeWaiters.splice(0)) resolve();
    }
    if (event === 'error' && list.length === 0) {
      debug?.('DataSocket: %s (nobody listens for error)', args[0].message);
    }
    callEach(list, (each) => this.call(each, args));
  }

  emitData(value) {
    const { data } = this;
    if (data.length === 1 && !data[0].isOnce) data[0].callback.call(this.target, value);
    else this.emit('data', [value]);
  }

  call(each, args) {
    if (each.isOff) return;
    if (each.isOnce) this.removeWhere((other) => other === each);
    Reflect.apply(each.callback, this.target, args);
  }
}

module.exports = { Subscriptions };
