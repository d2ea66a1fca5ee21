'use strict';
// The idle timer of a socket.

const { setTimeout } = require('node:timers');
const { kTimer } = require('./symbols');

/** @param {number} timeout milliseconds */
function startTimer(socket, timeout) {
  socket[kTimer] = setTimeout(onTimeout, timeout, socket).unref();
  /** Bytes in the native queue when the timer was looked at last. */
  socket[kTimer].queued = 0;
}

/** Something happened on the socket. */
function refreshTimer(socket) {
  socket[kTimer]?.refresh();
}

function onTimeout(socket) {
  const handle = socket._handle;
  // A peer that takes its time with a large write is not idle.
  if (handle?.hasQueued) {
    const queued = handle.queued();
    if (queued !== socket[kTimer].queued) {
      socket[kTimer].queued = queued;
      refreshTimer(socket);
      return;
    }
  }
  socket.emit('timeout');
}

module.exports = { refreshTimer, startTimer };
