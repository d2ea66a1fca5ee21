'use strict';

// Runs the JavaScript tests with Node's own test runner, a process per file. Arguments narrow them down:
// `npm run test:js -- connect interop` runs the files whose paths below `__test__` contain one of these words.

const fs = require('node:fs');
const path = require('node:path');
const { run } = require('node:test');
const { spec } = require('node:test/reporters');

// One file may take this long, in milliseconds: far more than any needs, so that only a hanging one meets it.
const FILE_TIMEOUT = 300_000;

const root = path.join(__dirname, '..', '__test__');
const words = process.argv.slice(2);
// Node expands patterns on its command line only from version 21 on, so the list is made here.
const files = ['', 'interop']
  .flatMap((folder) =>
    fs.readdirSync(path.join(root, folder)).map((name) => path.join(folder, name)),
  )
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
  .sort()
  .map((name) => path.join(root, name));

if (files.length === 0) {
  console.error('There is no such test file.');
  process.exit(1);
}

const tests = run({ files, concurrency: 2, timeout: FILE_TIMEOUT });
tests.on('test:fail', (event) => {
  // A failing test that is marked `todo` is announced, and does not count.
  if (event.todo === undefined || event.todo === false) process.exitCode = 1;
});
tests.compose(new spec()).pipe(process.stdout);
