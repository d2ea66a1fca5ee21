'use strict';

/** node:cluster and IPC: workers that listen by themselves, and sockets that cannot be passed on. */

const assert = require('node:assert/strict');
const peer = require('node:net');
const { test } = require('node:test');
const { HOST, TIMEOUT, closed, kit, once, readBytes } = require('../helpers/kit');
const { WITH_IPC, ask, start } = require('../helpers/child');
const { MiB, digest, payload, same } = require('../helpers/payload');
const { net, isOurs, SKIP_FOREIGN } = require('../helpers/subject');

const opts = { timeout: 2 * TIMEOUT };
const NO_SPREAD =
  process.platform === 'linux'
    ? false
    : 'only Linux spreads connections over SO_REUSEPORT listeners';

/** What the first message of a cluster's primary says about its workers. */
async function startCluster(t, scenario) {
  const { child, done } = start('cluster', [scenario], { stdio: WITH_IPC, timeout: TIMEOUT * 2 });
  // The workers end with it, and hold its output open until then.
  t.after(() => {
    child.kill();
    return done;
  });
  const ended = done.then((result) => {
    throw new Error(`the cluster ended: ${JSON.stringify(result)}`);
  });
  const [{ results }] = await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {});
  return { child, results };
}

/** A connection to a worker, and the worker's number, which is the first line. */
async function connectWorker(k, port) {
  const socket = k.own(peer.connect(port, HOST));
  const [, id] = /^(\d)\n$/.exec(String(await readBytes(socket, 2)));
  return { socket, id: Number(id) };
}

/** Sends a body and gets it back; the connection ends with it. */
async function exchange({ socket }, body) {
  const answer = digest(socket);
  socket.end(body.bytes);
  same(await answer, body);
}

test(
  'reusePort: workers share a port, and a worker that dies loses only its own',
  { ...opts, skip: NO_SPREAD },
  async (t) => {
    const k = kit(t);
    const { child, results } = await startCluster(t, 'reuse-port');
    const { port } = results[0];
    assert.deepEqual(results, [{ port }, { port }, { port }]);

    const connections = await Promise.all(
      Array.from({ length: 150 }, () => connectWorker(k, port)),
    );
    assert.deepEqual([...new Set(connections.map(({ id }) => id))].sort(), [1, 2, 3]);

    const lost = connections.filter(({ id }) => id === 2);
    const kept = connections.filter(({ id }) => id !== 2);
    const gone = lost.map(({ socket }) => {
      socket.on('error', (err) => assert.equal(err.code, 'ECONNRESET'));
      return closed(socket.resume());
    });
    assert.deepEqual(await ask(child, { act: 'kill', id: 2 }), { code: null, signal: 'SIGKILL' });
    await Promise.all(gone);

    const body = payload(300_000, 1);
    await Promise.all(kept.map((each) => exchange(each, body)));
    const next = await Promise.all(Array.from({ length: 60 }, () => connectWorker(k, port)));
    assert.deepEqual([...new Set(next.map(({ id }) => id))].sort(), [1, 3]);
    await exchange(next[0], payload(8 * MiB, 2));
  },
);

test(
  'without reusePort a port belongs to one worker',
  { ...opts, skip: !isOurs && SKIP_FOREIGN },
  async (t) => {
    const { results } = await startCluster(t, 'plain');
    assert.ok(results[0].port > 0);
    assert.deepEqual(results[1], { code: 'EADDRINUSE', syscall: 'listen' });
  },
);

test(
  'port 0 is another one in each worker',
  { ...opts, skip: !isOurs && SKIP_FOREIGN },
  async (t) => {
    const { results } = await startCluster(t, 'any');
    assert.notEqual(results[0].port, results[1].port);
  },
);

test('exclusive: true', opts, async (t) => {
  const { results } = await startCluster(t, 'exclusive');
  const connection = await connectWorker(kit(t), results[0].port);
  await exchange(connection, payload(4 * MiB, 3));
});

test(
  'a worker that closes its server when it is to leave finishes its connections',
  opts,
  async (t) => {
    const k = kit(t);
    const { child, results } = await startCluster(t, 'disconnect');
    const { port } = results[0];
    const connection = await connectWorker(k, port);
    const left = ask(child, { act: 'disconnect', id: 1 });
    // The listener is gone some time after that; the connection is not.
    let code;
    while (code !== 'ECONNREFUSED') {
      const late = peer.connect(port, HOST);
      code = await once(late, 'connect').then(
        () => 'connected',
        (err) => err.code,
      );
      late.destroy();
      // The last ones may still be in the queue of a listener that closes.
      assert.match(code, /^(connected|ECONNRESET|ECONNREFUSED)$/);
    }
    await exchange(connection, payload(4 * MiB, 4));
    assert.deepEqual(await left, { code: 0, signal: null });
  },
);

test(
  'a socket, a server or a handle sent to a child is refused at once',
  { ...opts, skip: !isOurs && SKIP_FOREIGN },
  async (t) => {
    const { conn, server } = await kit(t).pair({ side: 'server' });
    const { child, done } = start('handle-passing', [], { stdio: WITH_IPC });
    t.after(() => {
      child.kill();
      return done;
    });
    await once(child, 'message');
    const socket = new net.Socket();
    for (const handle of [conn, server, socket, conn._handle, server._handle]) {
      assert.throws(() => child.send('with a handle', handle), {
        name: 'TypeError',
        code: 'ERR_INVALID_HANDLE_TYPE',
      });
    }
    // The channel is as good as before.
    assert.deepEqual(await ask(child, 'alone'), { message: 'alone', hasHandle: false });
    assert.equal(conn.destroyed, false);
  },
);
