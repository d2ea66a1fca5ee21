'use strict';
// What Linux says about processes and the machine.

const fs = require('node:fs');

/**
 * CPU time of a process by thread, in nanoseconds. schedstat counts exactly where stat counts in
 * ticks of 10 ms. Node runs JavaScript on the thread whose id is the process id.
 *
 * @param {number} pid
 * @returns {{ pid: number, threads: Map<number, number> }}
 */
function cpuTime(pid) {
  const threads = new Map();
  for (const tid of fs.readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = fs.readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'latin1');
      threads.set(Number(tid), Number(text.split(' ', 1)[0]));
    } catch (error) {
      // A thread that ended between the listing and the reading.
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
    }
  }
  return { pid, threads };
}

/**
 * @param {ReturnType<typeof cpuTime>} before
 * @param {ReturnType<typeof cpuTime>} after
 * @returns {{ js: number, process: number }} seconds of CPU between two readings
 */
function cpuBetween(before, after) {
  let total = 0;
  for (const [tid, time] of after.threads) total += time - (before.threads.get(tid) ?? 0);
  const js = after.threads.get(after.pid) - before.threads.get(before.pid);
  return { js: js / 1e9, process: total / 1e9 };
}

/** @returns {number} the last CPU this process may use: the first one gets most interrupts */
function pinnedCpu() {
  const [, list] = /^Cpus_allowed_list:\s*(\S+)/m.exec(
    fs.readFileSync('/proc/self/status', 'latin1'),
  );
  return Number(list.split(/[,-]/).pop());
}

/** @returns {number} how many descriptors a process may have */
function descriptorLimit() {
  const [, limit] = /^Max open files\s+(\S+)/m.exec(fs.readFileSync('/proc/self/limits', 'latin1'));
  return limit === 'unlimited' ? Infinity : Number(limit);
}

module.exports = { cpuBetween, cpuTime, descriptorLimit, pinnedCpu };
