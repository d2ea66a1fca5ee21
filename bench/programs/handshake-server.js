'use strict';
// Says one byte to everybody who gets through the handshake, and watches how long the event loop is held up.

const { monitorEventLoopDelay } = require('node:perf_hooks');
const { serve } = require('./child');

let finished = 0;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

serve(
  {},
  (socket) => {
    finished++;
    socket.write('x');
  },
  {
    finished: () => finished,
    resetDelay: () => delay.reset(),
    /** The 99th percentile, in microseconds. */
    delay: () => delay.percentile(99) / 1000,
  },
);
