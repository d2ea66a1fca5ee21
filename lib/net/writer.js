'use strict';
// The writing half of a socket: what is written in one tick goes out in one system call, and what the
// system does not take at once waits without blocking anything.
//
// The tick: the first `write()` corks the stream, the end of the tick (`lib/tick.js`) uncorks it, so
// Duplex hands everything over as one `_writev`. Its accounting (`writableLength`, the high-water mark,
// `'drain'`, callbacks and their errors) is untouched by that.
//
// The pump: one `_write` or `_writev` at a time. Pieces that fit are put together in the slab, others
// go as they are. Where the system takes no more, the engine keeps a window's worth of bytes, and the
// pump goes on when that is sent (`onwritten`).

const { AsyncResource } = require('node:async_hooks');
const { Duplex } = require('node:stream');
const { SLAB_SIZE, slab } = require('../handle');
const { atTickEnd, isExiting } = require('../tick');
const { codedError, errnoError, errnoByCode } = require('../errors');
const { refreshTimer } = require('./timer');
const { kBytesWritten, kResource } = require('./symbols');

/** A write of at least this many bytes ends its tick's gathering: copying more would not pay. */
const GATHER_LIMIT = 16 * 1024;

/** Whether this tick's writes are corked by us. */
const kGathering = Symbol('kGathering');
/** The write under way: `{ pieces, index, offset, done }`, or null. */
const kPump = Symbol('kPump');
/** `{ chunk, encoding, callback }` of a write before the connection stood. */
const kEarly = Symbol('kEarly');

function init(socket) {
  socket[kGathering] = false;
  socket[kPump] = null;
  socket[kEarly] = null;
}

const byteLength = (chunk, encoding) =>
  typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;

const methods = {
  write(chunk, encoding, callback) {
    if (typeof encoding === 'function') {
      callback = encoding;
      encoding = undefined;
    }
    const isGathered = this.writableCorked > 0 || this[kGathering];
    if (!isGathered && this._handle !== null && !this.connecting && !isExiting()) {
      this[kGathering] = true;
      this.cork();
      atTickEnd(this);
    }
    // The callback runs at the end of the tick, which may be somebody else's context.
    if (typeof callback === 'function') callback = inThisContext(callback);
    const answer = Duplex.prototype.write.call(this, chunk, encoding, callback);
    if (this[kGathering] && this.writableLength >= GATHER_LIMIT) release(this);
    return answer;
  },

  /** How often the stream is corked, but for the cork of ours. */
  get writableCorked() {
    return this._writableState.corked - (this[kGathering] ? 1 : 0);
  },

  /** The end of a tick in which something was written. */
  flushTick() {
    const resource = this[kResource]();
    if (!this[kGathering]) return;
    if (resource) resource.runInAsyncScope(release, null, this);
    else release(this);
  },

  _write(chunk, encoding, callback) {
    if (this.connecting) {
      this[kEarly] = { pieces: [{ chunk, encoding }], callback };
      whenConnected(this);
      return;
    }
    start(this, [{ chunk, encoding }], callback);
  },

  _writev(chunks, callback) {
    if (this.connecting) {
      this[kEarly] = { pieces: chunks, callback };
      whenConnected(this);
      return;
    }
    start(this, chunks, callback);
  },
};

function inThisContext(callback) {
  const resource = new AsyncResource('WRITEWRAP', { requireManualDestroy: true });
  return (err) => resource.runInAsyncScope(callback, null, err);
}

/** Hands the tick's writes over. */
function release(socket) {
  socket[kGathering] = false;
  socket.uncork();
}

function flushBeforeClose(socket) {
  if (socket[kGathering] && !socket.destroyed) release(socket);
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
    if (early) start(socket, early.pieces, early.callback);
  };
  socket.once('connect', onconnect);
  socket.once('close', onclose);
}

function start(socket, pieces, done) {
  if (!socket._handle) {
    done(codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'));
    return;
  }
  refreshTimer(socket);
  socket[kPump] = { pieces, index: 0, offset: 0, done };
  pump(socket);
}

/** Writes until all is with the system, or something waits for `onwritten`. */
function pump(socket) {
  const state = socket[kPump];
  const handle = socket._handle;
  while (state.index < state.pieces.length) {
    const accepted = writeSome(handle, state);
    if (accepted < 0) {
      finish(socket, errnoError(accepted, 'write'));
      return;
    }
    socket[kBytesWritten] += accepted;
    // One window at a time: what follows must not overtake the word that it is sent.
    if (handle.hasQueued) return;
  }
  finish(socket, null);
}

/** Writes the next piece, or as many small ones as fit into the slab. Answers bytes, or an errno. */
function writeSome(handle, state) {
  const { index } = state;
  const used = state.offset === 0 ? gather(state) : 0;
  // The engine's queue is empty and its window larger than the slab, so it takes all of it.
  if (used > 0) return handle.writeSlab(used);
  if (state.index > index) return 0; // Empty pieces.
  const piece = state.pieces[state.index];
  if (typeof piece.chunk === 'string') {
    piece.chunk = Buffer.from(piece.chunk, piece.encoding);
  }
  const accepted = handle.write(piece.chunk, state.offset);
  if (accepted < 0) return accepted;
  state.offset += accepted;
  if (state.offset >= piece.chunk.length) {
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
    if (typeof chunk === 'string') {
      // No encoding takes more than three bytes for one character.
      if (chunk.length * 3 > SLAB_SIZE - used) break;
      used += slab.write(chunk, used, encoding);
    } else {
      if (chunk.length > SLAB_SIZE - used || (used === 0 && chunk.length > GATHER_LIMIT)) break;
      slab.set(chunk, used);
      used += chunk.length;
    }
    state.index++;
  }
  return used;
}

function finish(socket, err) {
  const { done } = socket[kPump];
  socket[kPump] = null;
  done(err);
}

/** What was queued is sent. */
function resume(socket) {
  if (socket[kPump]) pump(socket);
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
  if (!waiting) return;
  if (err) waiting(err);
  else waiting(errnoError(errnoByCode.get('ECANCELED'), 'write'));
}

/** Bytes handed to the engine, and those that still wait for it. */
function bytesWritten(socket) {
  let bytes = socket[kBytesWritten];
  for (const { chunk, encoding } of socket.writableBuffer ?? [])
    bytes += byteLength(chunk, encoding);
  const waiting = socket[kEarly]?.pieces;
  if (waiting) for (const { chunk, encoding } of waiting) bytes += byteLength(chunk, encoding);
  const state = socket[kPump];
  if (state) {
    for (let i = state.index; i < state.pieces.length; i++) {
      bytes += byteLength(state.pieces[i].chunk, state.pieces[i].encoding);
    }
    bytes -= state.offset;
  }
  return bytes;
}

module.exports = { abort, bytesWritten, fail, flushBeforeClose, init, methods, resume };
