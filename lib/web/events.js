'use strict';
// The events of web sockets, as classes of the DOM's kind. They are made here and dispatched by `target.js`.

const { defineInterface, dictionaryOf, requireArguments } = require('./interface');

const { Event } = globalThis;

const NO_PORTS = Object.freeze([]);

/** Says which target an event is at now. @type {(event: Event, target: EventTarget | null) => void} */
let setTarget;

/**
 * An event that knows where it is: Node.js forgets `currentTarget` and `eventPhase` behind the first listener.
 */
class SocketEvent extends Event {
  /** @type {EventTarget | null} */
  #target = null;

  static {
    setTarget = (event, target) => {
      if (#target in event) event.#target = target;
    };
  }

  get currentTarget() {
    return this.#target ?? super.currentTarget;
  }

  get eventPhase() {
    return this.#target === null ? super.eventPhase : Event.AT_TARGET;
  }
}

defineInterface(SocketEvent, 'Event');
/** @param {Function} Class whose objects pass for those of `Original` */
const passFor = (Class, Original) =>
  Object.defineProperty(Class.prototype, 'constructor', { value: Original });
passFor(SocketEvent, Event);

const { currentTarget, eventPhase } = Object.getOwnPropertyDescriptors(SocketEvent.prototype);

/** @param {string} type @param {EventInit} [init] */
const plainEvent = (type, init) => new SocketEvent(type, init);

/**
 * A `MessageEvent` that is not made by its constructor: in Node.js 22 and later that checks its arguments for half a
 * microsecond, for every message.
 */
class Message extends SocketEvent {
  #data;
  #init;

  /** @param {string} type @param {unknown} data @param {Record<string, any>} [init] what else there is */
  constructor(type, data, init) {
    if (!isLinked) linkToMessageEvent();
    super(type, init);
    this.#data = data;
    this.#init = init;
  }

  get data() {
    return this.#data;
  }

  get origin() {
    return String(this.#init?.origin ?? '');
  }

  get lastEventId() {
    return String(this.#init?.lastEventId ?? '');
  }

  get source() {
    return this.#init?.source ?? null;
  }

  get ports() {
    return this.#init?.ports ?? NO_PORTS;
  }
}

Object.defineProperties(Message.prototype, { currentTarget, eventPhase });
defineInterface(Message, 'MessageEvent');

let isLinked = false;

/**
 * Makes messages `MessageEvent`s. Not before there is one: in Node.js 22 and later whoever asks for that class first has all
 * of undici loaded, which takes some 20 ms and 15 MB.
 */
function linkToMessageEvent() {
  isLinked = true;
  const { MessageEvent } = globalThis;
  Object.setPrototypeOf(Message.prototype, MessageEvent.prototype);
  passFor(Message, MessageEvent);
}

/** A `message` of a `TCPSocket`. @param {ArrayBuffer} data */
const messageEvent = (data) => new Message('message', data);

/** Something went wrong: `error` says what. */
class ErrorEvent extends SocketEvent {
  #error;

  /** @param {string} type @param {{ error?: any } & EventInit} [init] */
  constructor(type, init) {
    requireArguments(arguments.length, 1, 'ErrorEvent constructor');
    const given = dictionaryOf(init, 'ErrorEvent constructor');
    super(type, given);
    this.#error = given.error ?? null;
  }

  /** A `DOMException`, whose `cause` is the error of the system, or null. */
  get error() {
    return this.#error;
  }

  /** The name of `error`. */
  get name() {
    return String(this.#error?.name ?? '');
  }

  /** The message of `error`. */
  get message() {
    return String(this.#error?.message ?? '');
  }
}

defineInterface(ErrorEvent);

/** A server has a new connection. */
class ConnectEvent extends SocketEvent {
  #connectedSocket;

  /** @param {string} type @param {{ connectedSocket?: any } & EventInit} [init] */
  constructor(type, init) {
    requireArguments(arguments.length, 1, 'ConnectEvent constructor');
    const given = dictionaryOf(init, 'ConnectEvent constructor');
    super(type, given);
    this.#connectedSocket = given.connectedSocket ?? null;
  }

  /** A `TCPSocket`, or null. */
  get connectedSocket() {
    return this.#connectedSocket;
  }
}

defineInterface(ConnectEvent);

/** A datagram came in. */
class UDPMessageEvent extends Message {
  #remoteAddress;
  #remotePort;

  /**
   * @param {string} type
   * @param {{ data?: any, remoteAddress?: string, remotePort?: number } & EventInit} [init] and all that a
   *   `MessageEvent` takes
   */
  constructor(type, init) {
    requireArguments(arguments.length, 1, 'UDPMessageEvent constructor');
    const given = dictionaryOf(init, 'UDPMessageEvent constructor');
    super(type, given.data ?? null, given);
    this.#remoteAddress = String(given.remoteAddress ?? '');
    this.#remotePort = Number(given.remotePort ?? 0);
  }

  /** The IP address that it came from. */
  get remoteAddress() {
    return this.#remoteAddress;
  }

  /** The port that it came from. */
  get remotePort() {
    return this.#remotePort;
  }
}

defineInterface(UDPMessageEvent);

/** @param {DOMException} error */
const errorEvent = (error) => new ErrorEvent('error', { error });

/** A `message` of a `UDPSocket`. @param {ArrayBuffer} data */
const datagramEvent = (data, remoteAddress, remotePort) =>
  new UDPMessageEvent('message', { data, remoteAddress, remotePort });

module.exports = {
  ConnectEvent,
  ErrorEvent,
  UDPMessageEvent,
  datagramEvent,
  errorEvent,
  messageEvent,
  plainEvent,
  setTarget,
};
