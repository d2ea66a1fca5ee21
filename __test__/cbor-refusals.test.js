'use strict';

/** Values that cannot be encoded: what the error says, and that the codec goes on as before. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Tagged, decode, encode } = require('socket/cbor');
const { encodeInto, Encoded } = require('../lib/cbor/encoder');
const { hex, roundTrip, uncloneable } = require('./helpers/cbor-kit');
const { difference } = require('./helpers/same');

const no = () => 1;

test('the error says where the value is', () => {
  const places = [
    [{ a: [1, 2, 3, { b: no }] }, 'value.a[3].b'],
    [{ 'two words': { '': [no] } }, 'value["two words"][""][0]'],
    [{ ünïcode: { $_1: no } }, 'value.ünïcode.$_1'],
    [[[], [[], no]], 'value[1][1]'],
    [new Map([[1, { z: no }]]), 'value.get(key 0).z'],
    [
      {
        m: new Map([
          ['a', 1],
          [{ k: no }, 2],
        ]),
      },
      'value.m.keys()[1].k',
    ],
    [new Set([1, [no]]), 'value.values()[1][0]'],
    [new Tagged(1000, { a: no }), 'value.value.a'],
    [new Error('x', { cause: { a: no } }), 'value.cause.a'],
    [Object.assign(new Error('x'), { request: no }), 'value.request'],
    [new AggregateError([1, no], 'x'), 'value.errors[1]'],
    [{ a: 1, b: { c: 'x', d: {} }, e: [5n], f: Symbol('x') }, 'value.f'],
    [{ ['x'.repeat(100)]: no }, `value["${'x'.repeat(40)}…"]`],
    [[...new Array(20).fill(1.5), no], 'value[20]'],
  ];
  for (const [value, place] of places) {
    uncloneable(value, new RegExp(`: ${RegExp.escape?.(place) ?? escape(place)}$`));
  }
});

const escape = (text) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

test('a path that is very long is cut in the middle', () => {
  let value = no;
  for (let i = 0; i < 500; i++) value = { [`k${499 - i}`]: value };
  uncloneable(value, /value\.k0\.k1\.k2\.k3\.k4\.k5\.k6\.k7 … \.k492.*\.k499$/);
});

test('depth is limited, and the limit is an option', () => {
  const nest = (depth, wrap) => {
    let value = 1;
    for (let i = 0; i < depth; i++) value = wrap(value, i);
    return value;
  };
  const wraps = {
    arrays: (value) => [value],
    objects: (value) => ({ value }),
    maps: (value) => new Map([[1, value]]),
    keys: (value) => new Map([[value, 1]]),
    sets: (value) => new Set([value]),
    errors: (cause) => new Error('x', { cause }),
    tags: (value) => new Tagged(1000, value),
    'all of them': (value, i) => Object.values(wraps)[i % 7](value),
  };
  for (const [name, wrap] of Object.entries(wraps)) {
    roundTrip(nest(1024, wrap));
    uncloneable(nest(1025, wrap), /^Anything deeper than 1024 levels cannot be encoded: value/);
    uncloneable(nest(6, wrap), /deeper than 5 levels/, { maxDepth: 5 });
    const encoded = encode(nest(1025, wrap), { maxDepth: 1025 });
    assert.throws(() => decode(encoded), { code: 'ERR_DATASOCKET_DECODE' }, name);
    assert.throws(() => decode(encoded, { maxDepth: 1024 }), /Nested deeper than 1024 levels/);
    decode(encoded, { maxDepth: 1025 });
  }
});

test('both sides count the levels alike', () => {
  /** The smallest depth with which something does not throw. */
  const least = (call) => {
    for (let maxDepth = 1; maxDepth < 10; maxDepth++) {
      try {
        call({ maxDepth });
        return maxDepth;
      } catch (error) {
        assert.match(error.message, /deeper than/);
      }
    }
    return NaN;
  };
  const level = [[], {}, new Map(), new Set(), new Error('x'), new DOMException('x'), [1, 2]];
  const none = [
    /x/,
    new Date(NaN),
    new Date(1),
    new ArrayBuffer(1),
    new DataView(new ArrayBuffer(1)),
  ];
  const scalars = [1, 'x', 5n, Symbol.for('s'), '\ud800', new Uint16Array(1), new Uint8Array(1)];
  for (const [leaves, expected] of [
    [level, 3],
    [[...none, ...scalars], 2],
  ]) {
    for (const leaf of leaves) {
      const value = [{ leaf }];
      const encoded = encode(value);
      assert.equal(
        least((options) => encode(value, options)),
        expected,
      );
      assert.equal(
        least((options) => decode(encoded, options)),
        expected,
      );
    }
  }
});

