'use strict';
// The writing half of a socket: what is written in one tick goes out in one system call, and what the
// system does not take at once waits without blocking anything.
//
// The tick: the first small write of a tick is *staged*: copied into the slab, its callback kept. Duplex
// keeps the following ones, as it does while a write is under way. They are put behind the staged one, bytes at once and
// texts at the end of the tick (`lib/tick.js`), when all leave together; then the callbacks run.
// When Duplex hands the kept ones over, they are *prepaid*: sent already, and only to be confirmed. Its
// accounting (`writableLength`, the high-water mark, `'drain'`, callbacks and their errors) is untouched.
// Where a tick's writes are more than is gathered, they leave before its end, and what follows is staged anew, without a
// callback of its own.
//
// A program may fill its buffer again when `write()` has returned: in Node the system has the bytes by then. So what
// Duplex keeps is in the slab, or copied, or, if it is large, sent at once. What waits for the system, for the
// connection or for `uncork()` is the program's until its callback, as in Node.
//
// The pump: one `_write` or `_writev` at a time. Pieces that fit are put together in the slab, others
// go as they are. Where the system takes no more, the engine keeps a window's worth of bytes, and the
// pump goes on when that is sent (`onwritten`); with TLS, when enough of it is (`lib/net/ahead.js`).

const { AsyncResource } = require('node:async_hooks');
const { Buffer } = require('node:buffer');
const { Duplex } = require('node:stream');
const { SLAB_SIZE, slab } = require('../engine');
const { CONTEXT } = require('../handle');
const { atTickEnd, callIn, isExiting } = require('../tick');
const { codedError, errnoError, errnoByCode } = require('../errors');
const { Ahead } = require('./ahead');
const { connectionError } = require('./failure');
const { refreshTimer } = require('./timer');
const { kBytesWritten } = require('./symbols');
const { afterWrite, isWrapped } = require('./wrapper');

const EFAULT = errnoByCode.get('EFAULT');

/** Larger writes are not staged: copying them would not pay. */
const STAGE_LIMIT = 16 * 1024;
/** What one tick may gather before it is sent without waiting for the tick's end. */
const GATHER_LIMIT = 16 * 1024;

/** The same for what follows in that tick, where Duplex waits for a tick of its own in any case. */
const FURTHER_LIMIT = 48 * 1024;

/** The staged write, or null; see `stage`. */
const kStaged = Symbol('kStaged');
/** How many of the writes that Duplex keeps are sent already. */
const kPrepaid = Symbol('kPrepaid');
/** `{ offset, length }` of the next one, where a part of it is, or null. */
const kPartial = Symbol('kPartial');
/** What Duplex waits for is sent, and it will be told in a tick of its own. */
const kToTell = Symbol('kToTell');
/** The write under way: `{ pieces, index, offset, length, done }`, or null. */
const kPump = Symbol('kPump');
/** `{ pieces, callback }` of a write before the connection stood. */
const kEarly = Symbol('kEarly');
/** How much of what TLS has to encrypt is written ahead (`lib/net/ahead.js`); null without TLS. */
const kAhead = Symbol('kAhead');

/**
 * The slab's first half holds the staged writes of all sockets, its second half those that are put
 * together from several.
 */
const STAGE_SIZE = SLAB_SIZE / 2;

/** Memory for copies of what Duplex keeps; a new one is taken when it is full. Node's pool is small, and not for pieces like these. */
const COPIES_SIZE = 64 * 1024;
let copies = Buffer.alloc(0);
let copiesUsed = 0;

/** Of a piece that is not begun. */
const WHOLE = { offset: 0, length: 0 };

/** Where the two halves are free, and how many sockets have something in the slab. */
let stageUsed = 0;
let gatherUsed = STAGE_SIZE;
let stagedSockets = 0;

function init(socket) {
  socket[kStaged] = null;
  socket[kPrepaid] = 0;
  socket[kPartial] = null;
  socket[kToTell] = false;
  socket[kPump] = null;
  socket[kEarly] = null;
  socket[kAhead] = null;
}

/** Before the socket connects once more. */
function revive(socket) {
  socket[kBytesWritten] = 0;
  if (socket[kAhead] !== null) writeAhead(socket);
}

/** @param {any} socket with TLS, before anything is written */
function writeAhead(socket) {
  socket[kAhead] = new Ahead(socket);
}

