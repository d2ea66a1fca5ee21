'use strict';

/** Any value in, the same value out: cases 2 to 15 of the contract. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Tagged } = require('socket/cbor');
const { RandomValues } = require('./helpers/random-values');
const { difference } = require('./helpers/same');
const { MiB, TIMEOUT, dataKit, logOf, nextValue, told, until } = require('./helpers/datasocket');

const opts = { timeout: TIMEOUT };

/** Sends values to an echo, one after the other without waiting; answers what comes back. */
async function echoed(t, values, options) {
  const { connect, echo } = dataKit(t);
  const client = connect(echo(options), options);
  const arrived = [];
  const done = new Promise((resolve, reject) => {
    client.on('data', (value) => arrived.push(value) === values.length && resolve());
    client.on('error', reject);
  });
  for (const value of values) client.send(value);
  await done;
  return arrived;
}

async function comesBack(t, values) {
  const arrived = await echoed(t, values);
  values.forEach((value, i) => assert.equal(difference(value, arrived[i]), null, `number ${i}`));
  return arrived;
}

class Point {
  constructor() {
    this.x = 1;
  }
}

/** The rows of 4.1, each as what is sent, and what arrives where that differs. */
const rows = {
  'undefined and its like': [[undefined, null, true, false, { a: undefined }]],
  'safe integers': [[0, 1, -1, 23, 24, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1)]],
  'other numbers': [[0.1, -1.5, NaN, Infinity, -Infinity, -0, 2 ** 53, 5e-324]],
  BigInt: [[0n, 5n, -5n, 2n ** 64n, -(2n ** 200n)]],
  strings: [['', 'a', 'ü水😀', '\ud800', 'x\udc00y', '\0']],
  'registered symbols': [[Symbol.for('activate'), Symbol.for('')]],
  // eslint-disable-next-line no-sparse-arrays
  'arrays with holes': [[1, , 3, , undefined]],
  'plain objects': [{ b: 1, a: { c: [] }, 0: 'zero', '': 'empty' }],
  'objects without prototype': [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  'instances of classes': [new Point(), { x: 1 }],
  dates: [[new Date(0), new Date(-1), new Date(NaN), new Date(8.64e15)]],
  bytes: [
    [Uint8Array.of(1, 2), Buffer.from('ab')],
    [Uint8Array.of(1, 2), Uint8Array.of(97, 98)],
  ],
  'memory and its views': [[Uint8Array.of(1).buffer, new DataView(Uint8Array.of(2).buffer)]],
  'typed arrays': [
    [
      Int8Array.of(-1),
      Uint8ClampedArray.of(255),
      Int16Array.of(-2),
      Uint16Array.of(65535),
      Int32Array.of(-3),
      Uint32Array.of(2 ** 32 - 1),
      BigInt64Array.of(-4n),
      BigUint64Array.of(2n ** 64n - 1n),
      Float32Array.of(1.5),
      Float64Array.of(0.1, -0),
    ],
  ],
  'Map and Set': [[new Map([[{ a: 1 }, new Set([1, 'a'])]]), new Set()]],
  RegExp: [[/a+\//giu, /(?:)/]],
  errors: [Object.assign(new TypeError('no', { cause: new RangeError('why') }), { code: 'E_NO' })],
  'boxed primitives': [
    [Object('a'), Object(1), Object(true), Object(2n)],
    ['a', 1, true, 2n],
  ],
  'what JavaScript has nothing for': [new Tagged(4, [-2, 27315])],
};

test('2: every row of the table comes back as promised', opts, async (t) => {
  const arrived = await echoed(
    t,
    Object.values(rows).map(([sent]) => sent),
  );
  Object.entries(rows).forEach(([name, row], i) => {
    assert.equal(difference(row.at(-1), arrived[i]), null, name);
  });
});

test('3: nothing is a value as well', opts, async (t) => {
  const values = [undefined, null, false, '', 0];
  assert.deepEqual(await echoed(t, values), values);
});

test('4: members and elements that are undefined are there, holes are not', opts, async (t) => {
  // eslint-disable-next-line no-sparse-arrays
  const [object, both, holey] = await comesBack(t, [{ a: undefined }, [undefined, null], [1, , 3]]);
  assert.ok('a' in object);
  assert.deepEqual(both, [undefined, null]);
  assert.equal(1 in holey, false);
  assert.equal(holey.length, 3);
});

test('5: a BigInt stays one, and a number stays one', opts, async (t) => {
  assert.deepEqual(await echoed(t, [5n, 5, 2n ** 200n]), [5n, 5, 2n ** 200n]);
});

test('6: dates to the millisecond, old ones, and invalid ones', opts, (t) =>
  comesBack(t, [new Date(1_700_000_000_001), new Date('1600-01-01T00:00:00.001Z'), new Date(NaN)]),
);

test('7: a part of a pool arrives alone; an ArrayBuffer arrives as one', opts, async (t) => {
  const pool = Buffer.from('secret bytes secret');
  const [bytes, memory] = await echoed(t, [pool.subarray(7, 12), Uint8Array.of(1, 2).buffer]);
  assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
  assert.equal(Buffer.from(bytes.buffer).toString(), 'bytes');
  assert.ok(memory instanceof ArrayBuffer);
  assert.deepEqual([...new Uint8Array(memory)], [1, 2]);
});

test('8: what is the same, and what contains itself', opts, async (t) => {
  const o = { name: 'o' };
  o.self = o;
  const x = {};
  const [cycle, shared] = await comesBack(t, [o, [x, x, {}]]);
  assert.equal(cycle.self, cycle);
  assert.equal(shared[0], shared[1]);
  assert.notEqual(shared[0], shared[2]);
});

test('9: registered symbols are the same symbol; others cannot be sent', opts, async (t) => {
  const { connect, echo } = dataKit(t);
  const client = connect(echo());
  assert.throws(() => client.send(Symbol('x')), { name: 'DataCloneError' });
  client.send(Symbol.for('activate'));
  assert.equal(await nextValue(client), Symbol.for('activate'));
});

test('10: of what cannot be sent, nothing is', opts, async (t) => {
  const { pair } = dataKit(t);
  const { client, accepted } = await pair();
  const log = logOf(accepted);
  const refused = [
    { long: 'x'.repeat(100_000), fn() {} },
    [Promise.resolve()],
    new WeakMap(),
    new SharedArrayBuffer(1),
    { deep: [new Map([[1, () => {}]])] },
  ];
  for (const value of refused) {
    assert.throws(
      () => client.send(value),
      (err) => err instanceof DOMException && err.name === 'DataCloneError',
    );
  }
  assert.equal(client.bufferedAmount, 0);
  client.send('next');
  await until(() => log.length > 0);
  assert.deepEqual(log, [['data', 'next']]);
});

test('11: __proto__ is data and not a prototype', opts, async (t) => {
  const [arrived] = await echoed(t, [JSON.parse('{"__proto__":{"p":1}}')]);
  assert.deepEqual(Object.keys(arrived), ['__proto__']);
  assert.equal(Object.getPrototypeOf(arrived), Object.prototype);
  assert.equal({}.p, undefined);
  assert.equal(arrived.p, undefined);
});

test(
  '12: an error has its class, message, code and cause, and no path of the sender',
  opts,
  async (t) => {
    const error = new TypeError('message', { cause: new Error('inner') });
    error.code = 'E_CODE';
    const { client, accepted } = await dataKit(t).pair();
    client.send(error);
    const arrived = await nextValue(accepted);
    assert.ok(arrived instanceof TypeError);
    assert.equal(arrived.message, 'message');
    assert.equal(arrived.code, 'E_CODE');
    assert.equal(arrived.cause.message, 'inner');
    assert.ok(!String(arrived.stack).includes('datasocket-values'), arrived.stack);
  },
);

test('13: what changes after send() does not matter', opts, async (t) => {
  const { connect, echo } = dataKit(t);
  const client = connect(echo());
  const value = { list: [1], bytes: Buffer.from('old') };
  client.send(value);
  value.list.push(2);
  value.bytes.fill('x');
  const arrived = await nextValue(client);
  assert.deepEqual(arrived.list, [1]);
  assert.equal(Buffer.from(arrived.bytes).toString(), 'old');
});

test('14: 10,000 sends in one tick', { timeout: 3 * TIMEOUT }, async (t) => {
  const { pair } = dataKit(t);
  const { client, accepted } = await pair();
  const COUNT = 10_000;
  const arrived = [];
  const all = new Promise((resolve) => {
    accepted.on('data', (value) => arrived.push(value.n) === COUNT && resolve());
  });
  let sent = 0;
  let isInside = true;
  client.on('sent', () => {
    assert.equal(isInside, false, 'sent comes inside of send()');
    sent++;
  });
  for (let n = 0; n < COUNT; n++) client.send({ n, text: 'some text' });
  isInside = false;
  assert.equal(sent, 0);
  await all;
  await until(() => sent === COUNT);
  assert.deepEqual(
    arrived,
    Array.from({ length: COUNT }, (_, n) => n),
  );
});

test(
  '15: 1 MB and 60 MB, and what is too large for the peer',
  { timeout: 6 * TIMEOUT },
  async (t) => {
    const { pair } = dataKit(t);
    const { client, accepted } = await pair();
    for (const size of [1e6, 60e6]) {
      const bytes = Buffer.alloc(size, 'some pattern, not aligned');
      client.send(bytes);
      const arrived = await nextValue(accepted);
      assert.equal(Object.getPrototypeOf(arrived), Uint8Array.prototype);
      assert.ok(bytes.equals(arrived));
    }
    assert.throws(
      () => client.send(new Uint8Array(65 * MiB)),
      (err) =>
        err instanceof RangeError &&
        err.code === 'ERR_DATASOCKET_TOO_LARGE' &&
        /larger than 67108864 bytes, the maxMessageSize of the receiver/.test(err.message),
    );
    client.send('usable');
    assert.equal(await nextValue(accepted), 'usable');
  },
);

test('parts of large values are apart from each other', opts, async (t) => {
  const bytes = (length, fill) => new Uint8Array(length).fill(fill);
  const numbers = Float64Array.from({ length: 20_000 }, (_, i) => i / 3);
  const values = [
    { most: bytes(100_000, 1), rest: bytes(60_000, 2) },
    [bytes(50_000, 3), bytes(50_000, 4)],
    numbers,
    { x: numbers },
    { xy: numbers, xyz: new BigUint64Array(numbers.buffer) },
    bytes(100_000, 5).buffer,
    new DataView(bytes(100_000, 6).buffer, 10, 99_000),
  ];
  const arrived = await comesBack(t, values);
  arrived[0].most.fill(9);
  arrived[0].rest.fill(8);
  assert.ok(arrived[0].most.every((byte) => byte === 9) && arrived[0].most.length === 100_000);
  assert.equal(arrived[5].byteLength, 100_000);
});

test('a value that was queued before the limit was known', opts, async (t) => {
  const { connect, listen } = dataKit(t);
  const client = connect(listen(undefined, { maxMessageSize: 100 }));
  const log = logOf(client);
  client.send('small');
  client.send('x'.repeat(200));
  await told(client, 'close');
  assert.equal(log.length, 2);
  assert.equal(log[0][1].code, 'ERR_DATASOCKET_TOO_LARGE');
  assert.match(log[0][1].message, /the peer's maxMessageSize \(100\)/);
  assert.equal(log[1][0], 'close');
});

test('random deep values come back the same', { timeout: 3 * TIMEOUT }, async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const random = new RandomValues(seed);
  const values = Array.from({ length: 2000 }, () => random.value(60));
  const arrived = await echoed(t, values);
  values.forEach((value, i) =>
    assert.equal(difference(value, arrived[i]), null, `seed ${seed}, number ${i}`),
  );
});

test('depth is an option of both ends', { timeout: 3 * TIMEOUT }, async (t) => {
  const nested = (levels) => {
    let value = 'bottom';
    for (let i = 0; i < levels; i++) value = [value];
    return value;
  };
  const levelsOf = (value) => {
    let levels = 0;
    for (; Array.isArray(value); value = value[0]) levels++;
    return levels;
  };
  const { connect, echo, pair } = dataKit(t);
  const client = connect(echo({ maxDepth: 20_000 }), { maxDepth: 20_000 });
  client.send(nested(20_000));
  assert.equal(levelsOf(await nextValue(client)), 20_000);
  assert.throws(() => client.send(nested(20_001)), { name: 'DataCloneError' });
  const { client: deep, accepted } = await pair({}, { maxDepth: 2000 });
  deep.send(nested(1024));
  assert.equal(levelsOf(await nextValue(accepted)), 1024);
  deep.send(nested(1025));
  accepted.on('data', () => assert.fail('it is too deep'));
  const [err] = await told(accepted, 'error');
  assert.equal(err.code, 'ERR_DATASOCKET_DECODE');
});

test('a getter may send as well', opts, async (t) => {
  const { pair } = dataKit(t);
  const { client, accepted } = await pair();
  const log = logOf(accepted, ['data']);
  client.send({
    before: 'a'.repeat(1000),
    get inner() {
      client.send({ nested: 'b'.repeat(1000) });
      return 1;
    },
    after: 'c',
  });
  client.send('last');
  await until(() => log.length === 3);
  assert.deepEqual(
    log.map(([, value]) => value),
    [{ nested: 'b'.repeat(1000) }, { before: 'a'.repeat(1000), inner: 1, after: 'c' }, 'last'],
  );
});

test('a getter may close the socket', opts, async (t) => {
  const { pair } = dataKit(t);
  const { client, accepted } = await pair();
  const log = logOf(accepted);
  client.send('first');
  assert.throws(
    () =>
      client.send({
        get a() {
          client.close();
          return 1;
        },
      }),
    { code: 'ERR_SOCKET_CLOSED' },
  );
  await until(() => log.at(-1)?.[0] === 'close');
  assert.deepEqual(log, [['data', 'first'], ['close']]);
});
