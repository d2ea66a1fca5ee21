'use strict';

/**
 * Addresses that never answer. A listener whose queue of connections is full drops each SYN, so an
 * attempt to connect hangs, on loopback, until there is room again.
 */

const { once } = require('node:events');
const fs = require('node:fs');
const peer = require('node:net');
const { start } = require('./child');
const { until } = require('./kit');

/** Only Linux drops, others refuse; and only there a stopped process is easily told. */
const NO_HOLE = process.platform === 'linux' ? false : 'needs Linux: a full queue drops the SYN';

/** What one process listens with: one connection waits, and Linux lets one more in. */
const QUEUE = 2;

const isStopped = (pid) =>
  / \(.*\) T /.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1').replaceAll('\n', ' '));

/**
 * Makes `host:port` a black hole until the test ends.
 * @returns {Promise<{ port: number, open(): void }>} `open` lets everything in again
 */
async function hole(t, host, port = 0) {
  const { child, ready, done } = start('full-listener', [host, String(port)], { timeout: 60_000 });
  const fillers = [];
  t.after(async () => {
    for (const socket of fillers) socket.destroy();
    child.kill('SIGKILL');
    await done;
  });
  const bound = Number(await ready);
  child.kill('SIGSTOP');
  await until(() => isStopped(child.pid));
  for (let i = 0; i < QUEUE; i++) {
    const socket = peer.connect(bound, host);
    socket.on('error', () => {});
    await once(socket, 'connect');
    fillers.push(socket);
  }
  return { port: bound, open: () => child.kill('SIGCONT') };
}

module.exports = { NO_HOLE, hole };
