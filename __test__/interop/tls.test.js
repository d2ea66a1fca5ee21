'use strict';

/** node:tls over our sockets, as client, as server, and with both ends ours. */

const assert = require('node:assert/strict');
const { pipeline } = require('node:stream/promises');
const { test } = require('node:test');
const tls = require('node:tls');
const { HOST, TIMEOUT, closed, failed, kit, once, readAll, readBytes } = require('../helpers/kit');
const { authority } = require('../helpers/certificates');
const { ENDS, clientLib, dial, serve, serverLib } = require('../helpers/ends');
const { isOurs } = require('../helpers/subject');
const { MiB, digest, hash, payload, pieces, same, streamOf } = require('../helpers/payload');

const opts = { timeout: TIMEOUT };
const certs = authority({
  main: ['localhost', HOST],
  alpha: ['alpha.example'],
  beta: ['beta.example'],
});
const strangers = authority({}, 'another authority');

/** A server of TLS; its connections come from `serve`. */
function createServer(options, listener = () => {}) {
  return tls.createServer({ ...certs.main, ...options }, (socket) => {
    socket.on('error', () => {});
    listener(socket);
  });
}

/** A client of TLS over a socket that is connected already. */
async function connectOver(t, end, port, options = {}) {
  const { allowHalfOpen } = options;
  const socket = await dial(t, end, port, { allowHalfOpen });
  return tls.connect({ socket, ca: certs.ca, host: 'localhost', ...options });
}

