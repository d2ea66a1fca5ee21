'use strict';

/** What `socket/data` exports and the front door has of it, that the example runs, and whose context callbacks run in. */

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { promisify } = require('node:util');
const { Worker } = require('node:worker_threads');
const { cleanEnv } = require('./helpers/child');
const {
  DataSocket,
  TIMEOUT,
  dataKit,
  nextValue,
  told,
  turn,
  until,
} = require('./helpers/datasocket');

const opts = { timeout: TIMEOUT };

test('the module has one name, and the front door has it, too', opts, async () => {
  const data = require('socket/data');
  assert.deepEqual(Object.keys(data), ['DataSocket']);
  assert.equal(require('socket').DataSocket, data.DataSocket);
  assert.equal((await import('socket/data')).DataSocket, data.DataSocket);
  assert.equal((await import('socket')).DataSocket, data.DataSocket);
});

test('the example of shared objects runs', { timeout: 3 * TIMEOUT }, async () => {
  const file = path.join(__dirname, '..', 'examples', 'shared-objects.js');
  const run = promisify(execFile);
  const { stdout, stderr } = await run(process.execPath, [file, '0'], { env: cleanEnv() });
  assert.match(stdout, /^Map\(1\) \{ 'Ada' => \{ points: 7n, at: \[ \d{4}-.*Z \] \} \}\n$/);
  assert.equal(stderr, '');
});

test('callbacks run in the context that the socket was made in', opts, async (t) => {
  const storage = new AsyncLocalStorage();
  const { connect, listen } = dataKit(t);
  const seen = {};
  const note = (name) => () => (seen[name] = storage.getStore());
  const listener = storage.run('listener', () =>
    listen((socket) => {
      note('acceptor')();
      socket.on('data', (value) => socket.send(value));
      return true;
    }),
  );
  const client = storage.run('client', () => connect(listener));
  for (const event of ['connect', 'data', 'sent', 'close']) client.on(event, note(event));
  storage.run('sender', () => client.send(1));
  await until(() => seen.data && seen.sent);
  storage.run('closer', () => client.close());
  await told(client, 'close');
  await turn();
  const expected = { connect: 'client', data: 'client', sent: 'client', close: 'client' };
  assert.deepEqual(seen, { acceptor: seen.acceptor, ...expected });
});

test('it works in a worker, and ends with it', { timeout: 3 * TIMEOUT }, async (t) => {
  const { own } = dataKit(t);
  const program = `
    const { parentPort } = require('node:worker_threads');
    const { DataSocket } = require(${JSON.stringify(path.join(__dirname, '..', 'lib', 'data.js'))});
    const listener = DataSocket.listen((socket) => {
      socket.on('data', (value) => socket.send(value));
      return true;
    }, 0);
    parentPort.postMessage(listener.port);
  `;
  const worker = new Worker(program, { eval: true });
  const port = await new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  const client = own(DataSocket.connect(port));
  client.send({ to: 'a worker' });
  assert.deepEqual(await nextValue(client), { to: 'a worker' });
  const closed = told(client, 'close');
  client.on('data', () => {});
  await worker.terminate();
  await closed;
});