const byteLength = (chunk, encoding) =>
  typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;

const methods = {
  write(chunk, encoding, callback) {
    // The callback runs at the end of the tick, which may be somebody else's context.
    if (typeof encoding === 'function') [callback, encoding] = [encoding, undefined];
    callback = typeof callback === 'function' ? inThisContext(callback) : null;
    // A text does not change, so it may wait for the end of the tick.
    const isBytes = typeof chunk !== 'string' && chunk instanceof Uint8Array;
    const way = isBytes && keepsWrites(this) ? wayOf(this, chunk) : LATER;
    if (way === COPIED) chunk = copyOf(chunk);
    const { write } = Duplex.prototype;
    const answer =
      this[kAhead] === null
        ? write.call(this, chunk, encoding, callback)
        : this[kAhead].give((behind) => write.call(this, chunk, encoding, behind), callback);
    if (way === STAGED) stageBehind(this, chunk);
    if (this[kStaged] !== null && (way === AT_ONCE || isFull(this))) sendStaged(this, true);
    if (way === AT_ONCE) sendThrough(this);
    if (isExiting()) sendKept(this);
    return answer;
  },

  cork() {
    // What was written before does not wait for `uncork()`.
    if (this[kStaged] !== null) assemble(this);
    else if (keepsWrites(this) && !isAllPaid(this)) sendThrough(this);
    Duplex.prototype.cork.call(this);
  },

  /** The end of a tick in which something was written: it is sent with what others wrote. */
  prepareFlush() {
    const staged = this[kStaged];
    // A socket that was sent early and wrote again is called twice.
    if (staged === null || staged.row >= 0 || this._handle === null) return;
    assemble(this);
    staged.row = this._handle.addSend(staged.at, staged.used);
  },

  flushTick() {
    // What is staged has a handle: it is sent before the handle is let go (`flushBeforeClose`).
    if (this[kStaged] !== null) callIn(this._handle.resource, sendAtTickEnd, this);
    if (isExiting()) sendKept(this);
  },

  _write(chunk, encoding, callback) {
    if (this[kAhead] !== null) callback = this[kAhead].noting(1, callback);
    if (this[kStaged] !== null) sendStaged(this, true);
    if (this.connecting) {
      this[kEarly] = { pieces: [{ chunk, encoding }], callback };
      whenConnected(this);
    } else if (this[kPrepaid] > 0 || this[kPartial] !== null) {
      const prepaid = this[kPrepaid];
      this[kPrepaid] = 0;
      if (prepaid > 0 && !isBackedUp(this)) tellSoon(this, callback, null);
      else start(this, [{ chunk, encoding }], prepaid, callback);
    } else if (this._handle === null || isExiting() || !stage(this, chunk, encoding, callback)) {
      start(this, [{ chunk, encoding }], 0, callback);
    }
  },

  _writev(chunks, callback) {
    if (this[kAhead] !== null) callback = this[kAhead].noting(chunks.length, callback);
    if (this[kStaged] !== null) sendStaged(this, true);
    if (this.connecting) {
      this[kEarly] = { pieces: chunks, callback };
      whenConnected(this);
      return;
    }
    const prepaid = this[kPrepaid];
    this[kPrepaid] = 0;
    if (prepaid === chunks.length && !isBackedUp(this)) tellSoon(this, callback, null);
    else start(this, chunks, prepaid, callback);
  },
};

function inThisContext(callback) {
  const resource = new AsyncResource('WRITEWRAP', CONTEXT);
  return (err) => {
    callIn(resource, callback, err);
    resource.emitDestroy();
  };
}

/** What becomes of a write that Duplex keeps. Nothing, until Duplex hands it over. */
const LATER = 0;
/** It is put behind what is staged. */
const STAGED = 1;
/** Its bytes are copied, for the end of the tick or for later. */
const COPIED = 2;
/** It is sent before `write()` returns. */
const AT_ONCE = 3;

/** Whether Duplex keeps the next write because of us, where Node hands it to the system. (Through TLS it keeps it as well.) */
const keepsWrites = (socket) =>
  (socket[kStaged] !== null || socket[kToTell]) &&
  socket[kPump] === null &&
  socket[kAhead] === null &&
  socket.writableCorked === 0 &&
  !socket.connecting &&
  !isBackedUp(socket);