for (const end of ENDS) {
  test(`32 MiB each way at the same time (${end})`, opts, async (t) => {
    const up = payload(32 * MiB, 1);
    const down = payload(32 * MiB, 2);
    const server = createServer({}, async (socket) => {
      const received = digest(socket, up.size);
      await pipeline(streamOf(down.bytes), socket, { end: false });
      same(await received, up);
      socket.end();
    });
    const port = await serve(t, end, server);
    const client = await connectOver(t, end, port);
    await once(client, 'secureConnect');
    assert.equal(client.authorized, true);
    const received = digest(client);
    await pipeline(streamOf(up.bytes), client, { end: false });
    same(await received, down);
  });

  test(`each half ends by itself (${end})`, opts, async (t) => {
    const up = payload(4 * MiB, 3);
    const down = payload(4 * MiB, 4);
    const server = createServer({ allowHalfOpen: true }, async (socket) => {
      // The answer begins when the other half is over.
      const received = await digest(socket);
      await pipeline(streamOf(down.bytes), socket);
      server.emit('received', received);
    });
    const port = await serve(t, end, server, { allowHalfOpen: true });
    const client = await connectOver(t, end, port, { allowHalfOpen: true });
    const atServer = once(server, 'received');
    const gone = closed(client);
    client.end(up.bytes);
    const atClient = await digest(client);
    same((await atServer)[0], up);
    same(atClient, down);
    assert.equal(await gone, false);
  });

  test(`20,000 small messages there and back (${end})`, opts, async (t) => {
    const body = payload(600_000, 5);
    const server = createServer({}, (socket) => socket.pipe(socket));
    const port = await serve(t, end, server);
    const client = await connectOver(t, end, port);
    const answer = digest(client);
    for (const piece of pieces(body.bytes, [30])) {
      if (!client.write(piece)) await once(client, 'drain');
    }
    client.end();
    same(await answer, body);
  });

  test(
    `STARTTLS: both ends change over in the middle of a connection (${end})`,
    opts,
    async (t) => {
      const body = payload(2 * MiB, 6);
      const server = await kit(t).listen({ lib: serverLib(end) }, (conn) => {
        conn.once('data', (hello) => {
          assert.equal(String(hello), 'STARTTLS\n');
          conn.write('GO\n');
          const secureContext = tls.createSecureContext(certs.main);
          const secure = new tls.TLSSocket(conn, { isServer: true, secureContext });
          secure.pipe(secure);
        });
      });
      const socket = await dial(t, end, server.address().port);
      socket.write('STARTTLS\n');
      assert.equal(String(await readBytes(socket, 3)), 'GO\n');
      const client = tls.connect({ socket, ca: certs.ca, host: 'localhost' });
      await once(client, 'secureConnect');
      const answer = digest(client);
      const gone = closed(socket);
      client.end(body.bytes);
      same(await answer, body);
      await gone;
    },
  );

  test(`a socket that is still connecting (${end})`, opts, async (t) => {
    const port = await serve(
      t,
      end,
      createServer({}, (socket) => socket.end('hello')),
    );
    const socket = kit(t).own(clientLib(end).connect(port, HOST));
    const client = tls.connect({ socket, ca: certs.ca, host: 'localhost' });
    client.write('early'); // Kept until the handshake is done.
    assert.equal(String(await readAll(client)), 'hello');
  });

  test(`SNI: the certificate is the one of the name (${end})`, opts, async (t) => {
    const server = createServer({
      SNICallback(name, callback) {
        const found = { 'alpha.example': certs.alpha, 'beta.example': certs.beta }[name];
        setImmediate(callback, null, found && tls.createSecureContext(found));
      },
    });
    const port = await serve(t, end, server);
    for (const [servername, expected] of [
      ['alpha.example', 'alpha'],
      ['beta.example', 'beta'],
      ['localhost', 'main'],
    ]) {
      const secured = once(server, 'secureConnection');
      const client = await connectOver(t, end, port, { servername });
      await once(client, 'secureConnect');
      assert.equal(client.authorized, true);
      assert.equal(client.getPeerCertificate().subject.CN, expected);
      const [socket] = await secured;
      assert.equal(socket.servername, servername);
      client.destroy();
    }
  });

  test(
    `ALPN: what both know is chosen, nothing in common is an error (${end})`,
    opts,
    async (t) => {
      const server = createServer({ ALPNProtocols: ['one', 'two'] }, (socket) => {
        socket.end(socket.alpnProtocol);
      });
      const port = await serve(t, end, server);
      const client = await connectOver(t, end, port, { ALPNProtocols: ['three', 'two'] });
      assert.equal(String(await readAll(client)), 'two');
      assert.equal(client.alpnProtocol, 'two');

      const refused = once(server, 'tlsClientError');
      const stranger = await connectOver(t, end, port, { ALPNProtocols: ['four'] });
      const err = await failed(stranger);
      assert.match(err.code, /NO_APPLICATION_PROTOCOL/);
      assert.match((await refused)[0].code, /ALPN|NO_APPLICATION_PROTOCOL/i);
    },
  );

  test(`a certificate that nobody vouches for (${end})`, opts, async (t) => {
    const port = await serve(t, end, createServer());
    const stranger = await connectOver(t, end, port, { ca: strangers.ca });
    const gone = closed(stranger);
    assert.match((await failed(stranger)).code, /^UNABLE_TO_|^SELF_SIGNED_/);
    assert.equal(await gone, true);
    const wrong = await connectOver(t, end, port, { servername: 'alpha.example' });
    assert.equal((await failed(wrong)).code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test(`a session is resumed (${end})`, opts, async (t) => {
    const port = await serve(
      t,
      end,
      createServer({}, (socket) => socket.end('x')),
    );
    const first = await connectOver(t, end, port);
    const sessions = once(first, 'session');
    await once(first, 'secureConnect');
    assert.equal(first.isSessionReused(), false);
    const gone = closed(first);
    first.resume();
    const [session] = await sessions;
    assert.equal(await gone, false);
    const second = await connectOver(t, end, port, { session });
    await once(second, 'secureConnect');
    assert.equal(second.isSessionReused(), true);
    assert.equal(String(await readAll(second)), 'x');
  });

  for (const [what, hello] of [
    // A record of 248 bytes of which not all come.
    ['a part of its first record', Buffer.from('16030100f8010000', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ]) {
    test(`a client that sends ${what} and ends (${end})`, opts, async (t) => {
      const server = createServer();
      const port = await serve(t, end, server);
      const refused = once(server, 'tlsClientError');
      const client = await dial(t, end, port);
      const gone = closed(client);
      client.end(hello);
      client.resume();
      assert.equal((await refused)[0].code, 'ECONNRESET');
      assert.equal(await gone, false);
    });
  }

  test(`the client is destroyed during the handshake (${end})`, opts, async (t) => {
    const server = createServer({}, (socket) => socket.end('next'));
    const port = await serve(t, end, server);
    for (const destroy of ['destroy', 'resetAndDestroy']) {
      const connected = once(server, 'connection');
      const refused = once(server, 'tlsClientError');
      const socket = await dial(t, end, port);
      const client = tls.connect({ socket, ca: certs.ca, host: 'localhost' });
      const clientGone = closed(client);
      const [conn] = await connected;
      const serverGone = closed(conn);
      if (destroy === 'destroy') client.destroy();
      else socket.resetAndDestroy();
      // The reset meets the server reading or writing.
      assert.match((await refused)[0].code, /^(ECONNRESET|EPIPE)$/);
      await Promise.all([clientGone, serverGone]);
    }
    // The server goes on.
    const next = await connectOver(t, end, port);
    assert.equal(String(await readAll(next)), 'next');
  });

  test(`the server goes away during the handshake (${end})`, opts, async (t) => {
    const server = await kit(t).listen({ lib: serverLib(end) }, (conn) => {
      conn.once('data', () => conn.destroy());
    });
    const client = await connectOver(t, end, server.address().port);
    const gone = closed(client);
    const err = await failed(client);
    assert.equal(err.code, 'ECONNRESET');
    assert.equal(await gone, true);
  });

  test(`the connection breaks in the middle of the data (${end})`, opts, async (t) => {
    let conn;
    const body = payload(MiB, 7);
    const server = createServer({}, (socket) => socket.write(body.bytes));
    server.prependListener('connection', (each) => (conn = each));
    const port = await serve(t, end, server);
    const client = await connectOver(t, end, port);
    const gone = closed(client);
    const got = await readBytes(client, body.size);
    assert.equal(hash(got), body.sha256);
    const broken = failed(client);
    conn.resetAndDestroy();
    assert.equal((await broken).code, 'ECONNRESET');
    // Node's wrapper around foreign streams tells of the error, and closes without one.
    assert.equal(await gone, !isOurs || end === 'server');
  });

  test(`destroying the TLS socket closes ours beneath (${end})`, opts, async (t) => {
    const server = createServer({}, (socket) => socket.resume());
    const port = await serve(t, end, server);
    const connected = once(server, 'connection');
    const socket = await dial(t, end, port);
    const client = tls.connect({ socket, ca: certs.ca, host: 'localhost' });
    const [conn] = await connected;
    await once(client, 'secureConnect');
    const gone = [closed(socket), closed(conn)];
    client.destroy();
    await Promise.all(gone);
  });
}
