'use strict';
// The life of a TCP socket, whose attributes and methods are in `tcp-socket.js`.
//
// | state | trigger | new state | events |
// | --- | --- | --- | --- |
// | connecting | connected | open | open |
// | connecting | connected, after `halfclose()` | halfclosed | open |
// | connecting | failed | closed | error |
// | connecting | `close()` | closing, then closed | close |
// | open, halfclosed | data | same | message |
// | open | the peer's end | same | halfclose; not cancelled: as `close()` |
// | open | `halfclose()` | halfclosed | – |
// | halfclosed | the peer's end | closed | close |
// | open, halfclosed | `close()` | closing | – |
// | open, halfclosed | lost | closed | error, close |
// | closing | all is sent and the peer has ended, or has not in time; lost | closed | close |
//
// What is received while closing is thrown away: closing with something unread would make the system send a reset, and
// destroy what the peer has not read.

const { clearTimeout, setTimeout } = require('node:timers');
const { AbortError, peerError } = require('../errors');
const { IN_USE } = require('../handle');
const { watchAbort } = require('../signal');
const { tlsError } = require('../tls/failure');
const { placeOf } = require('./address');
const { errorEvent, messageEvent, plainEvent } = require('./events');
const { exception, invalidState, networkError } = require('./exceptions');
const { Milestone } = require('./promises');
const { NoMemory, exactMemory } = require('./received');
const { Sender } = require('./sender');
const { ByteSource, DataSink, OpenInfo, closedByProgram } = require('./tcp-streams');
const { DeliveryQueue, dispatch } = require('./target');

const CONNECTING = 'connecting';
const OPEN = 'open';
const HALFCLOSED = 'halfclosed';
const CLOSING = 'closing';
const CLOSED = 'closed';

const NOWHERE = Object.freeze({ address: null, port: null });

/** The handle's callbacks, with the connection first. */
const callbacks = {
  ondata: (connection, data) => connection.received(data),
  onend(connection) {
    connection.inputEnded(() => connection.peerEnded());
  },
  onwritten: (connection) => connection.sender.resume(),
  onfinished: (connection) => connection.advance(),
  onfailed(connection, syscall, errno) {
    const { address, port } = connection.remote;
    const cause = peerError(errno, syscall, address, port);
    // Bytes that came before are still good.
    if (syscall === 'read') connection.inputEnded(() => connection.lost(cause));
    else connection.lost(cause);
  },
  /** TLS: cut off without a word, or something that is no TLS. */
  ontlsfailed(connection, failure) {
    connection.inputEnded(() => connection.lost(tlsError(failure)));
  },
  onclose: (connection) => connection.released(),
};

class Connection {
  /**
   * @param {import('./tcp-socket').TCPSocket} target
   * @param {{ allowHalfOpen: boolean, closeTimeout: number, maxBufferedAmount: number }} options
   * @param {import('node:async_hooks').AsyncResource} resource the context of its events
   */
  constructor(target, options, resource) {
    this.target = target;
    this.options = options;
    this.state = CONNECTING;
    this.queue = new DeliveryQueue(resource, () => this.updateReading());
    this.sender = new Sender(this, options.maxBufferedAmount);
    this.opened = new Milestone();
    this.closed = new Milestone();
    /** While connecting. @type {import('../attempt').Attempt | null} */
    this.attempt = null;
    /** @type {import('../stream-handle').StreamHandle | null} */
    this.handle = null;
    this.local = NOWHERE;
    this.remote = NOWHERE;
    /** Why it was lost. @type {DOMException | null} */
    this.failure = null;
    /** By its program; and while nobody has it yet. */
    this.isSuspended = false;
    this.isHeld = false;
    this.isReading = false;
    this.isRefed = true;
    /** `halfclose()` was called while connecting. */
    this.wantsHalfClose = false;
    /** Nothing more is received; whether its listeners know of it is the next one. */
    this.hasInputEnded = false;
    this.isPeerEnded = false;
    /** The engine was told to end our half. */
    this.isEnded = false;
    this.isReleasing = false;
    /** Of `closeTimeout`. */
    this.timer = null;
    /** @type {ByteSource | null} */
    this.source = null;
    /** @type {DataSink | null} */
    this.sink = null;
    /** Stops listening to `options.signal`. @type {() => void} */
    this.forgetSignal = () => {};
  }

  // --- From the beginning.

  /** Connects by `attempt`, whose owner this is. */
  connectBy(attempt) {
    this.attempt = attempt;
    if (!this.isRefed) attempt.unref();
  }

  /** `attempt` has succeeded. */
  onopen(handle) {
    this.attempt = null;
    this.take(handle);
    if (this.wantsHalfClose) {
      this.state = HALFCLOSED;
      this.advance();
    }
    this.queue.fire(() => {
      dispatch(this.target, plainEvent('open'));
      this.opened.resolve(new OpenInfo(this));
    });
  }

