'use strict';
// `UDPSocket`: a bound UDP socket as an event target.
//
// | state | what happens | then | events |
// | --- | --- | --- | --- |
// | open | a datagram | open | message |
// | open | `send()` | open | drain, if it was false |
// | open | `send()` of more than a datagram can have | closed | error |
// | open | the system refuses a datagram later on | open | error |
// | open | `signal` | closed | error |
// | open | `close()`, `closeImmediately()` | closed | none, also none that were to come |
// | closed | `send()`, `joinMulticastGroup()`, `leaveMulticastGroup()` | closed | InvalidStateError |
// | closed | all other methods | closed | none |

const { targetOf } = require('../datagram-address');
const { DatagramHandle } = require('../datagram-handle');
const { AbortError, errnoError, peerError } = require('../errors');
const { defineInspect, membersNamed } = require('../inspect');
const { hostOf: placeOf } = require('../net/address');
const { watchAbort } = require('../signal');
const { hostOf, portOf, viewOf, isBlob } = require('./arguments');
const { datagramEvent, errorEvent } = require('./events');
const { invalidAccess, invalidState, networkError } = require('./exceptions');
const { defineInterface, requireArguments } = require('./interface');
const { Milestone } = require('./promises');
const { DeliveryQueue, SocketTarget, defineHandlers, dispatch } = require('./target');
const { Groups } = require('./udp-groups');
const { udpOptions } = require('./udp-options');
const { UdpSender } = require('./udp-sender');
const { DatagramSink, DatagramSource } = require('./udp-streams');

const { Event } = globalThis;

/** Not the address is at fault, but the system is short of something. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** @type {Record<string, Function>} what a handle calls */
let callbacks;

class UDPSocket extends SocketTarget {
  static {
    callbacks = {
      ondatagram: (socket, data, address, port) => socket.#receive(data, address, port),
      onlost: (socket, err) => socket.#lose(err),
      onwritten: (socket) => socket.#sender.outbox.written(),
      onrefused: (socket, ...about) => socket.#sender.onrefused(...about),
      onfailed: (socket, syscall, errno) =>
        socket.#report(networkError(errnoError(errno, syscall))),
      onclose: (socket) => socket.#end(networkError(new Error('The socket failed'))),
    };
  }

  #options;
  #handle = new DatagramHandle();
  #queue = new DeliveryQueue(this.#handle.resource, () => this.#updateReading());
  #sender;
  #groups;
  #local;
  #isOpen = true;
  /** Nothing is dispatched any more, not even what was to be. */
  #isSilent = false;
  /** Whoever reads the stream wants more. */
  #isWanted = true;
  #opened = new Milestone();
  #closed = new Milestone();
  /** @type {DatagramSource | null} */
  #source = null;
  /** @type {DatagramSink | null} */
  #sink = null;
  #lost = 0;
  #forgetSignal;

