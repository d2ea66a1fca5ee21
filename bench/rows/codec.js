'use strict';

const { Subject } = require('../lib/subject');

const PAYLOADS = {
  small: 'small object',
  nested: 'nested document',
  numbers: '10,000 numbers',
  bytes: '1 MB of bytes',
  rows: '36 rows of one shape',
};

/** The first is the one to reach. `module` is a name in ../programs/codec.js. */
const OTHERS = [
  { label: 'msgpackr', module: 'msgpackr' },
  { label: 'JSON', module: 'json' },
  { label: 'node:v8', module: 'v8' },
  { label: 'cbor-x', module: 'cbor-x' },
];

const OPERATIONS = { encode: 'encode', decode: 'decode', round: 'both' };

/** @type {import('../lib/runner').Side} */
const ours = { label: 'socket/cbor', module: 'socket' };

/** Rows of one shape are the best case of a codec that sends the shape once: to know, not to reach. */
const isPromised = (payload, other) => other === OTHERS[0] && payload !== 'rows';

/** The codec by itself, against one other codec, in a process for each sample. */
function row(payload, other) {
  const id = `cbor-${payload}-${other.module}`;
  return {
    id,
    sides: { ours, base: other },
    async sample(side, { warmup, seconds }) {
      const subject = await Subject.start('codec', side);
      try {
        const rates = {};
        for (const operation of Object.keys(OPERATIONS)) {
          const order = { payload, operation, warmup, seconds };
          rates[operation] = await subject.ask('measure', order, warmup + seconds + 30);
        }
        return rates;
      } finally {
        await subject.stop();
      }
    },
    lines: Object.entries(OPERATIONS).map(([metric, verb]) => ({
      id: `${id}-${metric}`,
      title: `${PAYLOADS[payload]}, ${verb}, against ${other.label}`,
      metric,
      unit: 'rate',
      better: 'more',
      target: isPromised(payload, other) ? 1.0 : null,
      section: 'codec',
      work: `${PAYLOADS[payload]}, ${verb}`,
      other: other.label,
    })),
  };
}

module.exports = Object.keys(PAYLOADS).flatMap((payload) =>
  OTHERS.map((other) => row(payload, other)),
);
