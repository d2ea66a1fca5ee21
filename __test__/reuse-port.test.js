'use strict';

/** `reusePort`: where the system has it, and where it has not. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { HOST, TIMEOUT, kit, once, peer, until } = require('./helpers/kit');
const { run } = require('./helpers/child');
const { noStrace, traceCalls } = require('./helpers/system');

const onLinux = { timeout: TIMEOUT, skip: process.platform !== 'linux' && 'of Linux alone' };

test('two servers share a port, and each gets connections', onLinux, async (t) => {
  const k = kit(t);
  const counts = [0, 0];
  const servers = counts.map((_, index) =>
    k.ownServer(
      net.createServer(() => {
        counts[index]++;
      }),
    ),
  );
  servers[0].listen({ port: 0, host: HOST, reusePort: true });
  await once(servers[0], 'listening');
  const { port } = servers[0].address();
  servers[1].listen({ port, host: HOST, reusePort: true });
  await once(servers[1], 'listening');
  // Without it the port is taken.
  const third = net.createServer().listen(port, HOST);
  const [err] = await once(third, 'error');
  assert.equal(err.code, 'EADDRINUSE');
  // Which one gets a connection follows from a hash of its ports.
  while (counts.includes(0)) {
    const socket = k.own(peer.connect(port, HOST));
    await once(socket, 'connect');
  }
  await until(() => counts[0] + counts[1] > 1);
});

test('where the system refuses, listen() goes on with a warning', onLinux, async (t) => {
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  if (noStrace()) return t.skip(noStrace());
  // Calls on an IPv4 listener: SO_REUSEADDR, then SO_REUSEPORT, which an old kernel does not know.
  const trace = traceCalls(t, 'setsockopt,listen', 'setsockopt:error=ENOPROTOOPT:when=2');
  const result = await run('reuse-port', [], { prefix: trace.prefix });
  assert.equal(result.code, 0, result.stderr);
  const { warnings, listening } = JSON.parse(result.stdout);
  const calls = trace.read();
  assert.ok(
    calls.some((line) => /SO_REUSEPORT.*ENOPROTOOPT.*INJECTED/.test(line)),
    calls.join(),
  );
  assert.deepEqual(warnings, ['ENOTSUP']);
  assert.equal(listening, true);
});
