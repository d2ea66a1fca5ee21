'use strict';

/** The PROXY protocol on a server: good headers, and whose addresses the sockets have. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, kit, once, peer, readAll, roundTrip } = require('./helpers/kit');
const {
  CLIENT,
  CLIENT6,
  COMMAND,
  FAMILY,
  FRONT,
  FRONT6,
  LONG,
  addresses,
  behindProxy,
  say,
  v1Tcp,
  v2,
  v2Tcp,
  v2Unix,
} = require('./helpers/proxy-header');
const { start } = require('./helpers/child');
const { pattern } = require('./helpers/pattern');

const opts = { timeout: TIMEOUT, skip: !isOurs && SKIP_FOREIGN };
const UNIX = {
  ...opts,
  skip: opts.skip || (process.platform === 'win32' && 'no Unix sockets here'),
};

function endsOf(socket) {
  const { remoteAddress, remotePort, remoteFamily, localAddress, localPort, localFamily } = socket;
  return {
    remote: [remoteAddress, remotePort, remoteFamily],
    local: [localAddress, localPort, localFamily],
  };
}

const proxied = (from, to, family) => ({
  remote: [from.address, from.port, family],
  local: [to.address, to.port, family],
});

const NONE = {
  remote: [undefined, undefined, undefined],
  local: [undefined, undefined, undefined],
};

const GOOD = [
  ['v1 TCP4', v1Tcp(CLIENT, FRONT), proxied(CLIENT, FRONT, 'IPv4')],
  ['v1 TCP6', v1Tcp(CLIENT6, FRONT6), proxied(CLIENT6, FRONT6, 'IPv6')],
  ['v2 INET', v2Tcp(CLIENT, FRONT), proxied(CLIENT, FRONT, 'IPv4')],
  ['v2 INET6', v2Tcp(CLIENT6, FRONT6), proxied(CLIENT6, FRONT6, 'IPv6')],
  [
    'v2 INET with TLVs',
    v2Tcp(CLIENT, FRONT, Buffer.from('\x02\x00\x0bexample.com\x04\x00\x00', 'latin1')),
    proxied(CLIENT, FRONT, 'IPv4'),
  ],
  [
    'v2 UDP over INET',
    v2(COMMAND.PROXY, FAMILY.UDP4, addresses(CLIENT, FRONT)),
    proxied(CLIENT, FRONT, 'IPv4'),
  ],
  // As of any Unix socket: there are no addresses, least of all the proxy's.
  ['v2 UNIX', v2Unix('/run/client', '/run/front'), NONE],
  ['v2 UNIX without a name', v2Unix('', '\0front'), NONE],
  // The addresses of the connection itself hold.
  ['v1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), null],
  ['v1 UNKNOWN with words', Buffer.from('PROXY UNKNOWN a b c d e f g\r\n'), null],
  ['v2 LOCAL', v2(COMMAND.LOCAL, FAMILY.UNSPEC), null],
  ['v2 LOCAL with addresses', v2(COMMAND.LOCAL, FAMILY.TCP4, addresses(CLIENT, FRONT)), null],
  ['v2 unspecified', v2(COMMAND.PROXY, FAMILY.UNSPEC, Buffer.from('\x04\x00\x00')), null],
];

/** The ends of a socket without a header, as its peer sees them from the other side. */
const seenBy = (client) => ({
  remote: [client.localAddress, client.localPort, client.localFamily],
  local: [client.remoteAddress, client.remotePort, client.remoteFamily],
});

for (const [name, header, ends] of GOOD) {
  test(`${name}: in one piece, with the first bytes behind it`, opts, async (t) => {
    const k = kit(t);
    const server = await behindProxy(k);
    const accepted = once(server, 'connection');
    const client = say(k, server, Buffer.concat([header, Buffer.from('\r\nfirst bytes')]));
    const [socket] = await accepted;
    assert.deepEqual(endsOf(socket), ends ?? seenBy(client));
    client.end(' and more');
    assert.equal(String(await readAll(socket)), '\r\nfirst bytes and more');
    assert.equal(socket.bytesRead, 22, 'the header is not counted');
  });

  test(`${name}: byte by byte`, opts, async (t) => {
    const k = kit(t);
    const server = await behindProxy(k);
    const early = [];
    server.on('connection', (socket) => early.push(socket));
    const accepted = once(server, 'connection');
    const client = say(k, server);
    client.setNoDelay(true);
    for (const byte of header.subarray(0, -1)) {
      await new Promise((resolve) => client.write(Buffer.of(byte), resolve));
    }
    // Another connection is served meanwhile; by then the bytes above have long been received.
    const other = say(k, server, 'PROXY UNKNOWN\r\n');
    const [first] = await accepted;
    assert.equal(first.remotePort, other.localPort, 'an unfinished header shows nothing');
    const second = once(server, 'connection');
    client.end(Buffer.concat([header.subarray(-1), Buffer.from('rest')]));
    const [socket] = await second;
    assert.deepEqual(endsOf(socket), ends ?? seenBy(client));
    assert.equal(String(await readAll(socket)), 'rest');
    assert.equal(early.length, 2);
  });
}

