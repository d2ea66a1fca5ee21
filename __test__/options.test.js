'use strict';

/** Socket options, looked at from outside: the timers of the kernel, the calls of the process. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net } = require('./helpers/subject');
const { HOST, TIMEOUT, kit, once, peer } = require('./helpers/kit');
const { run } = require('./helpers/child');
const { NO_PROC, inside, noSs, noStrace, timerOf, traceCalls } = require('./helpers/system');

const opts = { timeout: TIMEOUT };
const onLinux = { ...opts, skip: NO_PROC };
const KEEPALIVE = 2;

test('setNoDelay, setKeepAlive and setTimeout can be chained in each state', opts, async (t) => {
  const check = (socket) => {
    assert.equal(socket.setNoDelay(), socket);
    assert.equal(socket.setNoDelay(true), socket);
    assert.equal(socket.setNoDelay(false), socket);
    assert.equal(socket.setKeepAlive(), socket);
    assert.equal(socket.setKeepAlive(true), socket);
    assert.equal(socket.setKeepAlive(true, 1000), socket);
    assert.equal(socket.setKeepAlive(false), socket);
    assert.equal(socket.setTimeout(0), socket);
    assert.equal(socket.pause(), socket);
    assert.equal(socket.resume(), socket);
    assert.equal(socket.setEncoding('utf8'), socket);
  };
  const fresh = new net.Socket();
  check(fresh);
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  check(k.own(net.connect(server.address().port, HOST)));
  const { client, conn } = await k.pair({ side: 'both' });
  check(client);
  check(conn);
  client.destroy();
  // Not an error, but nothing to set either.
  check(client);
  fresh.destroy();
});

const idle = ({ ours }) => timerOf(ours.localPort, ours.remotePort);

for (const side of ['client', 'server']) {
  test(`setKeepAlive(true, delay) starts the timer of the kernel (${side})`, onLinux, async (t) => {
    const pair = await kit(t).pair({ side });
    assert.notEqual(idle(pair).kind, KEEPALIVE, 'off unless asked for');
    pair.ours.setKeepAlive(true, 300_000);
    const timer = idle(pair);
    assert.equal(timer.kind, KEEPALIVE);
    assert.ok(timer.seconds > 280 && timer.seconds <= 301, `${timer.seconds} s`);
  });
}

test(
  'setKeepAlive takes milliseconds and gives whole seconds to the system',
  onLinux,
  async (t) => {
    const pair = await kit(t).pair();
    pair.ours.setKeepAlive(true, 120_900);
    const { seconds } = idle(pair);
    assert.ok(seconds > 100 && seconds <= 120.5, `${seconds} s`);
  },
);

test('setKeepAlive before connect is kept', onLinux, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer });
  const socket = k.own(new net.Socket());
  socket.setKeepAlive(true, 300_000);
  socket.connect(server.address().port, HOST);
  await once(socket, 'connect');
  assert.equal(idle({ ours: socket }).kind, KEEPALIVE);
});

test('setKeepAlive(false) stops it', onLinux, async (t) => {
  const pair = await kit(t).pair();
  pair.ours.setKeepAlive(true, 300_000);
  assert.equal(idle(pair).kind, KEEPALIVE);
  pair.ours.setKeepAlive(false);
  assert.notEqual(idle(pair).kind, KEEPALIVE);
});

test('the options keepAlive and keepAliveInitialDelay', onLinux, async (t) => {
  const options = { keepAlive: true, keepAliveInitialDelay: 200_000 };
  const { client, conn } = await kit(t).pair({ side: 'both', client: options, server: options });
  for (const ours of [client, conn]) {
    const { kind, seconds } = idle({ ours });
    assert.equal(kind, KEEPALIVE);
    assert.ok(seconds > 180 && seconds <= 201, `${seconds} s`);
  }
});

/** The successful setsockopt and listen calls of a child. */
async function callsOf(t, scenario) {
  const trace = traceCalls(t, 'setsockopt,listen,bind');
  const result = await run('socket-options', [scenario], { prefix: trace.prefix });
  assert.equal(result.code, 0, result.stderr);
  return trace.read();
}

