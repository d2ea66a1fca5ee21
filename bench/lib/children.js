'use strict';
// Every process that a run starts, so that none outlives it.

const { spawn } = require('node:child_process');

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => process.exit(130));
}

/**
 * Starts a process; with a CPU given it and all its threads run there only, and one that is `idle` runs where
 * nobody else wants to.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {{ cpu?: number, idle?: boolean, env?: Record<string, string>, stdio: import('node:child_process').StdioOptions }} options
 */
function start(file, args, { cpu, idle, stdio, env = {} }) {
  // Both replace themselves by the program, so the process id stays and the IPC channel is kept.
  const words = [
    ...(cpu === undefined ? [] : ['taskset', '--cpu-list', String(cpu)]),
    ...(idle ? ['chrt', '--idle', '0'] : []),
    file,
    ...args,
  ];
  const child = spawn(words[0], words.slice(1), { stdio, env: { ...process.env, ...env } });
  running.add(child);
  child.on('exit', () => running.delete(child));
  child.on('error', () => running.delete(child));
  return child;
}

/**
 * The end of a stream as text, for error messages.
 *
 * @param {import('node:stream').Readable} stream
 * @returns {() => string}
 */
function tail(stream) {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (more) => {
    text = (text + more).slice(-4000);
  });
  return () => text.trim();
}

/**
 * @param {string} name
 * @param {number | null} code
 * @param {string | null} signal
 * @param {string} stderr
 */
function ended(name, code, signal, stderr) {
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  return new Error(`${name} ${how}${stderr ? `:\n${stderr}` : ''}`);
}

module.exports = { ended, start, tail };
