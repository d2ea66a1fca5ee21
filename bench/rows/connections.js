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

/** Half of the backlog that the programs ask for (and that Linux grants by default). */
const STORM = 2000;

/**
 * How fast a server works through connections that already wait for it. In a steady flow (the next
 * row) the kernel's work for the opening side is the limit, and every server looks the same.
 *
 * @type {import('../lib/runner').Row}
 */
const accept = {
  id: 'accept',
  descriptors: STORM,
  async sample(side, { warmup, seconds }) {
    const subject = await Subject.start('accept-server', side);
    const load = new Load('storm', { port: subject.port, connections: STORM });
    try {
      const wait = (event) => subject.guard(load.line(event, FINISH), FINISH + 1, event);
      const begin = performance.now();
      const elapsed = () => (performance.now() - begin) / 1000;
      const sum = { connections: 0, seconds: 0 };
      let total = 0;
      // At least one, however slow.
      while (elapsed() < warmup + seconds || sum.connections === 0) {
        const counts = elapsed() >= warmup;
        subject.pause();
        load.say('fill');
        await wait('full');
        load.say('go');
        subject.resume();
        const served = await wait('served');
        total += served.connections;
        if (!counts) continue;
        sum.connections += served.connections;
        sum.seconds += served.seconds;
      }
      await compareAccepted(subject, total);
      return { rate: sum.connections / sum.seconds };
    } catch (error) {
      throw await subject.cause(error);
    } finally {
      await load.stop();
      await subject.stop();
    }
  },
  lines: [
    {
      id: 'accept',
      title: 'accept, 2,000 waiting connections',
      metric: 'rate',
      unit: 'rate',
      better: 'more',
      target: 1.5,
    },
  ],
};

/** @type {import('../lib/runner').Row} */
const acceptFlow = {
  id: 'accept-flow',
  descriptors: IN_FLIGHT,
  async sample(side, { warmup, seconds }) {
    const subject = await Subject.start('accept-server', side);
    const check = ({ total }) => compareAccepted(subject, total);
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
      id: 'accept-flow',
      title: 'accept, steady flow (limited by the opener)',
      metric: 'rate',
      unit: 'rate',
      better: 'more',
      target: null,
    },
    { ...CPU, id: 'accept-cpu', title: 'accept, process CPU per connection' },
  ],
};

/** Whatever the load generator saw, the user's listener must have seen too. */
async function compareAccepted(subject, total) {
  const accepted = await subject.ask('accepted');
  if (accepted !== total) throw new Error(`${total} connections, ${accepted} reached the user`);
}

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

module.exports = [accept, acceptFlow, connect];
