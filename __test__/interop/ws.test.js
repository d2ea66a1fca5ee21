'use strict';

/** ws, the usual WebSocket library, over our sockets: as client, as server, and as both. */

const assert = require('node:assert/strict');
const { createHash, randomInt } = require('node:crypto');
const http = require('node:http');
const https = require('node:https');
const { pipeline } = require('node:stream/promises');
const { test } = require('node:test');
const tls = require('node:tls');
const { WebSocket, WebSocketServer, createWebSocketStream } = require('ws');
const { HOST, TIMEOUT, closed, kit, once, until } = require('../helpers/kit');
const { authority } = require('../helpers/certificates');
const { ENDS, clientLib, serve } = require('../helpers/ends');
const { MiB, digest, hash, payload, pieces, same, streamOf } = require('../helpers/payload');

const opts = { timeout: TIMEOUT };
const certs = authority({ main: ['localhost', HOST] });
const MAX_PAYLOAD = 64 * MiB;

/** A WebSocket server on an HTTP server whose connections come from `serve`. */
async function listen(t, end, onSocket, options = {}) {
  const { isSecure = false, ...wsOptions } = options;
  const web = isSecure ? https.createServer(certs.main) : http.createServer();
  const wss = new WebSocketServer({ server: web, maxPayload: MAX_PAYLOAD, ...wsOptions });
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    onSocket?.(ws);
  });
  t.after(() => {
    for (const ws of wss.clients) ws.terminate();
    wss.close();
  });
  const port = await serve(t, end, web, { allowHalfOpen: !isSecure });
  return { wss, url: `${isSecure ? 'wss' : 'ws'}://${HOST}:${port}` };
}

/** A client that is open. */
async function connect(t, end, url, options = {}) {
  let socket;
  const createConnection = ({ port, host, ca }) => {
    socket = kit(t).own(clientLib(end).connect({ port, host }));
    return url.startsWith('wss') ? tls.connect({ socket, host, ca }) : socket;
  };
  const ca = certs.ca;
  const ws = new WebSocket(url, { createConnection, ca, maxPayload: MAX_PAYLOAD, ...options });
  t.after(() => ws.terminate());
  ws.on('error', () => {});
  await once(ws, 'open');
  return { ws, socket };
}

const echo = (ws) => ws.on('message', (data, binary) => ws.send(data, { binary }));

