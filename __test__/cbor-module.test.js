'use strict';

/** What `socket/cbor` exports, and where it runs. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { run } = require('./helpers/child');
const { once } = require('node:events');

test('the exports', () => {
  assert.deepEqual(Object.keys(require('socket/cbor')).sort(), ['Tagged', 'decode', 'encode']);
});

for (const flags of [[], ['--disallow-code-generation-from-strings'], ['--frozen-intrinsics']]) {
  const name = flags.join(' ') || 'plain';
  test(`the codec by itself, without the native half (${name})`, { timeout: 60_000 }, async () => {
    const result = await run('cbor-alone', [], {
      extension: 'mjs',
      execArgv: flags,
      timeout: 40_000,
    });
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stdout, 'alone\n');
  });
}

test('the codec in a worker thread', { timeout: 60_000 }, async () => {
  const code = `
    const { decode, encode } = require('socket/cbor');
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage(encode([decode(workerData), 'and back']));
  `;
  const { decode, encode } = require('socket/cbor');
  const worker = new Worker(code, { eval: true, workerData: encode({ a: new Map([[1, 2n]]) }) });
  const [bytes] = await once(worker, 'message');
  assert.deepEqual(decode(bytes), [{ a: new Map([[1, 2n]]) }, 'and back']);
  await worker.terminate();
});
