'use strict';
// `SocketClient`: connects, again and again if need be, and then is one end of a connection.
//
// | state | `open()` | `close()` | an attempt fails | the connection drops |
// | --- | --- | --- | --- | --- |
// | new | connecting | drops the queue | – | – |
// | connecting | nothing | closing, `close` | the next one after a while; after the last: closed, `error` | – |
// | open | nothing | closing | – | closing; with `reconnectOnDrop`: connecting |
// | connecting after that | nothing | closing, `close` | the same; after the last: closing, `error`, `close` | – |
// | closing | nothing | nothing | – | – |
// | closed | connecting | nothing | – | – |

const { clearTimeout, setImmediate, setTimeout } = require('node:timers');
const { validatePort, validateStringWithoutNullBytes } = require('../args');
const { isNothing } = require('./encode');
const { MessageError } = require('./errors');
const { CLOSED, CLOSING, CONNECTING, MessageConnection, NEW, OPEN } = require('./connection');
const {
  kAbandon,
  kAdd,
  kClosed,
  kDropped,
  kFail,
  kFormat,
  kHandle,
  kLeave,
  kOpen,
  kOutbox,
  kSendLater,
  kState,
  kUnrefed,
} = require('./symbols');
const { Attempt, forget } = require('../attempt');
const { clientSecurity } = require('./secure');
const { DEFAULT_PORT, clientOptions, formatOf, streamOptions } = require('./options');

const kAttempt = Symbol('kAttempt');
const kUnsent = Symbol('kUnsent');
const kWaiting = Symbol('kWaiting');
/** The connection stood since `open()`: it ends with `close`. */
const kWasOpen = Symbol('kWasOpen');
const kAborted = Symbol('kAborted');

class SocketClient extends MessageConnection {
  /**
   * @param {number | string | null} [port]
   * @param {string | null} [host]
   * @param {object} [options] see `messages.d.ts`
   */
  constructor(port, host, options) {
    const merged = clientOptions(options);
    super(formatOf(merged, options));
    this.port = port == null ? DEFAULT_PORT : validatePort(port, 'port');
    this.host = host || 'localhost';
    validateStringWithoutNullBytes(this.host, 'host');
    this.options = merged;
    /** The attempt under way. @type {Attempt | null} */
    this[kAttempt] = null;
    /** The timer of the next one. */
    this[kWaiting] = null;
    /** Messages that wait for the connection. */
    this[kUnsent] = 0;
    this[kWasOpen] = false;
    /** What listens to `options.signal`, or null while it need not. @type {(() => void) | null} */
    this[kAborted] = null;
    watchSignal(this);
  }

  /** Connects. `open` follows, or `error` when the last attempt has failed. */
  open() {
    if (this[kState] !== NEW && this[kState] !== CLOSED) return;
    this[kState] = CONNECTING;
    this[kWasOpen] = false;
    watchSignal(this);
    if (this.options.signal?.aborted) this.close();
    else attempt(this, 0);
  }

  /** Messages sent before the connection stands are kept for it. */
  [kSendLater](data) {
    const state = this[kState];
    if (state !== NEW && state !== CONNECTING) return super[kSendLater](data);
    const { discardMessagesBeforeOpen, maxUnsentMessages } = this.options;
    if (discardMessagesBeforeOpen || isNothing(this[kFormat].send, data)) return true;
    if (maxUnsentMessages > 0 && this[kUnsent] >= maxUnsentMessages) {
      throw new MessageError(
        'ERR_MESSAGE_QUEUE_FULL',
        `Maximum number of unsent messages has been exceeded: ${maxUnsentMessages}. ` +
          'Consider setting discardMessagesBeforeOpen to true.',
      );
    }
    const box = this[kOutbox];
    const before = box.backlog.length;
    const mayGoOn = this[kAdd](data);
    // What was refused does not count.
    if (box.backlog.length > before) this[kUnsent]++;
    return mayGoOn;
  }

  close() {
    if (this[kState] === NEW) drop(this);
    if (this[kState] !== CONNECTING) {
      super.close();
      return;
    }
    giveUp(this);
    closeLater(this);
  }

  destroy() {
    // Where nothing stands, there is nothing that would have to be sent first.
    if (this[kState] === NEW || this[kState] === CONNECTING) this.close();
    else super.destroy();
  }

  ref() {
    this[kAttempt]?.ref();
    this[kWaiting]?.ref();
    return super.ref();
  }

  unref() {
    this[kAttempt]?.unref();
    this[kWaiting]?.unref();
    return super.unref();
  }

  [kClosed]() {
    forgetSignal(this);
    super[kClosed]();
  }