for (const end of ENDS) {
  for (const isSecure of [false, true]) {
    const label = `${isSecure ? 'wss' : 'ws'}, ${end}`;

    test(`messages of up to 40 MiB there and back (${label})`, opts, async (t) => {
      const { url } = await listen(t, end, echo, { isSecure });
      const { ws } = await connect(t, end, url);
      for (const size of [0, 125, 126, 65_535, 65_536, 40 * MiB]) {
        const body = payload(size, size + 1);
        const answer = once(ws, 'message');
        ws.send(body.bytes);
        const [data, binary] = await answer;
        assert.equal(binary, true);
        same(data, body);
      }
    });

    test(`20,000 small messages, in order (${label})`, opts, async (t) => {
      const COUNT = 20_000;
      const { url } = await listen(t, end, echo, { isSecure });
      const { ws } = await connect(t, end, url);
      const sent = createHash('sha256');
      const got = createHash('sha256');
      let count = 0;
      const all = new Promise((resolve) => {
        ws.on('message', (data) => {
          got.update(data);
          if (++count === COUNT) resolve();
        });
      });
      for (let i = 0; i < COUNT; i++) {
        const text = `${i}:${'x'.repeat(randomInt(40))}`;
        sent.update(text);
        ws.send(text);
        if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      await all;
      assert.equal(got.digest('hex'), sent.digest('hex'));
    });
  }

  test(`compressed messages (${end})`, opts, async (t) => {
    const deflate = { perMessageDeflate: { threshold: 0 } };
    const { url } = await listen(t, end, echo, deflate);
    const { ws } = await connect(t, end, url, deflate);
    assert.match(ws.extensions, /permessage-deflate/);
    const text = 'a text that comes again and again, '.repeat(100_000);
    const bodies = [Buffer.from(text), payload(3 * MiB, 1).bytes];
    for (const body of bodies) {
      const answer = once(ws, 'message');
      ws.send(body);
      assert.equal(hash((await answer)[0]), hash(body));
    }
  });

  test(`one message in 500 fragments, pings between them (${end})`, opts, async (t) => {
    const body = payload(2 * MiB, 2);
    const { url } = await listen(t, end, echo);
    const { ws } = await connect(t, end, url);
    let pongs = 0;
    ws.on('pong', () => pongs++);
    const answer = once(ws, 'message');
    const parts = [...pieces(body.bytes, [Math.ceil(body.size / 500)])];
    parts.forEach((part, i) => {
      if (i % 50 === 1) ws.ping(String(i));
      ws.send(part, { fin: i === parts.length - 1 });
    });
    same((await answer)[0], body);
    await until(() => pongs === 10);
  });

  test(`as a stream that waits for its reader (${end})`, opts, async (t) => {
    const body = payload(24 * MiB, 3);
    const { url } = await listen(t, end, (ws) => {
      const stream = createWebSocketStream(ws);
      pipeline(stream, stream).catch(() => {});
    });
    const { ws } = await connect(t, end, url);
    const stream = createWebSocketStream(ws);
    const answer = digest(stream, body.size);
    // The stream may not end before the answer is there: a WebSocket has no half-close, so what
    // the other side has not sent back by then is lost, over any transport.
    await pipeline(streamOf(body.bytes), stream, { end: false });
    same(await answer, body);
    const gone = once(stream, 'close');
    stream.end();
    await gone;
  });

  test(`every one of 100 clients gets what is said to all (${end})`, opts, async (t) => {
    const body = payload(100_000, 4);
    const { wss, url } = await listen(t, end);
    const clients = await Promise.all(Array.from({ length: 100 }, () => connect(t, end, url)));
    const answers = clients.map(({ ws }) => once(ws, 'message'));
    await until(() => wss.clients.size === 100);
    for (const ws of wss.clients) ws.send(body.bytes);
    for (const [data] of await Promise.all(answers)) same(data, body);
    const gone = clients.map(({ socket }) => closed(socket));
    for (const { ws } of clients) ws.close();
    await Promise.all(gone);
    await until(() => wss.clients.size === 0);
  });

  test(`the closing handshake, from either side (${end})`, opts, async (t) => {
    const { wss, url } = await listen(t, end);
    for (const side of ['client', 'server']) {
      const opened = once(wss, 'connection');
      const { ws, socket } = await connect(t, end, url);
      const [atServer] = await opened;
      const gone = closed(socket);
      const [first, second] = side === 'client' ? [ws, atServer] : [atServer, ws];
      const both = [once(first, 'close'), once(second, 'close')];
      first.close(4001, 'enough');
      for (const [code, reason] of await Promise.all(both)) {
        assert.equal(code, 4001);
        assert.equal(String(reason), 'enough');
      }
      await gone;
    }
  });

  test(`a connection that breaks, from either side (${end})`, opts, async (t) => {
    const { wss, url } = await listen(t, end);
    for (const side of ['client', 'server']) {
      const opened = once(wss, 'connection');
      const { ws, socket } = await connect(t, end, url);
      const [atServer] = await opened;
      const gone = closed(socket);
      const [first, second] = side === 'client' ? [ws, atServer] : [atServer, ws];
      const both = [once(first, 'close'), once(second, 'close')];
      first.send(Buffer.alloc(5 * MiB));
      first.terminate();
      for (const [code] of await Promise.all(both)) assert.equal(code, 1006);
      await gone;
    }
  });

  test(`a request that is not let in (${end})`, opts, async (t) => {
    const { url } = await listen(t, end, null, { verifyClient: () => false });
    const createConnection = ({ port, host }) => kit(t).own(clientLib(end).connect({ port, host }));
    const ws = new WebSocket(url, { createConnection });
    const [, res] = await once(ws, 'unexpected-response');
    assert.equal(res.statusCode, 401);
    res.resume();
    await once(res, 'end');
  });
}
