'use strict';

/**
 * Sockets in worker threads, and workers that end in the middle of everything.
 * SOCKET_STRESS_ROUNDS=50 is the long form.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { net } = require('./helpers/subject');
const { HOST, TIMEOUT, kit, once, peer, readAll, turn } = require('./helpers/kit');
const { pattern } = require('./helpers/pattern');

const ROUNDS = Number(process.env.SOCKET_STRESS_ROUNDS || 3);
const WORKERS = 20;
const opts = { timeout: TIMEOUT };
const long = { timeout: 30_000 + ROUNDS * 15_000 };
const hasProc = fs.existsSync('/proc/self/fd');

/** `worker.ended` resolves with the exit code, also for those who ask late. */
function startWorker(task, data = {}) {
  const worker = new Worker(path.join(__dirname, 'fixtures', 'worker-tasks.js'), {
    workerData: { task, ...data },
  });
  worker.ended = new Promise((resolve) => worker.once('exit', resolve));
  return worker;
}

const fds = () => fs.readdirSync('/proc/self/fd').length;

/** Descriptors of a worker that has just ended may take a few turns to go. */
async function fdsBackTo(wanted) {
  let now = fds();
  for (let i = 0; i < 500 && now > wanted; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    now = fds();
  }
  return now;
}

/** The number of descriptors once it has not changed for a while. */
async function steadyFds() {
  let last = fds();
  for (let same = 0; same < 20; same++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = fds();
    if (now !== last) same = 0;
    last = now;
  }
  return last;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/** Rejected with ECONNREFUSED, or the port still has an owner. */
async function isRefused(port) {
  const socket = peer.connect(port, HOST);
  try {
    await once(socket, 'connect');
    return false;
  } catch (err) {
    return err.code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

async function message(worker) {
  const failure = worker.ended.then((code) => {
    throw new Error(`the worker ended with ${code}`);
  });
  failure.catch(() => {});
  const [value] = await Promise.race([once(worker, 'message'), failure]);
  return value;
}

test('a server in a worker serves the main thread', opts, async (t) => {
  const worker = startWorker('echo');
  t.after(() => worker.terminate());
  const port = await message(worker);
  const socket = kit(t).own(net.connect(port, HOST));
  const bytes = pattern(3_000_000, 21);
  const got = readAll(socket);
  socket.end(bytes);
  assert.ok((await got).equals(bytes));
});

test('a client in a worker talks to the main thread', opts, async (t) => {
  const server = await kit(t).listen({}, (conn) => conn.pipe(conn));
  const worker = startWorker('client', { port: server.address().port });
  assert.equal(await message(worker), 'client: 300000 bytes, intact');
  assert.equal(await worker.ended, 0, 'a worker ends by itself when its sockets have closed');
});

for (const task of ['exit', 'throw']) {
  test(`a worker that ends by ${task} in a listener`, opts, async () => {
    const worker = startWorker(task);
    const error = once(worker, 'error').catch(() => []);
    const port = await message(worker);
    if (task === 'throw') {
      assert.match((await error)[0].message, /thrown in a worker/);
    } else {
      assert.equal(await worker.ended, 7);
    }
    await worker.terminate();
    assert.equal(await isRefused(port), true);
  });
}

test('sockets of the main thread do not notice a worker that is terminated', opts, async (t) => {
  const { ours, theirs } = await kit(t).pair();
  theirs.pipe(theirs);
  const workers = Array.from({ length: 5 }, () => startWorker('traffic'));
  await Promise.all(workers.map(message));
  const bytes = pattern(8_000_000, 22);
  const got = readAll(ours);
  ours.end(bytes);
  await Promise.all(workers.map((worker) => worker.terminate()));
  assert.ok((await got).equals(bytes));
});

test('a worker terminated before it could do anything', opts, async () => {
  for (let i = 0; i < 5; i++) {
    const worker = startWorker('traffic');
    await worker.terminate();
  }
  for (let i = 0; i < 5; i++) {
    const worker = startWorker('traffic');
    await once(worker, 'online');
    await turn();
    await worker.terminate();
  }
});

test('a worker inside another worker', opts, async () => {
  const worker = startWorker('nested');
  assert.equal(await message(worker), 'client: 300000 bytes, intact');
  assert.equal(await worker.ended, 0);
});

test(`${WORKERS} workers terminated under traffic, ${ROUNDS} rounds`, long, async (t) => {
  // One worker first: it loads code and fills caches of the process.
  const first = startWorker('traffic');
  await message(first);
  await first.terminate();
  const baseline = hasProc ? await steadyFds() : 0;
  const memory = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const workers = Array.from({ length: WORKERS }, () => startWorker('traffic'));
    const ports = (await Promise.all(workers.map(message))).flat();
    assert.equal(ports.length, WORKERS * 2);
    await Promise.all(workers.map((worker) => worker.terminate()));

    for (const port of ports) {
      assert.equal(await isRefused(port), true, `round ${round}: port ${port} is still served`);
    }
    if (hasProc) {
      const now = await fdsBackTo(baseline);
      assert.ok(now <= baseline, `round ${round}: ${now} descriptors, ${baseline} before`);
    }
    memory.push(process.memoryUsage.rss());
  }
  const MiB = 1024 * 1024;
  t.diagnostic(`RSS after each round: ${memory.map((m) => Math.round(m / MiB)).join(' ')} MiB`);
  if (ROUNDS < 20) return;
  // RSS of a process with so many threads takes some rounds to settle and goes up and down by tens
  // of MiB (Node alone too). A leak of one chunk per worker adds 20 MiB each round to that.
  const quarter = Math.floor(ROUNDS / 4);
  const grown = median(memory.slice(-quarter)) - median(memory.slice(-2 * quarter, -quarter));
  assert.ok(grown < (64 + 5 * quarter) * MiB, `RSS grew by ${Math.round(grown / MiB)} MiB`);
});
