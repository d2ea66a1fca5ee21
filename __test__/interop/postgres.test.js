'use strict';

/** pg, the usual client of PostgreSQL, over our sockets, with a real server: port, TLS and Unix path. */

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const nodeTls = require('node:tls');
const { Client, Pool } = require('pg');
const { HOST, closed } = require('../helpers/kit');
const { authority } = require('../helpers/certificates');
const { MiB, hash, payload, same } = require('../helpers/payload');
const { missing, startPostgres } = require('../helpers/servers');
const { net } = require('../helpers/subject');
const tls = require('socket/tls');

const TIMEOUT = 60_000;
// Of each test, not of the suite: only tests are counted as skipped.
const skip = missing('postgres');
const opts = { timeout: TIMEOUT, skip };
const certs = authority({ main: ['localhost', HOST] });

/** @type {Awaited<ReturnType<typeof startPostgres>>} */
let server;

/** The ways to the server. */
const WAYS = {
  port: () => ({ host: HOST, port: server.port }),
  TLS: () => ({ host: HOST, port: server.port, ssl: { ca: certs.ca } }),
  'socket/tls': () => WAYS.TLS(),
  'Unix path': () => ({ host: server.folder, port: server.port }),
};

const { connect: nodeConnect } = nodeTls;

/** pg asks for a socket that is not connected yet, and takes `tls` as it finds it. */
function settings(way, sockets = []) {
  nodeTls.connect = way === 'socket/tls' ? tls.connect : nodeConnect;
  const stream = () => {
    const socket = new net.Socket();
    sockets.push(socket);
    return socket;
  };
  return { user: 'tester', database: 'postgres', stream, ...WAYS[way]() };
}

/** A connected client that ends with the test. */
async function connect(t, way, sockets) {
  const client = new Client(settings(way, sockets));
  await client.connect();
  t.after(() => client.end());
  return client;
}

/** A row for each number, with a text whose length depends on it. */
const ROWS = 'select n, repeat(md5(n::text), n % 5 + 1) as text from generate_series(1, 60000) n';
/** The hash of all of them, made by the server. */
const ROWS_HASH = `select encode(sha256(string_agg(n || ':' || text, ',' order by n)::bytea), 'hex') as sum
  from (${ROWS}) as rows`;