test('a header cut in two anywhere, with payload behind it', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k);
  const payload = pattern(5000);
  for (const header of [v1Tcp(CLIENT, FRONT), v2Tcp(CLIENT6, FRONT6)]) {
    const stream = Buffer.concat([header, payload]);
    for (let cut = 1; cut <= header.length + 1; cut++) {
      const accepted = once(server, 'connection');
      const client = say(k, server);
      await once(client, 'connect');
      await new Promise((resolve) => client.write(stream.subarray(0, cut), resolve));
      client.end(stream.subarray(cut));
      const [socket] = await accepted;
      assert.ok((await readAll(socket)).equals(payload), `cut at ${cut}`);
      socket.destroy();
    }
  }
});

test('the connection works both ways after its header', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k, { noDelay: true });
  const accepted = once(server, 'connection');
  const client = say(k, server, v1Tcp(CLIENT, FRONT));
  const [socket] = await accepted;
  await roundTrip(client, socket);
  const bytes = pattern(3_000_000);
  const got = readAll(client);
  socket.end(bytes);
  assert.ok((await got).equals(bytes));
});

test('address() and the error of a reset name the ends of the header', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k);
  const accepted = once(server, 'connection');
  const client = say(k, server, v1Tcp(CLIENT, FRONT));
  const [socket] = await accepted;
  assert.deepEqual(socket.address(), { ...FRONT, family: 'IPv4' });
  const failure = once(socket, 'error');
  client.resetAndDestroy();
  const [err] = await failure;
  assert.equal(err.code, 'ECONNRESET');
  assert.deepEqual([err.remoteAddress, err.remotePort], [CLIENT.address, CLIENT.port]);
  assert.deepEqual([err.localAddress, err.localPort], [FRONT.address, FRONT.port]);
});

test('the addresses are known although the peer is gone', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k, { pauseOnConnect: true });
  const accepted = once(server, 'connection');
  const client = say(k, server, v2Tcp(CLIENT, FRONT));
  const [socket] = await accepted;
  client.resetAndDestroy();
  await closed(client);
  assert.deepEqual(endsOf(socket), proxied(CLIENT, FRONT, 'IPv4'));
});

test('http over it knows the client', opts, async (t) => {
  const k = kit(t);
  const web = http.createServer((request, response) => {
    const { remoteAddress, localPort } = request.socket;
    response.end(`${remoteAddress} asks ${localPort} for ${request.url}`);
  });
  const server = await behindProxy(k, {}, (socket) => web.emit('connection', socket));
  const client = say(k, server, v2Tcp(CLIENT, FRONT));
  client.end('GET /page HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n');
  const answer = String(await readAll(client));
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.ok(answer.includes(`${CLIENT.address} asks ${FRONT.port} for /page`), answer);
});

test('pauseOnConnect: the header is read, and nothing of what follows', opts, async (t) => {
  const k = kit(t);
  const server = await behindProxy(k, { pauseOnConnect: true });
  const accepted = once(server, 'connection');
  const client = say(k, server, Buffer.concat([v1Tcp(CLIENT, FRONT), Buffer.from('payload')]));
  const [socket] = await accepted;
  // Somebody else's round trip: by its end, what could have been read would have been.
  const second = once(server, 'connection');
  const other = say(k, server, 'PROXY UNKNOWN\r\n');
  const [otherEnd] = await second;
  otherEnd.resume();
  await roundTrip(other, otherEnd);
  assert.equal(socket.bytesRead, 0);
  client.end();
  const got = readAll(socket);
  socket.resume();
  assert.equal(String(await got), 'payload');
});

