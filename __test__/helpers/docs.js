'use strict';

/** Programs of the documentation, run as they stand there. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { cleanEnv } = require('./child');

const ROOT = path.join(__dirname, '..', '..');

/** All code blocks of a language in a file, or under one of its headings (`## …`). */
function blocks(file, language, heading) {
  const text = fs.readFileSync(path.join(ROOT, file), 'utf8');
  const part =
    heading === undefined
      ? text
      : text.split(/^## /m).find((section) => section.startsWith(`${heading}\n`));
  assert.ok(part, `there is no "${heading}" in ${file}`);
  const found = [...part.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))];
  return found.map(([, code]) => code);
}

/** A folder in which `require('socket')` is this package; the caller removes it. */
function makeFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-docs-'));
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(ROOT, path.join(folder, 'node_modules', 'socket'), 'junction');
  return folder;
}

/** Runs the code in a folder until it has printed what is expected. */
async function runUntil(t, folder, code, expected) {
  const extension = /^import /m.test(code) ? 'mjs' : 'js';
  const file = path.join(folder, `${t.name.replace(/\W+/g, '-')}.${extension}`);
  fs.writeFileSync(file, code);
  const child = spawn(process.execPath, [file], { cwd: folder, env: cleanEnv() });
  t.after(() => child.kill());
  let output = '';
  await new Promise((resolve) => {
    const look = (chunk) => {
      output += chunk;
      if (expected.test(output)) resolve();
    };
    child.stdout.setEncoding('utf8').on('data', look);
    child.stderr.setEncoding('utf8').on('data', look);
    child.once('close', resolve);
  });
  assert.match(output, expected);
}

module.exports = { blocks, makeFolder, runUntil };
