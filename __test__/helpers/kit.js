'use strict';

/**
 * What most tests need: servers and sockets that are closed when the test ends, and promises for
 * the usual events. Peers are node:net unless a test asks for the subject on both sides.
 */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const peer = require('node:net');
const { net } = require('./subject');

/** Bound of a test that should take milliseconds; generous, because machines are shared. */
const TIMEOUT = 20_000;

const HOST = '127.0.0.1';

/** What each test has opened: the helpers of one test share it, so that all of it ends at once. */
const opened = new WeakMap();

function openedBy(t) {
  let all = opened.get(t);
  if (all) return all;
  all = { sockets: new Set(), servers: new Set() };
  opened.set(t, all);
  t.after(() => closeAll(all), { timeout: TIMEOUT });
  return all;
}

async function closeAll({ sockets, servers }) {
  // Destroying one end may reset the other: that is no longer the test's business.
  for (const socket of sockets) socket.on('error', () => {});
  // The test may have ended inside of a callback of node:tls, which crashes the process where both a
  // secure socket and the one beneath are destroyed while its handshake is on the stack.
  await turn();
  for (const socket of sockets) socket.destroy();
  const closing = [];
  for (const server of servers) {
    if (!server.listening) continue;
    closing.push(new Promise((resolve) => server.close(resolve)));
  }
  await Promise.all(closing);
}

/** Everything a test opens through its kit is closed when the test ends, passed or failed. */
function kit(t) {
  const { sockets, servers } = openedBy(t);

  /** Remembers a socket for the end of the test. */
  function own(socket) {
    sockets.add(socket);
    return socket;
  }

  /** Remembers a server and all sockets it accepts. */
  function ownServer(server) {
    servers.add(server);
    server.on('connection', own);
    return server;
  }

  /**
   * A listening server on an unused port.
   * @param {object} [opts] `lib` (module), `host`, and what `createServer` takes
   */
  async function listen(opts = {}, onConnection = undefined) {
    const { lib = net, host = HOST, ...options } = opts;
    const server = ownServer(lib.createServer(options, onConnection));
    server.listen(0, host);
    await once(server, 'listening');
    return server;
  }

  /**
   * Two connected sockets.
   * @param {object} [opts] `side`: which end is the subject ('client', 'server', 'both');
   *   `client`: connect options; `server`: createServer options
   */
  async function pair(opts = {}) {
    const { side = 'client' } = opts;
    const clientLib = side === 'server' ? peer : net;
    const serverLib = side === 'client' ? peer : net;
    const server = await listen({ lib: serverLib, ...opts.server });
    const accepted = once(server, 'connection');
    const client = own(
      clientLib.connect({ port: server.address().port, host: HOST, ...opts.client }),
    );
    await once(client, 'connect');
    const [conn] = await accepted;
    return {
      server,
      client,
      conn,
      /** The end under test and the other one. */
      ours: side === 'server' ? conn : client,
      theirs: side === 'server' ? client : conn,
    };
  }

  /**
   * A port on which nobody listens and which nobody else can take while the test runs: it is the
   * local port of an open connection.
   */
  async function refusedPort() {
    // Bound by an address: else the system may connect the port with itself.
    const { client } = await pairOfPeers({ localAddress: HOST });
    return client.localPort;
  }

  async function pairOfPeers(options = {}) {
    const server = await listen({ lib: peer });
    const accepted = once(server, 'connection');
    const client = own(peer.connect({ port: server.address().port, host: HOST, ...options }));
    await once(client, 'connect');
    const [conn] = await accepted;
    return { server, client, conn };
  }

  return { own, ownServer, listen, pair, refusedPort };
}

/** Resolves with `hadError` of 'close'; does not care for 'error'. */
function closed(emitter) {
  return new Promise((resolve) => emitter.once('close', resolve));
}

/** Resolves with the error of the next 'error' event. */
function failed(emitter) {
  return new Promise((resolve) => emitter.once('error', resolve));
}

/** Everything the socket receives until 'end'. */
function readAll(socket) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('end', () => resolve(Buffer.concat(chunks)));
    socket.once('error', reject);
  });
}

/** Resolves once `size` bytes have come; more than that is a failure. */
function readBytes(socket, size) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let got = 0;
    function onData(chunk) {
      chunks.push(chunk);
      got += chunk.length;
      if (got < size) return;
      socket.off('data', onData);
      socket.off('error', reject);
      if (got > size) reject(new Error(`expected ${size} bytes, got ${got}`));
      else resolve(Buffer.concat(chunks));
    }
    socket.on('data', onData);
    socket.once('error', reject);
  });
}

/** One turn of the event loop. */
function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when `condition()` holds; looks after every turn, so it needs no guess of a time. */
async function until(condition) {
  // A loop that outlives its test would keep the whole file from ending.
  const deadline = performance.now() + TIMEOUT;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition}`);
    await turn();
  }
}

/** Sends one byte each way; after it, everything sent before it has been delivered. */
async function roundTrip(a, b) {
  const there = readBytes(b, 1);
  a.write('>');
  assert.equal(String(await there), '>');
  const back = readBytes(a, 1);
  b.write('<');
  assert.equal(String(await back), '<');
}

/** The names of events, in the order in which they fire. */
function record(emitter, names, log = [], prefix = '') {
  for (const name of names) emitter.on(name, () => log.push(prefix + name));
  return log;
}

module.exports = {
  HOST,
  TIMEOUT,
  closed,
  failed,
  kit,
  once,
  peer,
  readAll,
  readBytes,
  record,
  roundTrip,
  turn,
  until,
};
