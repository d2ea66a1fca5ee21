'use strict';

const { measure } = require('../lib/load');
const { Subject } = require('../lib/subject');

/** Rate and CPU of one measured window, per 10^9 bytes. */
function figures({ rate, bytes, cpu }) {
  return {
    rate,
    jsMillisPerGB: (cpu.js / bytes) * 1e12,
    cpuMillisPerGB: (cpu.process / bytes) * 1e12,
  };
}

/**
 * @param {string} id
 * @param {string} title
 * @param {{ rate: number, js?: number }} targets
 * @returns {import('../lib/runner').Line[]}
 */
function lines(id, title, { rate, js = null }) {
  const cpu = { unit: 'cpuPerGB', better: 'less' };
  return [
    { id, title: `${title}, 64 KiB`, metric: 'rate', unit: 'bytes', better: 'more', target: rate },
    {
      id: `${id}-js`,
      title: `${title}, JS-thread CPU`,
      metric: 'jsMillisPerGB',
      ...cpu,
      target: js,
    },
    {
      id: `${id}-cpu`,
      title: `${title}, process CPU`,
      metric: 'cpuMillisPerGB',
      ...cpu,
      target: null,
    },
  ];
}

/** Sends to the sink that `subject` is, and ends it. */
async function fill(subject, { warmup, seconds }) {
  // The sender counts; that every byte also reached the user is checked once all is through.
  const check = async ({ total }) => {
    const received = await subject.ask('bytes');
    if (received !== total) throw new Error(`${total} bytes were sent, ${received} arrived`);
  };
  try {
    return figures(await measure(subject, 'bulk-send', {}, { warmup, seconds, check }));
  } finally {
    await subject.stop();
  }
}

/** Receives from the source that `subject` is, and ends it. */
async function drain(subject, { warmup, seconds }) {
  try {
    return figures(await measure(subject, 'bulk-recv', {}, { warmup, seconds }));
  } finally {
    await subject.stop();
  }
}

/**
 * @param {boolean} [isUnix]  over a Unix socket
 * @returns {import('../lib/runner').Row[]}
 */
function both(isUnix = false) {
  const [prefix, words] = isUnix ? ['unix-', 'Unix socket: '] : ['', ''];
  return [
    {
      id: `${prefix}bulk-receive`,
      async sample(side, options) {
        return fill(await Subject.start('sink-server', side, { isUnix }), options);
      },
      lines: lines(`${prefix}bulk-receive`, `${words}bulk receive`, { rate: 1.0, js: 0.4 }),
    },
    {
      id: `${prefix}bulk-send`,
      async sample(side, options) {
        return drain(await Subject.start('source-server', side, { isUnix }), options);
      },
      lines: lines(`${prefix}bulk-send`, `${words}bulk send`, { rate: 1.0 }),
    },
  ];
}

module.exports = { both, drain, figures, fill, lines, rows: both() };
