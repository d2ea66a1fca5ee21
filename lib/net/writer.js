'use strict';
// The writing half of a socket: what is written in one tick goes out in one system call, and what the
// system does not take at once waits without blocking anything.
//
// The tick: the first small write of a tick is *staged*: copied into the slab, its callback kept. Duplex
// keeps the following ones, as it does while a write is under way. At the end of the tick
// (`lib/tick.js`) these are put behind the staged one and all leave together; then the callbacks run.
// When Duplex hands the kept ones over, they are *prepaid*: sent already, and only to be confirmed. Its
// accounting (`writableLength`, the high-water mark, `'drain'`, callbacks and their errors) is untouched.
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

/** The staged write, or null; see `stage`. */
const kStaged = Symbol('kStaged');
/** How many of the writes that Duplex keeps are sent already. */
const kPrepaid = Symbol('kPrepaid');
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

/** Where the two halves are free, and how many sockets have something in the slab. */
let stageUsed = 0;
let gatherUsed = STAGE_SIZE;
let stagedSockets = 0;

function init(socket) {
  socket[kStaged] = null;
  socket[kPrepaid] = 0;
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
    const { write } = Duplex.prototype;
    const answer =
      this[kAhead] === null
        ? write.call(this, chunk, encoding, callback)
        : this[kAhead].give((behind) => write.call(this, chunk, encoding, behind), callback);
    if (this[kStaged] !== null && this.writableLength >= GATHER_LIMIT) sendStaged(this, true);
    if (isExiting()) sendKept(this);
    return answer;
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
    if (this.connecting) {
      this[kEarly] = { pieces: [{ chunk, encoding }], callback };
      whenConnected(this);
    } else if (this[kPrepaid] > 0) {
      this[kPrepaid] = 0;
      process.nextTick(callback);
    } else if (this._handle === null || isExiting() || !stage(this, chunk, encoding, callback)) {
      start(this, [{ chunk, encoding }], 0, callback);
    }
  },

  _writev(chunks, callback) {
    if (this[kAhead] !== null) callback = this[kAhead].noting(chunks.length, callback);
    if (this.connecting) {
      this[kEarly] = { pieces: chunks, callback };
      whenConnected(this);
      return;
    }
    const prepaid = this[kPrepaid];
    this[kPrepaid] = 0;
    if (prepaid === chunks.length) process.nextTick(callback);
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
  socket[kStaged] = {
    at: stageUsed,
    used,
    /** What Duplex counts for it in `writableLength`. */
    units: chunk.length,
    /** How many of the writes that Duplex keeps have been put behind it. */
    prepaid: 0,
    /** Whether that has been done. */
    isAssembled: false,
    /** Its number among the sends of the tick, or -1 while it is not among them. */
    row: -1,
    done,
  };
  stageUsed += used;
  stagedSockets++;
  atTickEnd(socket);
  return true;
}

/** Puts the staged write together with those that Duplex kept behind it, as far as they fit. */
function assemble(socket) {
  const staged = socket[kStaged];
  const { at, units } = staged;
  if (staged.isAssembled) return;
  staged.isAssembled = true;
  if (socket.writableLength <= units || socket.writableCorked > 0) return;
  const from = gatherUsed;
  if (staged.used > SLAB_SIZE - from) return;
  slab.copyWithin(from, at, at + staged.used);
  let total = staged.used;
  for (const { chunk, encoding } of socket.writableBuffer) {
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
  const err = accepted < 0 ? connectionError(socket, accepted, 'write') : null;
  if (!err) {
    socket[kBytesWritten] += accepted;
    socket[kPrepaid] = prepaid;
    if (mustWait(socket)) {
      socket[kPump] = { pieces: [], index: 0, offset: 0, length: 0, done };
      return;
    }
  } else {
    socket[kAhead]?.drop(err); // Those before it first.
  }
  afterWrite(socket);
  // No callback runs inside of the call that caused it.
  if (isInsideCall) process.nextTick(done, err);
  else done(err);
}

const sendAtTickEnd = (socket) => sendStaged(socket, false);

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
    socket[kBytesWritten] += Math.max(0, handle.write(bytes, 0));
  }
}

function flushBeforeClose(socket) {
  if (socket[kStaged] !== null && !socket.destroyed) sendStaged(socket, true);
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
  socket[kPump] = { pieces, index, offset: 0, length: 0, done };
  pump(socket);
}

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
  kept.slice(socket[kPrepaid]).forEach(count);
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