  /** `attempt` has failed. @param {Error} cause */
  onfailure(cause) {
    this.attempt = null;
    this.state = CLOSED;
    this.failure = networkError(cause);
    this.forgetSignal();
    this.queue.push(() => {
      dispatch(this.target, errorEvent(this.failure));
      this.opened.reject(this.failure);
      this.closed.reject(this.failure);
    });
  }

  /** A server's connection. */
  accept(handle) {
    this.take(handle);
    this.opened.resolve(new OpenInfo(this));
  }

  /** The connection stands. */
  take(handle) {
    this.handle = handle;
    this.state = OPEN;
    this.local = placeOf(handle.getsockname());
    this.remote = placeOf(handle.getpeername());
    handle.memory = exactMemory;
    // Events may queue behind the end of the handle.
    handle.endsContext = false;
    // Bytes that nobody wants any more are no reason for a reset.
    handle.used = Number.MAX_SAFE_INTEGER;
    handle.attach(this, callbacks);
    handle.setBusy(IN_USE);
    if (!this.isRefed) handle.unref();
    this.updateReading();
    this.sender.open(handle);
  }

  /** @param {AbortSignal | null} signal not aborted */
  abortBy(signal) {
    this.forgetSignal = watchAbort(signal, (reason) => this.abort(new AbortError(reason)));
  }

  abort(cause) {
    if (this.state === CONNECTING) {
      this.attempt.cancel();
      this.onfailure(cause);
    } else if (this.handle !== null) this.lost(cause, true);
  }

  // --- Input.

  /** @param {ArrayBuffer | NoMemory} data */
  received(data) {
    if (this.state === CLOSING || this.state === CLOSED) return;
    if (data instanceof NoMemory) this.lost(data.error);
    else if (this.queue.mayFire(true)) this.deliver(data);
    else {
      this.queue.push(() => this.deliver(data), true);
      this.updateReading();
    }
  }

  deliver(data) {
    if (this.source === null) dispatch(this.target, messageEvent(data));
    else this.source.take(data);
  }

  /** Nothing more is received; `tell` says so behind what is not delivered yet. */
  inputEnded(tell) {
    this.hasInputEnded = true;
    if (this.state === CLOSING) {
      this.isPeerEnded = true;
      this.advance();
    } else this.queue.fire(tell, true);
  }

  /** The peer has ended its half, and all that came before is delivered. */
  peerEnded() {
    this.isPeerEnded = true;
    this.source?.end();
    if (this.state !== OPEN) {
      this.advance();
      return;
    }
    const event = plainEvent('halfclose', { cancelable: true });
    dispatch(this.target, event);
    if (this.state !== OPEN || event.defaultPrevented || this.options.allowHalfOpen) return;
    // Who reads a stream has not read all of it yet, and may want to answer.
    if (this.source === null) this.close();
  }

  /** Reads, or does not. What is on its way still comes. */
  updateReading() {
    if (this.handle === null) return;
    const { queue, source } = this;
    const isWanted = !queue.isSuspended && !queue.hasInput && (source === null || source.wants);
    const reads = isWanted || this.state === CLOSING;
    if (reads === this.isReading) return;
    this.isReading = reads;
    if (reads) this.handle.continueReading();
    else this.handle.pauseReading();
  }

  suspend() {
    if (this.state === CLOSING || this.state === CLOSED) return;
    this.isSuspended = true;
    this.updateSuspension();
  }

  resume() {
    if (this.state === CLOSING || this.state === CLOSED) return;
    this.isSuspended = false;
    this.updateSuspension();
  }

  /** Nothing happens to it before `letGo()`: nobody has it yet. */
  hold() {
    this.isHeld = true;
    this.updateSuspension();
  }

  letGo() {
    this.isHeld = false;
    this.updateSuspension();
  }

  updateSuspension() {
    if (this.isSuspended || this.isHeld) this.queue.suspend();
    else this.queue.resume();
    this.updateReading();
  }

  // --- Output.

  /** @param {unknown} data */
  send(data) {
    if (this.state !== OPEN) {
      throw invalidState(`The socket is not open, it is ${this.state}`);
    }
    const mayGoOn = this.sender.send(data);
    if (mayGoOn !== null) return mayGoOn;
    this.lost(new RangeError(`More than maxBufferedAmount would wait to be sent`));
    return false;
  }

  /** Of the sender. */
  onsent() {
    this.sink?.progress();
    this.advance();
  }

  /** Of the sender. */
  ondrained(isEvent) {
    const drain = () => dispatch(this.target, plainEvent('drain'));
    if (isEvent) this.queue.fire(drain);
    else this.queue.push(drain);
  }

