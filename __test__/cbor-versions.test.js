'use strict';

/** Values between versions of Node.js. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { Tagged } = require('socket/cbor');
const { converse } = require('./helpers/cbor-peer');
const { difference } = require('./helpers/same');
const { SKIP, otherVersions, values } = require('./helpers/versions');

const ECHO = path.join(__dirname, 'fixtures', 'cbor-echo.js');

const others = otherVersions();
if (others.length === 0) {
  test('values between versions of Node.js', (t) => t.skip(SKIP));
}
for (const { name, file } of others) {
  test(`values to Node.js ${name} and back`, { timeout: 120_000 }, async () => {
    const sent = values();
    const arrived = await converse(file, [ECHO], sent);
    assert.equal(arrived.length, sent.length);
    sent.forEach((value, i) => {
      // It is an array of numbers there; what arrives here depends on this version.
      if (value instanceof Tagged && value.tag === 84) return;
      assert.equal(difference(value, arrived[i]), null, `number ${i}`);
    });
  });
}
