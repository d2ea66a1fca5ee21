'use strict';

// Runs the JavaScript tests on several versions of Node.js, with the addon as it is: Node-API is the same for all.
// `npm run test:matrix -- --node 22,26 interop close` takes these versions, and the files with one of these words.
//
// The binaries come from the npm package `node` and are kept in `node_modules/.cache`, which `npm ci` empties.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { root, capture, npm, seconds } = require('./run');

const VERSIONS = ['20', '22', '24', '26'];

const cache = path.join(root, 'node_modules', '.cache', 'socket-nodes');
const binaryName = process.platform === 'win32' ? 'node.exe' : 'node';

/**
 * @param {string} version `22`, or anything else that npm understands
 * @returns {string | undefined} The program of that version.
 */
function provide(version) {
  const folder = path.join(cache, version);
  const binary = path.join(folder, 'node_modules', 'node', 'bin', binaryName);
  if (capture(binary, ['--version']).ok) return binary;
  console.log(`Node.js ${version}: installing it from npm ...`);
  fs.mkdirSync(folder, { recursive: true });
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  npm(['install', ...quiet, '--prefix', folder, `node@${version}`]);
  return capture(binary, ['--version']).ok ? binary : undefined;
}

/** Counts the tests in what Node's `spec` reporter prints. */
class Counter {
  constructor() {
    this.rest = '';
    this.seen = 0;
    /** The numbers of the summary at the end, by name; empty while there is none. */
    this.summary = {};
  }

  /**
   * @param {string} text
   * @returns {string[]} The lines that tell of a failure.
   */
  add(text) {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop();
    const failures = [];
    for (const line of lines) {
      const [, name, number] = /^ℹ (tests|pass|fail|cancelled|skipped) (\d+)$/.exec(line) || [];
      if (name) this.summary[name] = Number(number);
      // Behind the summary the failures are told once more.
      if (this.summary.tests !== undefined || !/^ *[✔✖﹣]/.test(line)) continue;
      this.seen += 1;
      if (line.includes('✖')) failures.push(line.trim());
    }
    return failures;
  }
}

/** Shows how far it is: one line that changes in a terminal, a line for every 100 tests elsewhere. */
function progress(label, started) {
  let shown = 0;
  return {
    show(count) {
      const text = `${label}: ${count} tests, ${seconds(started)}`;
      if (process.stdout.isTTY) process.stdout.write(`\r${text}`);
      else if (count - shown >= 100) console.log(text);
      else return;
      shown = count;
    },
    clear() {
      if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
    },
  };
}

/**
 * @param {string} binary
 * @param {string} version
 * @param {string[]} words
 */
async function runTests(binary, version, words) {
  const started = performance.now();
  const label = `Node.js ${capture(binary, ['-p', 'process.versions.node']).output.trim()}`;
  const log = path.join(cache, `${version}.log`);
  const output = fs.createWriteStream(log);
  const counter = new Counter();
  const { show, clear } = progress(label, started);
  const child = spawn(binary, [path.join(__dirname, 'test-js.js'), ...words], {
    cwd: root,
    // Tests of values between versions take the others from there.
    env: { ...process.env, SOCKET_TEST_NODES: cache },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => output.write(text));
  }
  child.stdout.on('data', (text) => {
    const failures = counter.add(text);
    if (failures.length > 0) clear();
    for (const line of failures) console.log(`${label}: ${line}`);
    show(counter.seen);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  output.end();
  clear();
  const { pass = 0, fail = 0, cancelled = 0, skipped = 0, tests = 0 } = counter.summary;
  const passed = code === 0 && fail + cancelled === 0 && tests > 0;
  console.log(`${label}: ${passed ? 'ok' : `FAILED, see ${log}`} (${seconds(started)})`);
  return { label, pass, fail: fail + cancelled, skipped, passed, time: seconds(started) };
}

/** @param {Awaited<ReturnType<typeof runTests>>[]} rows */
function table(rows) {
  const head = ['', 'passed', 'failed', 'skipped', 'time', ''];
  const lines = rows.map((row) => [
    row.label,
    row.pass,
    row.fail,
    row.skipped,
    row.time,
    row.passed ? 'ok' : 'FAILED',
  ]);
  const all = [head, ...lines].map((line) => line.map(String));
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column].length)));
  const pad = (text, column) =>
    column === 0 || column === 5 ? text.padEnd(widths[column]) : text.padStart(widths[column]);
  return all.map((line) => `  ${line.map(pad).join('   ').trimEnd()}`).join('\n');
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { node: { type: 'string', default: VERSIONS.join(',') } },
    allowPositionals: true,
  });
  const rows = [];
  const versions = values.node.split(',').map((each) => each.trim());
  // All of them first: each is a peer of the others.
  const binaries = versions.map(provide);
  for (const [index, version] of versions.entries()) {
    const binary = binaries[index];
    if (binary) rows.push(await runTests(binary, version, positionals));
    else {
      const label = `Node.js ${version}`;
      console.log(`${label}: could not be installed`);
      rows.push({ label, pass: 0, fail: 0, skipped: 0, time: '-', passed: false });
    }
  }
  console.log(`\n${table(rows)}`);
  process.exitCode = rows.every((row) => row.passed) ? 0 : 1;
}

main();
