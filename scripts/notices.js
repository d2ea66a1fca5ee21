'use strict';

// Writes THIRD-PARTY-NOTICES.txt: what is linked into the addon of this machine's platform, with its licences. They ask to be
// named with every copy (deny.toml has the list of those that may be used), so `npm pack` makes the file each time. It is not
// committed: it follows from Cargo.lock. `node scripts/notices.js FILE` writes to another file.

const fs = require('node:fs');
const path = require('node:path');
const { root, capture } = require('./run');

const FILE = process.argv[2] ?? path.join(root, 'THIRD-PARTY-NOTICES.txt');
/** Files of a crate that say what its licence wants said. */
const LICENCE_FILE = /^(?:licen[cs]e|copying|copyright|notice|unlicense)/i;
const RULE = '-'.repeat(80);

function fail(message) {
  console.error(`\nnotices: ${message}\n`);
  process.exit(1);
}

function cargo(command, args) {
  const { ok, output } = capture(command, args);
  if (!ok) fail(`${command} ${args[0]} failed:\n${output}`);
  return output;
}

/** Crates whose code is in the addon: no build scripts, no macros' own code, no tests. @returns {any[]} */
function linkedCrates() {
  const [, host] = /^host: (.+)$/m.exec(cargo('rustc', ['-vV']));
  const args = ['metadata', '--format-version', '1', '--locked', '--filter-platform', host];
  // Between what cargo says of downloads, if it does.
  const metadata = cargo('cargo', args)
    .split('\n')
    .find((line) => line.startsWith('{'));
  const { packages, resolve } = JSON.parse(metadata);
  const byId = new Map(packages.map((each) => [each.id, each]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const isMacro = ({ targets }) => targets.some(({ kind }) => kind.includes('proc-macro'));
  const found = new Set();
  const queue = [resolve.root];
  for (const id of queue) {
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      const isLinked = kinds.some(({ kind }) => kind === null) && !isMacro(byId.get(pkg));
      if (!isLinked || found.has(pkg)) continue;
      found.add(pkg);
      queue.push(pkg);
    }
  }
  return [...found]
    .map((id) => byId.get(id))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** What the MIT licence says of any software: that of this package without its first lines, which name its authors. */
const permission = fs
  .readFileSync(path.join(root, 'LICENSE'), 'utf8')
  .replace(/^.*?(?=Permission is hereby granted)/s, '')
  .trim();

/** The texts of a crate's licences, as far as it ships them. */
function textsOf({ manifest_path: manifest, license_file: named }) {
  const folder = path.dirname(manifest);
  const names = fs.readdirSync(folder).filter((name) => LICENCE_FILE.test(name));
  if (named && !names.includes(named)) names.push(named);
  return names
    .map((name) => path.join(folder, name))
    .filter((file) => fs.statSync(file).isFile())
    .sort()
    .map((file) => fs.readFileSync(file, 'utf8').replace(/\r\n/g, '\n').trim());
}

function notices() {
  const crates = linkedCrates();
  /** Texts and who has them; they differ by their lines alone in many crates. @type {Map<string, { text: string, titles: string[] }>} */
  const byWords = new Map();
  const lines = crates.map((crate) => {
    const title = `${crate.name} ${crate.version}`;
    const by = crate.authors.map((author) => author.replace(/\s*<.*>/, '')).join(', ');
    const texts = textsOf(crate);
    if (texts.length === 0 && /\bMIT\b/.test(crate.license)) {
      texts.push(`Copyright (c) ${by || `the authors of ${crate.name}`}\n\n${permission}`);
    }
    if (texts.length === 0) fail(`${title} (${crate.license}) has no text of its licence`);
    for (const text of texts) {
      const words = text.replace(/\s+/g, ' ');
      if (!byWords.has(words)) byWords.set(words, { text, titles: [] });
      byWords.get(words).titles.push(title);
    }
    const rest = [by, crate.repository].filter(Boolean).map((part) => `    ${part}`);
    return [`${title}: ${crate.license ?? 'see its text below'}`, ...rest].join('\n');
  });
  const texts = [...byWords.values()].map(({ text, titles }) =>
    [RULE, ...titles, RULE, '', text].join('\n'),
  );
  return [
    'The native addon of this package is linked with the following software. Where several licences are offered',
    '("OR"), each of them may be chosen. Their texts, as the authors ship them, are below.',
    '',
    "Rust's standard library: MIT OR Apache-2.0\n    The Rust Project Developers\n    https://github.com/rust-lang/rust",
    ...lines,
    '',
    ...texts,
    '',
  ].join('\n');
}

fs.writeFileSync(FILE, notices());
