'use strict';
// One end of a connection that carries messages: what `SocketClient` and the server's `Socket` have in common.
//
// | state | `send()` | left when | by |
// | --- | --- | --- | --- |
// | new (clients only) | queues, see `client.js` | `open()` | – |
// | connecting (clients only) | queues | the connection stands | `open` |
// | open | sends | `close()`, `destroy()`, the peer's end, a failure | – |
// | closing | is an error | all is sent and the peer has ended too, or did not within two seconds; `destroy()` | `close` |
// | closed | is an error | `open()` of a client | – |

const { EventEmitter } = require('node:events');
const { clearTimeout, setTimeout } = require('node:timers');
const { errnoError } = require('../errors');
const { Outbox } = require('../outbox');
const { Parting } = require('../parting');
const { tlsError } = require('../tls/failure');
const { addMessage, isNothing } = require('./encode');
const { MessageError, closedError, faultError, tellError, tellRejection } = require('./errors');
const { sayFarewell } = require('./farewell');
const { FaultKind } = require('../native');
const { Inbox } = require('./inbox');
const {
  kAbandon,
  kAdd,
  kClosed,
  kDropped,
  kFail,
  kFormat,
  kHandle,
  kLeave,
  kLost,
  kOpen,
  kOutbox,
  kSendLater,
  kState,
  kUnrefed,
} = require('./symbols');

const NEW = 0;
const CONNECTING = 1;
const OPEN = 2;
const CLOSING = 3;
const CLOSED = 4;

const kInbox = Symbol('kInbox');
const kTimer = Symbol('kTimer');
const kPeer = Symbol('kPeer');
const kEnd = Symbol('kEnd');
const kParting = Symbol('kParting');
const kMayAdd = Symbol('kMayAdd');
const kOverflow = Symbol('kOverflow');

/** The handle's callbacks, with the connection first. */
const callbacks = {
  onmessages: (connection, chunk, offset, length) =>
    connection[kState] === OPEN ? connection[kInbox].receive(chunk, offset, length) : null,
  onmessage(connection, bytes) {
    if (connection[kState] === OPEN) connection[kInbox].receiveLarge(bytes);
  },
  /** Only of a stream without a codec: raw images. What comes after a pause is held by the handle. */
  ondata(connection, bytes) {
    if (connection[kState] === OPEN) connection[kInbox].deliver(bytes);
  },
  onfault(connection, kind, bytes) {
    const { receive, maxMessageSize } = connection[kFormat];
    const err = faultError(kind, bytes, receive, maxMessageSize);
    connection[kInbox].deliverBehind(() => {
      if (connection[kState] !== OPEN) return;
      // Not for `reconnectOnDrop`: a peer that sends what is not to be taken would do so again.
      if (kind === FaultKind.TooLong) connection[kLost](err);
      else connection[kFail](err);
    });
  },
  onend(connection) {
    connection[kInbox].deliverBehind(() => {
      if (connection[kState] === OPEN) connection[kDropped](null);
      else connection[kEnd](true);
    });
  },
  onwritten(connection) {
    connection[kOutbox].resume();
    connection[kEnd](false);
  },
  onfinished: (connection) => connection[kEnd](false),
  onfailed(connection, syscall, errno) {
    const err = errnoError(errno, syscall);
    // What came before it is still good.
    if (syscall === 'read') connection[kInbox].deliverBehind(() => connection[kDropped](err));
    else connection[kDropped](err);
  },
  /** TLS: cut off without a word, or something that is no TLS. */
  ontlsfailed(connection, failure) {
    const err = tlsError(failure);
    connection[kInbox].deliverBehind(() => connection[kDropped](err));
  },
  onclose: (connection) => connection[kClosed](),
};

class MessageConnection extends EventEmitter {
  /** @param {import('./options').Format} format */
  constructor(format) {
    super();
    this[kState] = NEW;
    this[kFormat] = format;
    this[kHandle] = null;
    this[kTimer] = null;
    /** @type {Parting | null} */
    this[kParting] = null;
    this[kPeer] = null;
    this[kUnrefed] = false;
    this[kInbox] = new Inbox(format, this);
    this[kOutbox] = outboxOf(this);
    this[kMayAdd] = () => this[kState] <= OPEN;
  }

