'use strict';
// What one connection is to send: messages are put together in memory that all connections share, and what
// was sent in one tick goes out in one system call per connection.
//
// Short texts are not even written there one by one: they are joined as JavaScript joins strings, which is
// cheap, and encoded in one go. Their headers are characters among them. That is right as long as all of it is
// ASCII; whether it was shows in the number of bytes, and if not, each is encoded by itself.
//
// | where a message is | until |
// | --- | --- |
// | in `rope` | it is large enough, something else is sent, or the tick ends |
// | in the slab, as one of `segments` | the tick ends, or enough is there (`early`) |
// | in `backlog` | the connection stands, and what the system did not take before is with it |
// | in the engine's queue | the system takes it |

const { Buffer } = require('node:buffer');
const { Backlog } = require('./backlog');
const { MESSAGE_SLAB_SIZE, SLAB_SIZE, slab } = require('./engine');
const { errnoError } = require('./errors');
const { writeHeader } = require('./frame');
const { atTickEnd, callEach, callIn, isExiting } = require('./tick');

/**
 * In the first half messages lie as they come, in the second those of one connection are put side by side. The engine
 * keeps as much for a connection of which the system takes nothing (`WRITE_WINDOW`).
 */
const LOG = SLAB_SIZE;
const LOG_END = LOG + MESSAGE_SLAB_SIZE / 2;
/**
 * So much goes out before a tick is over. Who sends much sends it better in large pieces (a megabyte costs the system
 * half of what sixteen times 64 KiB cost), but a connection that does not take it should show soon.
 */
const LEAST_EARLY = 128 * 1024;
const MOST_EARLY = LOG_END - LOG;

/** So many characters are encoded without waiting for more. */
const ROPE_LIMIT = 16 * 1024;
/** Texts of fewer characters are joined: their headers are one character of ASCII. */
const SHORT_TEXT = 128;
/** The longest message, with its header, that is put together in the slab. */
const LARGEST_IN_SLAB = 32 * 1024;
/** Bytes that may wait before `send()` says that it is enough. */
const HIGH_WATER_MARK = 64 * 1024;

/** The header of a short text, as a character. */
const HEADERS = Array.from({ length: SHORT_TEXT }, (_, length) => String.fromCharCode(length));

let logUsed = LOG;
let gatherUsed = LOG_END;
/** How much goes out early: twice as much each time that the system takes all of it. */
let early = LEAST_EARLY;
/** Where the log is full. At the end of a tick that is its end: nothing can go out to make room. */
let logEnd = LOG + early;
/** Who has something to be sent when this tick ends. @type {Outbox[]} */
let dirty = [];
/** Who is being sent: the slab is theirs until that is done. @type {Outbox[]} */
let sending = [];
/** Who has heard what became of it, and has yet to tell. @type {Outbox[]} */
let heard = [];

/** What the end of a tick calls, for all outboxes. */
const flusher = {
  prepareFlush() {
    sending = dirty;
    dirty = [];
    logEnd = LOG_END;
    for (let i = 0; i < sending.length; i++) sending[i].prepare();
  },
  /** First all hear what became of theirs … */
  hearFlush() {
    const boxes = sending;
    sending = [];
    startLog();
    for (let i = 0; i < boxes.length; i++) boxes[i].settle();
    heard = heard.concat(boxes);
  },
  /** … then owners are told: what they send now is of the next tick. */
  flushTick() {
    const boxes = heard;
    heard = [];
    callEach(boxes, (box) => box.tell());
  },
};

/** Everything in the log goes out now, because `asking` needs room. */
function flushEarly(asking) {
  for (let i = 0; i < dirty.length; i++) {
    gatherUsed = LOG_END;
    dirty[i].sendStaged();
  }
  // It may have more than one message that it has not said of yet.
  if (!asking.isDirty) asking.sendStaged();
  early = asking.mustWait ? LEAST_EARLY : Math.min(2 * early, MOST_EARLY);
  startLog();
}

/** Nothing is in the slab any more. */
function startLog() {
  logUsed = LOG;
  gatherUsed = LOG_END;
  logEnd = LOG + early;
}

class Outbox {
  /**
   * @param {boolean} isFramed every message has a header with its length
   * @param {{ onsent(): void, ondrained(): void, onsendfailed(err: Error): void }} owner called at the end of a
   *   tick and by `resume`, never inside of another call
   */
  constructor(isFramed, owner) {
    this.isFramed = isFramed;
    this.owner = owner;
    /** @type {import('./stream-handle').StreamHandle | null} null while there is no connection */
    this.handle = null;
    this.rope = '';
    /** Places in the slab: where, how long, where, how long … */
    this.segments = [];
    /** Bytes in them. */
    this.staged = 0;
    /** What waits for the connection or for the engine. */
    this.backlog = new Backlog();
    this.isDirty = false;
    /** The number of this tick's send among those of all, or -1. */
    this.row = -1;
    /** The errno of a send that failed inside of a call, to be told later. */
    this.failure = 0;
    /** Somebody was told to wait. */
    this.owesDrain = false;
  }

