'use strict';
// The load generator (bench/load): building it and running it.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const readline = require('node:readline');
const children = require('./children');
const { ROOT } = require('./options');
const { cpuBetween } = require('./proc');
const { within } = require('./time');

const TARGET = path.join(ROOT, 'target/load');
const BINARY = path.join(TARGET, 'release/load');
/** Opening 10,000 connections takes about a second on an idle machine. */
const SETUP = 30;
const FINISH = 10;

/** Builds the load generator; takes a few seconds the first time and next to nothing later. */
function build() {
  console.log('Building the load generator (cargo build --release, in target/load) …');
  const manifest = path.join(__dirname, '../load/Cargo.toml');
  const args = ['build', '--release', '--locked', '--manifest-path', manifest];
  const { status, error } = spawnSync('cargo', [...args, '--target-dir', TARGET], {
    stdio: 'inherit',
    timeout: 300_000,
  });
  if (error) throw new Error(`cargo cannot be run: ${error.message}`);
  if (status !== 0) throw new Error('the load generator does not build');
}

/**
 * The C library's way to copy with one instruction is some thirty times slower on some processors (AMD Zen 4 with glibc
 * 2.36, for one) where the destination is 1 to 15 bytes ahead of the source modulo 4096. The other end should not be as fast as its
 * memory happens to lie, so it copies the other way. What is measured is left as people have it.
 */
const env = { GLIBC_TUNABLES: 'glibc.cpu.x86_rep_movsb_threshold=1073741824' };

class Load {
  #child;
  #name;
  #lines = new Map();
  #waiting = new Map();
  #failure = null;
  #exited;

  /**
   * @param {string} mode  see bench/load/src/main.rs
   * @param {Record<string, number | string>} options
   * @param {{ cpu?: number, idle?: boolean }} [where]  see children.js
   */
  constructor(mode, options, { cpu, idle } = {}) {
    this.#name = `the load generator (${mode})`;
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#child = children.start(BINARY, [mode, ...words], { cpu, idle, env, stdio: 'pipe' });
    const stderr = children.tail(this.#child.stderr);
    // It may be gone before its stdin is closed.
    this.#child.stdin.on('error', () => {});
    readline.createInterface({ input: this.#child.stdout }).on('line', (text) => {
      const line = JSON.parse(text);
      const waiter = this.#waiting.get(line.event);
      if (!waiter) this.#lines.set(line.event, line);
      this.#waiting.delete(line.event);
      waiter?.resolve(line);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#fail(new Error(`${this.#name} cannot be started: ${error.message}`));
        resolve();
      });
      this.#child.on('close', (code, signal) => {
        this.#fail(children.ended(this.#name, code, signal, stderr()));
        resolve();
      });
    });
  }

  #fail(error) {
    this.#failure = error;
    for (const { reject } of this.#waiting.values()) reject(error);
  }

  /**
   * @param {string} event
   * @param {number} seconds
   * @returns {Promise<any>} the next line with this event
   */
  line(event, seconds) {
    const line = this.#lines.get(event);
    if (line) {
      this.#lines.delete(event);
      return Promise.resolve(line);
    }
    if (this.#failure) return Promise.reject(this.#failure);
    const promise = new Promise((resolve, reject) => {
      this.#waiting.set(event, { resolve, reject });
    });
    // When the process under test fails first, nobody is left to care about this one.
    promise.catch(() => {});
    return within(promise, seconds, `no '${event}' from ${this.#name}`);
  }

  /** @param {string} word  one that the mode waits for */
  say(word) {
    this.#child.stdin.write(`${word}\n`);
  }

  /** Ends the modes that run until stdin closes. */
  release() {
    this.#child.stdin.end();
  }

  async stop() {
    this.#child.kill('SIGKILL');
    await within(this.#exited, FINISH, `${this.#name} does not end`);
  }
}

/**
 * Puts load on a server for one measured window.
 *
 * @param {import('./subject').Subject} subject
 * @param {string} mode
 * @param {Record<string, number>} options  of the mode
 * @param {{ warmup: number, seconds: number, cpu?: number, idle?: boolean,
 *   begin?: () => Promise<void>, check?: (done: any) => Promise<void> }} run
 *   `begin` is called when the window begins; `check` gets the last line of the load generator while the server still lives
 * @returns {Promise<any>} the load generator's result, with the CPU seconds of the process under
 *   test within the window as `cpu`
 */
async function measure(subject, mode, options, { warmup, seconds, cpu, idle, begin, check }) {
  const place = subject.path ? { path: subject.path } : { port: subject.port };
  const load = new Load(mode, { ...place, ...options, warmup, seconds }, { cpu, idle });
  try {
    const wait = (event, limit) => subject.guard(load.line(event, limit), limit + 1, event);
    await wait('measure', SETUP + warmup);
    await begin?.();
    const before = subject.cpuTime();
    const result = await wait('result', seconds + FINISH);
    const used = cpuBetween(before, subject.cpuTime());
    // Whoever stalls within the window is found out by what never comes afterwards.
    const done = mode === 'bulk-recv' ? null : await wait('done', FINISH);
    await check?.(done);
    return { ...result, cpu: used };
  } catch (error) {
    throw await subject.cause(error);
  } finally {
    await load.stop();
  }
}

module.exports = { FINISH, Load, SETUP, build, measure };
