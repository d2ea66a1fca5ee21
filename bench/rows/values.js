'use strict';
// Values, one `send()` each, against what people use: msgpackr in frames over node:net as good as JavaScript does it
// (`framed`), JSON lines, and msgpackr's own streams. Both ends of a row are the same side.

const { pinnedCpu } = require('../lib/proc');
const { Subject } = require('../lib/subject');
const { medianOf, rateOf, withEnds } = require('./ends');

const LABELS = { framed: 'msgpackr in frames', lines: 'JSON lines', stream: "msgpackr's stream" };
const PAYLOADS = { small: 'small object', kib: '1 KiB object' };

/** The side of this package stays; node:net's is replaced by the row's baseline. */
const way = (side, baseline) =>
  side.module === 'node:net' ? { label: LABELS[baseline], module: baseline } : side;

const start =
  (side, role, payload, options = {}) =>
  (port = 0) => {
    const module = [side.module, role, payload, port].join('|');
    return Subject.start('value-end', { ...side, module }, options);
  };

function oneWay(payload, baseline) {
  const id = `values-${payload}-${baseline}`;
  return {
    id,
    sample(side, options) {
      const both = way(side, baseline);
      const ends = [start(both, 'source', payload), start(both, 'sink', payload)];
      return withEnds(ends, async (_source, sink) => ({ rate: await rateOf(sink, options) }));
    },
    lines: [
      {
        id,
        title: `values one way, ${PAYLOADS[payload]}, against ${LABELS[baseline]}`,
        metric: 'rate',
        unit: 'rate',
        better: 'more',
        target: 1.0,
      },
    ],
  };
}

function requestReply(payload, baseline) {
  const id = `values-ask-${payload}-${baseline}`;
  return {
    id,
    sample(side, options) {
      const both = way(side, baseline);
      const cpu = pinnedCpu();
      const ends = [start(both, 'echo', payload, { cpu }), start(both, 'ask', payload, { cpu })];
      return withEnds(ends, async (_echo, asker) => ({ p50: await medianOf(asker, options) }));
    },
    lines: [
      {
        id,
        title: `value and reply, ${PAYLOADS[payload]}, one CPU, against ${LABELS[baseline]}`,
        metric: 'p50',
        unit: 'us',
        better: 'less',
        target: 1.0,
      },
    ],
  };
}

module.exports = Object.keys(PAYLOADS).flatMap((payload) =>
  [oneWay, requestReply].flatMap((row) =>
    Object.keys(LABELS).map((baseline) => row(payload, baseline)),
  ),
);
