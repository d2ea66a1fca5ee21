'use strict';

// The long form of the mutation test of the codec: `node scripts/mutate-cbor.js [count [seed]]`, 100,000 by
// default. It also watches the memory, which must not grow with the number of mutations.

const { tryMutants } = require('../__test__/helpers/mutation');

/** So many at a time, with the seeds one after the other. */
const ROUND = 20_000;
/** Growth after the first rounds that is still none, in bytes: a heap breathes. */
const GROWTH = 64 * 2 ** 20;

const count = Number(process.argv[2] ?? 100_000);
const firstSeed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(firstSeed)) {
  console.error('usage: node scripts/mutate-cbor.js [count [seed]]');
  process.exit(1);
}

const memory = () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

let values = 0;
let refusals = 0;
let settled = Infinity;
for (let done = 0, seed = firstSeed; done < count; seed++) {
  const round = Math.min(ROUND, count - done);
  const result = tryMutants(round, seed);
  done += round;
  values += result.values;
  refusals += result.refusals;
  const used = memory();
  console.log(
    `${done} of ${count}: seed ${seed}, slowest ${result.slowest.toFixed(1)} ms, ` +
      `${(used / 2 ** 20).toFixed(1)} MiB in use`,
  );
  // Code, tables and caches are complete by then.
  if (done <= 2 * ROUND) settled = used;
  else if (used > settled + GROWTH) throw new Error('the memory in use grows');
}
console.log(`${values} values, ${refusals} refusals, none of anything else`);