  /**
   * Sends one message. Answers whether little enough waits to send more; if not, `drain` follows.
   * @param {unknown} data
   */
  send(data) {
    if (this[kState] !== OPEN) return this[kSendLater](data);
    return this[kAdd](data);
  }

  /** Puts a message into the outbox, or tells why not. Answers whether little enough waits there. */
  [kAdd](data) {
    const { send, maxMessageSize, maxBufferedAmount } = this[kFormat];
    const box = this[kOutbox];
    if (isNothing(send, data)) return box.mayGoOn();
    const err = addMessage(box, send, maxMessageSize, data, this[kMayAdd]);
    if (err === null) box.commit();
    else {
      process.nextTick(() => this[kFail](err));
      if (!this[kMayAdd]()) return false;
    }
    if (maxBufferedAmount > 0 && box.handle !== null && box.mustWait) {
      const waiting = box.bufferedAmount;
      if (waiting > maxBufferedAmount) return this[kOverflow](waiting);
    }
    return box.mayGoOn();
  }

  /** So much waits that nothing more is to be hoped for. Answers what `send()` answers. */
  [kOverflow](waiting) {
    const { maxBufferedAmount } = this[kFormat];
    const err = new MessageError(
      'ERR_MESSAGE_BUFFER_FULL',
      `${waiting} bytes wait to be sent, more than maxBufferedAmount (${maxBufferedAmount}): the peer does not read them ` +
        "fast enough. The connection is closed. When send() answers false, wait for 'drain', or pause() what you answer to.",
    );
    this.destroy();
    process.nextTick(() => this[kFail](err));
    return false;
  }

  /** There is no connection: it never comes back. */
  [kSendLater]() {
    const err = closedError();
    process.nextTick(() => this[kFail](err));
    return false;
  }

  /** Sends what was sent before, then closes in both directions; `close` follows. */
  close() {
    if (this[kState] !== OPEN) return;
    this[kState] = CLOSING;
    const ends = this[kInbox].stop();
    this[kOutbox].flush();
    this[kEnd](false);
    // The engine tells of the peer's end only once: one that was held counts now.
    for (const end of ends) end();
  }

  /** Delivers no more messages until `resume()`, and reads no more, so that the peer has to wait. */
  pause() {
    if (this[kState] === OPEN) this[kInbox].pause();
  }

  /** Goes on behind `pause()`, with what had come before. */
  resume() {
    if (this[kState] === OPEN) this[kInbox].resume();
  }

  /** Closes now: what waits to be sent is dropped, and if that is something, the peer gets a reset. `close` follows. */
  destroy() {
    if (this[kState] !== OPEN && this[kState] !== CLOSING) return;
    const handle = this[kHandle];
    // Between its last error and `close` a client has none.
    if (handle === null) return;
    const isLoss = isSending(this);
    this[kState] = CLOSING;
    this[kInbox].stop();
    this[kOutbox].close();
    handle.close(isLoss);
  }

  isOpen() {
    return this[kState] === OPEN;
  }

  /** The peer's address; of a connection that is closed as well. */
  remoteHost() {
    return this[kPeer]?.address;
  }

  remotePort() {
    return this[kPeer]?.port;
  }

  /** Bytes that were sent and are not with the system yet. */
  get bufferedAmount() {
    return this[kOutbox].bufferedAmount;
  }

  ref() {
    this[kUnrefed] = false;
    this[kHandle]?.ref();
    this[kParting]?.ref();
    return this;
  }

  unref() {
    this[kUnrefed] = true;
    this[kHandle]?.unref();
    this[kParting]?.unref();
    return this;
  }

