'use strict';

const { measure } = require('../lib/load');
const { pinnedCpu } = require('../lib/proc');
const { Subject } = require('../lib/subject');

/**
 * One message there and back at a time. Server and load generator share one CPU, so that the
 * number is the length of the way and not where the scheduler happened to put the two.
 *
 * @param {boolean} [isUnix]  over a Unix socket
 * @returns {import('../lib/runner').Row}
 */
function row(isUnix = false) {
  const id = `${isUnix ? 'unix-' : ''}pingpong`;
  return {
    id,
    async sample(side, { warmup, seconds }) {
      const cpu = pinnedCpu();
      const subject = await Subject.start('echo-server', side, { cpu, isUnix });
      try {
        const { p50, p99, p999, rate } = await measure(
          subject,
          'pingpong',
          {},
          { warmup, seconds, cpu },
        );
        return { p50, p99, p999, rate };
      } finally {
        await subject.stop();
      }
    },
    lines: [
      {
        id: `${id}-p50`,
        title: `${isUnix ? 'Unix socket: ' : ''}ping-pong 64 B, one CPU, p50`,
        metric: 'p50',
        unit: 'us',
        better: 'less',
        target: 1.0,
      },
    ],
  };
}

module.exports = { row, rows: [row()] };
