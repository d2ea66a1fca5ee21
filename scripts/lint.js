'use strict';

// Everything that is checked without running the code. Warnings count as errors here, and nowhere else, so that a
// new compiler does not break anybody's build.

const path = require('node:path');
const { root, run, runSteps, tool } = require('./run');

/** Runs the command of a development dependency. */
function runTool(name, args, command) {
  return run(process.execPath, [tool(name, command), ...args]);
}

/** Lints the Rust code, with these further arguments. */
function clippy(...args) {
  return run('cargo', ['clippy', '--all-targets', ...args, '--', '-D', 'warnings']);
}

// The load generator of the benchmarks is a crate of its own, so that it shares nothing with what it measures.
const loadGenerator = ['--manifest-path', path.join('bench', 'load', 'Cargo.toml')];

runSteps('lint', [
  [
    'Rust format (cargo fmt --check)',
    () => [[], loadGenerator].every((crate) => run('cargo', ['fmt', ...crate, '--', '--check'])),
  ],
  ['Rust lint, whole addon (cargo clippy)', () => clippy()],
  ['Rust lint, engine alone (cargo clippy)', () => clippy('--no-default-features')],
  [
    'Rust lint, load generator (cargo clippy)',
    () => clippy(...loadGenerator, '--target-dir', path.join('target', 'load')),
  ],
  ['Format of everything else (prettier --check)', () => runTool('prettier', ['--check', '.'])],
  ['JavaScript lint (oxlint)', () => runTool('oxlint', ['--deny-warnings'])],
  [
    'Typings under both module resolutions (tsc)',
    () =>
      ['tsconfig.json', 'tsconfig.node16.json'].every((config) =>
        runTool('typescript', ['--noEmit', '-p', path.join('__test__', 'types', config)], 'tsc'),
      ),
  ],
  ['Architecture', () => run(process.execPath, [path.join(root, 'scripts', 'architecture.js')])],
]);
