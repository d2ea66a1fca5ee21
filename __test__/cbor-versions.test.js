'use strict';

/**
 * Values between versions of Node.js. The others are looked for in folders called `nodes/n20`, `nodes/n26`
 * and so on, each with the npm package `node`, in the folder for temporary files or in SOCKET_TEST_NODES.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Tagged } = require('socket/cbor');
const { converse } = require('./helpers/cbor-peer');
const { RandomValues } = require('./helpers/random-values');
const { difference } = require('./helpers/same');

const FOLDER = process.env.SOCKET_TEST_NODES ?? path.join(os.tmpdir(), 'nodes');
const ECHO = path.join(__dirname, 'fixtures', 'cbor-echo.js');

/** @returns {{ name: string, file: string }[]} */
function otherVersions() {
  const own = `n${process.versions.node.split('.')[0]}`;
  if (!fs.existsSync(FOLDER)) return [];
  return fs
    .readdirSync(FOLDER)
    .filter((name) => /^n\d+$/.test(name) && name !== own)
    .map((name) => ({ name, file: path.join(FOLDER, name, 'node_modules', 'node', 'bin', 'node') }))
    .filter(({ file }) => fs.existsSync(file));
}

/** What V8's own format does not carry from one version to another, and some of everything else. */
function values() {
  const random = new RandomValues(Math.floor(Math.random() * 2 ** 32));
  const error = new TypeError('outer', { cause: new RangeError('inner') });
  error.code = 'E_OUTER';
  return [
    error,
    new AggregateError([error], 'many'),
    new DOMException('stopped', 'AbortError'),
    new RegExp('[\\p{L}--[a-z]]', 'v'),
    new Tagged(84, new Uint8Array([0, 0x3c])),
    ...Array.from({ length: 300 }, () => random.value(60)),
  ];
}

const others = otherVersions();
if (others.length === 0) {
  test('values between versions of Node.js', (t) =>
    t.skip(`no other version in ${path.basename(FOLDER)}/`));
}
for (const { name, file } of others) {
  test(`values to Node.js ${name.slice(1)} and back`, { timeout: 120_000 }, async () => {
    const sent = values();
    const arrived = await converse(file, [ECHO], sent);
    assert.equal(arrived.length, sent.length);
    sent.forEach((value, i) => {
      // It is an array of numbers there; what arrives here depends on this version.
      if (value instanceof Tagged && value.tag === 84) return;
      assert.equal(difference(value, arrived[i]), null, `number ${i}`);
    });
  });
}
