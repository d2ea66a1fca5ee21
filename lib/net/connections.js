'use strict';
// The open connections of a server, and their end.
//
// A server keeps no list of them, so that accepting costs nothing for it: the few calls that want one
// look through the handles of the engine.

const { clearTimeout, setTimeout } = require('node:timers');
const { handles } = require('../engine');
const { validateTimeout } = require('../args');

/** Timers of `close({ grace })` that run, or null. */
const kGraces = Symbol('kGraces');

/**
 * Destroys the open connections of a server.
 * @param {object} server
 * @param {number} [upTo] only those of its first so many listens
 */
function destroyConnections(server, upTo = Infinity) {
  const sockets = [];
  for (const handle of handles) {
    if (handle?.owner?._server !== server) continue;
    if (handle.listener.number <= upTo) sockets.push(handle.owner);
  }
  for (const socket of sockets) socket.destroy();
}

/**
 * The grace of `close(options)` in milliseconds, checked, or undefined. Whatever else is given is none
 * of ours: `close` is often passed as a listener, and called with what an event has to say.
 * @param {unknown} options
 */
function graceOf(options) {
  if (typeof options !== 'object' || options === null || options.grace === undefined) return;
  return validateTimeout(options.grace, 'options.grace');
}

/**
 * Gives the connections of a server that has just been closed so many milliseconds to end. One that
 * listens again meanwhile keeps those that it accepts then.
 */
function destroyAfter(server, grace, upTo) {
  if (grace === 0) {
    destroyConnections(server, upTo);
    return;
  }
  // The connections keep the process alive, or not if they are unref'd: this is no reason to.
  const timer = setTimeout(() => {
    server[kGraces].delete(timer);
    destroyConnections(server, upTo);
  }, grace).unref();
  server[kGraces] ??= new Set();
  server[kGraces].add(timer);
}

/** The last connection has ended. */
function endGraces(server) {
  server[kGraces]?.forEach(clearTimeout);
  server[kGraces] = null;
}

module.exports = { destroyAfter, destroyConnections, endGraces, graceOf };
