'use strict';
// A program under test: a Node process of its own that runs one of bench/programs.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const timers = require('node:timers/promises');
const children = require('./children');
const { cpuTime } = require('./proc');
const { within } = require('./time');

const PROGRAMS = path.join(__dirname, '../programs');
const READY = 15;
const REPLY = 30;

class Subject {
  #child;
  #name;
  #stopping = false;
  #exited;
  #fail;
  #requests = new Map();
  #next = 0;
  #ready;
  /** @type {number} the port of a server */
  port = 0;
  /** @type {string | null} the path of a server on a Unix socket */
  path = null;
  #folder = null;
  /** Never fulfilled; rejected when the process ends by itself. @type {Promise<never>} */
  failure;

  /** The program and the side. */
  get name() {
    return this.#name;
  }

  /**
   * @param {string} program
   * @param {import('./options').Side} side
   * @param {{ cpu?: number, isUnix?: boolean }} [options]
   */
  static async start(program, side, { cpu, isUnix = false } = {}) {
    const subject = new Subject(program, side, cpu, isUnix);
    try {
      await subject.guard(subject.#ready, READY, `${subject.#name} did not start`);
    } catch (error) {
      await subject.stop();
      throw error;
    }
    return subject;
  }

  constructor(program, side, cpu, isUnix) {
    if (isUnix) {
      this.#folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bench-'));
      this.path = path.join(this.#folder, 's');
    }
    this.#name = `${program} on ${side.label}`;
    const file = path.join(PROGRAMS, `${program}.js`);
    // gc() is there in every program of every row, whether or not it uses it: one environment.
    const words = ['--expose-gc', file, side.module];
    if (side.isSecure) words.push('--tls');
    if (isUnix) words.push('--path', this.path);
    this.#child = children.start(process.execPath, words, {
      cpu,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const stderr = children.tail(this.#child.stderr);
    this.failure = new Promise((_, reject) => (this.#fail = reject));
    this.failure.catch(() => {});
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#fail(new Error(`${this.#name} cannot be started: ${error.message}`));
        resolve();
      });
      // 'close' and not 'exit': only then is all of stderr there.
      this.#child.on('close', (code, signal) => {
        if (!this.#stopping) this.#fail(children.ended(this.#name, code, signal, stderr()));
        resolve();
      });
    });
    this.#ready = new Promise((resolve) => {
      this.#child.on('message', (message) => {
        if (message.ready) {
          this.port = message.port;
          resolve();
          return;
        }
        this.#requests.get(message.id)?.(message.reply);
        this.#requests.delete(message.id);
      });
    });
  }

  /**
   * Waits for something that needs this process alive.
   *
   * @template T
   * @param {Promise<T>} promise
   * @param {number} seconds
   * @param {string} what
   * @returns {Promise<T>}
   */
  guard(promise, seconds, what) {
    return within(Promise.race([promise, this.failure]), seconds, what);
  }

  /**
   * @param {string} command  a handler that the program gave to answer()
   * @param {unknown} [argument]
   * @param {number} [seconds]
   */
  ask(command, argument, seconds = REPLY) {
    const id = this.#next++;
    const reply = new Promise((resolve) => this.#requests.set(id, resolve));
    this.#child.send({ id, command, argument });
    return this.guard(reply, seconds, `${this.#name} does not answer '${command}'`);
  }

  /**
   * The reason behind an error that others noticed: if this process went down, that. Its end may be
   * seen a little later than what follows from it.
   *
   * @param {Error} noticed
   * @returns {Promise<Error>}
   */
  async cause(noticed) {
    try {
      return await Promise.race([this.failure, timers.setTimeout(500, noticed)]);
    } catch (own) {
      return own;
    }
  }

  /** CPU time so far. Read from outside, so reading does not disturb. */
  cpuTime() {
    return cpuTime(this.#child.pid);
  }

  /** Stops all threads where they are, until resume(). */
  pause() {
    this.#child.kill('SIGSTOP');
  }

  resume() {
    this.#child.kill('SIGCONT');
  }

  async stop() {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
    await within(this.#exited, READY, `${this.#name} does not end`);
    if (this.#folder) fs.rmSync(this.#folder, { recursive: true });
  }
}

module.exports = { Subject };
