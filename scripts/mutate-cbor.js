'use strict';

// The long form of the mutation test of the codec: `node scripts/mutate-cbor.js [count [seed]]`, 100,000 by
// default. It also watches the memory, which must not grow with the number of mutations.

const { tryMutants } = require('../__test__/helpers/mutation');
const { watchGrowth } = require('./growth');

/** So many at a time, with the seeds one after the other. */
const ROUND = 20_000;

const count = Number(process.argv[2] ?? 100_000);
const firstSeed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(firstSeed)) {
  console.error('usage: node scripts/mutate-cbor.js [count [seed]]');
  process.exit(1);
}

let values = 0;
let refusals = 0;
const check = watchGrowth();
for (let done = 0, seed = firstSeed; done < count; seed++) {
  const round = Math.min(ROUND, count - done);
  const result = tryMutants(round, seed);
  done += round;
  values += result.values;
  refusals += result.refusals;
  console.log(
    `${done} of ${count}: seed ${seed}, slowest ${result.slowest.toFixed(1)} ms, ` +
      `${check(done >= 2 * ROUND)} MiB in use`,
  );
}
console.log(`${values} values, ${refusals} refusals, none of anything else`);
