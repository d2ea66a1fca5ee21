'use strict';

/**
 * Which end of a connection our sockets are at, when the program at both ends is somebody else's:
 * the same exchange is run with ours as the server, as the client, and as both.
 */

const peer = require('node:net');
const { net } = require('./subject');
const { HOST, kit, once } = require('./kit');

/** @typedef {'server' | 'client' | 'both'} End */

/** @type {End[]} */
const ENDS = ['server', 'client', 'both'];

/** The module that makes the client's sockets. @param {End} end */
const clientLib = (end) => (end === 'server' ? peer : net);

/** The module that accepts. @param {End} end */
const serverLib = (end) => (end === 'client' ? peer : net);

/**
 * Accepts connections and hands them to a server of HTTP, TLS or HTTP/2, which is made for that:
 * `emit('connection')` is its documented way to take sockets from elsewhere.
 * @param {import('node:test').TestContext} t
 * @param {End} end
 * @param {import('node:events').EventEmitter} program
 * @param {object} [options] for `net.createServer`
 * @returns {Promise<number>} the port
 */
async function serve(t, end, program, options = {}) {
  const lib = serverLib(end);
  const server = await kit(t).listen({ lib, noDelay: true, ...options }, (conn) =>
    program.emit('connection', conn),
  );
  return server.address().port;
}

/** Connects to the port with the client's sockets; closed when the test ends. */
async function dial(t, end, port, options = {}) {
  const socket = kit(t).own(clientLib(end).connect({ port, host: HOST, ...options }));
  await once(socket, 'connect');
  return socket;
}

module.exports = { ENDS, clientLib, dial, serve, serverLib };
