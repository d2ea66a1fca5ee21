'use strict';

const fs = require('node:fs');
const os = require('node:os');

/** Facts that a reader needs to judge the numbers, and nothing that names the machine or its user. */
function facts() {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    congestionControl: fs.readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim(),
  };
}

module.exports = { facts };
