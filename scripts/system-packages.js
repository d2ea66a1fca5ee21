'use strict';

// Programs that tests talk to and that npm does not bring. On Debian and its relatives, as root, what is missing is
// installed; elsewhere the tests that need it are skipped, and say why. No service is left running by it.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/**
 * One line for each package.
 *
 * @type {{
 *   name: string, // of the Debian package, and of its systemd unit
 *   program: string, // what is looked for, in PATH and in `folder`
 *   use: string, // the tests that want it
 *   folder?: string, // where the package puts it, if not in PATH; one part may be `*`
 *   file?: string, // looked for instead, where it is no program
 *   config?: [file: string, text: string], // is there while it is installed
 * }[]}
 */
const packages = [
  {
    name: 'postgresql',
    program: 'postgres',
    use: 'interop/postgres.test.js',
    folder: '/usr/lib/postgresql/*/bin',
    // The package would make a database of its own and start it with the machine; the tests make theirs.
    config: [
      '/etc/postgresql-common/createcluster.d/socket-tests.conf',
      'create_main_cluster = false\n',
    ],
  },
  { name: 'redis-server', program: 'redis-server', use: 'interop/redis.test.js' },
  { name: 'haproxy', program: 'haproxy', use: 'proxy-haproxy.test.js' },
  { name: 'openssl', program: 'openssl', use: 'tls*.test.js and others' },
  { name: 'curl', program: 'curl', use: 'tls-peers.test.js' },
  { name: 'iproute2', program: 'ss', use: 'what looks at sockets from outside' },
  { name: 'strace', program: 'strace', use: 'what counts system calls' },
  { name: 'socat', program: 'socat', use: 'web-server.test.js and others' },
  {
    name: 'python3-aiosmtpd',
    program: 'python3 with aiosmtpd',
    use: 'interop/smtp.test.js',
    file: '/usr/lib/python3/dist-packages/aiosmtpd/__init__.py',
  },
  {
    name: 'python3-cbor2',
    program: 'python3 with cbor2',
    use: 'cbor-python.test.js',
    file: '/usr/lib/python3/dist-packages/cbor2/__init__.py',
  },
];

/** While this file says so, no package starts a service when it is installed. */
const policy = [
  '/usr/sbin/policy-rc.d',
  '#!/bin/sh\n# Made by the tests of the npm package "socket" while they install programs; may be removed.\nexit 101\n',
];

/** @param {string} pattern A folder, of which one part may be `*`: then the newest version comes first. */
function folders(pattern) {
  const [before, after] = pattern.split('*');
  if (after === undefined) return [pattern];
  const names = fs.existsSync(before) ? fs.readdirSync(before) : [];
  return names
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => before + name + after);
}

/**
 * @param {string} program
 * @returns {string | undefined} The file, or a link to it: there are programs that go by the name they are called.
 */
function findProgram(program) {
  const { folder = '' } = packages.find((each) => each.program === program) || {};
  const places = [
    ...folders(folder),
    ...(process.env.PATH || '').split(path.delimiter),
    // Not in everybody's PATH.
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
  ];
  const files = places.filter(Boolean).map((place) => path.join(place, program));
  return files.find((file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return fs.statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/** @returns {string | undefined} Why nothing can be installed here. */
function whyNot() {
  if (process.env.SOCKET_NO_SYSTEM_PACKAGES) return 'SOCKET_NO_SYSTEM_PACKAGES is set';
  if (process.platform !== 'linux' || !findProgram('apt-get')) return 'there is no apt-get';
  return process.getuid() === 0 ? undefined : 'that takes root';
}

function apt(...args) {
  const quiet = ['-q', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', [...quiet, ...args], { env, encoding: 'utf8' });
}

/**
 * Writes files that are not there, runs `act`, and removes those files again, also when the process is told to end.
 *
 * @param {[file: string, text: string][]} files
 * @param {() => void} act
 */
function withFiles(files, act) {
  const mine = files.filter(([file]) => !fs.existsSync(file));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  let caught;
  const remember = (signal) => (caught = signal);
  for (const signal of signals) process.on(signal, remember);
  try {
    for (const [file, text] of mine) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text, { mode: 0o755 });
    }
    act();
  } finally {
    for (const [file] of mine) fs.rmSync(file, { force: true });
    for (const signal of signals) process.off(signal, remember);
  }
  // Signals that come while a program is waited for are only seen now.
  setImmediate(() => caught && process.kill(process.pid, caught));
}

/** @param {typeof packages} wanted */
function install(wanted) {
  const names = wanted.map((each) => each.name);
  const args = ['install', '-y', '--no-install-recommends', ...names];
  let result = apt(...args);
  // The lists of packages may be missing, or name versions that are no longer there.
  if (result.status !== 0) {
    apt('update');
    result = apt(...args);
  }
  if (result.status !== 0) console.error(`${result.stdout}${result.stderr}`);
  // They were installed for the tests alone: the machine need not start them.
  if (fs.existsSync('/run/systemd/system')) {
    spawnSync('systemctl', ['disable', '--now', ...names], { stdio: 'ignore' });
  }
}

/** Installs what is missing, where that is possible, and tells what is missing after that. */
function installMissing() {
  const isThere = ({ program, file }) => (file ? fs.existsSync(file) : findProgram(program));
  const missing = () => packages.filter((each) => !isThere(each));
  const wanted = missing();
  if (wanted.length === 0) return;
  const reason = whyNot();
  if (!reason) {
    console.log(`setup: installing ${wanted.map((each) => each.name).join(', ')} (apt-get) ...`);
    const configs = wanted.flatMap((each) => (each.config ? [each.config] : []));
    withFiles([policy, ...configs], () => install(wanted));
  }
  for (const { name, program, use } of missing()) {
    const why = reason || 'apt-get failed, see above';
    console.log(`setup: without ${program} (Debian package ${name}), ${use} is skipped: ${why}`);
  }
}

module.exports = { findProgram, installMissing };
