'use strict';

const { measure } = require('../lib/load');
const { Subject } = require('../lib/subject');

/** Connections, messages under way on each, and the target of design section 4. */
const POINTS = [
  [50, 1, 1.2],
  [50, 16, 1.3],
  [500, 1, 1.3],
  [500, 16, 1.5],
];

/** Drives the echo server that `subject` is, and ends it. */
async function drive(subject, connections, depth, { warmup, seconds }) {
  try {
    const result = await measure(subject, 'echo', { connections, depth }, { warmup, seconds });
    const { rate, p50, p99, messages, cpu } = result;
    return {
      rate,
      p50,
      p99,
      jsMicrosPerMessage: (cpu.js / messages) * 1e6,
      cpuMicrosPerMessage: (cpu.process / messages) * 1e6,
    };
  } finally {
    await subject.stop();
  }
}

/**
 * @param {number} connections
 * @param {number} depth
 * @param {number} target
 * @param {boolean} [isUnix]  over a Unix socket
 * @returns {import('../lib/runner').Row}
 */
function row(connections, depth, target, isUnix = false) {
  const id = `${isUnix ? 'unix-' : ''}echo-${connections}x${depth}`;
  return {
    id,
    descriptors: connections,
    async sample(side, options) {
      return drive(
        await Subject.start('echo-server', side, { isUnix }),
        connections,
        depth,
        options,
      );
    },
    lines: [
      {
        id,
        title: `${isUnix ? 'Unix socket: ' : ''}echo 64 B, ${connections} × ${depth}`,
        metric: 'rate',
        unit: 'rate',
        better: 'more',
        target,
      },
    ],
  };
}

module.exports = { drive, row, rows: POINTS.map((point) => row(...point)) };
