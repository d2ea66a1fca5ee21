'use strict';

/** Value sockets between versions of Node.js: case 48 of the contract. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { Tagged } = require('socket/cbor');
const { cleanEnv } = require('./helpers/child');
const { TIMEOUT, dataKit, until } = require('./helpers/datasocket');
const { difference } = require('./helpers/same');
const { SKIP, otherVersions, values } = require('./helpers/versions');

const ECHO = path.join(__dirname, 'fixtures', 'datasocket-echo.js');

/** Sends values to a process of that version of Node.js, and gets them back. */
async function converse(t, file, sent) {
  const child = spawn(file, [ECHO], { env: cleanEnv(), stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const client = dataKit(t).connect(Number(line));
  const arrived = [];
  let failure = null;
  client.on('data', (value) => arrived.push(value)).on('error', (err) => (failure = err));
  for (const value of sent) client.send(value);
  await until(() => arrived.length === sent.length || failure !== null);
  assert.equal(failure, null);
  client.close();
  assert.deepEqual((await ended)[0], 0);
  return arrived;
}

function checkSame(sent, arrived) {
  sent.forEach((value, i) => {
    // It is an array of numbers there; what arrives here depends on this version.
    if (value instanceof Tagged && value.tag === 84) return;
    assert.equal(difference(value, arrived[i]), null, `number ${i}`);
  });
}

test('48: to another process of this version and back', { timeout: 3 * TIMEOUT }, async (t) => {
  const sent = values();
  checkSame(sent, await converse(t, process.execPath, sent));
});

const others = otherVersions();
if (others.length === 0) test('48: between versions of Node.js', (t) => t.skip(SKIP));
for (const { name, file } of others) {
  test(`48: to Node.js ${name} and back`, { timeout: 6 * TIMEOUT }, async (t) => {
    const sent = values();
    checkSame(sent, await converse(t, file, sent));
  });
}
