'use strict';
// What the ends of an exchange do with a peer, whatever it carries (`message-end.js`, `value-end.js`).

/** Sends between two looks at the event loop. */
const BURST = 1000;
/** Round trips kept for the median. */
const KEPT = 100_000;

/** Sends as fast as it may. @param {(n: number) => unknown} nth what is sent */
function pour(peer, nth) {
  let next = 0;
  const pump = () => {
    for (let i = 0; i < BURST; i++) {
      if (!peer.send(nth(next++))) return;
    }
    setImmediate(pump);
  };
  peer.ondrain = pump;
  pump();
}

/**
 * Sends the next when the last has come back. Answers how to get the median of the round trips since it was asked
 * last, in microseconds.
 * @param {(n: number) => unknown} nth what is sent
 * @param {(received: any) => void} check
 */
function ask(peer, nth, check) {
  let times = [];
  let since = 0n;
  let count = 0;
  const next = () => {
    since = process.hrtime.bigint();
    peer.send(nth(count++));
  };
  peer.take = (received) => {
    times.push(Number(process.hrtime.bigint() - since) / 1000);
    if (times.length > KEPT) times = [];
    check(received);
    next();
  };
  next();
  return () => {
    const sorted = times.sort((a, b) => a - b);
    times = [];
    return sorted[sorted.length >> 1];
  };
}

module.exports = { ask, pour };