describe('PostgreSQL', () => {
  before(
    async () => {
      if (!skip) server = await startPostgres(certs.main);
    },
    { timeout: 2 * TIMEOUT },
  );
  after(() => server?.stop(), { timeout: TIMEOUT });

  for (const way of Object.keys(WAYS)) {
    test(`24 MiB in one parameter and back, hashed by the server (${way})`, opts, async (t) => {
      const body = payload(24 * MiB, 1);
      const client = await connect(t, way);
      const { rows } = await client.query(
        "select encode(sha256($1::bytea), 'hex') as sum, $1::bytea as body",
        [body.bytes],
      );
      assert.equal(rows[0].sum, body.sha256);
      same(rows[0].body, body);
    });

    test(`60,000 rows (${way})`, opts, async (t) => {
      const client = await connect(t, way);
      const { rows } = await client.query(ROWS);
      const { rows: sums } = await client.query(ROWS_HASH);
      const text = rows.map((row) => `${row.n}:${row.text}`).join(',');
      assert.equal(hash(text), sums[0].sum);
    });

    test(`3,000 small queries, one after the other (${way})`, opts, async (t) => {
      const client = await connect(t, way);
      await client.query('create temporary table numbers (n int primary key, text text)');
      const insert = { name: 'insert', text: 'insert into numbers values ($1, $2) returning n' };
      for (let n = 0; n < 3000; n++) {
        const { rows } = await client.query({ ...insert, values: [n, 'x'.repeat(n % 100)] });
        assert.equal(rows[0].n, n);
      }
      const { rows } = await client.query(
        'select count(*)::int, sum(length(text))::int from numbers',
      );
      assert.deepEqual(rows, [{ count: 3000, sum: 30 * 99 * 50 }]);
    });

    test(`LISTEN and NOTIFY (${way})`, opts, async (t) => {
      const listener = await connect(t, way);
      const speaker = await connect(t, way);
      const heard = [];
      const all = new Promise((resolve) => {
        listener.on('notification', ({ channel, payload: text, processId }) => {
          assert.equal(channel, 'news');
          assert.equal(processId, speaker.processID);
          if (heard.push(text) === 500) resolve();
        });
      });
      await listener.query('listen news');
      const said = Array.from({ length: 500 }, (_, n) => `${n} ${'y'.repeat(n * 10)}`);
      for (const text of said) await speaker.query("select pg_notify('news', $1)", [text]);
      await all;
      assert.deepEqual(heard, said);
    });

    test(`a query is cancelled over a connection of its own (${way})`, opts, async (t) => {
      const client = await connect(t, way);
      const observer = await connect(t, way);
      const query = client.query('select pg_sleep(600)').then(assert.fail, (err) => err);
      const isRunning = async () => {
        const { rows } = await observer.query(
          "select 1 from pg_stat_activity where pid = $1 and query ~ 'pg_sleep' and state = 'active'",
          [client.processID],
        );
        return rows.length === 1;
      };
      while (!(await isRunning()));
      const sockets = [];
      // What `client.cancel` does: a connection that says one thing, and is closed by the server.
      const canceller = new Client(settings(way, sockets)).connection;
      canceller.stream.on('error', () => {});
      canceller.on('error', () => {});
      canceller.on('connect', () => canceller.cancel(client.processID, client.secretKey));
      canceller.on('sslconnect', () => canceller.cancel(client.processID, client.secretKey));
      const { host, port } = WAYS[way]();
      const gone = closed(canceller.stream);
      if (host.startsWith('/')) canceller.connect(`${host}/.s.PGSQL.${port}`);
      else canceller.connect(port, host);
      assert.equal((await query).code, '57014');
      await gone;
      const { rows } = await client.query('select 1 as one');
      assert.deepEqual(rows, [{ one: 1 }]);
    });

    test(`a pool of 8 for 400 queries (${way})`, opts, async (t) => {
      const sockets = [];
      const pool = new Pool({ ...settings(way, sockets), max: 8 });
      t.after(() => pool.end());
      const all = Array.from({ length: 400 }, async (_, i) => {
        const body = payload(1 + i * 150, i + 1);
        const { rows } = await pool.query("select encode(sha256($1::bytea), 'hex') as sum", [
          body.bytes,
        ]);
        assert.equal(rows[0].sum, body.sha256);
      });
      await Promise.all(all);
      assert.equal(pool.totalCount, 8);
      assert.equal(sockets.length, 8);
    });

    test(`the server ends the connection (${way})`, opts, async (t) => {
      const sockets = [];
      const client = new Client(settings(way, sockets));
      const errors = [];
      client.on('error', (err) => errors.push(err));
      await client.connect();
      const other = await connect(t, way);
      const ended = new Promise((resolve) => client.once('end', resolve));
      const gone = closed(sockets[0]);
      await other.query('select pg_terminate_backend($1)', [client.processID]);
      await ended;
      await gone;
      assert.equal(errors[0].code, '57P01');
      await assert.rejects(client.query('select 1'));
    });

    test(`the end of a client is seen by the server (${way})`, opts, async (t) => {
      const sockets = [];
      const client = await connect(t, way);
      const other = new Client(settings(way, sockets));
      await other.connect();
      const gone = closed(sockets[0]);
      await other.end();
      assert.ok(!(await gone), 'without an error');
      const isThere = async () => {
        const { rows } = await client.query('select 1 from pg_stat_activity where pid = $1', [
          other.processID,
        ]);
        return rows.length > 0;
      };
      while (await isThere());
    });
  }

  test('an error of a query leaves the connection as it is', opts, async (t) => {
    const client = await connect(t, 'port');
    await client.query('create temporary table t (n int primary key)');
    await client.query('insert into t values (1)');
    await assert.rejects(client.query('insert into t values (1)'), { code: '23505' });
    await client.query('begin');
    await assert.rejects(client.query('select 1/0'), { code: '22012' });
    await client.query('rollback');
    assert.equal((await client.query('select * from t')).rowCount, 1);
  });

  test('a server that is not there', opts, async () => {
    const stream = () => new net.Socket();
    const nobody = new Client({ user: 'tester', host: `${server.folder}/nobody`, stream });
    await assert.rejects(nobody.connect(), { code: 'ENOENT' });
  });

  test('a certificate that nobody vouches for', opts, async () => {
    const ssl = { ca: authority({}, 'another authority').ca };
    const client = new Client({ ...settings('TLS'), ssl });
    await assert.rejects(client.connect(), (err) => /^UNABLE_TO_|^SELF_SIGNED_/.test(err.code));
  });
});
