'use strict';
// Attempts to connect one socket to one of several addresses.
//
// They are started one after the other, each after the one before failed or took longer than
// `autoSelectFamilyAttemptTimeout`, and race from then on (RFC 8305): a slow attempt is not given up
// because the next one has started.

const { clearTimeout, setTimeout } = require('node:timers');
const { StreamHandle } = require('../stream-handle');
const { callIn } = require('../tick');
const { codedError, errnoByCode, peerError } = require('../errors');
const { endpointOf } = require('./address');
const { refreshTimer } = require('./timer');
const {
  kConnectOptions,
  kKeepAlive,
  kNoDelay,
  kOpen,
  kTuning,
  kTypeOfService,
} = require('./symbols');

const ETIMEDOUT = errnoByCode.get('ETIMEDOUT');

/** The attempts under way: `Race`, or null. */
const kRace = Symbol('kRace');
/** The timer of `connectTimeout`, while there is one. */
const kLimit = Symbol('kLimit');

/** Callbacks of an attempt; the owner of its handle is the race. */
const attemptCallbacks = {
  onconnect: (race, handle) => race.win(handle),
  onconnectfailed: (race, handle, errno, isAtOnce) => race.lose(handle, errno, isAtOnce),
  onclose: () => {},
};

class Race {
  /**
   * @param {import('./socket').Socket} socket
   * @param {{ address?: string, port?: number, path?: string, family?: number }[]} targets
   * @param {{ host?: string, port?: number, localAddress?: string, localPort?: number,
   *   attemptTimeout?: number }} plan
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
    this.isOwnTaken = false;
    /** The options of the descriptor that the attempts have. */
    this.tuning = socket[kTuning];
    socket[kRace] = this;
  }

  get isLonely() {
    return this.targets.length === 1;
  }

  /** Starts the next attempt. */
  start() {
    const { socket, plan } = this;
    const target = this.targets[this.next++];
    const { path, address, port, family } = target;
    const blocked = blockedBy(socket.blockList, target);
    if (blocked && !this.isLonely) {
      this.fail(target, blocked);
      return;
    }
    // Whether the local address can be had shows before it is said that there is an attempt.
    const local = localOf(plan, family);
    const bound = local && !blocked ? this.takeHandle() : null;
    if (bound !== null) {
      const status = this.launch(bound, target, local);
      if (status < 0) {
        this.giveUp(peerError(status, 'bind', local.address, local.port));
        return;
      }
    }
    socket.emit('connectionAttempt', path ?? address, port, family);
    if (this.isOver || !socket.connecting) return; // A listener destroyed it.
    if (blocked) {
      socket.destroy(blocked);
      return;
    }
    if (!this.isLonely) socket.autoSelectFamilyAttemptedAddresses.push(`${address}:${port}`);
    const handle = bound ?? this.takeHandle();
    if (bound === null) this.launch(handle, target, null);
    if (this.next < this.targets.length) {
      this.timer = setTimeout(() => this.isLate(handle), plan.attemptTimeout);
      if (!handle.hasRef()) this.timer.unref();
    }
  }

  /** Answers 0, or an errno where `local` cannot be bound. */
  launch(handle, target, local) {
    const { path, address, port } = target;
    handle.attach(this, attemptCallbacks);
    const remote = path ? { path } : endpointOf(address, port);
    const status = handle.connect(remote, local, this.socket[kConnectOptions]());
    if (status === 0) this.running.set(handle, target);
    return status;
  }

  /** The first attempt is the socket's own handle; further ones share its context. */
  takeHandle() {
    const own = this.socket._handle;
    if (!this.isOwnTaken) {
      this.isOwnTaken = true;
      return own;
    }
    const handle = new StreamHandle(own.resource);
    own.endsContext = false; // It is the winner's.
    if (!own.hasRef()) handle.unref();
    return handle;
  }

  /** An attempt takes long: it goes on, beside the next one. */
  isLate(handle) {
    const target = this.running.get(handle);
    callIn(handle.resource, () => {
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
    handle.endsContext = true;
    socket[kRace] = null;
    clearTimeout(socket[kLimit]);
    socket.connecting = false;
    socket[kOpen](handle);
    connected(socket, handle, this.tuning);
  }

  /** @param {boolean} isAtOnce the system refused the attempt before anything was sent */
  lose(handle, errno, isAtOnce) {
    const target = this.running.get(handle);
    this.running.delete(handle);
    if (this.isOver) return;
    const err = this.errorOf(target, errno, isAtOnce);
    // As in Node, already in the event of the attempt.
    if (this.isLonely) this.socket.connecting = false;
    // As in Node: what the call itself said of the only address is told by 'error' alone.
    if (this.isLonely && isAtOnce && !target.path) this.socket.destroy(err);
    else this.fail(target, err);
  }

  /** One address will not be it. */
  fail({ path, address, port, family }, err) {
    this.socket.emit('connectionAttemptFailed', path ?? address, port, family, err);
    if (!this.isOver) this.giveUp(err); // Else a listener destroyed the socket.
  }

  /** On to the next address, if there is one. */
  giveUp(err) {
    const { socket } = this;
    this.errors.push(err);
    if (this.next < this.targets.length) {
      clearTimeout(this.timer);
      this.start();
    } else if (this.running.size === 0) {
      socket.destroy(
        this.isLonely ? err : aggregate(this.errors, '', { code: this.errors[0].code }),
      );
    }
  }

  errorOf({ path, address, port, family }, errno, isAtOnce) {
    const local = localOf(this.plan, family);
    const err = peerError(errno, 'connect', path ?? address, port, local?.port ? local : undefined);
    if (isAtOnce && !path) {
      const { address: ours, port: ourPort } = local ?? { address: anyOf(family), port: 0 };
      if (!local?.port) err.message += ` - Local (${ours}:${ourPort})`;
    }
    return err;
  }

  /** The error of attempts that have had their time. */
  timedOut() {
    const late = [...this.running.values()].map((target) => this.errorOf(target, ETIMEDOUT, false));
    if (this.isLonely) return late[0];
    const { message, ...fields } = lookupTimedOut(this.plan);
    return aggregate([...this.errors, ...late], message, fields);
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

const anyOf = (family) => (family === 6 ? '::' : '0.0.0.0');

function localOf({ localAddress, localPort }, family) {
  if (!localAddress && !localPort) return null;
  return endpointOf(localAddress || anyOf(family), localPort || 0);
}

/** Why an address may not be connected to, or null. */
function blockedBy(blockList, { address, family }) {
  if (!blockList || address === undefined || !blockList.check(address, `ipv${family}`)) return null;
  return codedError(Error, 'ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`);
}

/** The error of several addresses: those of all attempts, and `fields`. */
function aggregate(errors, message, fields) {
  const err = new AggregateError(errors, message);
  Error.captureStackTrace(err, aggregate);
  return Object.assign(err, fields);
}

/** The error of a connect without an address, for there is none yet or there are several. */
function lookupTimedOut({ host, port }) {
  const err = peerError(ETIMEDOUT, 'connect', host, port);
  delete err.address;
  return Object.assign(err, { hostname: host });
}

/**
 * Ends the attempts of a socket that is being destroyed, but for the one with its `own` handle, which is closed
 * like that of any socket. Answers whether there were others; `ended` is called when they are closed.
 */
function abandon(socket, own, ended) {
  clearTimeout(socket[kLimit]);
  const race = socket[kRace];
  if (!race) return false;
  socket[kRace] = null;
  race.running.delete(own);
  const others = [...race.running.keys()];
  race.end();
  let open = others.length;
  const callbacks = { ...attemptCallbacks, onclose: () => --open === 0 && ended() };
  for (const handle of others) handle.attach(null, callbacks);
  return open > 0;
}

/** @param {object | null} tuning the options that the descriptor has already */
function connected(socket, handle, tuning) {
  // What was asked for while the attempt ran.
  const wanted = socket[kConnectOptions]();
  if (wanted.keepAlive) {
    const { delay, interval, count } = socket[kKeepAlive];
    handle.setKeepAlive(true, delay, interval, count);
  }
  if (wanted.noDelay) handle.setNoDelay(socket[kNoDelay]);
  // Like a failed `setNoDelay`, a failure here is no reason to give the connection up.
  if (socket[kTypeOfService] !== null) handle.setTypeOfService(socket[kTypeOfService]);
  if (socket[kTuning] !== tuning) handle.setUserTimeout(socket[kTuning].userTimeout);
  // It reads from the start unless the socket was paused before the attempt began.
  if (!socket.readable || socket.isPaused()) handle.readStop();
  if (!socket.writable) socket.end();
  refreshTimer(socket);
  socket.emit('connect');
  socket.emit('ready');
  if (socket.readable && !socket.isPaused()) socket.read(0);
}

module.exports = { Race, abandon, kLimit, kRace, lookupTimedOut };
