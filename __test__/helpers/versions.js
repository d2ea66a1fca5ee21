'use strict';

/**
 * Other versions of Node.js for tests of values between versions. They are looked for in folders called `n20`, `n26` and so
 * on, each with the npm package `node`, in SOCKET_TEST_NODES or in `nodes` in the folder for temporary files.
 * `scripts/matrix.js` provides them.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Tagged } = require('socket/cbor');
const { RandomValues } = require('./random-values');

const FOLDER = process.env.SOCKET_TEST_NODES ?? path.join(os.tmpdir(), 'nodes');
const binary = process.platform === 'win32' ? 'node.exe' : 'node';

/** @returns {{ name: string, file: string }[]} */
function otherVersions() {
  const own = process.versions.node.split('.')[0];
  if (!fs.existsSync(FOLDER)) return [];
  return fs
    .readdirSync(FOLDER)
    .filter((name) => /^n?\d+$/.test(name) && name.replace('n', '') !== own)
    .map((name) => ({ name, file: path.join(FOLDER, name, 'node_modules', 'node', 'bin', binary) }))
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

const SKIP = 'no other version of Node.js (SOCKET_TEST_NODES)';

module.exports = { SKIP, otherVersions, values };
