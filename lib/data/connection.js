'use strict';
// One end of a connection that carries values, from its first moment on. A client begins in `connecting`, an accepted
// connection in `offered`.
//
// | state | trigger | then | events |
// | --- | --- | --- | --- |
// | connecting | the peer's hello | connected | `connect`; what was sent goes out |
// | connecting | a failure, a stranger, no hello in time, refused by the acceptor | closed | `error`, `close` |
// | connecting | `close()` | closed | `close`; what was sent is dropped |
// | offered (the acceptor runs) | it returns true | connected; closing after `close()` | what was sent goes out |
// | offered | it returns anything else, or throws | closing | `close`; what was sent is dropped |
// | connected | a frame | connected | `data` |
// | connected | `close()`, the peer's end between frames | closing | – |
// | connected | the peer's end inside of a frame, a bad frame, a reset, an abort, more than `maxBufferedAmount` | failed | `error`, `close` |
// | closing | all is sent, and the peer has ended too, or did not in time | closed | `sent`…, `close` |
// | closing | a failure before all is sent | failed | `error`, `close` |
// | failed | the descriptor is closed | closed | `close` |
//
// `send()` queues in the first two, sends in the third, and throws in the others.

const { errnoError } = require('../errors');
const { hostOf } = require('../net/address');
const { Outbox } = require('../outbox');
const { Parting } = require('../parting');
const { tlsError } = require('../tls/failure');
const { HEADER, addValue } = require('./encode');
const { bufferFullError, closedError, faultError, queuedTooLargeError } = require('./errors');
const { hello } = require('./hello');
const { Inbox } = require('./inbox');
const { Sends } = require('./sends');
const { emitLater } = require('./turns');

const CONNECTING = 0;
const OFFERED = 1;
const CONNECTED = 2;
const CLOSING = 3;
const FAILED = 4;
const CLOSED = 5;

/** Bytes that may wait before `send()` says that it is enough. */
const HIGH_WATER_MARK = 64 * 1024;
/** The largest value while the peer has not said what it takes. */
const LARGEST = 2 ** 31 - 1;

/** The handle's callbacks, with the connection first. */
const callbacks = {
  onmessages: (connection, chunk, offset, length) => connection.inbox.open(chunk, offset, length),
  onmessage: (connection, bytes) => connection.inbox.deliverLarge(bytes),
  onfault(connection, kind, number) {
    const err = faultError(kind, number, connection.limits);
    connection.inbox.deliverBehind(() => {
      if (connection.state === CONNECTED) connection.fail(err);
    });
  },
  onend(connection) {
    connection.inbox.deliverBehind(() => connection.peerEnded());
  },
  onwritten(connection) {
    connection.outbox.resume();
    connection.parting?.goOn(false);
  },
  onpassed: (connection) => connection.countSent(),
  onfinished: (connection) => connection.parting?.goOn(false),
  onfailed(connection, syscall, errno) {
    const err = errnoError(errno, syscall);
    // What came before it is still good.
    if (syscall === 'read') connection.inbox.deliverBehind(() => connection.lost(err));
    else connection.lost(err);
  },
  /** Cut off without a word, or something that is no TLS. */
  ontlsfailed(connection, failure) {
    const err = tlsError(failure);
    // What came before it was whole, and is still good.
    connection.inbox.deliverBehind(() => connection.lost(err));
  },
  onclose: (connection) => connection.closed(),
};

class Connection {
  /**
   * @param {import('./subscriptions').Subscriptions} events
   * @param {import('./options').Options} options
   * @param {import('./options').Target} target where the other end is
   */
  constructor(events, { limits }, target) {
    this.events = events;
    this.limits = limits;
    this.state = CONNECTING;
    /** @type {import('../stream-handle').StreamHandle | null} */
    this.handle = null;
    this.address = target.path ?? target.host;
    this.port = target.port ?? 0;
    this.isRefed = true;
    /** The longest value that the peer takes, in bytes. */
    this.peerLimit = LARGEST;
    /** The largest that waits for the peer to say so. */
    this.largestQueued = 0;
    this.sends = new Sends();
    this.inbox = new Inbox(limits, events, (err) => this.fail(err));
    this.outbox = new Outbox(true, this);
    /** @type {Parting | null} */
    this.parting = null;
    /** While the acceptor runs: it has closed the connection. */
    this.isClosedEarly = false;
    this.checkOpen = () => {
      if (this.state > CONNECTED || this.isClosedEarly) throw closedError();
    };
    events.ondata = () => this.inbox.resume();
  }

  get isActive() {
    return this.state <= CONNECTED && !this.isClosedEarly;
  }

  send(value) {
    this.checkOpen();
    const { outbox, peerLimit } = this;
    // Encoding may call getters, and they anything.
    const size = addValue(outbox, this.limits, peerLimit, value, this.checkOpen);
    if (this.state === CONNECTING) this.largestQueued = Math.max(this.largestQueued, size - HEADER);
    this.sends.add(size);
    outbox.commit();
    const { maxBufferedAmount } = this.limits;
    if (maxBufferedAmount > 0 && this.state === CONNECTED && outbox.mustWait) {
      const waiting = outbox.bufferedAmount;
      if (waiting > maxBufferedAmount) {
        this.fail(bufferFullError(waiting, maxBufferedAmount));
        return false;
      }
    }
    return this.mayGoOn();
  }

  mayGoOn() {
    const { outbox } = this;
    if (outbox.staged + outbox.backlog.length > HIGH_WATER_MARK) return false;
    return !outbox.mustWait || outbox.bufferedAmount <= HIGH_WATER_MARK;
  }

