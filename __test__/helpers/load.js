'use strict';

/** What programs that make load have in common. They run with --expose-gc. */

const fs = require('node:fs');

const settle = () => new Promise((resolve) => setImmediate(resolve));
const told = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));

/** What this process uses when all is quiet. */
async function sample() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    for (let n = 0; n < 5; n++) await settle();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  let fds = 0;
  try {
    fs.readdirSync('/proc/self/fd').forEach(() => fds++);
  } catch {
    // Not Linux: nothing to count.
  }
  return { heap: heapUsed, external, rss, fds };
}

module.exports = { sample, told };
