'use strict';
// `TCPSocket` against our own `net`, doing the same work: what the events of the DOM cost.

const path = require('node:path');
const { Subject } = require('../lib/subject');
const { ROOT } = require('../lib/options');
const bulk = require('./bulk');
const echo = require('./echo');

const NET = { label: 'our net', module: ROOT };
const WEB = { label: 'TCPSocket', module: path.join(ROOT, 'lib/web.js') };
const TARGET = 0.9;

/** A program of that role. @param {'echo' | 'sink' | 'source'} role */
const start = (side, role) =>
  side === WEB
    ? Subject.start('web-server', { ...side, module: `${side.module}|${role}` })
    : Subject.start(`${role}-server`, side);

/** A row of another file's, with our two sides. */
const row = (id, lines, sample) => ({ id, sides: { ours: WEB, base: NET }, lines, sample });

const echoRow = (connections, depth) => {
  const id = `web-echo-${connections}x${depth}`;
  const title = `TCPSocket: echo 64 B, ${connections} × ${depth}, against our net`;
  const line = { id, title, metric: 'rate', unit: 'rate', better: 'more', target: TARGET };
  return {
    ...row(id, [line], async (side, options) =>
      echo.drive(await start(side, 'echo'), connections, depth, options),
    ),
    descriptors: connections,
  };
};

const bulkRow = (id, words, role, drive) =>
  row(
    id,
    bulk.lines(id, `TCPSocket: ${words}, against our net`, { rate: TARGET }),
    async (side, options) => drive(await start(side, role), options),
  );

module.exports = [
  echoRow(50, 1),
  echoRow(50, 16),
  echoRow(500, 16),
  bulkRow('web-bulk-receive', 'bulk receive', 'sink', bulk.fill),
  bulkRow('web-bulk-send', 'bulk send', 'source', bulk.drain),
];