  [kOpen](handle) {
    this[kUnsent] = 0;
    this[kWasOpen] = true;
    super[kOpen](handle);
    this.emit('open');
  }

  /** With `reconnectOnDrop`, a connection that was not closed here is made again. */
  [kDropped](err) {
    if (!this.options.reconnectOnDrop || this[kState] !== OPEN) {
      super[kDropped](err);
      return;
    }
    const { owesDrain } = this[kOutbox];
    if (err === null) this[kLeave]();
    else {
      const handle = this[kHandle];
      this[kAbandon]();
      forget(handle);
    }
    // Who was told to wait hears from the next connection that it takes more.
    this[kOutbox].owesDrain = owesDrain;
    this[kState] = CONNECTING;
    tryAgain(this, 0, err ?? new Error('The connection was closed by the peer'));
  }
}

/** @param {number} number 0 is the first attempt */
function attempt(client, number) {
  try {
    startAttempt(client, number);
  } catch (err) {
    process.nextTick(() => fail(client, err));
  }
}

/** @throws {Error} about files of TLS, or a `host` or `port` that was changed to what is none */
function startAttempt(client, number) {
  const { options, host, port } = client;
  const { connectTimeout } = options;
  // Each time anew: the files may be others by now.
  const tls = clientSecurity(options, host);
  const native = streamOptions(options, client[kFormat]);
  client[kAttempt] = new Attempt({ port, host, connectTimeout }, native, tls, {
    onopen(handle) {
      client[kAttempt] = null;
      client[kOpen](handle);
    },
    onfailure(err, isFinal) {
      client[kAttempt] = null;
      if (isFinal) fail(client, connectError(err));
      else tryAgain(client, number, err);
    },
  });
  if (client[kUnrefed]) client[kAttempt].unref();
  client[kAttempt].start();
}

/** It will not get better by trying. */
function fail(client, err) {
  if (client[kState] !== CONNECTING) return;
  giveUp(client);
  // Before the listener is called: it may throw.
  if (client[kWasOpen]) closeLater(client);
  client[kFail](err);
}

/** `close` follows: behind the errors of what is sent until then, and in front of the next `open()`. */
function closeLater(client) {
  client[kState] = CLOSING;
  setImmediate(() => {
    client[kState] = CLOSED;
    client.emit('close');
  });
}

/** Attempt `number` has failed: the next one follows, or none. */
function tryAgain(client, number, err) {
  const { reconnectAttempts } = client.options;
  if (reconnectAttempts >= 0 && number >= reconnectAttempts) {
    fail(client, connectError(err));
    return;
  }
  const next = number + 1;
  const delay = delayBefore(client.options, next);
  client[kWaiting] = setTimeout(() => {
    client[kWaiting] = null;
    attempt(client, next);
  }, delay);
  if (client[kUnrefed]) client[kWaiting].unref();
  client.emit('reconnecting', next, delay);
}

function delayBefore({ reconnectInterval, reconnectBackoff }, number) {
  if (reconnectBackoff === undefined) return reconnectInterval;
  const { factor, max, jitter } = reconnectBackoff;
  const longest = Math.max(max, reconnectInterval);
  const delay = Math.min(reconnectInterval * factor ** (number - 1), longest);
  // Not longer by jitter either: a timer that is given more than it can hold fires at once.
  const jittered = Math.round(delay * (1 + jitter * (2 * Math.random() - 1)));
  return Math.max(1, Math.min(jittered, longest));
}

/** Nothing is tried any more. */
function giveUp(client) {
  clearTimeout(client[kWaiting]);
  client[kWaiting] = null;
  client[kAttempt]?.cancel();
  client[kAttempt] = null;
  client[kState] = CLOSED;
  forgetSignal(client);
  drop(client);
}

/** A signal may live as long as the program: what is closed is not kept by it. */
function watchSignal(client) {
  if (client[kAborted] !== null) return;
  client[kAborted] = () => client.close();
  client.options.signal?.addEventListener('abort', client[kAborted]);
}

function forgetSignal(client) {
  client.options.signal?.removeEventListener('abort', client[kAborted]);
  client[kAborted] = null;
}

/** Forgets what was sent before the connection stood. */
function drop(client) {
  client[kOutbox].close();
  client[kUnsent] = 0;
}

/** The texts of all causes, each on its own line. */
function connectError(err) {
  const lines = [];
  for (let cause = err; cause != null && lines.length < 10; cause = cause.cause) {
    const inner = cause.errors?.map((each) => each.message) ?? [];
    if (cause.message) lines.push(cause.message);
    lines.push(...inner);
  }
  return new MessageError(err.code, `Failed to connect: \n${lines.join('\n')}`, { cause: err });
}

module.exports = { SocketClient };
