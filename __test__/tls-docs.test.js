'use strict';

/** docs/TLS.md: its commands make the certificates, and its programs run with them as they stand there. */

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');

const TIMEOUT = 60_000;
const text = fs.readFileSync(path.join(__dirname, '..', 'docs', 'TLS.md'), 'utf8');
/** The code blocks of a language under a heading. */
function blocks(heading, language) {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  assert.ok(section, `there is no "${heading}"`);
  const found = [...section.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))];
  return found.map(([, code]) => code);
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-tls-docs-'));

before(() => {
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(
    path.join(__dirname, '..'),
    path.join(folder, 'node_modules', 'socket'),
    'junction',
  );
  // The commands ask for a pass phrase: the one that the programs use.
  const commands = blocks('Certificates to try it with', 'sh')
    .join('\n')
    .replace('openssl pkcs8 -topk8', 'openssl pkcs8 -topk8 -passout pass:secret')
    .replace('openssl pkcs12 -export', 'openssl pkcs12 -export -passout pass:secret');
  const { status, stderr } = spawnSync('sh', ['-ec', commands], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
after(() => fs.rmSync(folder, { recursive: true }));

/** Runs the code until it has printed what is expected. */
async function runUntil(t, code, expected) {
  const file = path.join(folder, `${t.name.replace(/\W+/g, '-')}.js`);
  const given = `const [cert, key, ca] = ['server.pem', 'server.key', 'ca.pem'].map((name) =>
    require('node:fs').readFileSync(name));`;
  fs.writeFileSync(file, `${given}\n{${code}}`);
  const child = spawn(process.execPath, [file], { cwd: folder });
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

const cases = {
  '`socket/tls`': /^TLSv1\.3 \S+ true\nhello\n/,
  '`socket/net`': /^secure/,
  'Message sockets': /^HELLO/,
  'Value sockets': /^20\d\d/,
  'Web sockets': /^hello/,
};
for (const [heading, expected] of Object.entries(cases)) {
  test(`the program under "${heading}"`, { timeout: TIMEOUT }, async (t) => {
    const [code] = blocks(heading, 'js');
    // The one that says nothing by itself.
    await runUntil(t, code.replace('() => {}', "() => console.log('secure')"), expected);
  });
}
