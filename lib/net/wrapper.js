'use strict';
// Node's TLS and HTTP/2 reach into the handles of Node's own sockets. Any other stream they take through a
// wrapper, JSStreamSocket, which is a socket of its own on top. Two things follow for the socket beneath.
//
// The wrapper has its own `allowHalfOpen`, and it ends or destroys what is beneath when that is due. If the
// stream beneath ended by itself as well, as a socket that is not half-open does when the peer has ended, it
// would be too early: what TLS still has to send (the rest of the data, its own last word) would be lost, or
// be an EPIPE that nobody expects.
//
// The wrapper passes on by `setImmediate` that a write is done, and until then those above it believe that
// they wait for the system. What answers a write is therefore held back for as long: an HTTPS server that
// takes its last answer for unsent pauses its parser in the middle of the next request, while TLS goes on to
// feed it (HPE_PAUSED, and the connection is closed).

const { setImmediate } = require('node:timers');

/** How many listeners of `'end'` a socket had when they were looked at; `WRAPPED` is the last answer. */
const kEndListeners = Symbol('kEndListeners');
const WRAPPED = -1;

/** Who writes on and on reads all the same, after so many turns of the loop. */
const MAX_TURNS = 16;

/** @param {any} socket with its own listener of `'end'` and no other */
function init(socket) {
  socket[kEndListeners] = 1;
}

/**
 * Looks for the wrapper, where the wrapper calls when its listeners are in place: it reads by `resume()`.
 * All that it leaves on the stream are closures; the one for `'end'` is known by a method that only the
 * wrapper's handle has.
 */
function lookForWrapper(socket) {
  const seen = socket[kEndListeners];
  if (seen === WRAPPED || seen === socket.listenerCount('end')) return;
  const listeners = socket.listeners('end');
  socket[kEndListeners] = listeners.some(passesEndOn) ? WRAPPED : listeners.length;
}

const passesEndOn = (listener) =>
  Function.prototype.toString.call(listener).includes('_handle.emitEOF()');

const isWrapped = (socket) => socket[kEndListeners] === WRAPPED;

/** A write of the socket is done, and its callback about to be called. */
function afterWrite(socket) {
  if (socket[kEndListeners] !== WRAPPED || socket._handle === null) return;
  const handle = socket._handle;
  if (handle.suspension !== null) {
    handle.suspension.hasWritten = true;
    return;
  }
  // The immediate of this write is set after ours: ours has to come round once more.
  handle.suspend({ hasWritten: true, turns: 0 });
  setImmediate(onTurn, handle);
}

function onTurn(handle) {
  const { suspension } = handle;
  if (!suspension.hasWritten || ++suspension.turns > MAX_TURNS) {
    handle.unsuspend();
    return;
  }
  suspension.hasWritten = false;
  setImmediate(onTurn, handle);
}

module.exports = { afterWrite, init, isWrapped, lookForWrapper };
