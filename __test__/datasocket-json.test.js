'use strict';

/** `codec: 'json'`: the same frames with JSON in them, checked before they reach JavaScript. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  TIMEOUT,
  dataKit,
  frame,
  hello,
  logOf,
  names,
  nextValue,
  told,
  until,
} = require('./helpers/datasocket');

const opts = { timeout: TIMEOUT };
const JSON_CODEC = { codec: 'json' };

/** A raw peer of an accepted socket that speaks JSON. */
async function rawJson(t, options = {}) {
  const { listen, raw } = dataKit(t);
  let accepted;
  const listener = listen(
    (socket) => {
      accepted = socket;
      return true;
    },
    { ...JSON_CODEC, ...options },
  );
  const conn = await raw(listener);
  conn.write(hello({ codec: 3 }));
  await until(() => accepted);
  return { accepted, conn };
}

const text = (string) => frame(Buffer.from(string));

test('values that JSON has come back the same', opts, async (t) => {
  const { connect, echo } = dataKit(t);
  const client = connect(echo(JSON_CODEC), JSON_CODEC);
  const large = 'ü'.repeat(100_000);
  const values = [
    null,
    true,
    1.5,
    '',
    'ü😀',
    { a: [1, { b: null }] },
    large,
    [large],
    'x'.repeat(2000),
  ];
  const arrived = [];
  client.on('data', (value) => arrived.push(value));
  for (const value of values) client.send(value);
  await until(() => arrived.length === values.length);
  assert.deepEqual(arrived, values);
});

test('what JSON does not have is refused, or becomes what JSON makes of it', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair(JSON_CODEC, JSON_CODEC);
  const cycle = {};
  cycle.cycle = cycle;
  for (const value of [undefined, () => {}, Symbol('x'), 5n, cycle]) {
    assert.throws(
      () => client.send(value),
      (err) => err instanceof DOMException && err.name === 'DataCloneError',
    );
  }
  class MyError extends Error {}
  const bad = {
    toJSON() {
      throw new MyError('of the program');
    },
  };
  assert.throws(() => client.send(bad), MyError);
  client.send({ date: new Date(0), nothing: undefined, not: NaN });
  assert.deepEqual(await nextValue(accepted), { date: '1970-01-01T00:00:00.000Z', not: null });
});

test('frames by hand', opts, async (t) => {
  const { accepted, conn } = await rawJson(t);
  const log = logOf(accepted, ['data']);
  conn.write(Buffer.concat([text('1'), text(' {"a": "ü"} '), text('"\\ud800"'), text('[]')]));
  await until(() => log.length === 4);
  assert.deepEqual(
    log.map(([, value]) => value),
    [1, { a: 'ü' }, '\ud800', []],
  );
});

test('what is not JSON is an error, and nothing after it is delivered', opts, async (t) => {
  const large = Buffer.alloc(100_000, '1,');
  for (const bad of ['[1', '1 2', '{a:1}', '\ufeff1', ' ', Buffer.of(0x22, 0xff, 0x22), large]) {
    const { accepted, conn } = await rawJson(t);
    const log = logOf(accepted);
    conn.write(Buffer.concat([text('"good"'), frame(Buffer.from(bad)), text('"never"')]));
    await until(() => log.at(-1)?.[0] === 'close');
    assert.deepEqual(names(log), ['data', 'error', 'close'], String(bad).slice(0, 20));
    assert.equal(log[1][1].code, 'ERR_DATASOCKET_DECODE');
  }
});

test('depth and length are bounded', opts, async (t) => {
  const deep = (levels) => '['.repeat(levels) + ']'.repeat(levels);
  const { accepted, conn } = await rawJson(t, { maxDepth: 10, maxMessageSize: 1000 });
  const log = logOf(accepted);
  conn.write(text(deep(10)));
  conn.write(text(deep(11)));
  await until(() => log.at(-1)?.[0] === 'close');
  assert.deepEqual(names(log), ['data', 'error', 'close']);
  assert.match(log[1][1].message, /more than 10 levels/i);
  const other = await rawJson(t, { maxMessageSize: 1000 });
  other.conn.write(text(`"${'x'.repeat(999)}"`));
  other.accepted.on('data', () => assert.fail('it is too long'));
  assert.equal((await told(other.accepted, 'error'))[0].code, 'ERR_DATASOCKET_TOO_LARGE');
  const hostile = await rawJson(t);
  hostile.conn.write(text('['.repeat(1e6) + ']'.repeat(1e6)));
  hostile.accepted.on('data', () => assert.fail('it is too deep'));
  assert.equal((await told(hostile.accepted, 'error'))[0].code, 'ERR_DATASOCKET_DECODE');
});

test("the peer's limit holds in bytes", opts, async (t) => {
  const { client } = await dataKit(t).pair({ ...JSON_CODEC, maxMessageSize: 10 }, JSON_CODEC);
  client.send('12345678');
  assert.throws(() => client.send('123456789'), { code: 'ERR_DATASOCKET_TOO_LARGE' });
  assert.throws(() => client.send('üüüüü'), { code: 'ERR_DATASOCKET_TOO_LARGE' });
});

test('more levels than maxDepth are refused when they are sent', opts, async (t) => {
  const { client, accepted } = await dataKit(t).pair(JSON_CODEC, JSON_CODEC);
  const nest = (levels, inner) => {
    let value = inner;
    for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { value };
    return value;
  };
  for (const value of [nest(1025, 1), nest(1025, 'x'.repeat(5000)), nest(100_000, 1)]) {
    assert.throws(
      () => client.send(value),
      (err) => err instanceof DOMException && err.name === 'DataCloneError',
    );
  }
  // Brackets in strings are no levels.
  const strings = Array.from({ length: 100 }, () => '[{"\\"[[{{\\\\'.repeat(20));
  const arrived = [];
  accepted.on('data', (value) => arrived.push(value));
  const sent = [nest(1024, 1), strings, { [strings[0]]: strings[1] }];
  for (const value of sent) client.send(value);
  await until(() => arrived.length === sent.length);
  assert.deepEqual(arrived, sent);
});
