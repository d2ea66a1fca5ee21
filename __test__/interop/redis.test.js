'use strict';

/** ioredis over our sockets, with a real Redis: by port and by Unix path. */

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { after, before, describe, test } = require('node:test');
const { AbstractConnector, Redis } = require('ioredis');
const { HOST, TIMEOUT, closed, once } = require('../helpers/kit');
const { MiB, payload, same } = require('../helpers/payload');
const { missing, startRedis } = require('../helpers/servers');
const { net } = require('../helpers/subject');

// Of each test, not of the suite: only tests are counted as skipped.
const skip = missing('redis-server');
const opts = { timeout: TIMEOUT, skip };

/** @type {Awaited<ReturnType<typeof startRedis>>} */
let server;

const WAYS = {
  port: () => ({ host: HOST, port: server.port }),
  'Unix path': () => ({ path: server.path }),
};

/** A connected client that ends with the test. `sockets` gets what it connected with. */
async function connect(t, way, sockets = [], options = {}) {
  class Connector extends AbstractConnector {
    async connect() {
      this.stream = net.connect({ noDelay: true, ...WAYS[way]() });
      sockets.push(this.stream);
      return this.stream;
    }
  }
  const client = new Redis({ ...WAYS[way](), Connector, ...options });
  t.after(() => client.disconnect());
  await once(client, 'ready');
  return client;
}

describe('Redis', () => {
  before(
    async () => {
      if (!skip) server = await startRedis();
    },
    { timeout: 4 * TIMEOUT },
  );
  after(() => server?.stop(), { timeout: TIMEOUT });

  for (const way of Object.keys(WAYS)) {
    test(`a value of 48 MiB there and back (${way})`, opts, async (t) => {
      const body = payload(48 * MiB, 1);
      const client = await connect(t, way);
      await client.set('large', body.bytes);
      assert.equal(await client.strlen('large'), body.size);
      same(await client.getBuffer('large'), body);
    });

    test(`40,000 commands that do not wait for each other (${way})`, opts, async (t) => {
      const COUNT = 20_000;
      const client = await connect(t, way);
      const text = (n) => `${n}:${'z'.repeat(n % 50)}`;
      const sent = createHash('sha256');
      const set = [];
      for (let n = 0; n < COUNT; n++) {
        sent.update(text(n));
        set.push(client.set(`key:${n}`, text(n)));
      }
      const get = Array.from({ length: COUNT }, (_, n) => client.get(`key:${n}`));
      for (const answer of await Promise.all(set)) assert.equal(answer, 'OK');
      const got = createHash('sha256');
      for (const answer of await Promise.all(get)) got.update(answer);
      assert.equal(got.digest('hex'), sent.digest('hex'));
    });

    test(`a pipeline of 30 MiB (${way})`, opts, async (t) => {
      const client = await connect(t, way);
      const bodies = Array.from({ length: 300 }, (_, n) => payload(100_000 + n, n + 1));
      const pipeline = client.pipeline();
      bodies.forEach(({ bytes }, n) => pipeline.set(`body:${n}`, bytes));
      bodies.forEach((_, n) => pipeline.getBuffer(`body:${n}`));
      const answers = await pipeline.exec();
      bodies.forEach((body, n) => same(answers[300 + n][1], body));
    });

    test(`3,000 commands, one after the other (${way})`, opts, async (t) => {
      const client = await connect(t, way);
      await client.del('count');
      for (let n = 1; n <= 3000; n++) assert.equal(await client.incr('count'), n);
    });

    test(`what is published arrives in order (${way})`, opts, async (t) => {
      const COUNT = 5000;
      const listener = await connect(t, way);
      const speaker = await connect(t, way);
      const heard = [];
      const all = new Promise((resolve) => {
        listener.on('message', (channel, text) => {
          assert.equal(channel, 'news');
          if (heard.push(text) === COUNT) resolve();
        });
      });
      await listener.subscribe('news');
      const said = Array.from({ length: COUNT }, (_, n) => `${n} ${'n'.repeat(n % 200)}`);
      for (const text of said) speaker.publish('news', text);
      await all;
      assert.deepEqual(heard, said);
    });

    test(`a command that waits for another client (${way})`, opts, async (t) => {
      const waiting = await connect(t, way);
      const other = await connect(t, way);
      await other.del('queue');
      const answer = waiting.blpop('queue', 0);
      await other.rpush('queue', 'at last');
      assert.deepEqual(await answer, ['queue', 'at last']);
    });

    test(`it connects again when the server has ended the connection (${way})`, opts, async (t) => {
      const sockets = [];
      const client = await connect(t, way, sockets, { retryStrategy: () => 1 });
      const other = await connect(t, way);
      const id = await client.client('ID');
      const gone = closed(sockets[0]);
      const ready = once(client, 'ready');
      assert.equal(await other.client('KILL', 'ID', id), 1);
      await gone;
      await ready;
      assert.equal(await client.ping(), 'PONG');
      assert.notEqual(await client.client('ID'), id);
      assert.equal(sockets.length, 2);
    });

    test(`quit ends the connection properly (${way})`, opts, async (t) => {
      const sockets = [];
      const client = await connect(t, way, sockets);
      const gone = closed(sockets[0]);
      assert.equal(await client.quit(), 'OK');
      assert.equal(await gone, false);
    });
  }
});
