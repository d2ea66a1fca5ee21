'use strict';
// The next turn of the loop, for work that is no reason to keep the process alive.
//
// An Immediate that is unref'd does not keep the process, but it does not keep the loop from going to sleep either: where
// something else holds the process, a timer of an hour say, it would run when that is due. So the loop is woken, by a
// message to a port that nobody listens to. That counts as little as the Immediate, and runs no code.

const { setImmediate } = require('node:timers');
const { MessageChannel, receiveMessageOnPort } = require('node:worker_threads');

/** @type {MessageChannel | null} */
let bell = null;
let isRinging = false;

/** Calls `fn` in the next turn, if there is one. @param {() => void} fn who calls `stopRinging()` */
function inNextTurn(fn) {
  setImmediate(fn).unref();
  if (isRinging) return;
  isRinging = true;
  bell ??= new MessageChannel();
  bell.port1.postMessage(null);
}

/** The turn is there. */
function stopRinging() {
  if (!isRinging) return;
  isRinging = false;
  receiveMessageOnPort(bell.port2);
}

module.exports = { inNextTurn, stopRinging };
