'use strict';

const { FINISH, Load, SETUP } = require('../lib/load');
const { cpuBetween } = require('../lib/proc');
const { Subject } = require('../lib/subject');

/** `UDPSocket` is in the package's front door; what it is compared with is `node:dgram` and not `node:net`. */
const way = (side) =>
  side.module === 'node:net' ? { label: 'node:dgram', module: 'node:dgram' } : side;

/** @returns {import('../lib/runner').Line[]} */
function lines(id, words) {
  const title = `datagrams ${words}, against node:dgram`;
  const cpu = { unit: 'cpuPerMessage', better: 'less', target: null };
  return [
    { id, title, metric: 'rate', unit: 'rate', better: 'more', target: 2.0 },
    { id: `${id}-cpu`, title: `datagrams ${words}, process CPU`, metric: 'cpuMicros', ...cpu },
  ];
}

/** The sender does not care whether anybody keeps up: what counts is what reached the listener. */
function receive(size) {
  const id = `datagrams-receive-${size}`;
  return {
    id,
    async sample(side, { warmup, seconds }) {
      const subject = await Subject.start('datagrams', way(side));
      const load = new Load('datagrams-send', { port: subject.port, size, warmup, seconds });
      try {
        const wait = (event, limit) => subject.guard(load.line(event, limit), limit + 1, event);
        await wait('measure', SETUP + warmup);
        const [cpu, first] = [subject.cpuTime(), await subject.ask('count')];
        await wait('result', seconds + FINISH);
        const [used, last] = [cpuBetween(cpu, subject.cpuTime()), await subject.ask('count')];
        const received = last.received - first.received;
        const rate = (received / (last.at - first.at)) * 1000;
        return { rate, cpuMicros: (used.process / received) * 1e6 };
      } finally {
        await load.stop();
        await subject.stop();
      }
    },
    lines: lines(id, `in, ${size} B`),
  };
}

/** What counts is what reached the other end. */
function send(size) {
  const id = `datagrams-send-${size}`;
  return {
    id,
    async sample(side, { warmup, seconds }) {
      const load = new Load('datagrams-receive', { size, warmup, seconds });
      const subject = await Subject.start('datagrams', way(side));
      try {
        const { port } = await load.line('listening', FINISH);
        const wait = (event, limit) => subject.guard(load.line(event, limit), limit + 1, event);
        await subject.ask('send', { port, size });
        await wait('measure', SETUP + warmup);
        const cpu = subject.cpuTime();
        const { rate, datagrams } = await wait('result', seconds + FINISH);
        const used = cpuBetween(cpu, subject.cpuTime());
        return { rate, cpuMicros: (used.process / datagrams) * 1e6 };
      } finally {
        await subject.stop();
        await load.stop();
      }
    },
    lines: lines(id, `out, ${size} B`),
  };
}

module.exports = [receive(64), receive(1400), send(64), send(1400)];