test('20,000 levels survive when they are allowed', () => {
  const options = { maxDepth: 20_000 };
  for (const wrap of [
    (v) => [v],
    (v) => ({ v }),
    (v) => new Map([[v, 1]]),
    (v) => new Tagged(9, v),
  ]) {
    let value = 'end';
    for (let i = 0; i < 20_000; i++) value = wrap(value);
    roundTrip(value, value, options);
  }
});

test('nothing is left behind by a value that was refused', () => {
  const good = { a: [1, 'x', { b: null }], c: new Map([[1, [2]]]) };
  const expected = hex(encode(good));
  const shared = { s: 1 };
  const bad = [
    { a: 'x'.repeat(5000), b: [no] },
    [shared, shared, [[[[no]]]]],
    new Map([[shared, new Set([no])]]),
    Object.assign(new Error('x'), { no }),
    new Array(30_000).fill('text').concat([no]),
  ];
  for (const value of bad) {
    uncloneable(value, /cannot be encoded/);
    assert.equal(hex(encode(good)), expected);
    roundTrip([shared, shared]);
  }
});

test('a getter that throws throws out of encode(), and nothing is left behind', () => {
  const failure = new RangeError('from the getter');
  const bad = {
    get a() {
      throw failure;
    },
  };
  for (const value of [bad, [1, bad], { x: [bad] }, new Map([[bad, 1]]), new Tagged(9, bad)]) {
    assert.throws(() => encode(value), failure);
    roundTrip({ a: [1, { b: 2 }] });
  }
});

test('a getter may encode and decode something itself', () => {
  const shared = { s: 1 };
  const value = {
    a: shared,
    get inner() {
      return encode([shared, shared, { deep: [[['x'.repeat(3000)]]] }]);
    },
    b: shared,
    get again() {
      assert.throws(() => encode({ x: [no] }), { name: 'DataCloneError' });
      return decode(
        encode({
          get last() {
            return hex(encode('y'));
          },
        }),
      );
    },
    c: 'z'.repeat(2000),
  };
  const arrived = decode(encode([value, value.inner]));
  assert.equal(arrived[0].a, arrived[0].b);
  assert.equal(arrived[0].c, value.c);
  assert.equal(difference(arrived[0].again, { last: '6179' }), null);
  const inner = decode(arrived[0].inner);
  assert.equal(inner[0], inner[1]);
  assert.equal(inner[2].deep[0][0][0].length, 3000);
});

test('a getter that changes what is being encoded does no harm', () => {
  const values = [
    () => ({
      get a() {
        delete this.b;
        return 1;
      },
      b: 2,
      c: [3],
      d: 4,
    }),
    () => ({
      x: 1,
      get a() {
        delete this.x;
        this.y = 2;
        return [1];
      },
      z: 3,
    }),
    () => {
      const array = [0, 1, 2];
      Object.defineProperty(array, 1, {
        get() {
          array.length = 2;
          return [7];
        },
      });
      return array;
    },
    () => {
      const array = [{}, 1];
      Object.defineProperty(array[0], 'grow', {
        enumerable: true,
        get: () => array.push(array.length),
      });
      return array;
    },
    () => {
      const map = new Map();
      map
        .set(
          {
            get k() {
              map.clear();
              map.set('new', 1);
              return 1;
            },
          },
          2,
        )
        .set(3, 4);
      return map;
    },
  ];
  for (const make of values) decode(encode([make(), 'end']));
  assert.deepEqual(decode(encode(values[0]())), { a: 1, c: [3], d: 4 });
  assert.deepEqual(decode(encode(values[4]())).get(3), 4);
});

test('a Proxy is encoded as what it shows', () => {
  const handler = {};
  roundTrip(new Proxy({ a: 1, b: [2] }, handler), { a: 1, b: [2] });
  roundTrip(new Proxy([1, { a: 2 }], handler), [1, { a: 2 }]);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.throws(() => encode([proxy]), TypeError);
  const throwing = new Proxy(
    {},
    {
      ownKeys() {
        throw new SyntaxError('from the trap');
      },
    },
  );
  assert.throws(() => encode({ a: throwing }), /from the trap/);
  const lying = new Proxy(
    { a: 1 },
    {
      ownKeys: () => ['a', 'b', 'c'],
      getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
    },
  );
  decode(encode([lying, lying]));
  roundTrip({ a: 1 });
});

test('an object that hides what it is is not sent as an empty one', () => {
  const map = new Map([[1, 2]]);
  Object.setPrototypeOf(map, {});
  roundTrip([map], [new Map([[1, 2]])]);
  uncloneable([][Symbol.iterator](), /cannot be encoded/);
});

