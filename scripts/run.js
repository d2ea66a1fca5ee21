'use strict';

// What the other scripts share: starting a program with its output shown, and a list of steps with a summary.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..');
const onWindows = process.platform === 'win32';

/**
 * The environment of every program that is started: the folder where rustup puts cargo is looked at as well, since a
 * shell opened before Rust was installed does not have it on its PATH yet.
 *
 * @returns {NodeJS.ProcessEnv}
 */
function environment() {
  const cargoHome = process.env.CARGO_HOME || path.join(os.homedir(), '.cargo');
  const key = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') || 'PATH';
  const paths = [process.env[key], path.join(cargoHome, 'bin')].filter(Boolean);
  return { ...process.env, [key]: paths.join(path.delimiter) };
}

/**
 * Runs a program in the package's folder and shows what it prints.
 *
 * @param {string} command
 * @param {string[]} args
 * @returns {boolean} Whether it ended well.
 */
function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, env: environment(), stdio: 'inherit' });
  if (result.error) console.error(`${command} could not be started: ${result.error.message}`);
  return result.status === 0;
}

/**
 * Runs a program in the package's folder and gives what it printed.
 *
 * @param {string} command
 * @param {string[]} args
 * @returns {{ ok: boolean, output: string }}
 */
function capture(command, args) {
  // What cargo knows of the crates is nearly a megabyte, which is Node's limit.
  const maxBuffer = 64 * 1024 * 1024;
  const options = { cwd: root, env: environment(), encoding: 'utf8', maxBuffer };
  const result = spawnSync(command, args, options);
  return {
    ok: result.status === 0,
    output: `${result.stdout || ''}${result.stderr || ''}${result.error ? result.error.message : ''}`,
  };
}

/**
 * Runs npm: the one that started this script, when there is one.
 *
 * @param {string[]} args
 * @returns {boolean} Whether it ended well.
 */
function npm(args) {
  const cli = process.env.npm_execpath;
  if (cli && path.basename(cli) === 'npm-cli.js') return run(process.execPath, [cli, ...args]);
  // On Windows npm is a batch file, which only the command interpreter can start.
  return onWindows ? run('cmd.exe', ['/d', '/s', '/c', 'npm', ...args]) : run('npm', args);
}

/**
 * The JavaScript file behind a command of a development dependency, to be started with `process.execPath`: this
 * needs no shell and works alike on every platform.
 *
 * @param {string} name The package.
 * @param {string} [command] The command, when it is called otherwise than the package.
 * @returns {string}
 */
function tool(name, command = name) {
  const folder = path.join(root, 'node_modules', name);
  const { bin } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return path.join(folder, typeof bin === 'string' ? bin : bin[command]);
}

/** @param {number} since A value of `performance.now()`. */
function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/**
 * Runs every step under its heading, whatever became of the ones before, and ends with a summary. The process then
 * exits with 1 if any of them failed.
 *
 * @param {string} title
 * @param {[name: string, run: () => boolean][]} steps Each answers whether it passed.
 */
function runSteps(title, steps) {
  const started = performance.now();
  const lines = [];
  let failed = 0;
  for (const [name, step] of steps) {
    const begun = performance.now();
    console.log(`\n=== ${name}`);
    let passed = false;
    try {
      passed = step();
    } catch (error) {
      console.error(error);
    }
    if (!passed) failed += 1;
    console.log(`=== ${name}: ${passed ? 'ok' : 'FAILED'} (${seconds(begun)})`);
    lines.push(`  ${passed ? 'ok    ' : 'FAILED'}  ${name} (${seconds(begun)})`);
  }
  console.log(`\n${title}: ${failed === 0 ? 'all ok' : `${failed} of ${steps.length} failed`}`);
  console.log(`${lines.join('\n')}\n  ${seconds(started)} in all`);
  process.exitCode = failed === 0 ? 0 : 1;
}

module.exports = { root, run, capture, npm, tool, seconds, runSteps };
