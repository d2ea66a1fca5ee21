'use strict';
// The multicast groups of a UDP socket, and the interfaces that they are joined on.

const { isIPv4 } = require('node:net');
const os = require('node:os');
const { inspect } = require('node:util');
const { targetOf } = require('../datagram-address');
const { codeOf, peerError } = require('../errors');
const { scopeId } = require('../net/address');
const { invalidAccess, invalidState, networkError } = require('./exceptions');

/** The system chooses. */
const ANY = Object.freeze({ index: 0 });

const addressOf = ({ address }) => address;

/**
 * An interface for the engine, by its name or one of its addresses.
 * @param {unknown} wanted null: the system chooses
 * @param {number} family of the socket
 * @param {boolean} isLenient where there is none, the system chooses
 * @returns {import('../../binding').NativeInterface}
 * @throws {DOMException} InvalidAccessError, NetworkError
 */
function interfaceOf(wanted, family, isLenient) {
  if (wanted === null) return ANY;
  // All of 127.0.0.0/8 is on the machine, whatever is listed.
  if (isLenient && wanted.startsWith('127.')) return { address: wanted, index: 0 };
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (name !== wanted && !addresses.some(({ address }) => address === wanted)) continue;
    if (family === 4) {
      const own = isIPv4(wanted) ? wanted : addresses.map(addressOf).find(isIPv4);
      if (own !== undefined) return { address: own, index: 0 };
    } else {
      const index = scopeId(name);
      if (index > 0) return { index };
    }
  }
  // A socket may be bound to a group or to broadcasts.
  if (isLenient) return ANY;
  throw invalidAccess(`There is no interface ${inspect(wanted)} for IPv${family}`);
}

/** @throws {DOMException} NetworkError: it takes a descriptor to ask */
function networkInterfaces() {
  try {
    return os.networkInterfaces();
  } catch (cause) {
    throw networkError(cause);
  }
}

/** The groups of one socket. */
class Groups {
  /** By the group's number and its interface: the group as it was given. @type {Map<string, string>} */
  #joined = new Map();

  /**
   * @param {import('../datagram-handle').DatagramHandle} handle
   * @param {number} family of the socket
   * @param {import('../../binding').NativeInterface} where they are joined
   */
  constructor(handle, family, where) {
    this.handle = handle;
    this.family = family;
    this.where = where;
  }

  /** The groups as they were given. */
  get list() {
    return Object.freeze([...this.#joined.values()]);
  }

  join(address) {
    const { key, group, where } = this.#target(address);
    if (this.#joined.has(key)) throw invalidState(`The group is joined already: ${address}`);
    const errno = this.handle.setMembership(group, where, true);
    if (errno !== 0) throw refused(errno, 'addMembership', address);
    this.#joined.set(key, address);
  }

  leave(address) {
    const { key, group, where } = this.#target(address);
    if (!this.#joined.has(key)) throw invalidState(`The group is not joined: ${address}`);
    const errno = this.handle.setMembership(group, where, false);
    if (errno !== 0) throw refused(errno, 'dropMembership', address);
    this.#joined.delete(key);
  }

  #target(address) {
    const target = typeof address === 'string' ? targetOf(address) : null;
    if (target === null || !target.isMulticast || target.family !== this.family) {
      const kind = `a multicast address of IPv${this.family}`;
      throw invalidAccess(`Not ${kind}: ${inspect(address, { depth: -1 })}`);
    }
    if (target.isNowhere) throw invalidAccess(`There is no interface like that of ${address}`);
    const scope = target.words[4] ?? 0;
    const where = scope === 0 ? this.where : { index: scope };
    return { key: target.words.join(), group: address.split('%', 1)[0], where };
  }
}

/** What a refusal of the system is. */
function refused(errno, syscall, address) {
  const cause = peerError(errno, syscall, address);
  switch (codeOf(errno)) {
    case 'EADDRINUSE':
    case 'EADDRNOTAVAIL':
      return invalidState(cause.message);
    default:
      return networkError(cause);
  }
}

module.exports = { Groups, interfaceOf };
