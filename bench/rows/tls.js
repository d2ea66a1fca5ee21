'use strict';

const path = require('node:path');
const { measure } = require('../lib/load');
const { Subject } = require('../lib/subject');
const { figures, lines } = require('./bulk');

/** The TLS module that goes with a side's net module. */
function secure({ label, module }) {
  const isNode = module === 'node:net';
  return {
    label: isNode ? 'node:tls' : label,
    module: isNode ? 'node:tls' : path.join(module, 'lib/tls.js'),
    isSecure: true,
  };
}

const TLS = { tls: 1 };
/** Enough to keep the server busy, and few enough that the clients' own work does not drown it. */
const IN_FLIGHT = 8;
/** Clients that say hello at once: what the event loop has to bear. */
const CROWD = 200;

/**
 * Full handshakes for one window; the figures of the window and what the event loop felt.
 *
 * @param {boolean} idle the clients take only the CPU that the server leaves: theirs is on other machines
 */
async function handshakes(side, mode, connections, idle, { warmup, seconds }) {
  const subject = await Subject.start('handshake-server', secure(side));
  let delay;
  const check = async ({ total }) => {
    delay = await subject.ask('delay');
    const finished = await subject.ask('finished');
    if (finished < total) throw new Error(`${total} handshakes, ${finished} reached the user`);
  };
  try {
    const begin = () => subject.ask('resetDelay');
    const window = { warmup, seconds, idle, begin, check };
    const result = await measure(subject, mode, { connections }, window);
    return {
      rate: result.rate,
      jsMicros: (result.cpu.js / result.connections) * 1e6,
      cpuMicros: (result.cpu.process / result.connections) * 1e6,
      delay,
    };
  } finally {
    await subject.stop();
  }
}

/** @type {import('../lib/runner').Row[]} */
module.exports = [
  {
    id: 'tls-receive',
    async sample(side, { warmup, seconds }) {
      const subject = await Subject.start('sink-server', secure(side));
      const check = async ({ total }) => {
        const received = await subject.ask('bytes');
        if (received !== total) throw new Error(`${total} bytes were sent, ${received} arrived`);
      };
      try {
        return figures(await measure(subject, 'bulk-send', TLS, { warmup, seconds, check }));
      } finally {
        await subject.stop();
      }
    },
    lines: lines('tls-receive', 'TLS bulk receive', { rate: 1.0, js: 0.4 }),
  },
  {
    id: 'tls-send',
    async sample(side, { warmup, seconds }) {
      const subject = await Subject.start('source-server', secure(side));
      try {
        return figures(await measure(subject, 'bulk-recv', TLS, { warmup, seconds }));
      } finally {
        await subject.stop();
      }
    },
    lines: lines('tls-send', 'TLS bulk send', { rate: 1.0, js: 0.4 }),
  },
  {
    id: 'tls-handshakes',
    sample: (side, options) => handshakes(side, 'handshakes', IN_FLIGHT, false, options),
    lines: [
      {
        id: 'tls-handshakes',
        title: 'full TLS handshakes, 8 at a time',
        metric: 'rate',
        unit: 'rate',
        better: 'more',
        target: 1.2,
      },
      {
        id: 'tls-handshakes-js',
        title: 'full TLS handshakes, JS-thread CPU each',
        metric: 'jsMicros',
        unit: 'cpuPerMessage',
        better: 'less',
        target: null,
      },
      {
        id: 'tls-handshakes-cpu',
        title: 'full TLS handshakes, process CPU each',
        metric: 'cpuMicros',
        unit: 'cpuPerMessage',
        better: 'less',
        target: null,
      },
    ],
  },
  {
    id: 'tls-delay',
    sample: (side, options) => handshakes(side, 'handshake-bursts', CROWD, true, options),
    lines: [
      {
        id: 'tls-delay',
        title: 'event-loop delay p99, bursts of 200 TLS handshakes',
        metric: 'delay',
        unit: 'us',
        better: 'less',
        target: 0.3,
      },
    ],
  },
];
