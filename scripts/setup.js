'use strict';

// Makes a fresh clone ready to run: checks what the machine must have, installs the development dependencies and
// builds the addon, each only when it is needed. With `--tests` it also installs the programs that tests talk to.
// Says nothing when nothing is to be done.

const fs = require('node:fs');
const path = require('node:path');
const { root, capture, npm, seconds } = require('./run');
const { installMissing } = require('./system-packages');

/** @param {string} message */
function fail(message) {
  console.error(`\nsetup: ${message}\n`);
  process.exit(1);
}

/**
 * @param {string} file
 * @returns {number} When the file was last written, in milliseconds; `-Infinity` when it does not exist.
 */
function writtenAt(file) {
  const stats = fs.statSync(path.join(root, file), { throwIfNoEntry: false });
  return stats ? stats.mtimeMs : -Infinity;
}

/** `a` is a version at least as new as `b`; both are like `1.88` or `1.95.0`. */
function isAtLeast(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < right.length; i += 1) {
    if ((left[i] || 0) !== right[i]) return (left[i] || 0) > right[i];
  }
  return true;
}

function checkNode() {
  if (isAtLeast(process.versions.node, '20')) return;
  fail(
    `Node.js 20 or newer is needed, this is ${process.version}.\n` +
      'Install a newer one from https://nodejs.org or with your version manager (for example: nvm install 22).',
  );
}

function checkRust() {
  const [, wanted] = /^rust-version = "(.+)"$/m.exec(
    fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8'),
  );
  const advice =
    'Install Rust from https://rustup.rs, or update it with: rustup update stable\n' +
    'On Linux a C compiler is needed as well (on Debian and Ubuntu: apt-get install build-essential).';
  const rustc = capture('rustc', ['--version']);
  if (!rustc.ok || !capture('cargo', ['--version']).ok) {
    fail(`Rust (cargo) is needed to build the addon and was not found.\n${advice}`);
  }
  const [, found] = /^rustc (\d+\.\d+\.\d+)/m.exec(rustc.output) || [];
  if (!found || !isAtLeast(found, wanted)) {
    fail(`Rust ${wanted} or newer is needed, this is ${rustc.output.trim()}.\n${advice}`);
  }
}

function install() {
  // npm writes this file at the very end of an installation, so an interrupted one counts as none.
  const marker = 'node_modules/.package-lock.json';
  if (writtenAt(marker) >= writtenAt('package-lock.json')) return;
  const started = performance.now();
  console.log('setup: installing the development dependencies (npm ci), 10 to 60 seconds ...');
  if (!npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'])) {
    fail('npm ci failed, see above.');
  }
  console.log(`setup: installed in ${seconds(started)}`);
}

/** The newest moment at which anything that the addon is made from was changed. */
function sourcesChangedAt() {
  const sources = fs
    .readdirSync(path.join(root, 'src'), { recursive: true })
    .map((name) => path.join('src', name));
  return Math.max(...['Cargo.toml', 'Cargo.lock', 'build.rs', 'src', ...sources].map(writtenAt));
}

/** The files that a build leaves behind, as far as they exist. */
function artifacts() {
  // `socket.linux-x64-gnu.node`: a binary of another platform does not count.
  const prefix = `socket.${process.platform}-`;
  const names = [`${prefix}${process.arch}`, `${prefix}universal`];
  const binaries = fs
    .readdirSync(root)
    .filter((file) => file.endsWith('.node') && names.some((name) => file.startsWith(name)));
  const loader = fs.existsSync(path.join(root, 'binding.js')) ? ['binding.js'] : [];
  return { complete: binaries.length > 0 && loader.length > 0, files: [...binaries, ...loader] };
}

function build() {
  const before = artifacts();
  if (before.complete && Math.min(...before.files.map(writtenAt)) >= sourcesChangedAt()) return;
  checkRust();
  const started = performance.now();
  const first = !fs.existsSync(path.join(root, 'target', 'release', 'deps'));
  console.log(
    first
      ? 'setup: building the addon (npm run build), one to three minutes the first time ...'
      : 'setup: building the addon (npm run build), 10 to 60 seconds ...',
  );
  const begun = new Date();
  if (!npm(['run', '--silent', 'build'])) fail('the build failed, see above.');
  const after = artifacts();
  if (!after.complete) fail('the build left no addon for this platform behind.');
  // A file whose content did not change may not have been written again. Dating all of them to the beginning of the
  // build keeps this script quiet next time, and still sees what was edited while the build was running.
  for (const file of after.files) fs.utimesSync(path.join(root, file), begun, begun);
  console.log(`setup: built in ${seconds(started)}\n`);
}

checkNode();
install();
build();
if (process.argv.includes('--tests')) installMissing();
