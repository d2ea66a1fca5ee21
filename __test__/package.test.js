'use strict';

/** What `npm pack` puts into the package: its links lead somewhere, and what the addon is made of is named. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { capture } = require('../scripts/run');

const ROOT = path.join(__dirname, '..');
const { files, scripts } = require('../package.json');
/** npm packs these whatever `files` says. */
const packed = [...files, 'README.md', 'LICENSE', 'package.json'];

const isPacked = (name) =>
  fs.existsSync(path.join(ROOT, name)) &&
  packed.some((entry) => name === entry || name.startsWith(`${entry}/`));

/** The packed files whose names end like that. */
const filesWith = (ending) =>
  packed
    .flatMap((entry) => {
      const full = path.join(ROOT, entry);
      if (!fs.existsSync(full) || !fs.statSync(full).isDirectory()) return [entry];
      return fs.readdirSync(full, { recursive: true }).map((name) => path.join(entry, name));
    })
    .filter((name) => name.endsWith(ending));

const read = (name) => fs.readFileSync(path.join(ROOT, name), 'utf8');

test('links between the packed documents lead to packed files', () => {
  const documents = filesWith('.md');
  assert.ok(documents.length > 20);
  for (const name of documents) {
    for (const [, link] of read(name).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(?:https?:|#)/.test(link)) continue;
      const target = path.posix.join(path.posix.dirname(name), link.replace(/#.*/, ''));
      assert.ok(isPacked(target), `${name}: ${link}`);
    }
  }
  for (const name of filesWith('.d.ts')) {
    for (const [document] of read(name).matchAll(/docs\/[\w/-]+\.md/g)) {
      assert.ok(isPacked(document), `${name}: ${document}`);
    }
  }
});

const skip = capture('cargo', ['--version']).ok ? false : 'cargo is not there';

test('the notices name what is linked into the addon', { skip }, (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-notices-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'notices.txt');
  const script = path.join(ROOT, 'scripts', 'notices.js');
  const { status, stderr } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const text = fs.readFileSync(file, 'utf8');
  for (const name of ['aws-lc-rs', 'aws-lc-sys', 'bytes', 'image', 'napi', 'rustls', 'tokio']) {
    assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\S*: `, 'm'), name);
    // Once in the list, and again above the text of its licence.
    assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\S*$`, 'm'), name);
  }
  assert.match(text, /Permission is hereby granted/);
  assert.match(text, /Apache License\s+Version 2\.0/);
  // What only builds or tests it is not in it.
  assert.doesNotMatch(text, /^(?:cc|proptest|syn) \d/m);
  for (const secret of ['crates.io', 'registry/', os.homedir(), ROOT]) {
    assert.ok(!text.includes(secret), secret);
  }
  assert.ok(files.includes('THIRD-PARTY-NOTICES.txt'));
  assert.match(scripts.prepack, /notices\.js/);
});
