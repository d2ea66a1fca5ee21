'use strict';

/** Runs programs of `fixtures/` in a process of their own. */

const { spawn } = require('node:child_process');
const path = require('node:path');

const FIXTURES = path.join(__dirname, '..', 'fixtures');

/**
 * Starts a fixture. `ready` resolves with the first line the child prints, `done` with how it
 * ended. A child that outlives `timeout` is killed and reported with `timedOut`: true.
 * @param {string} name file in `fixtures/` without `.js`
 * @param {string[]} [args]
 * @param {object} [opts] `env`, `execArgv`, `timeout`, `prefix` (command put before node),
 *   `stdio`, `extension`
 */
function start(name, args = [], opts = {}) {
  const { env = {}, execArgv = [], timeout = 15_000, prefix = [], stdio, extension = 'js' } = opts;
  const file = path.join(FIXTURES, `${name}.${extension}`);
  const argv = [...prefix, process.execPath, ...execArgv, file, ...args];
  const child = spawn(argv[0], argv.slice(1), {
    env: { ...cleanEnv(), ...env },
    stdio: stdio || ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, timeout);

  const ready = new Promise((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      const end = stdout.indexOf('\n');
      if (end >= 0) resolve(stdout.slice(0, end));
    });
    child.once('close', () => reject(new Error(`${name} ended before it was ready: ${stderr}`)));
  });
  // Tests that never ask for the first line must not fail because there was none.
  ready.catch(() => {});
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });

  const done = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, timedOut });
    });
  });
  return { child, ready, done };
}

/** Runs a fixture to its end. */
function run(name, args, opts) {
  const { child, done } = start(name, args, opts);
  child.stdin?.end();
  return done;
}

/** Like `run`, for fixtures whose output is JSON; anything but a clean exit throws. */
async function runJson(name, args, opts) {
  const result = await run(name, args, opts);
  if (result.code !== 0) {
    throw new Error(`${name} failed: ${JSON.stringify(result, null, 2)}`);
  }
  return JSON.parse(result.stdout);
}

/** Sends `message` to a child that has a channel (`stdio` with 'ipc') and resolves with its answer. */
function ask(child, message) {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error(`the child ended before it answered ${message}`));
    child.once('close', gone);
    child.once('message', (answer) => {
      child.off('close', gone);
      resolve(answer);
    });
    child.send(message);
  });
}

const WITH_IPC = ['pipe', 'pipe', 'pipe', 'ipc'];

/** The test runner marks its children; a fixture must not take itself for one of them. */
function cleanEnv() {
  const { NODE_TEST_CONTEXT, NODE_DEBUG, ...env } = process.env;
  return env;
}

module.exports = { FIXTURES, WITH_IPC, ask, cleanEnv, run, runJson, start };