/** @param {Uint8Array} chunk */
function wayOf(socket, chunk) {
  const { length } = chunk;
  if (length > STAGE_LIMIT) return AT_ONCE;
  const staged = socket[kStaged];
  // It may have been sent, or others have staged something behind it.
  const isOpen = staged === null || (staged.row < 0 && staged.at + staged.used === stageUsed);
  return isOpen && length <= STAGE_SIZE - stageUsed && isAllPaid(socket) ? STAGED : COPIED;
}

/** How many of the writes that Duplex keeps are sent, or staged. */
const paidOf = (socket) => socket[kPrepaid] + (socket[kStaged]?.prepaid ?? 0);

/** How many writes Duplex keeps. */
const keptBy = (socket) => socket._writableState.bufferedRequestCount;

const isAllPaid = (socket) => socket[kPartial] === null && keptBy(socket) === paidOf(socket);

/** Puts the write that Duplex has just kept behind what is staged, unless it did not take it. */
function stageBehind(socket, chunk) {
  if (keptBy(socket) === paidOf(socket)) return;
  if (socket[kStaged] === null) addStaged(socket, 0, null);
  const staged = socket[kStaged];
  slab.set(chunk, stageUsed);
  staged.used += chunk.length;
  staged.prepaid++;
  stageUsed += chunk.length;
}

/** Whether what is staged does not wait for the end of the tick. */
const isFull = (socket) =>
  socket[kStaged].done === null
    ? socket[kStaged].used >= FURTHER_LIMIT
    : socket.writableLength >= GATHER_LIMIT;

function copyOf(chunk) {
  if (chunk.length > copies.length - copiesUsed) {
    copies = Buffer.allocUnsafeSlow(COPIES_SIZE);
    copiesUsed = 0;
  }
  const copy = copies.subarray(copiesUsed, (copiesUsed += chunk.length));
  copy.set(chunk);
  return copy;
}

/** Copies `chunk` to `slab[at..end]` and answers its length in bytes, or -1 if it may not fit. */
function copyToSlab(chunk, encoding, at, end) {
  if (typeof chunk === 'string') {
    // No encoding takes more than three bytes for one character.
    return chunk.length * 3 > end - at ? -1 : slab.write(chunk, at, encoding);
  }
  if (chunk.length > end - at) return -1;
  slab.set(chunk, at);
  return chunk.length;
}

/** Stages the first write of a tick. Answers whether it did. */
function stage(socket, chunk, encoding, done) {
  if (chunk.length > STAGE_LIMIT) return false;
  const used = copyToSlab(chunk, encoding, stageUsed, STAGE_SIZE);
  // Many sockets write in this tick: this one's write is not staged, and no worse for it than in Node.
  if (used < 0) return false;
  addStaged(socket, used, done);
  return true;
}

function addStaged(socket, used, done) {
  socket[kStaged] = {
    at: stageUsed,
    used,
    /** How many of the writes that Duplex keeps have been put behind it. */
    prepaid: 0,
    /** Whether the rest of them have been, as far as they fit. */
    isAssembled: false,
    /** Its number among the sends of the tick, or -1 while it is not among them. */
    row: -1,
    /** Null where Duplex keeps all that is in there. */
    done,
  };
  stageUsed += used;
  stagedSockets++;
  atTickEnd(socket);
}

/** Puts what Duplex kept, and is not there yet, behind the staged write, as far as it fits. */
function assemble(socket) {
  const staged = socket[kStaged];
  const { at } = staged;
  if (staged.isAssembled) return;
  staged.isAssembled = true;
  const paid = paidOf(socket);
  if (keptBy(socket) === paid || socket.writableCorked > 0) return;
  const from = gatherUsed;
  if (staged.used > SLAB_SIZE - from) return;
  slab.copyWithin(from, at, at + staged.used);
  let total = staged.used;
  const kept = socket.writableBuffer;
  for (let i = paid; i < kept.length; i++) {
    const { chunk, encoding } = kept[i];
    const length = copyToSlab(chunk, encoding, from + total, SLAB_SIZE);
    if (length < 0) break;
    total += length;
    staged.prepaid++;
  }
  staged.at = from;
  staged.used = total;
  gatherUsed += total;
}