const noDelayOn = /TCP_NODELAY, \[1\], 4\)\s+= 0/;
const noDelayOff = /TCP_NODELAY, \[0\], 4\)\s+= 0/;

for (const [scenario, expected] of Object.entries({
  'noDelay of a connected client': true,
  'noDelay before connect': true,
  'noDelay option of connect': true,
  'noDelay of an accepted socket': true,
  'noDelay option of createServer': true,
  'no noDelay': false,
})) {
  test(`${scenario} reaches the system`, opts, async (t) => {
    if (noStrace()) return t.skip(noStrace());
    const calls = await callsOf(t, scenario);
    assert.equal(
      calls.some((line) => noDelayOn.test(line)),
      expected,
      calls.join('\n'),
    );
  });
}

test('setNoDelay(false) reaches the system', opts, async (t) => {
  if (noStrace()) return t.skip(noStrace());
  const calls = await callsOf(t, 'noDelay on and off');
  const relevant = calls.filter((line) => line.includes('TCP_NODELAY'));
  assert.match(relevant[0], noDelayOn);
  assert.match(relevant.at(-1), noDelayOff);
});

test('the backlog of listen reaches the system', opts, async (t) => {
  if (noStrace()) return t.skip(noStrace());
  const calls = await callsOf(t, 'backlog');
  const depths = calls
    .filter((line) => line.startsWith('listen('))
    .map((line) => Number(/, (\d+)\)\s+= 0/.exec(line)[1]));
  // The default of Node is 511; null and 0 mean the default too.
  assert.deepEqual(depths, [511, 7, 9, 13]);
});

test('ipv6Only reaches the system', opts, async (t) => {
  if (noStrace()) return t.skip(noStrace());
  const calls = await callsOf(t, 'ipv6Only');
  assert.ok(calls.some((line) => /IPV6_V6ONLY, \[1\]/.test(line)));
});

for (const when of ['', ' before connect']) {
  test(`the three numbers of keepAlive reach the system${when}`, opts, async (t) => {
    if (noStrace()) return t.skip(noStrace());
    const calls = await callsOf(t, `keepAlive with its three numbers${when}`);
    // Milliseconds become whole seconds; the count stays what it is.
    for (const expected of [
      /SO_KEEPALIVE, \[1\]/,
      /TCP_KEEPIDLE, \[120\]/,
      /TCP_KEEPINTVL, \[7\]/,
      /TCP_KEEPCNT, \[3\]/,
    ]) {
      assert.ok(
        calls.some((line) => expected.test(line)),
        `${expected} in\n${calls.join('\n')}`,
      );
    }
  });
}

test('the type of service, as the system has it', opts, async (t) => {
  if (noSs()) return t.skip(noSs());
  const { client, conn } = await kit(t).pair({ side: 'both', client: { typeOfService: 0x20 } });
  const seen = (socket) => inside(socket.localPort, socket.remotePort).typeOfService;
  assert.equal(seen(client), 0x20);
  client.setTypeOfService(0x48);
  assert.equal(seen(client), 0x48);
  assert.equal(client.getTypeOfService(), 0x48);
  conn.setTypeOfService(0x10);
  assert.equal(seen(conn), 0x10);
});

test('the type of service of an IPv6 connection is its traffic class', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen({ lib: peer, host: '::1' });
  const socket = k.own(net.connect({ port: server.address().port, host: '::1' }));
  await once(socket, 'connect');
  socket.setTypeOfService(0x28);
  assert.equal(socket.getTypeOfService(), 0x28);
  if (!noSs()) {
    const { text } = inside(socket.localPort, socket.remotePort);
    assert.match(text, /tclass:0x28/);
  }
});
