'use strict';

const { measure } = require('../lib/load');
const { Subject } = require('../lib/subject');

const COUNTS = [10, 100, 1000, 10_000];
/**
 * The same number of messages is under way whatever the number of connections, passed on to the
 * connection that rested longest. So only the number of connections differs between the points, not
 * how many messages one wake-up can serve.
 */
const OUTSTANDING = 10;

/** @type {import('../lib/runner').Row[]} */
const rows = COUNTS.map((connections) => ({
  id: `cost-${connections}`,
  descriptors: connections,
  async sample(side, { warmup: base, seconds }) {
    // Every connection should have been used some times before, and the garbage of opening all of
    // them be gone.
    const warmup = base + connections / 10_000;
    const subject = await Subject.start('echo-server', side);
    try {
      const options = { connections, outstanding: OUTSTANDING };
      const { messages, rate, cpu } = await measure(subject, 'echo', options, { warmup, seconds });
      return {
        cpuMicrosPerMessage: (cpu.process / messages) * 1e6,
        jsMicrosPerMessage: (cpu.js / messages) * 1e6,
        rate,
      };
    } finally {
      await subject.stop();
    }
  },
  lines: [
    {
      id: `cost-${connections}`,
      title: `CPU per message, ${connections.toLocaleString('en')} connections`,
      metric: 'cpuMicrosPerMessage',
      unit: 'cpuPerMessage',
      better: 'less',
      target: 1.0,
    },
  ],
}));

/**
 * The dearest point divided by the cheapest, for each side by itself.
 *
 * @param {import('../lib/runner').Result[]} results
 * @returns {import('../lib/runner').Result | null} null unless all points were measured
 */
function flatness(results) {
  const points = rows.map(({ id }) => results.find((result) => result.id === id));
  if (points.some((point) => !point || point.error)) return null;
  const spread = (side) => {
    const values = points.map((point) => point[side]);
    return Math.max(...values) / Math.min(...values);
  };
  const [ours, base, target] = [spread('ours'), spread('base'), 1.5];
  return {
    id: 'cost-flatness',
    title: 'CPU per message, dearest ÷ cheapest of these',
    unit: 'times',
    better: 'less',
    // A promise about ours alone: the other side is there for comparison.
    absolute: true,
    target,
    ours,
    base,
    ratio: null,
    min: null,
    max: null,
    pass: ours <= target,
  };
}

module.exports = { rows, flatness };
