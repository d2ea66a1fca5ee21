'use strict';

/**
 * Looks at sockets from outside: /proc on Linux, ss (Debian: iproute2), and strace where it is
 * installed and allowed.
 */

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

let ss;
/** False when ss works here, else the reason to skip. */
function noSs() {
  if (ss === undefined) {
    const { error, status } = spawnSync('ss', ['-Htn']);
    ss = error || status !== 0 ? 'ss is not installed (Debian: iproute2)' : false;
  }
  return ss;
}

/**
 * What ss says of the TCP sockets that `filter` chooses (see ss(8)), one text each.
 * @param {string} filter
 * @param {string} [state]
 */
function socketsWhere(filter, state = 'established') {
  const options = ['-Htinmoe', '--tos', 'state', state, filter];
  const { stdout, stderr, status } = spawnSync('ss', options, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ss failed: ${stderr}`);
  // A socket's first line begins at the margin, its further ones do not.
  return stdout.split(/\n(?=\S)/).filter(Boolean);
}

/** The numbers that ss prints for the connection between two ports, as seen at `localPort`. */
function inside(localPort, remotePort) {
  const found = socketsWhere(`sport = :${localPort} and dport = :${remotePort}`);
  if (found.length !== 1) throw new Error(`${found.length} connections are there`);
  const number = (pattern) => {
    const match = pattern.exec(found[0]);
    return match && Number(match[1]);
  };
  return {
    text: found[0],
    recvBuffer: number(/skmem:\(r\d+,rb(\d+)/),
    sendBuffer: number(/,tb(\d+)/),
    /** The exponent that this end told the peer in the handshake. */
    windowScale: number(/ wscale:\d+,(\d+)/) ?? 0,
    typeOfService: Number.parseInt(/ tos:(\w+)/.exec(found[0])?.[1] ?? '0', 16),
  };
}

let strace;
/** False when strace works here, else the reason to skip. */
function noStrace() {
  if (strace === undefined) {
    const { status, error } = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']);
    if (error) strace = 'strace is not installed (Debian: strace)';
    else strace = status === 0 ? false : 'strace may not trace here (ptrace is restricted)';
  }
  return strace;
}

/**
 * The command prefix that writes the calls of a child to a file, and a reader for that file.
 * @param {string} [inject] what strace does to some of them, see its option of that name
 */
function traceCalls(t, calls, inject) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-strace-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const file = path.join(dir, 'calls');
  return {
    // -yy names what a descriptor is, so that pipes and event descriptors can be told apart.
    prefix: ['strace', '-f', '-yy', '-qq', '-e', `trace=${calls}`, '-o', file].concat(
      inject ? ['-e', `inject=${inject}`] : [],
    ),
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

module.exports = { NO_PROC, inside, noSs, noStrace, socketsWhere, timerOf, traceCalls };