  /** Bytes that are not with the system yet; of joined texts, characters. */
  get bufferedAmount() {
    const { handle } = this;
    const queued = handle !== null && handle.hasQueued ? handle.queued() : 0;
    return this.rope.length + this.staged + this.backlog.length + queued;
  }

  /** Earlier bytes wait, and must go first. */
  get mustWait() {
    return this.handle === null || this.backlog.length > 0 || this.handle.hasQueued;
  }

  /** Nothing is left that the system has not taken, and nothing was lost. */
  get isEmpty() {
    return this.rope === '' && this.staged === 0 && !this.mustWait && this.failure === 0;
  }

  /** Whether little enough waits to send more; if not, `ondrained` follows. */
  mayGoOn() {
    if (!this.mustWait || this.bufferedAmount <= HIGH_WATER_MARK) return true;
    this.owesDrain = true;
    return false;
  }

  // --- Adding a message: one of these, then `commit()`.

  /** A text of fewer than `SHORT_TEXT` characters. @param {string} text */
  addShortText(text) {
    if (this.isFramed) {
      // In this order: on the right side V8 encodes only what is flat quickly.
      this.rope = this.rope + HEADERS[text.length] + text;
    } else {
      // A half of a surrogate pair: it must not find its other half in the message before.
      if (isLowSurrogate(text.charCodeAt(0)) && this.rope !== '') this.encodeRope();
      this.rope += text;
    }
    if (this.rope.length >= ROPE_LIMIT) this.encodeRope();
  }

  /** Room for `length` bytes in the slab, at most `LARGEST_IN_SLAB`, behind what was sent before. Answers where. */
  reserve(length) {
    if (this.rope !== '') this.encodeRope();
    const at = this.place(length);
    this.take(length);
    return at;
  }

  /** A message that is too long for the slab, whole. @param {Buffer} bytes nobody else's */
  addLarge(bytes) {
    if (this.rope !== '') this.encodeRope();
    this.sendStaged();
    this.backlog.push(bytes);
    if (this.handle !== null) this.pump();
  }

  /** The same of bytes that are somebody else's: what does not go out now is copied. @param {Uint8Array} bytes */
  addBorrowed(bytes) {
    this.flush();
    let taken = 0;
    if (!this.mustWait && this.failure === 0) {
      taken = this.handle.write(bytes, 0);
      this.took(taken);
      if (taken < 0) return;
    }
    if (taken === bytes.length) return;
    const rest = Buffer.allocUnsafeSlow(bytes.length - taken);
    rest.set(bytes.subarray(taken));
    this.backlog.push(rest);
  }

  /** A message has been added. */
  commit() {
    if (this.handle === null) this.toBacklog();
    else if (isExiting()) this.flush();
    else if (!this.isDirty) {
      this.isDirty = true;
      if (dirty.length === 0) atTickEnd(flusher);
      dirty.push(this);
    }
  }

  // --- Sending.

  /** Gives all that was added to the engine, now. What goes wrong is told later. */
  flush() {
    if (this.rope !== '') this.encodeRope();
    this.sendStaged();
  }

  /** The end of the tick, first: says what is to be sent. */
  prepare() {
    this.isDirty = false;
    if (this.rope !== '') this.encodeRope();
    if (this.staged === 0) return;
    if (this.mustWait) {
      this.toBacklog();
      return;
    }
    const at = this.gather();
    this.row = this.handle.addSend(at, this.staged);
    // Very many connections send in this tick.
    if (this.row < 0) this.took(this.handle.writeSlab(at, this.staged));
    this.segments = [];
    this.staged = 0;
  }

  /** The end of the tick, second: hears what became of it. */
  settle() {
    const { row } = this;
    this.row = -1;
    if (this.handle === null) return;
    if (row >= 0) this.took(this.handle.takeSend(row));
    // Texts that turned out not to be ASCII went there.
    if (this.backlog.length > 0) this.pump();
  }

  /** The engine's queue is empty. */
  resume() {
    if (this.handle === null) return;
    this.pump();
    this.tell();
  }

  /** Tells the owner what became of what was sent. */
  tell() {
    if (this.handle === null) return;
    if (this.failure !== 0) {
      callIn(this.handle.resource, tellFailure, this);
      return;
    }
    this.owner.onsent();
    if (this.owesDrain && !this.mustWait) {
      this.owesDrain = false;
      callIn(this.handle.resource, tellDrain, this);
    }
  }

