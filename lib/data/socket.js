'use strict';
// `DataSocket`: what a program sees of a connection (`client.js`, `connection.js`) or a listener (`listener.js`).

const { Client } = require('./client');
const { defineInspect } = require('../inspect');
const { constructorError } = require('./errors');
const { Listener } = require('./listener');
const { connectArguments, listenArguments } = require('./options');
const { Subscriptions } = require('./subscriptions');

/** Only who has it makes sockets. */
const key = Symbol('key');

class DataSocket {
  /** @type {Subscriptions} */
  #events;
  /** @type {Client | import('./connection').Connection | Listener} */
  #part;

  constructor(token, begin) {
    if (token !== key) throw constructorError();
    this.#events = new Subscriptions(this);
    this.#part = begin(this.#events);
  }

  static connect(...args) {
    const [target, options] = connectArguments(args);
    return new DataSocket(key, (events) => new Client(events, target, options));
  }

  static listen(...args) {
    const [acceptor, target, options] = listenArguments(args);
    const makeSocket = (begin) => new DataSocket(key, begin);
    const begin = (events) => new Listener(events, acceptor, target, options, makeSocket);
    return new DataSocket(key, begin);
  }

  on(event, callback) {
    this.#events.add(event, callback, false);
    return this;
  }

  once(event, callback) {
    this.#events.add(event, callback, true);
    return this;
  }

  off(what, callback) {
    this.#events.remove(what, callback);
    return this;
  }

  send(value) {
    return this.#part.send(value);
  }

  close() {
    this.#part.close();
  }

  closeImmediately() {
    this.#part.closeImmediately();
  }

  ref() {
    this.#part.ref();
    return this;
  }

  unref() {
    this.#part.unref();
    return this;
  }

  get active() {
    return this.#part.isActive;
  }

  get state() {
    return this.#part.isActive;
  }

  get address() {
    return this.#part.address;
  }

  get remoteAddress() {
    return this.#part.address;
  }

  get port() {
    return this.#part.port;
  }

  get bufferedAmount() {
    return this.#part.bufferedAmount;
  }

  /** Closes, and waits for `close`. */
  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    this.close();
    await this.#events.whenClosed();
  }

  static {
    defineInspect(this, (socket) => {
      const { active, address, port, bufferedAmount } = socket;
      if (socket.#part instanceof Listener) return { listening: active, address, port };
      return { active, address, port, bufferedAmount };
    });
  }
}

module.exports = { DataSocket };
