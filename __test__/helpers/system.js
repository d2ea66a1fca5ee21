'use strict';

/** Looks at sockets from outside: /proc on Linux, strace where it is installed and allowed. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const hex = (number, width) => number.toString(16).toUpperCase().padStart(width, '0');

/**
 * The kernel timer of the IPv4 loopback connection between two ports, as seen at `localPort`.
 * `kind`: 0 none, 1 retransmission, 2 keep-alive; `seconds` until it fires.
 */
function timerOf(localPort, remotePort) {
  const wanted = `0100007F:${hex(localPort, 4)} 0100007F:${hex(remotePort, 4)}`;
  const line = fs
    .readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find((each) => each.includes(wanted));
  if (!line) throw new Error(`no connection ${localPort} → ${remotePort}`);
  // sl local remote st tx:rx tr:when …; `when` counts hundredths of a second.
  const [kind, when] = line.trim().split(/\s+/)[5].split(':');
  return { kind: Number.parseInt(kind, 16), seconds: Number.parseInt(when, 16) / 100 };
}

const NO_PROC = fs.existsSync('/proc/net/tcp') ? false : 'needs /proc/net/tcp (Linux)';

let strace;
/** False when strace works here, else the reason to skip. */
function noStrace() {
  if (strace === undefined) {
    const { status, error } = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']);
    if (error) strace = 'strace is not installed';
    else strace = status === 0 ? false : 'strace may not trace here (ptrace is restricted)';
  }
  return strace;
}

/** The command prefix that writes the calls of a child to a file, and a reader for that file. */
function traceCalls(t, calls) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-strace-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'calls');
  return {
    // -yy names what a descriptor is, so that pipes and event descriptors can be told apart.
    prefix: ['strace', '-f', '-yy', '-qq', '-e', `trace=${calls}`, '-o', file],
    read: () => joinUnfinished(fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)),
  };
}

/** Calls that another thread interrupted are printed in two parts; puts them together again. */
function joinUnfinished(lines) {
  const open = new Map();
  const whole = [];
  for (const line of lines) {
    const [, pid, rest] = /^(\d+)\s+(.*)$/.exec(line) || [null, '', line];
    if (rest.endsWith('<unfinished ...>')) {
      open.set(pid, rest.slice(0, -'<unfinished ...>'.length));
    } else if (rest.startsWith('<... ')) {
      whole.push((open.get(pid) || '') + rest.replace(/^<\.\.\. \w+ resumed>/, ''));
      open.delete(pid);
    } else {
      whole.push(rest);
    }
  }
  return whole;
}

module.exports = { NO_PROC, noStrace, timerOf, traceCalls };
