'use strict';

const { FINISH, Load, measure } = require('../lib/load');
const { cpuBetween } = require('../lib/proc');
const { Subject } = require('../lib/subject');

const IN_FLIGHT = 64;

/** For information: on few cores the rate is soon limited by what the other end costs. */
const CPU = {
  metric: 'cpuMicrosPerConnection',
  unit: 'cpuPerMessage',
  better: 'less',
  target: null,
};

/** @type {import('../lib/runner').Row} */
const accept = {
  id: 'accept',
  descriptors: IN_FLIGHT,
  async sample(side, { warmup, seconds }) {
    const subject = await Subject.start('accept-server', side);
    const check = async ({ total }) => {
      const accepted = await subject.ask('accepted');
      if (accepted !== total) throw new Error(`${total} connections, ${accepted} reached the user`);
    };
    const options = { connections: IN_FLIGHT };
    try {
      const run = { warmup, seconds, check };
      const { rate, connections, cpu } = await measure(subject, 'connect', options, run);
      return { rate, cpuMicrosPerConnection: (cpu.process / connections) * 1e6 };
    } finally {
      await subject.stop();
    }
  },
  lines: [
    {
      id: 'accept',
      title: 'accept',
      metric: 'rate',
      unit: 'rate',
      better: 'more',
      target: 1.5,
    },
    { ...CPU, id: 'accept-cpu', title: 'accept, process CPU per connection' },
  ],
};

/** Here the program under test is the client, so it keeps the time; the other end counts along. */
/** @type {import('../lib/runner').Row} */
const connect = {
  id: 'connect',
  descriptors: IN_FLIGHT,
  async sample(side, { warmup, seconds }) {
    const load = new Load('listen', {});
    try {
      const { port } = await load.line('listening', FINISH);
      const subject = await Subject.start('connect-client', side);
      try {
        const options = { port, inFlight: IN_FLIGHT, warmup, seconds };
        const before = subject.cpuTime();
        const { rate, total } = await subject.ask('run', options, warmup + seconds + FINISH);
        const used = cpuBetween(before, subject.cpuTime());
        load.release();
        const { accepted } = await load.line('result', FINISH);
        if (accepted !== total) throw new Error(`${total} connects, ${accepted} were accepted`);
        return { rate, cpuMicrosPerConnection: (used.process / total) * 1e6 };
      } finally {
        await subject.stop();
      }
    } finally {
      await load.stop();
    }
  },
  lines: [
    {
      id: 'connect',
      title: 'connect',
      metric: 'rate',
      unit: 'rate',
      better: 'more',
      target: 1.5,
    },
    { ...CPU, id: 'connect-cpu', title: 'connect, process CPU per connection' },
  ],
};

module.exports = [accept, connect];
