'use strict';
// What rows with two processes have in common, one at each end of a connection.

const timers = require('node:timers/promises');

/** Seconds in which something must have come: zeromq stalls now and then. */
const PATIENCE = 5;

/** Per second, what `counter` counts. */
async function rateOf(counter, { warmup, seconds }) {
  let deadline = performance.now() + PATIENCE * 1000;
  while ((await counter.ask('count')).count === 0) {
    if (performance.now() > deadline) throw new Error(`nothing has come to ${counter.name}`);
    await timers.setTimeout(20);
  }
  await timers.setTimeout(warmup * 1000);
  const before = await counter.ask('count');
  deadline = performance.now() + PATIENCE * 1000;
  let after = before;
  // A stall is a part of the rate, and no failure of the row.
  while (after.count === before.count) {
    if (performance.now() > deadline) throw new Error(`nothing more has come to ${counter.name}`);
    await timers.setTimeout(seconds * 1000);
    after = await counter.ask('count');
  }
  return ((after.count - before.count) / (after.at - before.at)) * 1000;
}

/** The median of the round trips of `asker`, in microseconds. */
async function medianOf(asker, { warmup, seconds }) {
  await timers.setTimeout(warmup * 1000);
  await asker.ask('p50');
  await timers.setTimeout(seconds * 1000);
  return asker.ask('p50');
}

/** Starts the ends one after the other, each with the port of the one before. */
async function withEnds(starts, use) {
  const ends = [];
  try {
    for (const start of starts) ends.push(await start(ends.at(-1)?.port));
    return await use(...ends);
  } finally {
    for (const end of ends) await end.stop();
  }
}

module.exports = { medianOf, rateOf, withEnds };
