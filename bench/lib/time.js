'use strict';
// Time limits: a benchmark fails, it never hangs.

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} seconds
 * @param {string} what  completes "timed out: …"
 * @returns {Promise<T>}
 */
async function within(promise, seconds, what) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(reject, seconds * 1000, new Error(`timed out after ${seconds} s: ${what}`));
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

module.exports = { within };