  /** Closes, and waits for it. */
  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]() {
    const isOver = this[kState] === NEW || this[kState] === CLOSED;
    const closed = isOver ? null : new Promise((resolve) => this.once('close', resolve));
    this.close();
    await closed;
  }

  /** An async listener was rejected (with `captureRejections`). */
  [EventEmitter.captureRejectionSymbol](reason, event) {
    tellRejection(this, reason, event);
  }

  /** The connection stands. @param {import('../stream-handle').StreamHandle} handle */
  [kOpen](handle) {
    this[kState] = OPEN;
    this[kHandle] = handle;
    this[kInbox].start(handle);
    this[kPeer] = peerOf(handle);
    // Messages that nobody listens to any more are no reason for a reset.
    handle.used = Number.MAX_SAFE_INTEGER;
    handle.attach(this, callbacks);
    if (this[kUnrefed]) handle.unref();
    const { idleTimeout } = this[kFormat];
    if (idleTimeout > 0) watchIdleness(this, idleTimeout);
    this[kOutbox].open(handle);
  }

  /** Tells of an error. Nobody has to listen: a message that went wrong is no reason to end the process. */
  [kFail](err) {
    tellError(this, err);
  }

  /** The peer ended the connection, or it failed. @param {Error | null} err */
  [kDropped](err) {
    this[kLost](err);
  }

  /** The connection ends. @param {Error | null} err null where the peer ended it */
  [kLost](err) {
    const isLoss = this[kState] === OPEN || !this[kOutbox].isEmpty;
    if (this[kState] !== OPEN && this[kState] !== CLOSING) return;
    this[kState] = CLOSING;
    this[kInbox].stop();
    if (err === null) {
      this[kOutbox].flush();
      this[kEnd](true);
      return;
    }
    this[kOutbox].close();
    this[kHandle].close();
    // Where all was sent and both ends are closing, a reset loses nothing.
    if (isLoss) this[kFail](err);
  }

  /**
   * Goes on with closing.
   * @param {boolean} isPeersEnd the peer has just ended its half
   */
  [kEnd](isPeersEnd) {
    if (this[kState] !== CLOSING) return;
    this[kParting] ??= new Parting(this[kHandle], this[kOutbox]);
    this[kParting].goOn(isPeersEnd);
  }

  /** The descriptor is closed. */
  [kClosed]() {
    this[kAbandon]();
    this[kState] = CLOSED;
    this.emit('close');
  }

  /** The peer has ended the connection, and another one is to be made: what was sent on this one still goes out. */
  [kLeave]() {
    sayFarewell(this[kHandle], this[kOutbox]);
    this[kOutbox] = outboxOf(this);
    this[kAbandon]();
  }

  /** Lets go of all that belongs to the connection. */
  [kAbandon]() {
    clearTimeout(this[kTimer]);
    this[kParting]?.stop();
    this[kTimer] = null;
    this[kParting] = null;
    this[kHandle] = null;
    this[kOutbox].close();
    this[kInbox].stop();
    this[kInbox].letGo();
  }
}

function outboxOf(connection) {
  return new Outbox(connection[kFormat].isFramed, {
    onsent: () => connection[kEnd](false),
    ondrained() {
      if (connection[kState] === OPEN) connection.emit('drain');
    },
    onsendfailed: (err) => connection[kDropped](err),
  });
}

/** Whether something of what was sent, or the end behind it, is not with the system yet. */
const isSending = (connection) => !connection[kOutbox].isEmpty || connection[kHandle].isEnding;

/** Closes a connection when for `time` milliseconds nothing was received and nothing was sent. */
function watchIdleness(connection, time) {
  const handle = connection[kHandle];
  // The engine knows: parts of a long message are traffic, too, and no event before it is whole.
  let left = Math.ceil(time - handle.idleFor());
  if (left <= 0) {
    if (isSending(connection)) {
      // The peer takes nothing: an end that waits for it would never come.
      connection.destroy();
      return;
    }
    connection.close();
    left = time;
  }
  // Also while it is closing.
  connection[kTimer] = setTimeout(watchIdleness, left, connection, time).unref();
}

function peerOf(handle) {
  const peer = handle.getpeername();
  return typeof peer === 'number' ? null : { address: peer.address, port: peer.port };
}

module.exports = { CLOSED, CONNECTING, MessageConnection, NEW, OPEN };
