'use strict';

/** Values and bytes, both ways, against a table; the other end is a raw socket. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  TIMEOUT,
  bytewise,
  closed,
  dataOf,
  hex,
  logOf,
  messageKit,
  readAll,
  turn,
  until,
  writeCut,
} = require('./helpers/messages');
const { received, sent } = require('./fixtures/message-vectors');

const opts = { timeout: TIMEOUT };

for (const side of ['client', 'server']) {
  for (const { id, type, framed, value, wire, refused } of sent) {
    test(`vector ${id}: what the ${side} sends`, opts, async (t) => {
      const options = { sendType: type, rawBytes: !framed };
      const { ours, conn } = await messageKit(t).pair(side, options);
      const log = logOf(ours);
      const all = readAll(conn);
      ours.send(value);
      ours.close();
      assert.equal((await all).toString('hex'), hex(wire).toString('hex'));
      await until(() => log.length > 0 && log.at(-1)[0] === 'close');
      const expected = refused === undefined ? [] : [['error', refused]];
      assert.deepEqual(log, [...expected, ['close']]);
    });
  }
}

/** Text and images of a raw stream come in parts: how they are cut means nothing. */
function whole(type, framed, values) {
  if (framed || (type !== 'string' && type !== 'image')) return values;
  return type === 'string' ? [values.join('')] : [Buffer.concat(values)];
}

const cuts = {
  'in one piece': (bytes) => [bytes],
  'byte by byte': (bytes) =>
    bytes.length < 1000
      ? bytewise(bytes)
      : [...bytewise(bytes.subarray(0, 50)), bytes.subarray(50, 30_000), bytes.subarray(30_000)],
};

for (const { id, type, framed, wire, emitted } of sent) {
  for (const [how, cut] of Object.entries(cuts)) {
    if (emitted.length === 0) continue;
    test(`vector ${id}: received ${how}`, opts, async (t) => {
      const options = { receiveType: type, rawBytes: !framed };
      const { ours, conn } = await messageKit(t).pair('client', options);
      const log = logOf(ours);
      const over = closed(ours);
      await writeCut(conn, cut(hex(wire)));
      conn.end();
      await over;
      assert.deepEqual(whole(type, framed, dataOf(log)), emitted);
      assert.equal(log.length, dataOf(log).length + 1, 'values and the close, nothing else');
    });
  }
}

for (const vector of received) {
  const { id, type, framed, pieces, events, end, isText, options, cutsMatter } = vector;
  const expected = events.map(([name, value]) => (name === 'close' ? [name] : [name, value]));
  const parts = pieces.map(hex);
  const bytes = Buffer.concat(parts);
  const ways = {
    'as in the table': parts,
    'in one piece': [bytes],
    'byte by byte': bytewise(bytes),
  };
  for (const [how, way] of Object.entries(ways)) {
    if (cutsMatter && how === 'byte by byte') continue;
    test(`vector ${id}: ${how}`, opts, async (t) => {
      const all = { receiveType: type, rawBytes: !framed, ...options };
      const { ours, conn } = await messageKit(t).pair('server', all);
      conn.on('error', () => {});
      const log = logOf(ours);
      if (end) {
        const over = closed(ours);
        await writeCut(conn, way);
        conn.end();
        await over;
      } else {
        await writeCut(conn, way);
        const count = isText ? expected[0][1].length : 0;
        await until(() => log.length >= expected.length && dataOf(log).join('').length >= count);
        // What should not come after it has its chance.
        for (let i = 0; i < 5; i++) await turn();
      }
      if (isText) assert.equal(dataOf(log).join(''), expected[0][1]);
      else assert.deepEqual(log, expected);
    });
  }
}