/** Sends what is staged, unless that was done with others' already; then tells how it went. */
function sendStaged(socket, isInsideCall) {
  if (socket[kStaged].row < 0) assemble(socket);
  const { at, used, prepaid, row, done } = socket[kStaged];
  socket[kStaged] = null;
  const isLast = --stagedSockets === 0;
  const handle = socket._handle;
  const accepted = row < 0 ? handle.writeSlab(at, used) : handle.takeSend(row);
  if (isLast) {
    stageUsed = 0;
    gatherUsed = STAGE_SIZE;
  }
  refreshTimer(socket);
  if (accepted >= 0) {
    socket[kBytesWritten] += accepted;
    socket[kPrepaid] += prepaid;
  }
  // What failed is tried again when Duplex hands it over, and told then.
  if (done === null) return;
  const err = accepted < 0 ? connectionError(socket, accepted, 'write') : null;
  if (!err) {
    if (mustWait(socket)) {
      socket[kPump] = { pieces: [], index: 0, offset: 0, length: 0, done };
      return;
    }
  } else {
    socket[kAhead]?.drop(err); // Those before it first.
  }
  afterWrite(socket);
  // No callback runs inside of the call that caused it.
  if (isInsideCall) tellSoon(socket, done, err);
  else done(err);
}

const sendAtTickEnd = (socket) => sendStaged(socket, false);

function tellSoon(socket, done, err) {
  socket[kToTell] = true;
  process.nextTick(tell, socket, done, err);
}

function tell(socket, done, err) {
  socket[kToTell] = false;
  done(err);
}

/** Sends what Duplex keeps, as far as the system takes it. What fails is tried again when Duplex hands it over. */
function sendThrough(socket) {
  if (socket[kPump] !== null || isBackedUp(socket)) return;
  // Not its own objects: texts are made bytes in there.
  const pieces = socket.writableBuffer.map(({ chunk, encoding }) => ({ chunk, encoding }));
  const { offset, length } = socket[kPartial] ?? WHOLE;
  const state = { pieces, index: socket[kPrepaid], offset, length, done: null };
  while (state.index < pieces.length && !isBackedUp(socket)) {
    const accepted = writeSome(socket._handle, state);
    if (accepted < 0) break;
    socket[kBytesWritten] += accepted;
  }
  socket[kPrepaid] = state.index;
  socket[kPartial] = state.offset > 0 ? { offset: state.offset, length: state.length } : null;
  refreshTimer(socket);
}

/** The process leaves, and nothing will have Duplex hand over any more what it kept. */
function sendKept(socket) {
  const handle = socket._handle;
  if (handle === null || socket.connecting || socket.writableCorked > 0) return;
  // Only then it is known how much of what is kept went with it.
  if (socket[kStaged] !== null) sendStaged(socket, true);
  if (socket[kPump] !== null) return; // It waits already.
  const kept = socket.writableBuffer;
  while (socket[kPrepaid] < kept.length && !mustWait(socket)) {
    const { chunk, encoding } = kept[socket[kPrepaid]++];
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    socket[kBytesWritten] += Math.max(0, handle.write(bytes, socket[kPartial]?.offset ?? 0));
    socket[kPartial] = null;
  }
}

function flushBeforeClose(socket) {
  if (socket.destroyed) return;
  if (socket[kStaged] !== null) sendStaged(socket, true);
  if (keepsWrites(socket) && !isAllPaid(socket)) sendThrough(socket);
}

function whenConnected(socket) {
  const onclose = () => {
    socket.off('connect', onconnect);
    const early = socket[kEarly];
    socket[kEarly] = null;
    early?.callback(
      codedError(
        Error,
        'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
        'Socket closed before the connection was established',
      ),
    );
  };
  const onconnect = () => {
    socket.off('close', onclose);
    const early = socket[kEarly];
    socket[kEarly] = null;
    if (early) start(socket, early.pieces, 0, early.callback);
  };
  socket.once('connect', onconnect);
  socket.once('close', onclose);
}