  /** Of the sender: outside of the engine's calls. */
  onsendfailed(err) {
    const { address, port } = this.remote;
    this.lost(err.errno === undefined ? err : peerError(err.errno, err.syscall, address, port));
  }

  // --- To the end.

  close() {
    if (this.state === CONNECTING) this.giveUp();
    else if (this.state === OPEN || this.state === HALFCLOSED) {
      this.beginClosing();
      this.advance();
    }
  }

  closeImmediately() {
    if (this.state === CONNECTING) this.giveUp();
    else if (this.handle !== null && this.state !== CLOSED) {
      if (this.state !== CLOSING) this.beginClosing();
      this.release(true);
    }
  }

  halfclose() {
    if (this.state === CONNECTING) this.wantsHalfClose = true;
    else if (this.state === OPEN) {
      this.state = HALFCLOSED;
      this.advance();
    }
  }

  /** Connecting is called off. */
  giveUp() {
    this.state = CLOSING;
    this.attempt.cancel();
    this.attempt = null;
    this.queue.push(() => {
      this.opened.reject(exception('AbortError', 'The socket was closed before it was connected'));
      this.over();
    });
  }

  beginClosing() {
    this.state = CLOSING;
    this.queue.dropInput();
    this.isPeerEnded = this.hasInputEnded;
    this.source?.end();
    this.sink?.fail(closedByProgram());
    this.updateReading();
  }

  /** Goes on with ending our half, and then all of it. */
  advance() {
    const { handle, state } = this;
    if ((state !== HALFCLOSED && state !== CLOSING) || this.isReleasing) return;
    if (!this.isEnded) {
      if (!this.sender.flush()) return;
      const status = handle.end();
      if (status < 0) {
        this.endFailed(status);
        return;
      }
      this.isEnded = true;
    }
    if (handle.isEnding) return;
    this.sink?.progress();
    if (this.isPeerEnded) {
      // All is sent, and the tick is not over: nobody has been told.
      this.sender.settle();
      this.release(false);
    } else if (state === CLOSING && this.timer === null) {
      this.timer = setTimeout(() => this.release(false), this.options.closeTimeout).unref();
    }
  }

  /** The connection is gone already; where input is still to come, that says why, behind what was received before. */
  endFailed(errno) {
    if (this.state === HALFCLOSED && !this.hasInputEnded) return;
    const { address, port } = this.remote;
    this.lost(peerError(errno, 'shutdown', address, port));
  }

  /** The system has our end. */
  get hasSentEnd() {
    return this.isEnded && (this.handle === null || !this.handle.isEnding);
  }

  /** @param {Error} cause @param {boolean} [isReset] the peer is told */
  lost(cause, isReset = false) {
    if (this.state === CLOSED || this.isReleasing) return;
    if (this.state !== CLOSING) {
      this.failure = networkError(cause);
      this.source?.fail(this.failure);
      this.sink?.fail(this.failure);
      this.queue.push(() => dispatch(this.target, errorEvent(this.failure)));
    }
    this.release(isReset);
  }

  /** Nothing is left to be done but to close the descriptor. */
  release(isReset) {
    if (this.isReleasing) return;
    this.isReleasing = true;
    clearTimeout(this.timer);
    if (this.state !== CLOSING) this.state = CLOSED;
    this.sender.close();
    // Whoever still waits for the end of what was written: it is with the system, or lost.
    this.sink?.progress();
    this.sink?.fail(this.failure ?? closedByProgram());
    this.handle.close(isReset);
  }

  /** The descriptor is closed. */
  released() {
    this.handle = null;
    this.queue.fire(() => {
      this.queue.dropInput();
      this.over();
    });
  }

  over() {
    this.state = CLOSED;
    this.forgetSignal();
    dispatch(this.target, plainEvent('close'));
    if (this.failure === null) this.closed.resolve();
    else this.closed.reject(this.failure);
  }

  // --- The rest.

  takeSource() {
    if (this.source === null) {
      this.source = new ByteSource(this);
      if (this.failure !== null) this.source.fail(this.failure);
      else if (this.isPeerEnded || this.state === CLOSING || this.state === CLOSED) {
        this.source.end();
      }
    }
    return this.source;
  }

  takeSink() {
    if (this.sink === null) {
      this.sink = new DataSink(this);
      if (this.state !== OPEN) this.sink.fail(this.failure ?? closedByProgram());
    }
    return this.sink;
  }

  setRef(isRefed) {
    this.isRefed = isRefed;
    const holder = this.attempt ?? this.handle;
    if (isRefed) holder?.ref();
    else holder?.unref();
  }
}

module.exports = { Connection };