  /** The connection stands: what was added before goes out first. */
  open(handle) {
    this.handle = handle;
    if (this.backlog.length > 0) {
      this.pump();
      this.commit();
    } else if (this.owesDrain) this.commit();
  }

  /** The connection is gone, and with it all that it was to send. */
  close() {
    this.handle = null;
    this.rope = '';
    this.segments = [];
    this.staged = 0;
    this.backlog.clear();
    this.failure = 0;
    this.owesDrain = false;
  }

  // --- Inside.

  /** Where `length` bytes of the slab are free. */
  place(length) {
    if (logEnd - logUsed < length) flushEarly(this);
    return logUsed;
  }

  /** The next `length` bytes of the slab are this connection's. */
  take(length) {
    const at = logUsed;
    logUsed += length;
    this.staged += length;
    const { segments } = this;
    const last = segments.length;
    if (last > 0 && segments[last - 2] + segments[last - 1] === at) segments[last - 1] += length;
    else segments.push(at, length);
  }

  /** Encodes the joined texts. */
  encodeRope() {
    const { rope } = this;
    const { length } = rope;
    this.rope = '';
    // At the end of a tick the slab cannot be emptied to make room.
    if (sending.length > 0 && logEnd - logUsed < length + 4) {
      this.toBacklog();
      this.backlog.push(encodeTexts(rope, this.isFramed));
      return;
    }
    // With four bytes more to write to, one character that is not ASCII makes it more bytes than characters.
    if (slab.utf8Write(rope, this.place(length + 4), length + 4) === length) {
      this.take(length);
      return;
    }
    this.toBacklog();
    this.backlog.push(encodeTexts(rope, this.isFramed));
    if (sending.length === 0 && this.handle !== null) this.pump();
  }

  /** Sends what is in the slab. */
  sendStaged() {
    const { staged } = this;
    if (staged === 0) return;
    if (this.mustWait) {
      this.toBacklog();
      return;
    }
    const accepted = this.handle.writeSlab(this.gather(), staged);
    this.segments = [];
    this.staged = 0;
    this.took(accepted);
  }

  /** The engine takes all of the slab, if nothing is queued, or fails. */
  took(accepted) {
    if (accepted < 0) this.failure = accepted;
  }

  /** The segments, side by side: answers where. */
  gather() {
    const { segments } = this;
    if (segments.length === 2) return segments[0];
    const from = gatherUsed;
    for (let i = 0; i < segments.length; i += 2) {
      slab.copyWithin(gatherUsed, segments[i], segments[i] + segments[i + 1]);
      gatherUsed += segments[i + 1];
    }
    return from;
  }

  /** Takes what is staged out of the slab. */
  toBacklog() {
    if (this.rope !== '') this.encodeRope();
    const { segments, staged } = this;
    if (staged === 0) return;
    const bytes = Buffer.allocUnsafeSlow(staged);
    let used = 0;
    for (let i = 0; i < segments.length; i += 2) {
      used += slab.copy(bytes, used, segments[i], segments[i] + segments[i + 1]);
    }
    this.segments = [];
    this.staged = 0;
    this.backlog.push(bytes);
  }

  /** Gives the backlog to the engine, until something is queued there. */
  pump() {
    const { backlog, handle } = this;
    while (backlog.length > 0 && !handle.hasQueued && this.failure === 0) {
      const bytes = backlog.first();
      const accepted = handle.write(bytes, backlog.offset);
      if (accepted < 0) this.failure = accepted;
      else backlog.consume(accepted);
    }
  }
}

/** These call the program, and at the end of a tick nobody's context is there. @param {Outbox} box */
const tellFailure = (box) => box.owner.onsendfailed(errnoError(box.failure, 'write'));
const tellDrain = (box) => box.owner.ondrained();

const isLowSurrogate = (code) => code >= 0xdc00 && code <= 0xdfff;

/** Joined texts that are not all ASCII: each gets a header that counts its bytes instead of its characters. */
function encodeTexts(rope, isFramed) {
  if (!isFramed) return Buffer.from(rope);
  // No character has more than three bytes, and no header more than five times those of one.
  const bytes = Buffer.allocUnsafeSlow(rope.length * 5);
  let used = 0;
  for (let at = 0; at < rope.length;) {
    const from = at + 1;
    at = from + rope.charCodeAt(at);
    const text = rope.slice(from, at);
    const length = Buffer.byteLength(text);
    used += writeHeader(bytes, used, length);
    used += bytes.utf8Write(text, used, length);
  }
  return bytes.subarray(0, used);
}

module.exports = { LARGEST_IN_SLAB, Outbox, SHORT_TEXT };
