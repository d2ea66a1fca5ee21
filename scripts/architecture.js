'use strict';

// Checks what no linter knows: which part of the code may use which, and that generated files are unedited.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { root, capture, tool } = require('./run');

/**
 * @param {string} folder
 * @param {string} extension
 * @returns {string[]} Paths of the files below `folder`, relative to the package.
 */
function filesBelow(folder, extension) {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(extension))
    .map((name) => path.join(folder, name));
}

/** @param {string} file */
function read(file) {
  return fs.readFileSync(path.join(root, file), 'utf8');
}

/** The engine does not know that Node.js exists: neither in its text nor in what it is linked with. */
function coreKnowsNoNapi() {
  const problems = [];
  for (const file of filesBelow('src/core', '.rs')) {
    read(file)
      .split('\n')
      .forEach((line, index) => {
        if (/napi/i.test(line)) problems.push(`${file}:${index + 1} names napi`);
      });
  }
  const args = ['tree', '--no-default-features', '-e', 'normal', '--prefix', 'none'];
  const tree = capture('cargo', args);
  if (!tree.ok) problems.push(`cargo tree failed: ${tree.output}`);
  for (const line of tree.output.split('\n')) {
    if (line.startsWith('napi')) problems.push(`the engine alone depends on ${line}`);
  }
  return problems;
}

/** Files of `lib/` may use each other, but never in a circle. */
function libHasNoCycle() {
  const files = filesBelow('lib', '.js');
  const graph = new Map();
  for (const file of files) {
    const targets = [...read(file).matchAll(/\brequire\(\s*['"](\.{1,2}\/[^'"]+)['"]\s*\)/g)]
      .map((match) => path.join(path.dirname(file), match[1]))
      .map((target) => {
        const candidates = [target, `${target}.js`, path.join(target, 'index.js')];
        return candidates.find((name) => files.includes(name)) || target;
      });
    graph.set(file, targets);
  }
  const problems = [];
  const finished = new Set();
  const visit = (file, trail) => {
    if (trail.includes(file)) {
      problems.push(`circle: ${[...trail.slice(trail.indexOf(file)), file].join(' -> ')}`);
      return;
    }
    if (finished.has(file)) return;
    for (const target of graph.get(file) || []) visit(target, [...trail, file]);
    finished.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return problems;
}

/**
 * Every crate that ends up in the addon has a licence that deny.toml allows. `cargo deny` says the same and more; this needs nothing
 * but cargo, so that it is checked wherever the lint runs.
 */
function licencesAreAllowed() {
  const [, list] = /^allow = \[([^\]]*)\]/m.exec(read('deny.toml')) ?? [null, ''];
  const allowed = new Set([...list.matchAll(/"([^"]+)"/g)].map((match) => match[1]));
  const isAllowed = (expression) => {
    const text = expression.replaceAll('/', ' OR ').trim();
    const inner = /\(([^()]*)\)/.exec(text);
    // What is in brackets first: it becomes one of the allowed words, or one that is not.
    if (inner) return isAllowed(text.replace(inner[0], isAllowed(inner[1]) ? 'MIT' : 'none'));
    return text
      .split(/ AND /)
      .every((part) => part.split(/ OR /).some((name) => allowed.has(name.trim())));
  };
  const tree = capture('cargo', [
    'tree',
    '-e',
    'normal',
    '--prefix',
    'none',
    '--format',
    '{p}|{l}',
  ]);
  if (!tree.ok) return [`cargo tree failed: ${tree.output}`];
  const problems = new Set();
  for (const line of tree.output.split('\n').filter((each) => each.includes('|'))) {
    const [crate, licence] = line.replace(' (*)', '').split('|');
    // AND binds tighter than OR, and no crate mixes them without brackets.
    if (!isAllowed(licence)) problems.add(`${crate} has the licence ${licence || '(none)'}`);
  }
  return [...problems];
}

/** A lock file that names where a package was downloaded from works only for those who can reach that place. */
function lockNamesNoRegistry() {
  return read('package-lock.json').includes('"resolved"')
    ? ['package-lock.json has "resolved" fields: install with the .npmrc of this folder']
    : [];
}

/** `npm/` is what `napi create-npm-dirs` makes of package.json, and nothing else. */
function platformPackagesAreGenerated() {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-npm-'));
  try {
    fs.copyFileSync(path.join(root, 'package.json'), path.join(scratch, 'package.json'));
    const made = capture(process.execPath, [
      tool('@napi-rs/cli', 'napi'),
      'create-npm-dirs',
      '--cwd',
      scratch,
    ]);
    if (!made.ok) return [`napi create-npm-dirs failed: ${made.output}`];
    const listing = (folder) =>
      fs
        .readdirSync(path.join(folder, 'npm'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.node'))
        .map((entry) =>
          path.relative(folder, path.join(entry.parentPath || entry.path, entry.name)),
        );
    const names = new Set([...listing(scratch), ...listing(root)]);
    const text = (folder, name) => {
      const file = path.join(folder, name);
      return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
    };
    return [...names]
      .filter((name) => text(scratch, name) !== text(root, name))
      .map((name) => `${name} is not as generated: run npx napi create-npm-dirs`);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** @type {[name: string, check: () => string[]][]} Each answers what is wrong. */
const checks = [
  ['src/core knows no napi', coreKnowsNoNapi],
  ['lib has no circle', libHasNoCycle],
  ['licences of the crates are those of deny.toml', licencesAreAllowed],
  ['package-lock.json names no registry', lockNamesNoRegistry],
  ['npm is as generated', platformPackagesAreGenerated],
];

let failed = false;
for (const [name, check] of checks) {
  const problems = check();
  console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'}  ${name}`);
  for (const problem of problems) console.log(`        ${problem}`);
  if (problems.length > 0) failed = true;
}
process.exitCode = failed ? 1 : 0;
