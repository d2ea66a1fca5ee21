'use strict';

/** TLS over a connection that is open already. */

const assert = require('node:assert/strict');
const nodeNet = require('node:net');
const { Duplex } = require('node:stream');
const { test } = require('node:test');
const { NO_OPENSSL, standard } = require('./helpers/tls-certificates');
const { HOST, TIMEOUT, net, once, ours, peer, tlsKit } = require('./helpers/tls-kit');
const { closed, readBytes, until } = require('./helpers/kit');

const options = { skip: NO_OPENSSL, timeout: TIMEOUT };
const { ca, server: identity } = NO_OPENSSL ? {} : standard();
const { cert, key } = identity ?? {};

/** A server that greets, waits for a line, says 'go' and then speaks TLS by `secure(conn)`. */
async function starttlsServer(kit, lib, secure) {
  const server = kit.ownServer(
    lib.createServer((conn) => {
      conn.on('error', () => {});
      conn.write('hello\n');
      conn.once('data', (line) => {
        assert.equal(String(line), 'STARTTLS\n');
        conn.write('go\n');
        secure(conn);
      });
    }),
  );
  server.listen(0, HOST);
  await once(server, 'listening');
  return server;
}

function echoOver(conn, lib) {
  const socket = new lib.TLSSocket(conn, { isServer: true, ...makeContext(lib) });
  socket.on('error', () => {});
  socket.pipe(socket);
  return socket;
}

const makeContext = (lib) => ({ secureContext: lib.createSecureContext({ cert, key }) });

/** Talks to such a server in plain until it says 'go'. */
async function untilGo(kit, lib, server) {
  const raw = kit.own(lib.connect(server.address().port, HOST));
  assert.equal(String(await readBytes(raw, 6)), 'hello\n');
  raw.write('STARTTLS\n');
  assert.equal(String(await readBytes(raw, 3)), 'go\n');
  return raw;
}

for (const [name, netLib, tlsLib, peerNet, peerTls] of [
  ['our client takes its socket over', net, ours, nodeNet, peer],
  ['our client over a socket of node:net', nodeNet, ours, nodeNet, peer],
  ['our server takes its socket over', nodeNet, peer, net, ours],
  ['our server over a socket of node:net', nodeNet, peer, nodeNet, ours],
  ['both ours', net, ours, net, ours],
  ['node:tls over our socket', net, peer, nodeNet, peer],
]) {
  test(name, options, async (t) => {
    const kit = tlsKit(t);
    const server = await starttlsServer(kit, peerNet, (conn) => kit.own(echoOver(conn, peerTls)));
    const raw = await untilGo(kit, netLib, server);
    const socket = kit.own(tlsLib.connect({ socket: raw, ca: ca.cert, servername: 'localhost' }));
    // Before the handshake: pg writes like that.
    socket.write('first ');
    await once(socket, 'secureConnect');
    assert.equal(socket.authorized, true);
    if (tlsLib === ours) assert.equal(socket.remotePort, server.address().port);
    socket.write('second');
    assert.equal(String(await readBytes(socket, 12)), 'first second');
    socket.end();
    await closed(socket);
    await until(() => raw.destroyed);
  });
}

test('a hello that was received as plain bytes counts for the handshake', options, async (t) => {
  const kit = tlsKit(t);
  // The server takes its time, and reads on meanwhile.
  const server = await starttlsServer(kit, net, (conn) => {
    let early = 0;
    conn.on('data', (data) => (early += data.length));
    conn.pause();
    setTimeout(() => {
      conn.removeAllListeners('data');
      kit.own(echoOver(conn, ours));
    }, 100);
  });
  const raw = await untilGo(kit, nodeNet, server);
  const socket = kit.own(peer.connect({ socket: raw, ca: ca.cert, servername: 'localhost' }));
  await once(socket, 'secureConnect');
  socket.write('echo');
  assert.equal(String(await readBytes(socket, 4)), 'echo');
});

test(
  'plain bytes that were slipped in do not become part of the secure connection',
  options,
  async (t) => {
    const kit = tlsKit(t);
    const server = await starttlsServer(kit, nodeNet, (conn) => {
      conn.write('injected\n');
      kit.own(echoOver(conn, peer));
    });
    const raw = kit.own(net.connect(server.address().port, HOST));
    assert.equal(String(await readBytes(raw, 6)), 'hello\n');
    raw.write('STARTTLS\n');
    await once(raw, 'readable');
    assert.equal(String(raw.read(3)), 'go\n');
    const socket = kit.own(ours.connect({ socket: raw, ca: ca.cert, servername: 'localhost' }));
    socket.on('data', () => assert.fail('nothing is to come'));
    const [err] = await once(socket, 'error');
    assert.match(err.code, /^ERR_SSL_/);
  },
);