  /** @param {object} [options] */
  constructor(options) {
    super();
    const checked = udpOptions(options);
    checked.signal?.throwIfAborted();
    this.#options = checked;
    this.#bind(checked);
    this.#sender = new UdpSender(this.#handle, checked, {
      onsenderror: (cause) => this.#report(networkError(cause)),
      ontoolong: (cause) => {
        this.#sender.close();
        this.#end(networkError(cause));
      },
      ondrain: () => this.#drained(),
    });
    this.#groups = new Groups(this.#handle, checked.family, checked.groups);
    this.#handle.attach(this, callbacks);
    this.#opened.resolve(this.#openInfo());
    this.#forgetSignal = watchAbort(checked.signal, (reason) => {
      this.#end(networkError(new AbortError(reason)));
    });
  }

  /** The address and port in use. */
  get localAddress() {
    return this.#local.address;
  }

  get localPort() {
    return this.#local.port;
  }

  /** Where `send()` sends to by default. */
  get remoteAddress() {
    return this.#options.remote.address;
  }

  get remotePort() {
    return this.#options.remote.port;
  }

  get addressReuse() {
    return this.#options.addressReuse;
  }

  get loopback() {
    return this.#options.loopback;
  }

  get bufferedAmount() {
    return this.#isOpen ? this.#sender.bufferedAmount : 0;
  }

  get readyState() {
    return this.#isOpen ? 'open' : 'closed';
  }

  get opened() {
    return this.#opened.promise;
  }

  get closed() {
    return this.#closed.promise;
  }

  /** The groups that are joined. */
  get joinedGroups() {
    return this.#groups.list;
  }

  /** Datagrams that came and are not delivered: for want of memory, and of room in the system's buffer. */
  dropCounts() {
    return { memory: this.#lost, system: this.#handle.dropped() };
  }

  send(data, remoteAddress, remotePort) {
    requireArguments(arguments.length, 1, 'UDPSocket.send');
    this.#mustBeOpen();
    if (typeof data !== 'string' && !isBlob(data)) viewOf(data);
    const { remote } = this.#options;
    const address = remoteAddress ?? remote.address;
    const port = remotePort ?? remote.port;
    if (address === null || port === null) {
      throw invalidAccess('Where to send is neither said nor a default of the socket');
    }
    if (typeof address !== 'string' || targetOf(address) === null) hostOf(address, 'remoteAddress');
    return this.#sender.send(data, address, portOf(port, 'remotePort'));
  }

  joinMulticastGroup(multicastGroupAddress) {
    requireArguments(arguments.length, 1, 'UDPSocket.joinMulticastGroup');
    this.#mustBeOpen();
    this.#groups.join(multicastGroupAddress);
  }

  leaveMulticastGroup(multicastGroupAddress) {
    requireArguments(arguments.length, 1, 'UDPSocket.leaveMulticastGroup');
    this.#mustBeOpen();
    this.#groups.leave(multicastGroupAddress);
  }

  /** Nothing is delivered until `resume()`. */
  suspend() {
    this.#queue.suspend();
    this.#updateReading();
  }

  resume() {
    this.#queue.resume();
    this.#updateReading();
  }

  close() {
    if (!this.#isOpen) return;
    this.#sender.close();
    this.#end(null);
  }

  /** The same, and what was sent in this turn is dropped as well. */
  closeImmediately() {
    if (!this.#isOpen) return;
    this.#end(null);
  }

  ref() {
    this.#handle.ref();
    return this;
  }

  unref() {
    this.#handle.unref();
    return this;
  }

  #mustBeOpen() {
    if (!this.#isOpen) throw invalidState('The socket is closed');
  }

  #bind({ local, native }) {
    const errno = this.#handle.bind(local, native);
    if (errno === 0) {
      this.#local = placeOf(this.#handle.getsockname());
      return;
    }
    const cause = peerError(errno, 'bind', local.address, local.port);
    if (SHORTAGES.has(cause.code)) throw networkError(cause);
    throw invalidAccess(cause.message, cause);
  }

  // --- Receiving.

  #receive(data, address, port) {
    if (this.#queue.mayFire(true)) {
      this.#deliver(data, address, port);
      return;
    }
    this.#queue.push(() => this.#deliver(data, address, port), true);
    this.#updateReading();
  }

  #deliver(data, address, port) {
    if (this.#source === null) dispatch(this, datagramEvent(data, address, port));
    else this.#source.push(data, address, port);
  }

  #updateReading() {
    const isWanted = this.#isWanted && !this.#queue.isSuspended && !this.#queue.hasInput;
    if (isWanted) this.#handle.readStart();
    else this.#handle.readStop();
  }

  #lose(err) {
    this.#lost++;
    this.#report(networkError(err));
  }

  // --- Telling.

  /** Something went wrong, and the socket goes on. */
  #report(error) {
    this.#queue.push(() => {
      if (!this.#isSilent) dispatch(this, errorEvent(error));
    });
  }

  #drained() {
    this.#sink?.drained();
    this.#queue.push(() => {
      if (this.#isOpen) dispatch(this, new Event('drain'));
    });
  }

  /** It is closed: by the program, or with an error. */
  #end(error) {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#isSilent = error === null;
    this.#forgetSignal();
    this.#queue.dropInput();
    this.#sender.drop();
    this.#handle.close();
    if (error === null) this.#closed.resolve();
    else {
      this.#closed.reject(error);
      this.#report(error);
    }
    this.#source?.end(error);
    this.#sink?.end(error ?? invalidState('The socket is closed'));
  }

  // --- Streams.

  #openInfo() {
    const socket = this;
    return {
      get readable() {
        return socket.#readable();
      },
      get writable() {
        return socket.#writable();
      },
      localAddress: this.localAddress,
      localPort: this.localPort,
      remoteAddress: this.remoteAddress,
      remotePort: this.remotePort,
    };
  }

  #readable() {
    if (this.#source === null) {
      const receive = (on) => {
        this.#isWanted = on;
        this.#updateReading();
      };
      this.#source = new DatagramSource({ receive });
      if (!this.#isOpen) this.#source.end(null);
    }
    return this.#source.stream;
  }

  #writable() {
    if (this.#sink === null) {
      this.#sink = new DatagramSink({
        send: (...datagram) => this.send(...datagram),
        whenSent: () => this.#sender.whenSent(),
        abort: () => this.closeImmediately(),
      });
      if (!this.#isOpen) this.#sink.end(invalidState('The socket is closed'));
    }
    return this.#sink.stream;
  }
}

defineHandlers(UDPSocket, 'drain', 'error', 'message');
defineInterface(UDPSocket);
defineInspect(
  UDPSocket,
  membersNamed(
    'readyState',
    'localAddress',
    'localPort',
    'remoteAddress',
    'remotePort',
    'bufferedAmount',
  ),
);

module.exports = { UDPSocket };
