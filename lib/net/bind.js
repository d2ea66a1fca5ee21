'use strict';
// Binding a server's handle: to a port, a path or a descriptor, with what the system is to be told.

const fs = require('node:fs');
const { errnoByCode } = require('../errors');
const { endpointOf } = require('./address');
const { kProxyTimeout, kTlsServer, kTuning } = require('./symbols');

/** libuv's default for the kernel's queue of connections. */
const BACKLOG = 511;

const EADDRINUSE = errnoByCode.get('EADDRINUSE');
const ENOTSUP = errnoByCode.get('ENOTSUP');

function streamOptions(server) {
  return {
    noDelay: server.noDelay,
    keepAlive: server.keepAlive,
    keepAliveDelay: server.keepAliveInitialDelay,
    socket: server[kTuning] ?? undefined,
    readAtOnce: !server.pauseOnConnect,
  };
}

/** Listens on a descriptor. Answers 0 or an errno, like all that follow. */
function bindDescriptor(server, handle, fd, options) {
  const tls = server[kTlsServer]();
  return handle.listenFd(fd, listenOptions(server, options), streamOptions(server), tls);
}

/** A port without an address: any address, of IPv6 and IPv4 if there is IPv6, else of IPv4. */
function bindPort(server, handle, place, options) {
  if (!place.address) {
    const status = bindAt(server, handle, { address: '::', port: place.port }, options);
    if (status === 0 || status === EADDRINUSE) {
      Object.assign(place, { address: '::', family: 6 });
      return status;
    }
    Object.assign(place, { address: '0.0.0.0', family: 4 });
  }
  return bindAt(server, handle, endpointOf(place.address, place.port), options);
}

function bindAt(server, handle, local, options) {
  const native = listenOptions(server, options);
  const stream = streamOptions(server);
  const tls = server[kTlsServer]();
  const status = handle.listen(local, native, stream, tls);
  if (status !== ENOTSUP || !native.reusePort) return status;
  warnWithoutReusePort();
  return handle.listen(local, { ...native, reusePort: false }, stream, tls);
}

let isWarned = false;

/** Node fails here. A server that has its port for itself is better than none. */
function warnWithoutReusePort() {
  if (isWarned) return;
  isWarned = true;
  process.emitWarning(
    'This system cannot spread the connections of a port over several servers; ' +
      'listen() goes on without reusePort',
    { code: 'ENOTSUP' },
  );
}

function listenOptions(server, options) {
  const { ipv6Only, reusePort } = options;
  return {
    backlog: backlogOf(options),
    ipv6Only: Boolean(ipv6Only),
    reusePort: Boolean(reusePort),
    proxyTimeout: server[kProxyTimeout],
  };
}

/** As in Node, what is no number is the default. */
function backlogOf({ backlog }) {
  const wanted = Math.trunc(Number(backlog));
  return wanted > 0 ? Math.min(wanted, 2 ** 31 - 1) : BACKLOG;
}

/** `readableAll` and `writableAll` of a Unix socket. Answers 0 or an errno. */
function openToOthers(path, { readableAll, writableAll }) {
  if (!readableAll && !writableAll) return 0;
  try {
    const mode = fs.statSync(path).mode | (readableAll ? 0o444 : 0) | (writableAll ? 0o222 : 0);
    fs.chmodSync(path, mode);
    return 0;
  } catch (err) {
    return err.errno;
  }
}

module.exports = { bindAt, bindDescriptor, bindPort, openToOthers };
