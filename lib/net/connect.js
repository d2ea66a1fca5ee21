'use strict';
// Connecting a socket: where to, by which addresses, and which attempt wins.
//
// With several addresses, attempts are started one after the other, each after the one before failed
// or took longer than `autoSelectFamilyAttemptTimeout`, and race from then on (RFC 8305): a slow
// attempt is not given up because the next one has started.

const dns = require('node:dns');
const { isIP } = require('node:net');
const { clearTimeout, setTimeout } = require('node:timers');
const { StreamHandle } = require('../stream-handle');
const { codedError, errnoByCode, invalidType, peerError } = require('../errors');
const {
  invalidAddress,
  missingArguments,
  validateBoolean,
  validateFunction,
  validateInteger,
  validateNumber,
  validatePort,
  validateString,
} = require('../args');
const { endpointOf } = require('./address');
const { refreshTimer } = require('./timer');
const defaults = require('./defaults');
const {
  kBytesRead,
  kBytesWritten,
  kConnectOptions,
  kKeepAlive,
  kNoDelay,
  kOpen,
  kTypeOfService,
  kUnrefed,
} = require('./symbols');

/** The shortest time an attempt is given before the next one starts, in milliseconds, as in Node. */
const SHORTEST_ATTEMPT = 10;

/** The attempts under way: `Race`, or null. */
const kRace = Symbol('kRace');

/**
 * @param {import('./socket').Socket} socket
 * @param {Record<string, any>} options
 * @param {Function | null} callback
 */
function connect(socket, options, callback) {
  const { path } = options;
  if (path) validateString(path, 'options.path');
  const plan = path ? null : checkTarget(options);
  // A socket whose peer ended it may be connected again.
  delete socket.write;
  if (socket.destroyed) revive(socket);
  if (callback !== null) socket.once('connect', callback);
  if (isTaken(socket, options)) return;

  refreshTimer(socket);
  socket.connecting = true;
  const handle = socket._handle ?? new StreamHandle();
  socket._handle = handle;
  socket._sockname = null;
  socket._peername = null;
  // Nothing native to close yet; destroying the socket ends the race.
  handle.attach(socket, placeholder);
  if (socket[kUnrefed]) handle.unref();

  if (path) {
    race(socket, [{ path, family: 0 }], {});
    return;
  }
  resolve(socket, plan);
}

/** A socket that is connected, or is being connected, fails as the system would have it. */
function isTaken(socket, { path, host, port }) {
  const isConnecting = socket.connecting;
  if (!isConnecting && !(socket._handle?.id >= 0)) return false;
  const errno = errnoByCode.get(isConnecting ? 'EALREADY' : 'EISCONN');
  const err = peerError(errno, 'connect', path ?? host ?? 'localhost', port);
  process.nextTick(() => socket.destroy(err));
  return true;
}

const placeholder = { onclose: () => {} };

function revive(socket) {
  socket._handle = null;
  socket[kBytesRead] = 0;
  socket[kBytesWritten] = 0;
  socket._hadError = false;
  socket._undestroy();
}

/** Checks a TCP target, at once. */
function checkTarget(options) {
  const { localAddress, localPort, port } = options;
  if (port === undefined) throw missingArguments('options', 'port', 'path');
  const host = options.host || 'localhost';
  if (localAddress && !isIP(localAddress)) throw invalidAddress(localAddress);
  if (localPort) validateNumber(localPort, 'options.localPort');
  if (localPort) validatePort(localPort, 'options.localPort');
  if (typeof port !== 'number' && typeof port !== 'string') {
    throw invalidType('options.port', 'one of type number or string', port);
  }
  const { autoSelectFamily, autoSelectFamilyAttemptTimeout: attemptTimeout } = options;
  if (autoSelectFamily != null) validateBoolean(autoSelectFamily, 'options.autoSelectFamily');
  if (attemptTimeout != null) {
    validateInteger(attemptTimeout, 'options.autoSelectFamilyAttemptTimeout', 1, 2 ** 31 - 1);
  }
  if (options.lookup != null) validateFunction(options.lookup, 'options.lookup');
  if (typeof host !== 'string') throw invalidType('options.host', 'of type string', host);
  return {
    host,
    port: validatePort(port, 'Port'),
    localAddress,
    localPort,
    lookup: options.lookup ?? dns.lookup,
    query: lookupQuery(options),
    isRace: (autoSelectFamily ?? defaults.autoSelectFamily) && !localAddress,
    attemptTimeout: Math.max(
      attemptTimeout ?? defaults.autoSelectFamilyAttemptTimeout,
      SHORTEST_ATTEMPT,
    ),
  };
}