test('the size of a value is limited', () => {
  const limits = { maxDepth: 10, maxLength: 100, headroom: 0 };
  const encoded = new Encoded();
  const target = Buffer.alloc(20_000);
  const tooLarge = { name: 'RangeError', code: 'ERR_DATASOCKET_TOO_LARGE' };
  const fits = (value) => {
    encodeInto(value, target, 0, limits, encoded);
    return encoded.end - encoded.start;
  };
  assert.equal(fits('x'.repeat(98)), 100);
  assert.equal(fits(new Uint8Array(98)), 100);
  for (const value of [
    'x'.repeat(99),
    'ü'.repeat(50),
    new Uint8Array(99),
    new Uint8Array(100_000_000),
    new Array(101).fill(1),
    'x'.repeat(1_000_000),
    Array.from({ length: 100_000 }, () => ({ a: 1 })),
    2n ** 100_000n,
  ]) {
    assert.throws(() => fits(value), tooLarge);
    assert.equal(fits([1, { a: 2 }]), 6);
  }
});

test('a value is encoded where the caller wants it, or moves with the room before it', () => {
  const limits = { maxDepth: 10, maxLength: 1e6, headroom: 4 };
  const encoded = new Encoded();
  const target = Buffer.alloc(8192, 0xaa);
  const shared = [1, 'x'];
  for (const start of [0, 4, 8000, 8192]) {
    for (const value of [
      1,
      [shared, shared, { a: shared }],
      'y'.repeat(300),
      new Uint8Array(9000),
    ]) {
      target.fill(0xaa);
      encodeInto(value, target, start, limits, encoded);
      const { bytes, start: at, end } = encoded;
      assert.ok(bytes === target ? at === start : at === 4);
      assert.equal(difference(value, decode(bytes.subarray(at, end))), null);
      assert.ok(target.subarray(0, start).every((byte) => byte === 0xaa));
    }
  }
});

test('arguments are checked', () => {
  for (const bytes of [
    'text',
    null,
    undefined,
    5,
    [1],
    {},
    new ArrayBuffer(1),
    new Uint16Array(1),
  ]) {
    assert.throws(() => decode(bytes), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const call of [(options) => encode(1, options), (options) => decode(encode(1), options)]) {
    for (const options of [null, 5, 'x']) {
      assert.throws(() => call(options), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const maxDepth of [0, -1, 1.5, NaN, Infinity, 2 ** 31]) {
      assert.throws(() => call({ maxDepth }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    }
    assert.throws(() => call({ maxDepth: '5' }), { code: 'ERR_INVALID_ARG_TYPE' });
    call({});
    call({ maxDepth: undefined });
    call({ maxDepth: 1 });
  }
});

test('results are independent of each other', () => {
  const results = [];
  for (let i = 0; i < 3000; i++) {
    const text = `${i}`.repeat(i % 7 === 0 ? 3000 : (i % 50) + 1);
    results.push([text, encode({ text, i })]);
  }
  // Of every size, and often close to that of a buffer, up and down.
  for (let size = 500; size < 3_000_000; size = Math.ceil(size * 1.11)) {
    for (const near of [size, Math.floor(size * 0.93), 900]) {
      const text = String.fromCharCode(97 + (near % 26)).repeat(near);
      results.push([text, encode({ text, i: 0 })], [text, encode({ text, i: 0 })]);
    }
  }
  for (const [text, encoded] of results) {
    assert.equal(Object.getPrototypeOf(encoded), Uint8Array.prototype);
    assert.equal(decode(encoded).text, text);
  }
});

test('a result can be given away without harm to others', () => {
  const small = encode('x');
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(small, [small.buffer]);
  } catch (error) {
    // Others are in the same memory.
    assert.equal(error.name, 'DataCloneError');
  }
  const large = encode('x'.repeat(100_000));
  port1.postMessage(large, [large.buffer]);
  port1.close();
  port2.close();
  for (let i = 0; i < 100; i++) roundTrip({ i, text: 'y'.repeat(i * 1000) });
});

test('what a typed array or a Proxy says of its length does not make a broken item', () => {
  for (const view of [
    new Uint16Array([1, 2]),
    new DataView(new ArrayBuffer(4)),
    new Uint8Array(4),
  ]) {
    for (const [name, value] of [
      ['byteLength', 7],
      ['byteOffset', 1],
      ['buffer', new ArrayBuffer(1)],
    ]) {
      Object.defineProperty(view, name, { value });
    }
    assert.equal(Buffer.from(decode(encode(view)).buffer).length, 4);
  }
  for (const [length, expected] of [
    [1.5, [1]],
    [-1, []],
    [NaN, []],
    ['2', [1, 2]],
  ]) {
    const odd = new Proxy([1, 2, 3], {
      get: (target, name) => (name === 'length' ? length : target[name]),
    });
    assert.deepEqual(decode(encode([odd, 'behind'])), [expected, 'behind']);
  }
});
