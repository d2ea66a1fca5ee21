'use strict';
// The sending half of a UDP socket: what has to be found out first (the bytes of a Blob, the address of a name) holds back
// what is sent after it, so that datagrams leave in their order.

const { Buffer } = require('node:buffer');
const dns = require('node:dns');
const { DatagramOutbox } = require('../datagram-outbox');
const { targetOf } = require('../datagram-address');
const { errnoByCode, peerError } = require('../errors');
const { isBlob, lengthOf, viewOf } = require('./arguments');
const { invalidAccess } = require('./exceptions');

/** Bytes that may wait before `send()` says that it is enough. */
const HIGH_WATER_MARK = 64 * 1024;
/** What fits into one packet of IP: 65,535 bytes, with the header of UDP and, in IPv4, that of IP. */
const LARGEST = { 4: 65_507, 6: 65_527 };

/** So many jobs that are done are forgotten together. */
const CLEARED = 1024;

const EMSGSIZE = errnoByCode.get('EMSGSIZE');

/**
 * Something to be sent that waits for its turn. Of `bytes` and `blob` one is null, and the target while it is looked up.
 * @typedef {object} Job
 * @property {Uint8Array | null} bytes
 * @property {Blob | null} blob
 * @property {import('../datagram-address').Target | null} target
 * @property {string} address
 * @property {number} port
 * @property {number} size
 */

class UdpSender {
  /** @type {Job[]} */
  #jobs = [];
  #jobBytes = 0;
  #owesDrain = false;
  /** Who waits for all to be sent. @type {(() => void)[]} */
  #waiting = [];

  /**
   * @param {import('../datagram-handle').DatagramHandle} handle
   * @param {{ reach: Record<number, boolean>, dnsFamily: number, family: number }} options
   * @param {{ onsenderror(cause: Error): void, ondrain(): void, ontoolong(cause: Error): void }} owner
   */
  constructor(handle, options, owner) {
    this.handle = handle;
    this.options = options;
    this.owner = owner;
    this.outbox = new DatagramOutbox(handle, this);
  }

  get bufferedAmount() {
    return this.outbox.bufferedAmount + this.#jobBytes;
  }

  /** The target of an address; null for a name, which is to be looked up. */
  targetOf(address) {
    const target = targetOf(address);
    if (target?.isNowhere) throw invalidAccess(`There is no interface like that of ${address}`);
    if (target === null || this.options.reach[target.family]) return target;
    throw invalidAccess(`A socket of IPv${this.options.family} cannot send to ${address}`);
  }

  /**
   * Sends, or has it wait for its turn. Answers whether little enough waits; false also where it is too long.
   * @param {unknown} data
   * @param {string} address
   * @param {number} port
   */
  send(data, address, port) {
    const target = this.targetOf(address);
    const most = LARGEST[(target?.family ?? this.options.dnsFamily) || 4];
    const mustWait = target === null || this.#jobs.length > 0;
    let size;
    if (typeof data === 'string' && !mustWait) {
      size = this.outbox.addText(data, target, port, most);
    } else if (isBlob(data)) {
      ({ size } = data);
      if (size <= most) this.#push({ bytes: null, blob: data, target, address, port, size });
    } else {
      const bytes = typeof data === 'string' ? Buffer.from(data) : viewOf(data);
      size = lengthOf(bytes);
      if (size > most) size = -1;
      else if (!mustWait) this.outbox.add(bytes, size, target, port);
      else this.#push({ bytes: new Uint8Array(bytes), blob: null, target, address, port, size });
    }
    if (size < 0 || size > most) {
      this.owner.ontoolong(peerError(EMSGSIZE, 'send', address, port));
      return false;
    }
    if (this.bufferedAmount <= HIGH_WATER_MARK) return true;
    this.#owesDrain = true;
    return false;
  }

  #push(job) {
    this.#jobs.push(job);
    this.#jobBytes += job.size;
    if (this.#jobs.length === 1) this.#work();
  }

  /** Sends the jobs, each when what it needs is there. */
  async #work() {
    const jobs = this.#jobs;
    let next = 0;
    while (next < jobs.length) {
      const job = jobs[next];
      let failure = null;
      try {
        job.target ??= await this.#lookup(job.address);
        job.bytes ??= new Uint8Array(await job.blob.arrayBuffer());
      } catch (err) {
        failure = err;
      }
      if (this.#jobs !== jobs) return; // The socket is closed.
      next++;
      // Not taken out one by one: with ten thousands of them each would move all others. Nor the last before the end:
      // who finds none here begins to work.
      if (next >= CLEARED && next < jobs.length) next -= jobs.splice(0, next).length;
      this.#jobBytes -= job.size;
      if (failure === null) this.outbox.add(job.bytes, job.bytes.length, job.target, job.port);
      else this.owner.onsenderror(failure);
    }
    jobs.length = 0;
    // Also where the last of them failed.
    this.outbox.touch();
  }

  /** @returns {Promise<import('../datagram-address').Target>} */
  async #lookup(host) {
    const { address } = await dns.promises.lookup(host, { family: this.options.dnsFamily });
    return this.targetOf(address);
  }

  // --- What the outbox tells.

  onrefused(errno, address, port) {
    this.owner.onsenderror(peerError(errno, 'send', address, port));
  }

  onsent() {
    if (this.#jobs.length > 0) return;
    this.#tellSent();
    if (!this.#owesDrain) return;
    this.#owesDrain = false;
    this.owner.ondrain();
  }

  /** Resolves when all that was sent is with the system, or dropped. */
  whenSent() {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.outbox.touch();
    });
  }

  #tellSent() {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** What was sent in this turn still goes out; the rest is dropped. */
  close() {
    this.outbox.flush();
    this.drop();
  }

  drop() {
    this.outbox.drop();
    this.#jobs = [];
    this.#jobBytes = 0;
    this.#tellSent();
  }
}

module.exports = { UdpSender };
