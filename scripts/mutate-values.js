'use strict';

// The long form of the mutation test of value sockets: `node scripts/mutate-values.js [count [seed]]`, 100,000 streams by
// default, every tenth round with JSON. It also watches the memory, which must not grow with the number of streams.

const { tryStreams } = require('../__test__/helpers/datasocket-mutation');
const { watchGrowth } = require('./growth');

/** So many at a time, with the seeds one after the other. */
const ROUND = 5000;

const count = Number(process.argv[2] ?? 100_000);
const firstSeed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32));

async function main() {
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(firstSeed)) {
    console.error('usage: node scripts/mutate-values.js [count [seed]]');
    process.exit(1);
  }
  const check = watchGrowth();
  const total = { values: 0, ended: 0, errors: {} };
  for (let done = 0, seed = firstSeed; done < count; seed++) {
    const round = Math.min(ROUND, count - done);
    const result = await tryStreams(round, seed, { isJson: (seed - firstSeed) % 10 === 9 });
    done += round;
    total.values += result.values;
    total.ended += result.ended;
    for (const [code, times] of Object.entries(result.errors)) {
      total.errors[code] = (total.errors[code] ?? 0) + times;
    }
    console.log(`${done} of ${count}: seed ${seed}, ${check(done >= 4 * ROUND)} MiB in use`);
  }
  console.log(total);
}

main();
