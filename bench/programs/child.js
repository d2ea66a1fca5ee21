'use strict';
// What the programs under test share. Each is started by lib/subject.js with an IPC channel and the module to use:
// `node program.js <module> [--tls] [--path <path>]`. The programs see a module with the surface of node:net and nothing
// else, so both sides run the same lines.

const { execFileSync } = require('node:child_process');
const { parseArgs } = require('node:util');

const HOST = '127.0.0.1';

/** With `--tls` the module is one of TLS, and servers have a certificate; with `--path` they listen there. */
const {
  values: { tls: isSecure, path },
  positionals: [moduleName],
} = parseArgs({
  allowPositionals: true,
  options: { tls: { type: 'boolean' }, path: { type: 'string' } },
});

/** A P-256 key and a certificate that signed itself. */
function identity() {
  const words =
    'req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=localhost -keyout - -out -';
  const pem = execFileSync('openssl', words.split(' '), { stdio: ['ignore', 'pipe', 'ignore'] });
  return { cert: pem, key: pem };
}

/** @returns {typeof import('node:net')} the module under test */
function loadModule() {
  const net = require(moduleName);
  for (const member of ['createServer', 'connect']) {
    if (typeof net[member] !== 'function') throw new TypeError(`${moduleName} has no ${member}()`);
  }
  return net;
}

/**
 * Answers the harness. Each handler takes a message's argument and returns the reply.
 *
 * @param {Record<string, (argument: any) => unknown>} handlers
 */
function answer(handlers) {
  process.on('message', async ({ id, command, argument }) => {
    const reply = await handlers[command](argument);
    process.send({ id, reply });
  });
  // The harness is gone: so is the reason to live. Keeps a killed run from leaving servers behind.
  process.on('disconnect', () => process.exit());
}

/**
 * Runs a server, on a path if the harness gives one, and tells the harness its port.
 *
 * @param {import('node:net').ServerOpts} options
 * @param {(socket: import('node:net').Socket) => void} onConnection
 * @param {Record<string, (argument: any) => unknown>} [handlers]
 */
function serve(options, onConnection, handlers = {}) {
  const all = isSecure ? { ...options, ...identity() } : options;
  const server = loadModule().createServer(all, (socket) => {
    socket.on('error', ignoreReset);
    onConnection(socket);
  });
  // Who resets in the middle of a handshake.
  server.on('tlsClientError', ignoreReset);
  answer({ memory, ...handlers });
  // The backlog is wide so that the benchmark never measures the kernel's one-second SYN retry.
  const place = path ? { path } : { port: 0, host: HOST };
  server.listen({ ...place, backlog: 4096 }, () => {
    process.send({ ready: true, port: server.address().port });
  });
}

/**
 * The load generator leaves by RST; anything else that goes wrong must end the run.
 *
 * @param {NodeJS.ErrnoException} error
 */
function ignoreReset(error) {
  if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error;
}

/** Collects garbage until it has settled, then reports the memory of the process in bytes. */
async function memory() {
  for (let i = 0; i < 4; i++) {
    global.gc();
    // Finalizers and freed handles are dealt with between collections.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage();
}

module.exports = { HOST, answer, ignoreReset, loadModule, memory, moduleName, serve };