test('over a socket that still connects', options, async (t) => {
  const kit = tlsKit(t);
  const server = await kit.serve(peer, { cert, key }, (conn) => conn.pipe(conn));
  const raw = net.connect(server.address().port, HOST);
  const socket = kit.own(ours.connect({ socket: raw, ca: ca.cert, servername: 'localhost' }));
  socket.write('soon');
  assert.equal(String(await readBytes(socket, 4)), 'soon');
});

test('over any Duplex, and TLS in TLS', options, async (t) => {
  const kit = tlsKit(t);
  const inner = await kit.serve(peer, { cert, key }, (conn) => conn.pipe(conn));
  const outer = await kit.serve(peer, { cert, key }, (conn) => {
    const back = kit.own(nodeNet.connect(inner.address().port, HOST));
    back.on('error', () => {});
    conn.pipe(back).pipe(conn);
  });
  const tunnel = kit.connect(ours, outer, { ca: ca.cert });
  await once(tunnel, 'secureConnect');
  const nested = kit.own(ours.connect({ socket: tunnel, ca: ca.cert, servername: 'localhost' }));
  await once(nested, 'secureConnect');
  nested.write('deep');
  assert.equal(String(await readBytes(nested, 4)), 'deep');
  nested.destroy();
  await closed(nested);
  await until(() => tunnel.destroyed);

  const raw = kit.own(nodeNet.connect(inner.address().port, HOST));
  const wrapped = Duplex.from({ readable: raw, writable: raw });
  const socket = kit.own(ours.connect({ socket: wrapped, ca: ca.cert, servername: 'localhost' }));
  const large = Buffer.alloc(3_000_000, 'abc');
  const back = readBytes(socket, large.length);
  socket.write(large);
  assert.ok((await back).equals(large));
});

test('each end takes the other along', options, async (t) => {
  const kit = tlsKit(t);
  for (const lib of [net, nodeNet]) {
    const server = await kit.serve(peer, { cert, key });
    const make = async () => {
      const raw = kit.own(lib.connect(server.address().port, HOST));
      const socket = ours.connect({ socket: raw, ca: ca.cert, servername: 'localhost' });
      kit.own(socket).on('error', () => {});
      await once(socket, 'secureConnect');
      return { raw, socket };
    };
    const first = await make();
    first.socket.destroy();
    await closed(first.raw);
    const second = await make();
    second.raw.destroy();
    await closed(second.socket);
  }
});

test('a connection that is taken over as soon as it is accepted', options, async (t) => {
  const kit = tlsKit(t);
  const server = await kit.listen({ lib: net }, (conn) => {
    kit.own(echoOver(conn, ours));
    // It has no data of its own any more, whoever asks for it.
    conn.on('data', () => assert.fail('it is for TLS'));
  });
  // Its hello may come at any moment of the taking over.
  for (let n = 0; n < 20; n++) {
    const client = kit.connect(peer, server, { ca: ca.cert });
    client.write('echo');
    assert.equal(String(await readBytes(client, 4)), 'echo');
    client.destroy();
  }
});

