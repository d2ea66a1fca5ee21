'use strict';

/** Value sockets on one end or both, and raw `node:net` peers that speak the protocol by hand. */

const { once } = require('node:events');
const { decode, encode } = require('socket/cbor');
const { DataSocket } = require('socket/data');
const { HOST, TIMEOUT, kit, peer, turn, until } = require('./kit');

const MAGIC = [0xd5, 0x44, 0x53, 0x4b];
const MiB = 2 ** 20;

/** A hello by the specification. */
function hello({ version = 1, codec = 1, flags = 0, limit = 64 * MiB } = {}) {
  const bytes = Buffer.from([...MAGIC, version, codec, flags, 0, 0, 0, 0, 0]);
  bytes.writeUInt32BE(limit, 8);
  return bytes;
}

const HELLO = hello();

/** A frame with these bytes. @param {Uint8Array} payload */
function frame(payload) {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(payload.length);
  return Buffer.concat([head, payload]);
}

/** A frame with this value. */
const valueFrame = (value) => frame(encode(value));

/** The arguments of the next event of that name. */
const told = (socket, event) =>
  new Promise((resolve) => socket.once(event, (...args) => resolve(args)));

/** The next value. */
const nextValue = async (socket) => (await told(socket, 'data'))[0];

const EVENTS = ['connect', 'data', 'sent', 'error', 'close', 'clienterror'];

/** What a socket tells from now on, as `[event, argument]`. */
function logOf(socket, events = EVENTS) {
  const log = [];
  for (const event of events) {
    socket.on(event, (...args) => log.push(args.length === 0 ? [event] : [event, args[0]]));
  }
  return log;
}

const names = (log) => log.map(([name]) => name);

/** Everything that a test opens through it is closed when the test ends. */
function dataKit(t) {
  const k = kit(t);
  const ours = [];
  t.after(
    async () => {
      for (const socket of ours) {
        const closed = socket.active ? told(socket, 'close') : null;
        socket.closeImmediately();
        await closed;
      }
    },
    { timeout: TIMEOUT },
  );

  function own(socket) {
    ours.push(socket);
    return socket;
  }

  /** A listener on a free port that takes everybody, or whom `acceptor` takes. */
  function listen(acceptor = () => true, options = {}) {
    return own(
      DataSocket.listen(
        function (socket) {
          own(socket);
          return acceptor.call(this, socket);
        },
        0,
        options,
      ),
    );
  }

  /** A listener that sends everything back. */
  const echo = (options) =>
    listen((socket) => socket.on('data', (value) => socket.send(value)) === socket, options);

  const connect = (listener, options = {}) =>
    own(DataSocket.connect(typeof listener === 'number' ? listener : listener.port, options));

  /** Two ends that are connected: the client's and the accepted one. */
  async function pair(listenOptions, connectOptions) {
    let accepted;
    const listener = listen((socket) => {
      accepted = socket;
      return true;
    }, listenOptions);
    const client = connect(listener, connectOptions);
    await told(client, 'connect');
    return { listener, client, accepted };
  }

  /** A raw connection to a listener. */
  async function raw(listener) {
    const conn = k.own(peer.connect({ port: listener.port, host: HOST, noDelay: true }));
    conn.on('error', () => {});
    await once(conn, 'connect');
    return conn;
  }

  /** A raw connection that was accepted, and the accepted socket. */
  async function rawPair(options) {
    let accepted;
    const listener = listen((socket) => {
      accepted = socket;
      return true;
    }, options);
    const conn = await raw(listener);
    conn.write(HELLO);
    const reader = new Reader(conn);
    const greeting = await reader.read(12);
    return { listener, accepted, conn, reader, greeting };
  }

  /** A raw server; `onConnection` gets each connection and its reader. Answers the port. */
  async function rawServer(onConnection) {
    const server = await k.listen({ lib: peer, noDelay: true }, (conn) => {
      conn.on('error', () => {});
      onConnection(conn, new Reader(conn));
    });
    return server.address().port;
  }

  /** One of ours that is connected to a raw server, and the raw end. */
  async function rawServed(options) {
    let end;
    const port = await rawServer(async (conn, reader) => {
      end = { conn, reader, greeting: await reader.read(12) };
      conn.write(HELLO);
    });
    const client = connect(port, options);
    await told(client, 'connect');
    return { client, ...end };
  }

  return { connect, echo, k, listen, own, pair, raw, rawPair, rawServed, rawServer };
}

/** Reads from a raw connection piece by piece. */
class Reader {
  constructor(conn) {
    this.conn = conn;
    this.chunks = [];
    this.length = 0;
    this.isEnded = false;
    this.wake = () => {};
    conn.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.length += chunk.length;
      this.wake();
    });
    for (const event of ['end', 'close']) {
      conn.on(event, () => {
        this.isEnded = true;
        this.wake();
      });
    }
  }

  async read(size) {
    while (this.length < size) {
      if (this.isEnded)
        throw new Error(`the connection ended with ${this.length} of ${size} bytes`);
      await new Promise((resolve) => (this.wake = resolve));
    }
    const all = Buffer.concat(this.chunks);
    this.chunks = [all.subarray(size)];
    this.length = all.length - size;
    return all.subarray(0, size);
  }

  async readFrame() {
    const length = (await this.read(4)).readUInt32BE();
    return this.read(length);
  }

  async readValue() {
    return decode(await this.readFrame());
  }

  /** What is left, when the peer has ended. */
  async rest() {
    while (!this.isEnded) await new Promise((resolve) => (this.wake = resolve));
    return Buffer.concat(this.chunks);
  }
}

module.exports = {
  DataSocket,
  HELLO,
  HOST,
  MiB,
  Reader,
  TIMEOUT,
  dataKit,
  frame,
  hello,
  logOf,
  names,
  nextValue,
  peer,
  told,
  turn,
  until,
  valueFrame,
};
