'use strict';

/** Message sockets on one end, a raw `node:net` socket on the other. */

const { once } = require('node:events');
const fs = require('node:fs');
const messages = require('../../lib/messages');
const { HOST, TIMEOUT, closed, kit, peer, readAll, readBytes, turn, until } = require('./kit');

const { SocketClient, SocketServer } = messages;

/** Everything a test opens through its kit is closed when the test ends; the raw ends first, so that nobody lingers. */
function messageKit(t) {
  const k = kit(t);
  const ours = new Set();
  t.after(
    async () => {
      for (const each of ours) {
        each.on('error', () => {});
        await each[Symbol.asyncDispose]();
      }
    },
    { timeout: TIMEOUT },
  );

  function own(each) {
    ours.add(each);
    return each;
  }

  /** A raw server. @param {object} [options] what `node:net` takes */
  const rawServer = (options) => k.listen({ lib: peer, ...options });

  /** A `SocketClient` that is not open yet. */
  const client = (port, options) => own(new SocketClient(port, HOST, options));

  /** A started `SocketServer` on loopback. */
  async function server(options) {
    const made = own(new SocketServer({ port: 0, hostInterface: HOST, ...options }));
    made.start();
    const [port] = await once(made, 'listening');
    return { server: made, port };
  }

  /** Connects a raw socket. */
  async function raw(port, options) {
    const conn = k.own(peer.connect({ port, host: HOST, noDelay: true, ...options }));
    await once(conn, 'connect');
    return conn;
  }

  /**
   * One of ours that is open, and the raw end of its connection.
   * @param {'client' | 'server'} side which end is ours
   * @param {object} [options] ours
   * @param {object} [rawOptions] of the raw end
   */
  async function pair(side, options, rawOptions) {
    if (side === 'client') {
      const listening = await rawServer({ noDelay: true, ...rawOptions });
      const accepted = once(listening, 'connection');
      const made = client(listening.address().port, options);
      made.open();
      await once(made, 'open');
      const [conn] = await accepted;
      return { ours: made, conn, listening };
    }
    const { server: made, port } = await server(options);
    const accepted = once(made, 'connection');
    const conn = await raw(port, rawOptions);
    const [socket] = await accepted;
    return { ours: own(socket), conn, server: made, port };
  }

  return { client, k, own, pair, raw, rawServer, server };
}

/** What an emitter tells from now on, as `[event, value]`; of an error the text. */
function logOf(emitter, log = []) {
  emitter.on('data', (value) => log.push(['data', value]));
  emitter.on('messages', (values) => log.push(['messages', values]));
  emitter.on('error', (text) => log.push(['error', text]));
  emitter.on('close', () => log.push(['close']));
  return log;
}

/** Resolves with the arguments of the next such event; unlike `once` it does not care for 'error'. */
const told = (emitter, name) =>
  new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));

const dataOf = (log) => log.filter(([name]) => name === 'data').map(([, value]) => value);
const errorsOf = (log) => log.filter(([name]) => name === 'error').map(([, text]) => text);

/** Bytes that our end of `conn`'s connection has not read yet, or null where nobody says. */
function unread(conn) {
  if (conn.destroyed) return 0;
  const hex = (port) => port.toString(16).toUpperCase().padStart(4, '0');
  const wanted = `0100007F:${hex(conn.remotePort)} 0100007F:${hex(conn.localPort)}`;
  let table;
  try {
    table = fs.readFileSync('/proc/net/tcp', 'utf8');
  } catch {
    return null;
  }
  const line = table.split('\n').find((each) => each.includes(wanted));
  // sl local remote st tx:rx …
  return line ? Number.parseInt(line.trim().split(/\s+/)[4].split(':')[1], 16) : 0;
}

/** So many pieces are worth asking the system; with more of them a pause has to do. */
const FEW_PIECES = 4;

/**
 * Writes pieces so that our end reads each by itself. A piece that is read together with the next one does not
 * fail a test: how a stream is cut means nothing.
 */
async function writeCut(conn, pieces) {
  const asks = pieces.length <= FEW_PIECES;
  for (const piece of pieces) {
    if (piece.length === 0 || conn.destroyed) continue;
    await new Promise((resolve) => conn.write(piece, resolve));
    if (asks && unread(conn) !== null) await until(() => conn.destroyed || unread(conn) === 0);
    else await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Every byte by itself. */
const bytewise = (bytes) => Array.from(bytes, (byte) => Buffer.from([byte]));

/** A frame around `payload`, made without our code. */
function frame(payload) {
  const bytes = Buffer.from(payload);
  if (bytes.length < 255) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const header = Buffer.alloc(5, 0xff);
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

/** The frames in `bytes`, read without our code. */
function framesIn(bytes) {
  const frames = [];
  for (let at = 0; at < bytes.length;) {
    const isLong = bytes[at] === 255;
    const length = isLong ? bytes.readUInt32BE(at + 1) : bytes[at];
    at += isLong ? 5 : 1;
    if (at + length > bytes.length) throw new Error(`the frame at ${at} is cut`);
    frames.push(bytes.subarray(at, at + length));
    at += length;
  }
  return frames;
}

const hex = (text) => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** Everything on the wire after `act`, and what was told. */
async function wireOf(t, options, act) {
  const { ours, conn } = await messageKit(t).pair('client', options);
  const errors = [];
  ours.on('error', (text, err) => errors.push([text, err]));
  const all = readAll(conn);
  act(ours);
  ours.close();
  const bytes = await all;
  await turn();
  return { bytes, hex: bytes.toString('hex'), errors };
}

/** What is received of `bytes`, sent by the raw end in one piece. */
async function receivedOf(t, options, bytes) {
  const { ours, conn } = await messageKit(t).pair('server', options);
  const log = logOf(ours);
  conn.end(bytes);
  await closed(ours);
  return log;
}

module.exports = {
  HOST,
  TIMEOUT,
  bytewise,
  closed,
  dataOf,
  errorsOf,
  frame,
  framesIn,
  hex,
  logOf,
  messageKit,
  messages,
  once,
  peer,
  readAll,
  readBytes,
  receivedOf,
  told,
  turn,
  until,
  wireOf,
  writeCut,
};
