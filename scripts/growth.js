'use strict';

// Whether the memory in use grows, for scripts that do the same thing very often.

/** Growth after the first rounds that is still none, in bytes: a heap breathes. */
const GROWTH = 64 * 2 ** 20;

const memory = () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/**
 * Answers a function to call now and then, which says how many MiB are in use. With `isSettled`, when code, tables and
 * caches are complete, it throws if that is much more than the first time.
 */
function watchGrowth() {
  let settled = Infinity;
  return (isSettled) => {
    const used = memory();
    if (!isSettled || settled === Infinity) settled = isSettled ? used : Infinity;
    else if (used > settled + GROWTH) throw new Error('the memory in use grows');
    return (used / 2 ** 20).toFixed(1);
  };
}

module.exports = { watchGrowth };
