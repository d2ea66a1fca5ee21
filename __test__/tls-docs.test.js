'use strict';

/** docs/TLS.md: its commands make the certificates, and its programs run with them as they stand there. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { after, before, test } = require('node:test');
const { blocks, makeFolder, runUntil } = require('./helpers/docs');

const TIMEOUT = 60_000;
const FILE = 'docs/TLS.md';
const folder = makeFolder();

before(() => {
  const commands = blocks(FILE, 'sh', 'Certificates to try it with').join('\n');
  // Nobody is there to be asked for a pass phrase.
  const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  const { status, stderr } = spawnSync('sh', ['-ec', commands], options);
  assert.equal(status, 0, stderr);
});
after(() => fs.rmSync(folder, { recursive: true }));

const cases = {
  '`socket/tls`': /^TLSv1\.3 \S+ true\nhello\n/,
  '`socket/net`': /^secure\nhello\n/,
  'Message sockets': /^HELLO/,
  'Value sockets': /^20\d\d/,
  'Web sockets': /^hello/,
  STARTTLS: /^250 EHLO me\r\n/,
  "Node's own modules over it": /^hello\n/,
};
for (const [heading, expected] of Object.entries(cases)) {
  test(`the program under "${heading}"`, { timeout: TIMEOUT }, async (t) => {
    const [code] = blocks(FILE, 'js', heading);
    await runUntil(t, folder, code, expected);
  });
}

test('there is a test for every program', () => {
  assert.equal(blocks(FILE, 'js').length, Object.keys(cases).length);
});
