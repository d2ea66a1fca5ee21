'use strict';

/**
 * Foreign server programs: each in a temporary folder, as a user without rights, reachable by a Unix
 * path and by a port of the loopback, and stopped with the process that started it.
 */

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { findProgram } = require('../../scripts/system-packages');
const { HOST, once } = require('./kit');

/** What a server may take to be ready, in milliseconds. */
const START_LIMIT = 60_000;

/** Runs its arguments, and stops them when its own input ends: also when its parent is killed. */
const KEEPER = '"$@" <&- & read -r line; kill -INT $!; wait $!';

/** False, or why the tests of that program are skipped. */
function missing(program) {
  return findProgram(program)
    ? false
    : `${program} is not installed: see scripts/system-packages.js`;
}

/** User and group of one who may do nothing, for when we may do everything: `postgres` refuses that. */
function plainUser() {
  if (process.getuid() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((what) => Number(execFileSync('id', [what, 'nobody'])));
  return { uid, gid };
}

/** A port that was free a moment ago, for programs that cannot choose one themselves. */
async function freePort() {
  const server = net.createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts a program and waits until it prints `ready`.
 * @param {string[]} command
 * @param {object} options of `spawn`
 * @param {RegExp} ready
 * @returns {Promise<() => Promise<void>>} stops it
 */
async function start(command, options, ready) {
  const child = spawn('/bin/sh', ['-c', KEEPER, 'keeper', ...command], {
    ...options,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // It may be gone when it is told to stop.
  child.stdin.on('error', () => {});
  const gone = new Promise((resolve) => child.once('close', resolve));
  let output = '';
  let timer;
  await new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${command[0]} ${why}:\n${output}`));
    const look = (text) => {
      output += text;
      if (ready.test(output)) resolve();
    };
    timer = setTimeout(() => {
      child.stdin.end();
      fail('is not ready');
    }, START_LIMIT);
    child.stdout.setEncoding('utf8').on('data', look);
    child.stderr.setEncoding('utf8').on('data', look);
    child.once('error', (err) => fail(err.message));
    gone.then(() => fail('ended'));
  }).finally(() => clearTimeout(timer));
  return async () => {
    child.stdin.end();
    await gone;
  };
}

/**
 * Tries again with another port if somebody else took the one that was free.
 * @param {(port: number) => Promise<() => Promise<void>>} attempt
 */
async function onFreePort(attempt) {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    try {
      return { port, stop: await attempt(port) };
    } catch (err) {
      if (tries === 3 || !/in use|could not (bind|create)/i.test(err.message)) throw err;
    }
  }
}

function temporaryFolder(name, user) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `socket-${name}-`));
  if (user.uid !== undefined) fs.chownSync(folder, user.uid, user.gid);
  return folder;
}

/** A file that only the server's user can read. */
function privateFile(folder, name, text, user) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text, { mode: 0o600 });
  if (user.uid !== undefined) fs.chownSync(file, user.uid, user.gid);
  return file;
}

/**
 * PostgreSQL with an empty database `postgres` of the user `tester`, who needs no password.
 * @param {{ cert: string, key: string }} tls
 * @returns {Promise<{ folder: string, port: number, stop(): Promise<void> }>} `folder` has the Unix socket
 */
async function startPostgres({ cert, key }) {
  const user = plainUser();
  const bin = path.dirname(fs.realpathSync(findProgram('postgres')));
  const folder = temporaryFolder('postgres', user);
  const data = path.join(folder, 'data');
  const options = { cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }, ...user };
  try {
    const init = ['-D', data, '-U', 'tester', '--auth=trust', '--no-sync', '-E', 'UTF8'];
    execFileSync(path.join(bin, 'initdb'), init, { ...options, stdio: 'pipe' });
    const settings = {
      listen_addresses: HOST,
      unix_socket_directories: folder,
      fsync: 'off',
      ssl: 'on',
      ssl_cert_file: privateFile(folder, 'cert.pem', cert, user),
      ssl_key_file: privateFile(folder, 'key.pem', key, user),
    };
    const { port, stop } = await onFreePort((each) => {
      const given = Object.entries({ ...settings, port: each });
      const args = given.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const command = [path.join(bin, 'postgres'), '-D', data, ...args];
      return start(command, options, /ready to accept connections/);
    });
    return { folder, port, stop: () => stop().finally(() => remove(folder)) };
  } catch (err) {
    remove(folder);
    throw err;
  }
}

/**
 * Redis, empty, that keeps nothing on the disk.
 * @returns {Promise<{ path: string, port: number, stop(): Promise<void> }>}
 */
async function startRedis() {
  const user = plainUser();
  const folder = temporaryFolder('redis', user);
  const unix = path.join(folder, 'redis.sock');
  try {
    const { port, stop } = await onFreePort((each) => {
      const settings = { bind: HOST, port: each, unixsocket: unix, save: '', dir: folder };
      const args = Object.entries(settings).flatMap(([name, value]) => [
        `--${name}`,
        String(value),
      ]);
      const options = { cwd: folder, ...user };
      return start([findProgram('redis-server'), ...args], options, /connections at .*\.sock/);
    });
    return { path: unix, port, stop: () => stop().finally(() => remove(folder)) };
  } catch (err) {
    remove(folder);
    throw err;
  }
}

function remove(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
}

module.exports = { missing, startPostgres, startRedis };
