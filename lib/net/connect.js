'use strict';
// Connecting a socket: where to, by which addresses, within which time. The attempts are in `race.js`.

const dns = require('node:dns');
const diagnostics = require('node:diagnostics_channel');
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
  validateStringWithoutNullBytes,
  validateTimeout,
} = require('../args');
const { nextBuffer } = require('./onread');
const { Race, kLimit, kRace, lookupTimedOut } = require('./race');
const { refreshTimer } = require('./timer');
const { tuningOf } = require('./tuning');
const defaults = require('./defaults');
const { kBytesRead, kOnread, kTuning, kUnrefed } = require('./symbols');
const writer = require('./writer');

/** The shortest time an attempt is given before the next one starts, in milliseconds, as in Node. */
const SHORTEST_ATTEMPT = 10;

/** Node's own channel: who watches its sockets sees ours. */
const onClientSocket = diagnostics.channel('net.client.socket');

/**
 * @param {import('./socket').Socket} socket
 * @param {Record<string, any>} options
 * @param {Function | null} callback
 */
function connect(socket, options, callback) {
  if (onClientSocket.hasSubscribers) onClientSocket.publish({ socket });
  const { path, connectTimeout } = options;
  if (path) validateString(path, 'options.path');
  const plan = path ? {} : checkTarget(options);
  const tuning = tuningOf(options, socket[kTuning]);
  const ms = connectTimeout == null ? 0 : validateTimeout(connectTimeout, 'options.connectTimeout');
  // A socket whose peer ended it may be connected again.
  delete socket.write;
  if (socket.destroyed) revive(socket);
  if (callback !== null) socket.once('connect', callback);
  if (isTaken(socket, options)) return;

  refreshTimer(socket);
  if (tuning !== null) socket[kTuning] = tuning;
  socket.connecting = true;
  if (socket._handle === null && socket[kOnread] !== null) nextBuffer(socket[kOnread]);
  const handle = socket._handle ?? new StreamHandle();
  socket._handle = handle;
  socket._sockname = null;
  socket._peername = null;
  // Nothing native to close yet; destroying the socket ends the race.
  handle.attach(socket, placeholder);
  if (socket[kUnrefed]) handle.unref();
  limit(socket, ms, plan);

  if (path) race(socket, [{ path }], plan);
  else resolve(socket, plan);
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
  writer.revive(socket);
  socket._hadError = false;
  socket._undestroy();
}

/** Checks a TCP target, at once. */
function checkTarget(options) {
  const { localAddress, localPort, port } = options;
  if (port === undefined && options.path == null) throw missingArguments('options', 'port', 'path');
  const host = options.host || 'localhost';
  validateStringWithoutNullBytes(host, 'options.host');
  if (localAddress && !isIP(localAddress)) throw invalidAddress(localAddress);
  if (localPort) validateNumber(localPort, 'options.localPort');
  if (localPort) validatePort(localPort, 'options.localPort');
  if (port !== undefined && typeof port !== 'number' && typeof port !== 'string') {
    throw invalidType('options.port', 'one of type number or string', port);
  }
  const { autoSelectFamily, autoSelectFamilyAttemptTimeout: attemptTimeout } = options;
  if (autoSelectFamily != null) validateBoolean(autoSelectFamily, 'options.autoSelectFamily');
  if (attemptTimeout != null) {
    validateInteger(attemptTimeout, 'options.autoSelectFamilyAttemptTimeout', 1, 2 ** 31 - 1);
  }
  if (options.lookup != null && isIP(host) === 0) {
    validateFunction(options.lookup, 'options.lookup');
  }
  return {
    host,
    port: port === undefined ? 0 : validatePort(port, 'Port'),
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
    family: family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family,
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
  const handle = socket._handle;
  let isAnswered = false;
  const inContext =
    (fn) =>
    (...args) => {
      // An answer that comes twice is nobody's, nor is one for a connection that has become another since.
      if (isAnswered || (socket._handle !== null && socket._handle !== handle)) return;
      isAnswered = true;
      handle.resource.runInAsyncScope(fn, null, ...args);
    };
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
    const others = byFamily[family];
    if (others.every((other) => other.address !== address)) others.push({ address, family, port });
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

function race(socket, targets, plan) {
  new Race(socket, targets, plan).start();
}

/** The whole connect has `ms`: the lookup and all attempts. @param {number} ms 0 is without end */
function limit(socket, ms, plan) {
  clearTimeout(socket[kLimit]);
  if (ms === 0) return;
  const { resource } = socket._handle;
  const onLate = () => {
    if (socket.connecting) socket.destroy(socket[kRace]?.timedOut() ?? lookupTimedOut(plan));
  };
  // What it limits keeps the process alive, or does not if the socket is unref'd.
  socket[kLimit] = setTimeout(() => resource.runInAsyncScope(onLate), ms).unref();
}

module.exports = { connect };