test('over a Unix socket', UNIX, async (t) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-proxy-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  const k = kit(t);
  const file = path.join(dir, 's');
  const server = k.ownServer(net.createServer({ proxyProtocol: true, proxyTimeout: LONG }));
  server.listen(file);
  await once(server, 'listening');
  const connect = (bytes) => {
    const socket = k.own(peer.connect(file));
    socket.on('error', () => {});
    socket.end(bytes);
  };
  for (const [name, header, ends] of GOOD) {
    const accepted = once(server, 'connection');
    connect(Buffer.concat([header, Buffer.from('payload')]));
    const [socket] = await accepted;
    assert.deepEqual(endsOf(socket), ends ?? NONE, name);
    assert.equal(String(await readAll(socket)), 'payload', name);
  }
  const dropped = once(server, 'drop');
  connect('GET / HTTP/1.1\r\n\r\n');
  const [drop] = await dropped;
  assert.equal(drop.reason, 'proxy-header-malformed');
  assert.deepEqual([drop.localAddress, drop.remoteAddress], [undefined, undefined]);
});

test('on a listening descriptor', UNIX, async (t) => {
  const k = kit(t);
  const bound = await k.listen({ lib: peer });
  const options = { proxyProtocol: true, proxyTimeout: LONG };
  const { child, ready, done } = start('listen-fd', [JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe', bound._handle.fd],
  });
  t.after(() => child.kill('SIGKILL'));
  assert.equal(await ready, 'listening');
  const { port } = bound.address();
  // The child has the socket as well, and is the only one then.
  await new Promise((resolve) => bound.close(resolve));
  const client = k.own(peer.connect(port, HOST));
  client.end(Buffer.concat([v1Tcp(CLIENT, FRONT), Buffer.from('payload')]));
  assert.equal(String(await readAll(client)), 'payload');
  child.stdin.end();
  const { code, stdout } = await done;
  assert.equal(code, 0);
  assert.equal(stdout, `listening\n${CLIENT.address} ${CLIENT.port}\n`);
});

test(
  '1,000 connections at once, every header in two pieces',
  { ...opts, timeout: 60_000 },
  async (t) => {
    const k = kit(t);
    const COUNT = 1000;
    const server = await behindProxy(k, {}, (socket) => {
      // What it says of itself is what it was told to be.
      const chunks = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('end', () => {
        const said = Buffer.concat(chunks).toString();
        socket.end(said === `I am ${socket.remoteAddress}:${socket.remotePort}` ? 'yes' : 'no');
      });
    });
    const answers = await Promise.all(
      Array.from({ length: COUNT }, async (_, i) => {
        const from = { address: `10.${i >> 8}.${i & 0xff}.1`, port: 1024 + i };
        const header = i % 2 === 0 ? v1Tcp(from, FRONT) : v2Tcp(from, FRONT);
        const client = say(k, server);
        await once(client, 'connect');
        const cut = 1 + (i % (header.length - 1));
        await new Promise((resolve) => client.write(header.subarray(0, cut), resolve));
        client.end(
          Buffer.concat([header.subarray(cut), Buffer.from(`I am ${from.address}:${from.port}`)]),
        );
        return String(await readAll(client));
      }),
    );
    assert.deepEqual(new Set(answers), new Set(['yes']));
  },
);

test('without the option, a header is data like any other', opts, async (t) => {
  const k = kit(t);
  for (const options of [{}, { proxyProtocol: false }, { proxyProtocol: undefined }]) {
    const server = await k.listen({ ...options, proxyTimeout: 1 });
    const accepted = once(server, 'connection');
    const client = say(k, server);
    const [socket] = await accepted;
    assert.equal(socket.remotePort, client.localPort);
    client.end('PROXY UNKNOWN\r\n');
    assert.equal(String(await readAll(socket)), 'PROXY UNKNOWN\r\n');
  }
});

test('wrong options', opts, () => {
  for (const proxyProtocol of [1, 'v1', {}, null]) {
    assert.throws(() => net.createServer({ proxyProtocol }), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^The "options\.proxyProtocol" property must be of type boolean\. Received /,
    });
  }
  for (const proxyTimeout of ['5s', true, {}, null]) {
    assert.throws(() => net.createServer({ proxyProtocol: true, proxyTimeout }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  }
  for (const proxyTimeout of [0, -1, 1.5, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => new net.Server({ proxyProtocol: true, proxyTimeout }), {
      code: 'ERR_OUT_OF_RANGE',
      message: /^The value of "options\.proxyTimeout" is out of range\./,
    });
  }
});