for (const [name, netLib, tlsLib] of [
  ['ours', net, ours],
  ['ours over node:net', nodeNet, ours],
  ['node:tls', nodeNet, peer],
]) {
  /** The one beneath is another module's, and closes before TLS has heard of its end. */
  const isJoined = netLib === nodeNet && tlsLib === ours;
  const log = (socket, prefix) => {
    const events = [];
    socket.on('error', (err) => events.push(`${prefix} error ${err.code ?? err.message}`));
    socket.on('close', (hadError) => events.push(`${prefix} close ${hadError}`));
    for (const event of ['end', 'finish']) {
      socket.on(event, () => events.push(`${prefix} ${event}`));
    }
    return events;
  };

  test(`errors of the socket beneath: ${name}`, options, async (t) => {
    const kit = tlsKit(t);
    const refused = kit.own(netLib.connect(await kit.refusedPort(), HOST));
    const early = kit.own(tlsLib.connect({ socket: refused, servername: 'localhost' }));
    const told = log(early, 'secure');
    await closed(early);
    assert.deepEqual(told, ['secure error ECONNREFUSED', 'secure close false']);

    const server = await kit.serve(peer, { cert, key });
    const raw = kit.own(netLib.connect(server.address().port, HOST));
    const socket = kit.own(tlsLib.connect({ socket: raw, ca: ca.cert, servername: 'localhost' }));
    await once(socket, 'secureConnect');
    const [events, beneath] = [log(socket, 'secure'), log(raw, 'raw')];
    raw.destroy(new Error('from outside'));
    await closed(socket);
    await until(() => beneath.length === 2);
    assert.deepEqual(events, ['secure error from outside', 'secure close false']);
    assert.deepEqual(beneath, ['raw error from outside', 'raw close true']);
  });

  test(`the end of the socket beneath ends both: ${name}`, options, async (t) => {
    const kit = tlsKit(t);
    const server = await kit.serve(peer, { cert, key });
    const raw = kit.own(netLib.connect(server.address().port, HOST));
    const socket = kit.own(tlsLib.connect({ socket: raw, ca: ca.cert, servername: 'localhost' }));
    await once(socket, 'secureConnect');
    const events = log(socket, 'secure');
    socket.resume();
    raw.end();
    assert.equal(await closed(socket), false);
    // What TLS has to say cannot be written to it any more.
    if (isJoined) return;
    assert.deepEqual(events.toSorted(), ['secure close false', 'secure end', 'secure finish']);
  });

  test(`a server's side that nobody listens to: ${name}`, options, async (t) => {
    const kit = tlsKit(t);
    const make = async (connect) => {
      const accepted = new Promise((resolve) => {
        const server = kit.ownServer(
          netLib.createServer((conn) => {
            const secure = kit.own(
              new tlsLib.TLSSocket(conn, { isServer: true, ...makeContext(tlsLib) }),
            );
            secure.resume();
            resolve({ conn, secure });
          }),
        );
        server.listen(0, HOST, () => connect(server.address().port));
      });
      return accepted;
    };
    // The peer ends before the handshake: an end like any other.
    const ended = await make((port) => kit.own(nodeNet.connect(port, HOST)).end());
    const events = log(ended.secure, 'secure');
    await closed(ended.secure);
    const end = isJoined ? [] : ['secure end', 'secure finish'];
    assert.deepEqual(events, [...end, 'secure close false']);
    // Errors that no listener hears do not end the process.
    const garbage = await make((port) => kit.own(nodeNet.connect(port, HOST)).write('GET /\n\n'));
    assert.equal(await closed(garbage.secure), true);
    const beneath = await make((port) => kit.own(nodeNet.connect(port, HOST)));
    beneath.conn.destroy(new Error('from outside'));
    assert.equal(await closed(beneath.secure), false);
  });
}

test('openssl s_client -starttls smtp at a mail server of ours', options, async (t) => {
  const kit = tlsKit(t);
  const server = kit.ownServer(net.createServer());
  const lines = [];
  server.on('connection', (conn) => {
    conn.on('error', () => {});
    conn.write('220 mail.test ESMTP\r\n');
    let isSecure = false;
    const talk = (socket) => {
      socket.on('data', function onData(data) {
        for (const line of String(data).split('\r\n').filter(Boolean)) {
          lines.push(`${isSecure ? 'secure' : 'plain'} ${line.split(' ')[0]}`);
          if (line.startsWith('EHLO')) {
            socket.write(isSecure ? '250 mail.test\r\n' : '250-mail.test\r\n250 STARTTLS\r\n');
          } else if (line === 'STARTTLS') {
            socket.off('data', onData);
            socket.write('220 go ahead\r\n');
            isSecure = true;
            const secure = new ours.TLSSocket(socket, { isServer: true, ...makeContext(ours) });
            secure.on('error', () => {});
            talk(kit.own(secure));
          } else if (line === 'QUIT') {
            socket.end('221 bye\r\n');
          }
        }
      });
    };
    talk(conn);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const client = kit.program('openssl', [
    's_client',
    '-connect',
    `${HOST}:${server.address().port}`,
    '-starttls',
    'smtp',
    '-crlf',
    '-CAfile',
    ca.certFile,
    '-verify_return_error',
    '-quiet',
  ]);
  await until(() => lines.includes('plain STARTTLS'));
  client.write('EHLO again\n');
  await until(() => client.output().includes('250 mail.test'));
  client.write('QUIT\n');
  await until(() => client.output().includes('221 bye'));
  assert.deepEqual(lines, ['plain EHLO', 'plain STARTTLS', 'secure EHLO', 'secure QUIT']);
});
