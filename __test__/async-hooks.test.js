'use strict';

/** async_hooks hear of the end of every context, once, and of nothing in it afterwards: agents keep their stores by that. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { runJson } = require('./helpers/child');

const opts = { timeout: 30_000 };

function check({ counts, wrong }, ...types) {
  assert.deepEqual(wrong, []);
  for (const type of types) assert.ok(counts[type].begun > 0, type);
  for (const { begun, ended } of Object.values(counts)) assert.equal(ended, begun);
}

test('servers, connections and their writes, without the garbage collector', opts, async () => {
  const types = isOurs ? ['WRITEWRAP'] : [];
  check(await runJson('hooks-destroy', ['plain']), 'TCPSERVERWRAP', 'TCPWRAP', ...types);
});

test('sockets that have events behind their end', opts, async (t) => {
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  const types = ['DATASOCKET', 'TCPSERVERWRAP', 'TCPWRAP', 'UDPWRAP'];
  check(await runJson('hooks-destroy', ['others']), ...types);
});
