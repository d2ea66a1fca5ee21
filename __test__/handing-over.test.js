'use strict';

/** What `node:net`'s sockets can and these cannot: be given to another process or thread. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { MessageChannel } = require('node:worker_threads');
const { isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { TIMEOUT, kit } = require('./helpers/kit');
const { WITH_IPC, start } = require('./helpers/child');

const opts = { timeout: TIMEOUT, skip: !isOurs && SKIP_FOREIGN };

test('sending one to a child process throws at once, and hangs nothing', opts, async (t) => {
  const { client, conn, server } = await kit(t).pair({ side: 'both' });
  const { child, ready, done } = start('wait', [], { stdio: WITH_IPC });
  t.after(async () => {
    child.kill('SIGKILL');
    await done;
  });
  await ready;
  for (const handle of [client, conn, server]) {
    assert.throws(() => child.send('yours', handle), {
      name: 'TypeError',
      code: 'ERR_INVALID_HANDLE_TYPE',
    });
  }
  // The channel is none the worse for it, and neither are the sockets.
  const answer = new Promise((resolve) => child.once('message', resolve));
  child.send('still there?');
  assert.equal(await answer, 'still there?');
  assert.equal(client.readyState, 'open');
});

test('so does transferring one to another thread', opts, async (t) => {
  const { client, conn, server } = await kit(t).pair({ side: 'both' });
  const { port1 } = new MessageChannel();
  t.after(() => port1.close());
  for (const handle of [client, conn, server]) {
    assert.throws(() => port1.postMessage(handle, [handle]));
  }
  assert.equal(client.readyState, 'open');
});
