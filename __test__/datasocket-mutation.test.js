'use strict';

/** Valid streams with something wrong; the long form is `node scripts/mutate-values.js`. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { tryStreams } = require('./helpers/datasocket-mutation');

for (const isJson of [false, true]) {
  const name = isJson ? 'JSON' : 'CBOR';
  test(`streams of ${name} with something wrong`, { timeout: 120_000 }, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const result = await tryStreams(1000, seed, { isJson });
    t.diagnostic(`seed ${seed}: ${JSON.stringify(result)}`);
    assert.ok(result.values > 300, 'values');
    assert.ok(result.ended > 50, 'good ends');
    assert.ok(result.errors.ERR_DATASOCKET_TRUNCATED > 20, 'truncated');
    assert.ok(result.errors.ERR_DATASOCKET_DECODE > 20, 'refused');
  });
}