function lookupQuery({ family, hints }) {
  const query = {
    family: family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : (family ?? 0),
    hints: hints || 0,
  };
  const isOpen = query.family !== 4 && query.family !== 6;
  // Addresses of a family that this machine does not have would only fail.
  if (process.platform !== 'win32' && isOpen && query.hints === 0) query.hints = dns.ADDRCONFIG;
  return query;
}

function resolve(socket, plan) {
  const { host, lookup, query, port } = plan;
  socket._host = host;
  const family = isIP(host);
  const resource = socket._handle.resource;
  const inContext =
    (fn) =>
    (...args) =>
      resource.runInAsyncScope(fn, null, ...args);
  if (family !== 0) {
    process.nextTick(
      inContext(() => {
        if (socket.connecting) race(socket, [{ address: host, family, port }], plan);
      }),
    );
    return;
  }
  const isRace = plan.isRace && query.family !== 4 && query.family !== 6;
  if (isRace) {
    query.all = true;
    lookup(
      host,
      query,
      inContext((err, addresses) => raceAll(socket, plan, err, addresses)),
    );
    return;
  }
  lookup(
    host,
    query,
    inContext((err, address, addressFamily) => {
      socket.emit('lookup', err, address, addressFamily, host);
      if (!socket.connecting) return;
      const problem = err ?? addressProblem(plan, address, addressFamily);
      if (problem) fail(socket, problem);
      else race(socket, [{ address, family: addressFamily, port }], plan);
    }),
  );
}

/** What is wrong with an answer of a lookup function, or null. */
function addressProblem({ host, port }, address, family) {
  if (typeof address !== 'string' || isIP(address) === 0) return invalidAddress(address);
  if (family === 4 || family === 6) return null;
  const message = `Invalid address family: ${family} ${host}:${port}`;
  return codedError(RangeError, 'ERR_INVALID_ADDRESS_FAMILY', message, { host, port });
}

function raceAll(socket, plan, err, addresses) {
  if (!socket.connecting) return;
  const { host, port } = plan;
  if (err) {
    socket.emit('lookup', err, undefined, undefined, host);
    if (socket.connecting) fail(socket, err);
    return;
  }
  const byFamily = { 4: [], 6: [] };
  const list = Array.isArray(addresses) ? addresses : [];
  for (const { address, family } of list) {
    socket.emit('lookup', err, address, family, host);
    if (!socket.connecting) return; // A listener destroyed it.
    if (typeof address !== 'string' || isIP(address) === 0 || !(family in byFamily)) continue;
    byFamily[family].push({ address, family, port });
  }
  const first = list[0];
  if (byFamily[4].length + byFamily[6].length === 0) {
    fail(socket, addressProblem(plan, first?.address, first?.family));
    return;
  }
  const isFirstV6 = first.family === 6;
  const targets = interleave(byFamily[isFirstV6 ? 6 : 4], byFamily[isFirstV6 ? 4 : 6]);
  if (targets.length > 1) socket.autoSelectFamilyAttemptedAddresses = [];
  race(socket, targets, plan);
}

/** One of each family in turn, beginning with the family that the resolver likes best. */
function interleave(ones, others) {
  const targets = [];
  for (let i = 0; i < Math.max(ones.length, others.length); i++) {
    if (i < ones.length) targets.push(ones[i]);
    if (i < others.length) targets.push(others[i]);
  }
  return targets;
}

function fail(socket, err) {
  process.nextTick(() => {
    if (socket.connecting) socket.destroy(err);
  });
}

/** Callbacks of an attempt; the owner of its handle is the race. */
const attemptCallbacks = {
  onconnect: (race_, handle) => race_.win(handle),
  onconnectfailed: (race_, handle, syscall, errno) => race_.lose(handle, syscall, errno),
  onclose: () => {},
};

/** Attempts to connect one socket to one of several targets. */
class Race {
  /**
   * @param {import('./socket').Socket} socket
   * @param {{ address?: string, port?: number, path?: string, family: number }[]} targets
   * @param {{ localAddress?: string, localPort?: number, attemptTimeout?: number }} plan
   */
  constructor(socket, targets, plan) {
    this.socket = socket;
    this.targets = targets;
    this.plan = plan;
    this.next = 0;
    /** Attempts that may still win. @type {Map<StreamHandle, object>} */
    this.running = new Map();
    this.errors = [];
    this.timer = null;
    this.isOver = false;
  }

  /** Starts the next attempt. */
  start() {
    const { socket, plan } = this;
    const target = this.targets[this.next++];
    const { path, address, port, family } = target;
    if (!path) {
      if (socket.autoSelectFamilyAttemptedAddresses) {
        socket.autoSelectFamilyAttemptedAddresses.push(`${address}:${port}`);
      }
      socket.emit('connectionAttempt', address, port, family);
      if (this.isOver || !socket.connecting) return; // A listener destroyed it.
    }
    const handle = this.takeHandle();
    this.running.set(handle, target);
    const remote = path ? { path } : endpointOf(address, port);
    handle.attach(this, attemptCallbacks);
    handle.connect(remote, localOf(plan, family), socket[kConnectOptions]());
    if (this.next < this.targets.length) {
      this.timer = setTimeout(() => this.isLate(handle), plan.attemptTimeout);
      if (!handle.hasRef()) this.timer.unref();
    }
  }

