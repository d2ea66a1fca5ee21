'use strict';

// All tests: the engine (Rust), the addon (JavaScript) and the typings. `npm test` sets up first.

const path = require('node:path');
const { run, runSteps, tool } = require('./run');

runSteps('tests', [
  [
    'Rust: the engine alone (cargo test --no-default-features)',
    () => run('cargo', ['test', '--no-default-features']),
  ],
  [
    'JavaScript: the addon (node:test, __test__/*.test.js)',
    () => run(process.execPath, [path.join(__dirname, 'test-js.js')]),
  ],
  [
    'Typings: code compiled against them (tsc)',
    () => run(process.execPath, [tool('typescript', 'tsc'), '--noEmit', '-p', '__test__/types']),
  ],
]);
