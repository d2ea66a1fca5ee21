'use strict';

/** Unix sockets: what a program may ask, and what fails. Since Node 24: it names the path earlier. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

module.exports = async ({ call, line, net, once, peer, settle, show, watch }) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-parity-'));
  const previous = process.cwd();
  // So that paths are the same in each run.
  process.chdir(dir);
  try {
    await scenario();
  } finally {
    process.chdir(previous);
    fs.rmSync(dir, { recursive: true, force: true });
  }

  async function scenario() {
    const events = ['connectionAttempt', 'connectionAttemptFailed', 'connect', 'error', 'close'];
    // Which end is the first to hear of the connection is left open.
    for (const name of ['server', 'accepted', 'client']) line(name, 'begin');
    const server = net.createServer();
    // No `watch`: Node goes on to tell the path of a server that is closed.
    for (const event of ['listening', 'connection', 'drop', 'close']) {
      server.on(event, (...args) => line('server', `${event} ${args.map(show)}`));
    }
    server.on('connection', (conn) => {
      watch('accepted', conn);
      for (const name of ['address', 'ref', 'unref'])
        call('accepted', name, () => typeof conn[name]());
      line('accepted', [conn.localAddress, conn.remoteAddress, conn.remoteFamily].join());
      conn.resume();
    });
    server.listen('s');
    await once(server, 'listening');
    line('server', `${server.address()} ${server._connectionKey}`);
    const client = watch('client', net.connect({ path: 's', noDelay: true }), { events });
    await once(client, 'connect');
    line('client', [client.localAddress, client.localPort, client.remoteAddress].join());
    call('client', 'address', () => client.address());
    call('client', 'setTypeOfService', () => client.setTypeOfService?.(8) === client);
    call('client', 'resetAndDestroy', () => client.resetAndDestroy());
    client.end('bye');
    await settle();
    server.maxConnections = 0;
    const dropped = peer.connect('s');
    await once(dropped, 'connect');
    dropped.resume();
    await settle();
    server.close();
    await settle();
    line('server', String(fs.existsSync('s')));

    fs.writeFileSync('plain', '');
    for (const name of ['nowhere', 'plain', 'no/such']) {
      watch(name, net.connect(name), { events });
      await settle();
    }
    for (const name of ['plain', 'no/such', 'x'.repeat(200)]) {
      const failing = net.createServer();
      failing.on('error', (err) => line(`listen ${name}`, show(err)));
      call(`listen ${name}`, 'listen', () => failing.listen(name) === failing);
      await settle();
    }
    call('abstract', 'readableAll', () => {
      try {
        net.createServer().listen({ path: '\0x', readableAll: true });
      } catch ({ code }) {
        return code;
      }
      return 'listens';
    });
  }
};

module.exports.since = 24;
