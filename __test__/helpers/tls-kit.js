'use strict';

/** Sockets and servers of TLS that end with their test. Peers are `node:tls` unless a test says otherwise. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const peer = require('node:tls');
const net = require('../..');
const ours = require('../../lib/tls.js');
const { HOST, TIMEOUT, kit } = require('./kit');

function tlsKit(t) {
  const { own, ownServer, ...rest } = kit(t);

  /** A listening server of `lib`; its errors with clients are the test's to see. */
  async function serve(lib, options, listener) {
    const server = ownServer(lib.createServer(options, listener));
    server.on('secureConnection', (socket) => {
      own(socket);
      socket.on('error', () => {});
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    return server;
  }

  function connect(lib, server, options) {
    const port = typeof server === 'number' ? server : server.address().port;
    return own(lib.connect({ port, host: HOST, servername: 'localhost', ...options }));
  }

  /** Starts a program; it is ended with the test. `output()` is what it has said so far. */
  function program(command, args) {
    const child = spawn(command, args);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('latin1').on('data', (text) => (output += text));
    }
    child.stdin.on('error', () => {});
    const ended = new Promise((resolve) => child.once('close', resolve));
    t.after(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return { child, ended, output: () => output, write: (text) => child.stdin.write(text) };
  }

  /** An `openssl s_server` on a port of its own. */
  async function opensslServer(identity, args = []) {
    const server = program('openssl', [
      's_server',
      '-accept',
      `${HOST}:0`,
      '-cert',
      identity.certFile,
      '-key',
      identity.keyFile,
      ...args,
    ]);
    const deadline = performance.now() + TIMEOUT;
    for (;;) {
      const port = /ACCEPT [\d.]+:(\d+)/.exec(server.output())?.[1];
      if (port) return { ...server, port: Number(port) };
      if (performance.now() > deadline) throw new Error(`s_server: ${server.output()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  return { ...rest, connect, opensslServer, own, ownServer, program, serve };
}

module.exports = { HOST, TIMEOUT, net, once, ours, peer, tlsKit };
