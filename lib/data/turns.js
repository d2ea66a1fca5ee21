'use strict';
// Events that do not come straight from the engine, one at a time: each has its own async context, and ticks and promise
// jobs run before the next one, as between the engine's own events (`lib/events.js`). They are never delivered inside of
// a call of the program's.

const { setImmediate } = require('node:timers');
const { callIn, runTicks } = require('../tick');

/** After so many, other work of the loop gets its turn. */
const BUDGET = 512;

/** @typedef {{ events: import('./subscriptions').Subscriptions, name: string, args: unknown[], times: number }} Turn */

/** @type {Turn[]} */
let turns = [];
/** The next one. */
let head = 0;
let isScheduled = false;

/** Emits an event, or several of the same, later. @param {number} [times] */
function emitLater(events, name, args, times = 1) {
  turns.push({ events, name, args, times });
  schedule();
}

function schedule() {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(deliver);
}

function deliver() {
  isScheduled = false;
  try {
    for (let count = 0; head < turns.length; count++) {
      if (count === BUDGET || (count > 0 && runTicks === null)) return;
      const turn = turns[head];
      if (--turn.times === 0) head++;
      callIn(turn.events.resource, emit, turn);
      runTicks?.();
    }
  } finally {
    if (head < turns.length) schedule();
    if (head > BUDGET || head === turns.length) {
      turns = turns.slice(head);
      head = 0;
    }
  }
}

const emit = ({ events, name, args }) => events.emit(name, args);

module.exports = { emitLater };
