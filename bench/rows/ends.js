'use strict';
// What rows with two processes have in common, one at each end of a connection.

const timers = require('node:timers/promises');

/** Seconds until the first must have come: zeromq tries to connect again at its leisure. */
const START = 5;

/** Per second, what `counter` counts. */
async function rateOf(counter, { warmup, seconds }) {
  const deadline = performance.now() + START * 1000;
  while ((await counter.ask('count')).count === 0) {
    if (performance.now() > deadline) throw new Error(`nothing has come to ${counter.name}`);
    await timers.setTimeout(20);
  }
  await timers.setTimeout(warmup * 1000);
  const before = await counter.ask('count');
  await timers.setTimeout(seconds * 1000);
  const after = await counter.ask('count');
  if (after.count === before.count) throw new Error(`nothing more has come to ${counter.name}`);
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
