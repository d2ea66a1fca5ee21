'use strict';

/** A socket that is used again, and one that is asked to connect while it is in use. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { SKIP_FOREIGN, isOurs, net } = require('./helpers/subject');
const { HOST, TIMEOUT, closed, kit, once, peer } = require('./helpers/kit');

const opts = { timeout: TIMEOUT };

test(
  'what a destroyed socket had written is not taken for the new connection’s',
  opts,
  async (t) => {
    const k = kit(t);
    const texts = [];
    const server = await k.listen({ lib: peer }, (conn) => {
      const at = texts.push('') - 1;
      conn.setEncoding('latin1').on('data', (text) => (texts[at] += text));
    });
    const { port } = server.address();
    const socket = k.own(net.connect(port, HOST));
    await once(socket, 'connect');
    socket.write('a');
    socket.write('b');
    socket.destroy();
    await closed(socket);
    socket.connect(port, HOST);
    await once(socket, 'connect');
    socket.write('hello');
    socket.end('world');
    socket.resume();
    await closed(socket);
    while (texts.join() !== 'ab,helloworld') await new Promise((resolve) => setImmediate(resolve));
  },
);

test('a reset is of one connection, not of the socket', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const { port } = server.address();
  const socket = k.own(new net.Socket());
  for (const how of ['resetAndDestroy', 'destroy']) {
    const accepted = once(server, 'connection');
    socket.connect(port, HOST);
    const [conn] = await accepted;
    const outcome = new Promise((resolve) => {
      conn.on('error', (err) => resolve(err.code));
      conn.on('end', () => resolve('end'));
    });
    conn.resume();
    if (socket.connecting) await once(socket, 'connect');
    socket[how]();
    await closed(socket);
    assert.equal(await outcome, how === 'destroy' ? 'end' : 'ECONNRESET');
  }
});

for (const state of ['connecting', 'connected']) {
  test(`connect() on a socket that is ${state} fails and harms nobody`, opts, async (t) => {
    // Node connects nothing and says nothing.
    if (!isOurs && state === 'connected') return t.skip(SKIP_FOREIGN);
    const k = kit(t);
    const server = await k.listen({ lib: peer });
    const { port } = server.address();
    const socket = k.own(net.connect(port, HOST));
    if (state === 'connected') await once(socket, 'connect');
    const failed = once(socket, 'error');
    socket.connect(port, HOST);
    const [err] = await failed;
    assert.match(err.code, /^(EALREADY|EISCONN|EINVAL)$/);
    await closed(socket);
  });
}
