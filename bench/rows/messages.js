'use strict';
// Text messages, one `send()` each. The baseline of a row is named in its title: hand-written framing over node:net that
// has the same frames (`framed`: the best that JavaScript does, `plain`: a write for each message), `ws`, or `zeromq`.

const { pinnedCpu } = require('../lib/proc');
const { Subject } = require('../lib/subject');
const { medianOf, rateOf, withEnds } = require('./ends');

const LABELS = {
  framed: 'the best JS framing',
  plain: 'a write for each',
  ws: 'ws',
  zeromq: 'zeromq',
};

/** The side of this package stays; node:net's is replaced by the row's baseline. */
function way(side, baseline, mode = '') {
  const isBase = side.module === 'node:net';
  return isBase
    ? { label: LABELS[baseline], module: baseline }
    : { label: side.label, module: `${side.module}${mode}` };
}

const start =
  (side, role, size, options = {}) =>
  (port = 0) => {
    const module = [side.module, role, size, port].join('|');
    return Subject.start('message-end', { ...side, module }, options);
  };

/** Who counts what a source sends: the frames are the same but for ws and zeromq. */
const pullerOf = ({ module }) =>
  module === 'ws' || module === 'zeromq'
    ? { label: module, module }
    : { label: 'raw', module: 'raw' };

const RAW = { label: 'raw', module: 'raw' };
const kib = (size) => (size < 1024 ? `${size} B` : `${size / 1024} KiB`);

function out(size, baseline, target) {
  const id = `messages-out-${size}-${baseline}`;
  return {
    id,
    sample(side, options) {
      const sender = way(side, baseline);
      const ends = [start(sender, 'source', size), start(pullerOf(sender), 'pull', size)];
      return withEnds(ends, async (_source, puller) => ({ rate: await rateOf(puller, options) }));
    },
    lines: [
      {
        id,
        title: `messages out, ${kib(size)}, against ${LABELS[baseline]}`,
        metric: 'rate',
        unit: 'rate',
        better: 'more',
        target,
      },
    ],
  };
}

function into(size, isBatch, target) {
  const id = `messages-in-${size}${isBatch ? '-batch' : ''}`;
  return {
    id,
    sample(side, options) {
      const receiver = way(side, 'framed', isBatch ? '#batch' : '');
      const ends = [start(receiver, 'sink', size), start(RAW, 'push', size)];
      return withEnds(ends, async (sink) => ({ rate: await rateOf(sink, options) }));
    },
    lines: [
      {
        id,
        title: `messages in${isBatch ? ' batches' : ''}, ${kib(size)}, against ${LABELS.framed}`,
        metric: 'rate',
        unit: 'rate',
        better: 'more',
        target,
      },
    ],
  };
}

function requestReply(baseline, target) {
  const id = `messages-ask-${baseline}`;
  return {
    id,
    sample(side, options) {
      const both = way(side, baseline);
      const cpu = pinnedCpu();
      const ends = [start(both, 'echo', 64, { cpu }), start(both, 'ask', 64, { cpu })];
      return withEnds(ends, async (_echo, asker) => ({ p50: await medianOf(asker, options) }));
    },
    lines: [
      {
        id,
        title: `message and reply, 64 B, one CPU, against ${LABELS[baseline]}`,
        metric: 'p50',
        unit: 'us',
        better: 'less',
        target,
      },
    ],
  };
}

/** Targets of design section 4; for times, 1 ÷ the rate that is asked for there. */
module.exports = [
  out(32, 'framed', 1.4),
  out(32, 'plain', 10),
  out(32, 'ws', null),
  out(32, 'zeromq', 4),
  out(1024, 'framed', 1.4),
  out(1024, 'plain', 10),
  out(1024, 'ws', null),
  out(1024, 'zeromq', 4),
  into(32, false, 1.3),
  into(1024, false, 1.0),
  into(32, true, 3.0),
  into(1024, true, 1.4),
  requestReply('framed', 1.05),
  requestReply('ws', 0.91),
  requestReply('zeromq', 0.5),
];
