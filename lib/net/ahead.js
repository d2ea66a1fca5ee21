'use strict';
// Writing ahead of TLS: a write counts as done when the engine has it, not when it is encrypted and with the
// system. Else the thread that writes and the one that encrypts would wait for each other at every write.
//
// What a program is told stays true. `'drain'` says that it may write more, and it may. The callback of its own
// `write()` says that the bytes are with the system, so that it may destroy the socket or end the process: it is
// held back until they are. `'finish'` comes behind the last of them in any case.
//
// Bounds: one socket is ahead by `AHEAD` bytes, or `AHEAD_WRITES`, and the write that passes that; all of an environment
// by `AHEAD_OF_ALL`. Where these are used up, by peers that do not read, each write is waited for as without TLS.

const { errnoByCode, errnoError } = require('../errors');
const { kBytesWritten } = require('./symbols');

/** Bytes that one socket may have in the engine's queue and write on. */
const AHEAD = 256 * 1024;
/** Who had to wait goes on when no more than this is left: enough to encrypt until the next bytes are there. */
const GO_ON = AHEAD / 2;
/** Bytes that all sockets may have there. */
const AHEAD_OF_ALL = 8 * 1024 * 1024;
/** Writes that one socket may have there: a short one takes more memory than it has bytes. */
const AHEAD_WRITES = 1024;

let countedOfAll = 0;

/** What one connection of TLS has written ahead. One that the socket makes later has its own. */
class Ahead {
  /** @param {any} socket */
  constructor(socket) {
    this.socket = socket;
    /** Bytes of this socket among those of all. */
    this.counted = 0;
    /** Writes since the queue was empty. */
    this.writes = 0;
    /** Writes that Duplex was given, and those of them that count as done. */
    this.given = 0;
    this.done = 0;
    /** Where the last of these ended, as far as their callbacks are yet to be called; of the last one last. @type {number[]} */
    this.ends = [];
    /** Callbacks that are held back, with the number of bytes that have to be sent before. */
    this.held = [];
    /** Whether the writer waits. */
    this.isWaiting = false;
    /** The connection is gone, and this is what became of the bytes behind the first `lostFrom` of them. */
    this.isOver = false;
    this.lostFrom = Infinity;
    this.lostWhy = null;
  }

  // --- Between the program, Duplex and the writer.

  /**
   * Has Duplex write: `write(behind)`, with what it is to call behind it.
   * @param {((err?: Error | null) => void) | null} callback the program's
   */
  give(write, callback) {
    const number = ++this.given;
    const behind = (err) => {
      const end = err ? 0 : this.takeEnd(number);
      if (callback === null) return;
      if (err) this.callSoon(callback, err);
      else this.callOnceSent(end, callback);
    };
    try {
      return write(behind);
    } catch (err) {
      this.given--; // It did not take it.
      throw err;
    }
  }

  /**
   * What the writer is to call when `chunks` writes are done, instead of Duplex's `done`. Duplex calls back then, or
   * later, after more was written: so that is where their end is noted.
   */
  noting(chunks, done) {
    return (err) => {
      if (!err) {
        for (let n = 0; n < chunks; n++) this.ends.push(this.socket[kBytesWritten]);
        this.done += chunks;
      }
      done(err);
    };
  }

  /** Where the write with this number ended. Those before it are over, if a listener that threw kept Duplex from saying so. */
  takeEnd(number) {
    const { ends } = this;
    const at = number - 1 - (this.done - ends.length);
    const end = ends[at];
    if (at === 0) ends.shift();
    else ends.splice(0, at + 1);
    return end;
  }

  /** Something was written. Answers whether the next write has to wait; if so, `mayGoOn` is to be asked later. */
  mustWait() {
    const handle = this.socket._handle;
    this.writes++;
    if (handle.isSecure) {
      const queued = handle.queued();
      this.count(queued);
      if (queued <= AHEAD && this.isWithin) return false;
    }
    this.isWaiting = true;
    this.look();
    return this.isWaiting;
  }

  /** The system has taken some of what was queued. Answers whether a writer that waits may go on. */
  mayGoOn() {
    this.look();
    return !this.isWaiting;
  }

  /** What is queued is not sent, or nobody will hear of it. @param {Error | null} err null: the socket was destroyed */
  drop(err) {
    if (this.isOver) return;
    this.isOver = true;
    if (this.counted > 0) {
      this.lostFrom = this.socket[kBytesWritten] - this.counted;
      this.lostWhy = err ?? errnoError(errnoByCode.get('ECANCELED'), 'write');
    }
    this.count(0);
    const { held } = this;
    this.held = [];
    for (const { end, callback } of held) this.callSoon(callback, this.fateOf(end));
  }

  // --- Inside.

  count(queued) {
    countedOfAll += queued - this.counted;
    this.counted = queued;
    if (queued === 0) this.writes = 0;
  }

  get isWithin() {
    return countedOfAll <= AHEAD_OF_ALL && this.writes <= AHEAD_WRITES;
  }

  /** What to say of a write that ended there. */
  fateOf(end) {
    return end > this.lostFrom ? this.lostWhy : null;
  }

  /** Looks what is sent, and asks to be told of the next thing that a callback or the writer waits for. */
  look() {
    if (this.isOver) return;
    const handle = this.socket._handle;
    for (;;) {
      const queued = handle.hasQueued ? handle.queued() : 0;
      this.count(queued);
      this.release(this.socket[kBytesWritten] - queued);
      const limit = handle.isSecure && this.isWithin ? GO_ON : 0;
      if (queued <= limit) this.isWaiting = false;
      if (this.held.length === 0 && !this.isWaiting) return;
      const left = Math.max(this.heldBytes, this.isWaiting ? limit : 0);
      // The loop: it may have been faster than the question.
      if (handle.watchQueue(left) > left) return;
    }
  }

  /** How much of what was written is behind the first callback that is held back. */
  get heldBytes() {
    return this.held.length > 0 ? this.socket[kBytesWritten] - this.held[0].end : 0;
  }

  /** Calls back what is due. @param {number} sent bytes that are with the system */
  release(sent) {
    const { held } = this;
    while (held.length > 0 && held[0].end <= sent) this.callSoon(held.shift().callback, null);
  }

  /** Calls back when `end` bytes are with the system. */
  callOnceSent(end, callback) {
    if (this.isOver) {
      this.callSoon(callback, this.fateOf(end));
    } else if (!this.socket._handle.hasQueued) {
      this.callSoon(callback, null);
    } else {
      this.held.push({ end, callback });
      if (this.held.length === 1) this.look();
    }
  }

  /** In a tick of its own: one that throws must not take the others along. */
  callSoon(callback, err) {
    process.nextTick(callback, err);
  }
}

module.exports = { Ahead };
