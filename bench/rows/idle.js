'use strict';

const { Load, SETUP } = require('../lib/load');
const { Subject } = require('../lib/subject');

/** Connections before the first reading: pools, code and caches are grown by then. */
const BASE = 1000;

/**
 * Memory that a connection costs which was used once and then rests: the growth of the resident set
 * after a garbage collection, divided by the connections added.
 *
 * @type {import('../lib/runner').Row}
 */
const idle = {
  id: 'idle',
  descriptors: 5000,
  async sample(side, { quick }) {
    const total = quick ? 3000 : 5000;
    const subject = await Subject.start('idle-server', side);
    const loads = [];
    try {
      const add = async (connections) => {
        const load = new Load('idle', { port: subject.port, connections });
        loads.push(load);
        await subject.guard(load.line('ready', SETUP), SETUP + 1, 'idle connections');
        return subject.ask('memory');
      };
      const before = await add(BASE);
      const after = await add(total - BASE);
      const open = await subject.ask('connections');
      if (open !== total) throw new Error(`${total} connections opened, ${open} are still open`);
      const growth = (name) => (after[name] - before[name]) / (total - BASE);
      return { rss: growth('rss'), heapUsed: growth('heapUsed'), external: growth('external') };
    } finally {
      for (const load of loads) await load.stop();
      await subject.stop();
    }
  },
  lines: [
    {
      id: 'idle-memory',
      title: 'memory per idle connection',
      metric: 'rss',
      unit: 'memory',
      better: 'less',
      target: 1.0,
    },
  ],
};

module.exports = [idle];