  /** Bytes that were sent and are not with the system yet. */
  get bufferedAmount() {
    return this.outbox.bufferedAmount;
  }

  close() {
    if (this.state === OFFERED) this.isClosedEarly = true;
    else if (this.state === CONNECTED) this.startClosing(false);
  }

  /** Closes without sending what waits. If something does, the peer gets a reset: it shall not think that this was all. */
  closeImmediately() {
    if (this.state === CLOSED || this.state === FAILED || this.handle === null) return;
    this.state = FAILED;
    const isLoss = this.bufferedAmount > 0;
    this.letGo();
    this.handle.close(isLoss);
  }

  ref() {
    this.isRefed = true;
    this.handle?.ref();
    this.parting?.ref();
  }

  unref() {
    this.isRefed = false;
    this.handle?.unref();
    this.parting?.unref();
  }

  // --- Before it is open.

  /** TCP stands, and TLS. @param {import('../stream-handle').StreamHandle} handle its callbacks are for the caller */
  adopt(handle) {
    this.handle = handle;
    this.events.resource = handle.resource;
    handle.endsContext = false; // There is an event behind it.
    this.inbox.handle = handle;
    // Values that nobody listens to any more are no reason for a reset.
    handle.used = Number.MAX_SAFE_INTEGER;
    if (this.isRefed) handle.ref();
    else handle.unref();
    const peer = handle.getpeername();
    if (typeof peer === 'number') return;
    const { address, port } = hostOf(peer);
    if (port !== undefined) Object.assign(this, { address, port });
  }

  greet(isRefused) {
    const bytes = hello(this.limits, isRefused);
    this.sends.skip(bytes.length);
    const accepted = this.handle.write(bytes, 0);
    // A dozen bytes on a new connection: the system takes them, or the connection is gone.
    if (accepted < 0) this.lost(errnoError(accepted, 'write'));
  }

  /** The peer takes us. @param {number} limit the longest value that it takes */
  welcome(limit) {
    const { largestQueued } = this;
    this.peerLimit = Math.min(limit, LARGEST);
    this.handle.attach(this, callbacks);
    if (largestQueued > this.peerLimit) this.fail(queuedTooLargeError(largestQueued, limit));
    else this.open();
  }

  open() {
    this.state = CONNECTED;
    this.outbox.open(this.handle);
  }

  /** The peer is connected, and the acceptor is to be asked. @param {number} limit the longest value that it takes */
  offer(handle, limit) {
    this.state = OFFERED;
    this.peerLimit = Math.min(limit, LARGEST);
    this.adopt(handle);
    handle.attach(this, callbacks);
  }

  /** What the acceptor has said. */
  decide(isAccepted) {
    if (this.state !== OFFERED) return;
    this.greet(!isAccepted);
    // The connection may be gone already.
    if (this.state !== OFFERED) return;
    if (!isAccepted) this.drop();
    this.open();
    if (!isAccepted || this.isClosedEarly) this.startClosing(false);
  }

  // --- The end.

  peerEnded() {
    if (this.state === CONNECTED) this.startClosing(true);
    else this.parting?.goOn(true);
  }

  startClosing(isPeersEnd) {
    this.state = CLOSING;
    const ends = this.inbox.stop();
    this.outbox.flush();
    this.parting = new Parting(this.handle, this.outbox);
    this.parting.goOn(isPeersEnd);
    // The engine tells of the peer's end only once: one that was held counts now.
    for (const fn of ends) fn();
  }

  /** The system says that the connection is broken. */
  lost(err) {
    // Where all was sent and both ends are closing, a reset loses nothing.
    if (this.state === CLOSING && this.outbox.isEmpty) {
      this.state = FAILED;
      this.letGo();
      this.handle.close();
    } else this.fail(err);
  }

  /** @param {Error} err */
  fail(err) {
    if (this.state >= FAILED) return;
    this.state = FAILED;
    const isLoss = this.bufferedAmount > 0;
    this.letGo();
    emitLater(this.events, 'error', [err]);
    if (this.handle === null) this.closed();
    else this.handle.close(isLoss);
  }

  letGo() {
    this.inbox.stop();
    this.drop();
  }

  /** What waits to be sent is not sent any more. */
  drop() {
    this.outbox.close();
    this.sends = new Sends();
  }

  /** The descriptor is closed, or there was none. */
  closed() {
    if (this.state === CLOSED) return;
    this.state = CLOSED;
    this.letGo();
    this.parting?.stop();
    this.handle = null;
    emitLater(this.events, 'close', []);
  }

  // --- The outbox tells.

  onsent() {
    this.countSent();
    this.parting?.goOn(false);
  }

  ondrained() {}

  onsendfailed(err) {
    this.lost(err);
  }

  /** Tells of the values that the system has taken since it was counted last. */
  countSent() {
    const { outbox, sends, handle } = this;
    if (handle === null) return;
    for (;;) {
      const waiting = outbox.bufferedAmount;
      const count = sends.take(waiting);
      if (count > 0 && this.events.of('sent').length > 0) emitLater(this.events, 'sent', [], count);
      const missing = sends.missing(waiting);
      if (missing < 0 || !handle.hasQueued) return;
      // The end of the first that waits may be in the engine's queue, before that is empty.
      const left = handle.queued() - missing;
      if (left <= 0 || handle.watchQueue(left) > left) return;
    }
  }
}

module.exports = { CLOSED, CONNECTED, CONNECTING, Connection, FAILED };