  /** The first attempt is the socket's own handle; further ones share its context. */
  takeHandle() {
    const own = this.socket._handle;
    if (own.id < 0 && this.running.size === 0 && this.next === 1) return own;
    const handle = new StreamHandle(own.resource);
    if (!own.hasRef()) handle.unref();
    return handle;
  }

  /** An attempt takes long: it goes on, beside the next one. */
  isLate(handle) {
    const target = this.running.get(handle);
    handle.resource.runInAsyncScope(() => {
      this.socket.emit('connectionAttemptTimeout', target.address, target.port, target.family);
      if (!this.isOver) this.start();
    });
  }

  win(handle) {
    this.running.delete(handle);
    this.end();
    const { socket } = this;
    const isFirst = socket._handle === handle;
    if (!isFirst) retire(socket._handle);
    socket[kRace] = null;
    socket.connecting = false;
    socket[kOpen](handle);
    connected(socket, handle);
  }

  lose(handle, syscall, errno) {
    const { socket } = this;
    const target = this.running.get(handle);
    this.running.delete(handle);
    if (this.isOver) return;
    const err = this.errorOf(target, syscall, errno);
    this.errors.push(err);
    const { address, port, family, path } = target;
    if (!path) socket.emit('connectionAttemptFailed', address, port, family, err);
    if (this.isOver) return; // A listener destroyed the socket.
    if (this.next < this.targets.length) {
      clearTimeout(this.timer);
      this.start();
    } else if (this.running.size === 0) {
      this.end();
      socket[kRace] = null;
      socket.destroy(this.targets.length > 1 ? allFailed(this.errors) : err);
    }
  }

  errorOf({ path, address, port, family }, syscall, errno) {
    const local = localOf(this.plan, family);
    if (syscall === 'bind') return peerError(errno, 'bind', local.address, local.port);
    return peerError(errno, 'connect', path ?? address, port, local?.port ? local : undefined);
  }

  /** Nobody else may win. */
  end() {
    this.isOver = true;
    clearTimeout(this.timer);
    for (const handle of this.running.keys()) retire(handle);
    this.running.clear();
  }
}

/** Closes a handle that nobody waits for. */
function retire(handle) {
  handle.attach(null, attemptCallbacks);
  if (handle.id >= 0) handle.close();
}

function localOf({ localAddress, localPort }, family) {
  if (!localAddress && !localPort) return null;
  return endpointOf(localAddress || (family === 6 ? '::' : '0.0.0.0'), localPort || 0);
}

/** The error of a race that nobody won: all errors, and the code of the first. */
function allFailed(errors) {
  const err = new AggregateError(errors);
  Error.captureStackTrace(err, allFailed);
  err.code = errors[0].code;
  return err;
}

function race(socket, targets, plan) {
  const blocked =
    socket.blockList && targets.filter((target) => isBlocked(socket.blockList, target));
  if (blocked?.length > 0) {
    targets = targets.filter((target) => !blocked.includes(target));
    if (targets.length === 0) {
      const { address } = blocked[0];
      fail(
        socket,
        codedError(Error, 'ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`),
      );
      return;
    }
  }
  socket[kRace] = new Race(socket, targets, plan);
  socket[kRace].start();
}

const isBlocked = (blockList, { address, family }) =>
  address !== undefined && blockList.check(address, `ipv${family}`);

/** Ends the attempts of a socket that is being destroyed. Answers whether there were any. */
function abandon(socket) {
  const running = socket[kRace];
  if (!running) return;
  socket[kRace] = null;
  running.running.delete(socket._handle); // It is closed like any other handle.
  running.end();
}

function connected(socket, handle) {
  // What was asked for while the attempt ran.
  const wanted = socket[kConnectOptions]();
  if (wanted.keepAlive) {
    const { delay, interval, count } = socket[kKeepAlive];
    handle.setKeepAlive(true, delay, interval, count);
  }
  if (wanted.noDelay) handle.setNoDelay(socket[kNoDelay]);
  // Like a failed `setNoDelay`, a failure here is no reason to give the connection up.
  if (socket[kTypeOfService] !== null) handle.setTypeOfService(socket[kTypeOfService]);
  if (!socket.readable) handle.readStop();
  if (!socket.writable) socket.end();
  refreshTimer(socket);
  socket.emit('connect');
  socket.emit('ready');
  if (socket.readable && !socket.isPaused()) socket.read(0);
}

module.exports = { abandon, connect };