/** Writes `pieces` from `index` on. */
function start(socket, pieces, index, done) {
  if (!socket._handle) {
    done(codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'));
    return;
  }
  refreshTimer(socket);
  const { offset, length } = socket[kPartial] ?? WHOLE;
  socket[kPartial] = null;
  socket[kPump] = { pieces, index, offset, length, done };
  // Where a part is sent already, the system may have left some of it.
  const isBegun = index > 0 || offset > 0;
  if (!isBegun || !isBackedUp(socket)) pump(socket);
}

/** Whether the system has not taken yet what it was given; with TLS that is not asked, see `mustWait`. */
const isBackedUp = (socket) =>
  socket[kAhead] === null && socket._handle !== null && socket._handle.hasQueued;

/** What follows must not overtake the word that what is queued is sent; with TLS it may, by a little. */
function mustWait(socket) {
  if (!socket._handle.hasQueued) return false;
  // Node's wrapper is to be told as soon as a write is done, see there.
  return socket[kAhead] === null || isWrapped(socket) || socket[kAhead].mustWait();
}

/** Writes until all is with the system, or something waits for `onwritten`. */
function pump(socket) {
  const state = socket[kPump];
  const handle = socket._handle;
  while (state.index < state.pieces.length) {
    const accepted = writeSome(handle, state);
    if (accepted < 0) {
      finish(socket, connectionError(socket, accepted, 'write'));
      return;
    }
    socket[kBytesWritten] += accepted;
    if (mustWait(socket)) return;
  }
  finish(socket, null);
}

/** Writes the next piece, or as many small ones as fit into the slab. Answers bytes, or an errno. */
function writeSome(handle, state) {
  const { index } = state;
  const used = state.offset === 0 ? gather(state) : 0;
  // The engine's queue is empty, or with TLS not long, and its window larger than both, so it takes all of it.
  if (used > 0) return handle.writeSlab(gatherUsed, used);
  if (state.index > index) return 0; // Empty pieces.
  const piece = state.pieces[state.index];
  if (typeof piece.chunk === 'string') {
    piece.chunk = Buffer.from(piece.chunk, piece.encoding);
  }
  // The memory is the program's, which may have given it away since, or resized it.
  if (state.offset === 0) state.length = piece.chunk.length;
  else if (piece.chunk.length < state.length) return EFAULT;
  else if (piece.chunk.length > state.length) piece.chunk = piece.chunk.subarray(0, state.length);
  const accepted = handle.write(piece.chunk, state.offset);
  if (accepted < 0) return accepted;
  state.offset += accepted;
  if (state.offset >= state.length) {
    state.offset = 0;
    state.index++;
  }
  return accepted;
}

/** Copies pieces into the slab while they fit, and goes past them. Answers how many bytes. */
function gather(state) {
  const { pieces } = state;
  let used = 0;
  while (state.index < pieces.length) {
    const { chunk, encoding } = pieces[state.index];
    if (used === 0 && chunk.length > STAGE_LIMIT) break;
    const length = copyToSlab(chunk, encoding, gatherUsed + used, SLAB_SIZE);
    if (length < 0) break;
    used += length;
    state.index++;
  }
  return used;
}

function finish(socket, err) {
  const { done } = socket[kPump];
  socket[kPump] = null;
  if (err) socket[kAhead]?.drop(err); // Those before it first.
  afterWrite(socket);
  done(err);
}

/** What was queued is sent, or some of it. */
function resume(socket) {
  const mayGoOn = socket[kAhead] === null || socket[kAhead].mayGoOn();
  if (mayGoOn && socket[kPump] !== null) pump(socket);
}

/** What was queued will never be sent. */
function fail(socket, err) {
  if (socket[kPump]) finish(socket, err);
  else socket.destroy(err);
}

/** The socket is being destroyed: whoever waits for a write is told. */
function abort(socket, err) {
  const waiting = socket[kPump]?.done;
  socket[kPump] = null;
  socket[kPrepaid] = 0;
  socket[kPartial] = null;
  socket[kAhead]?.drop(err);
  waiting?.(err ?? errnoError(errnoByCode.get('ECANCELED'), 'write'));
}

/** Bytes handed to the engine, and those that still wait for it. */
function bytesWritten(socket) {
  let bytes = socket[kBytesWritten] + (socket[kStaged]?.used ?? 0);
  const count = ({ chunk, encoding }) => {
    bytes += byteLength(chunk, encoding);
  };
  const kept = socket.writableBuffer ?? [];
  kept.slice(paidOf(socket)).forEach(count);
  bytes -= socket[kPartial]?.offset ?? 0;
  socket[kEarly]?.pieces.forEach(count);
  const state = socket[kPump];
  if (state) {
    state.pieces.slice(state.index).forEach(count);
    bytes -= state.offset;
  }
  return bytes;
}

module.exports = {
  abort,
  bytesWritten,
  fail,
  flushBeforeClose,
  init,
  methods,
  resume,
  revive,
  writeAhead,
};
