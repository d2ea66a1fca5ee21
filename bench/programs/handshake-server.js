'use strict';
// Says one byte to everybody who gets through the handshake, and watches how long the event loop is held up.

const { monitorEventLoopDelay } = require('node:perf_hooks');
const { serve } = require('./child');

/** Between two looks at the clock, in milliseconds. */
const INTERVAL = 1;

const delay = monitorEventLoopDelay({ resolution: INTERVAL });
delay.enable();
let finished = 0;

serve(
  {},
  (socket) => {
    finished++;
    socket.write('x');
  },
  {
    finished: () => finished,
    resetDelay: () => delay.reset(),
    /** By how much more than the interval the looks were apart: the 99th percentile, in microseconds. */
    delay: () => Math.max(0, delay.percentile(99) / 1000 - INTERVAL * 1000),
  },
);
