'use strict';

/** What becomes of each kind of value: the form on the wire, and what arrives. */

const assert = require('node:assert/strict');
const { Blob: BlobClass } = require('node:buffer');
const { test } = require('node:test');
const vm = require('node:vm');
const { Tagged, decode, encode } = require('socket/cbor');
const { bytes, hex, roundTrip, uncloneable } = require('./helpers/cbor-kit');
const { difference } = require('./helpers/same');

/** Asserts both the form of a value and that it arrives as it is. */
function form(value, expected) {
  assert.equal(hex(encode(value)), expected.replaceAll(' ', ''));
  roundTrip(value);
}

test('undefined, null and the booleans, alone, as members and as elements', () => {
  form(undefined, 'f7');
  form(null, 'f6');
  form(true, 'f5');
  form(false, 'f4');
  form({ a: undefined }, 'a1 6161 f7');
  form([undefined, null, true, false], '84 f7 f6 f5 f4');
  assert.ok('a' in decode(encode({ a: undefined })));
});

test('integers in the shortest form, to the end of the safe ones', () => {
  const forms = {
    0: '00',
    23: '17',
    24: '1818',
    255: '18ff',
    256: '190100',
    65535: '19ffff',
    65536: '1a00010000',
    2147483647: '1a7fffffff',
    2147483648: '1a80000000',
    4294967295: '1affffffff',
    4294967296: '1b0000000100000000',
    9007199254740991: '1b001fffffffffffff',
    '-1': '20',
    '-24': '37',
    '-25': '3818',
    '-256': '38ff',
    '-257': '390100',
    '-65536': '39ffff',
    '-65537': '3a00010000',
    '-2147483648': '3a7fffffff',
    '-2147483649': '3a80000000',
    '-4294967296': '3affffffff',
    '-4294967297': '3b0000000100000000',
    '-9007199254740991': '3b001ffffffffffffe',
  };
  for (const [number, expected] of Object.entries(forms)) {
    form(Number(number), expected);
    // In every place where numbers are written: member, element, and long run of elements.
    roundTrip({ a: Number(number) });
    roundTrip(['', Number(number)]);
    roundTrip(new Array(20).fill(Number(number)));
  }
});

test('other numbers in 64 bits, with −0, NaN and the infinities', () => {
  form(1.1, 'fb 3ff199999999999a');
  form(-0, 'fb 8000000000000000');
  form(NaN, 'fb 7ff8000000000000');
  form(Infinity, 'fb 7ff0000000000000');
  form(-Infinity, 'fb fff0000000000000');
  form(2 ** 53, 'fb 4340000000000000');
  form(-(2 ** 53), 'fb c340000000000000');
  for (const number of [Number.MIN_VALUE, Number.MAX_VALUE, Number.EPSILON, 0.1, -1e-300, 1e21]) {
    roundTrip(number);
    roundTrip([number, { a: number }, new Array(30).fill(number), new Array(100).fill(-0)]);
  }
});

test('a BigInt stays one, however small or large', () => {
  form(0n, 'c2 41 00');
  form(5n, 'c2 41 05');
  form(-1n, 'c3 41 00');
  form(-256n, 'c3 41 ff');
  form(2n ** 64n, 'c2 49 010000000000000000');
  for (const exponent of [1n, 7n, 8n, 31n, 32n, 53n, 63n, 64n, 65n, 200n, 5000n]) {
    for (const near of [-1n, 0n, 1n]) {
      roundTrip(2n ** exponent + near);
      roundTrip([-(2n ** exponent) + near]);
    }
  }
});

test('a received integer beyond the safe ones is a BigInt', () => {
  assert.equal(decode(bytes('1b 001fffffffffffff')), 9007199254740991);
  assert.equal(decode(bytes('1b 0020000000000000')), 9007199254740992n);
  assert.equal(decode(bytes('3b 001ffffffffffffe')), -9007199254740991);
  assert.equal(decode(bytes('3b 001fffffffffffff')), -9007199254740992n);
  assert.equal(decode(bytes('1b ffffffffffffffff')), 2n ** 64n - 1n);
  assert.equal(decode(bytes('3b ffffffffffffffff')), -(2n ** 64n));
  // As a member, as an element, and in a run of numbers.
  for (const [digits, expected] of [
    ['1b 001fffffffffffff', 9007199254740991],
    ['1b 0020000000000000', 9007199254740992n],
    ['1b 0100000000000000', 2n ** 56n],
    ['1b 0000000000000001', 1],
  ]) {
    assert.equal(decode(bytes(`a1 6161 ${digits}`)).a, expected);
    assert.equal(decode(bytes(`82 60 ${digits}`))[1], expected);
    assert.equal(decode(bytes(`8a 010203040506070809 ${digits}`))[9], expected);
    assert.deepEqual(decode(bytes(`83 ${digits} 01 ${digits}`)), [expected, 1, expected]);
  }
});

test('text of every length and every width of character', () => {
  form('', '60');
  form('a', '61 61');
  form('ü水😀', '69 c3bc e6b0b4 f09f9880');
  form('\0\ufeff\ufffd', '67 00 efbbbf efbfbd');
  for (const unit of ['a', '\x7f', '\x80', 'ü', '\u07ff', '\u0800', '水', '\uffff', '😀']) {
    for (let length = 0; length <= 300; length += length < 70 ? 1 : 17) {
      const text = unit.repeat(length);
      assert.ok(Buffer.from(encode(text)).toString().endsWith(text));
      roundTrip(text);
      roundTrip([`a${text}`, { [text]: `${text}z` }]);
    }
    for (const length of [0x3fff, 0x4000, 0xffff, 0x10000, 200_000]) roundTrip(unit.repeat(length));
  }
});

test('text with lone surrogates has a form of its own', () => {
  form('\ud800', 'd90111 43 eda080');
  form('a\udc00b', 'd90111 45 61 edb080 62');
  for (const text of [
    '\udc00\ud800',
    '😀\udc00',
    '\ud83d😀',
    '\ud800\ud800',
    '\udfff'.repeat(99),
  ]) {
    roundTrip(text);
    roundTrip({ [text]: [text] });
    roundTrip('long enough for the other way of writing text '.repeat(500) + text);
  }
});

test('a symbol that is registered is the same symbol', () => {
  form(Symbol.for('activate'), 'd827 68 6163746976617465');
  roundTrip([Symbol.for(''), { a: Symbol.for('ü\ud800') }]);
});

test('an array keeps its length and its holes', () => {
  form([], '80');
  form([1, 'a', [2, []]], '83 01 6161 82 02 80');
  // eslint-disable-next-line no-sparse-arrays
  form([1, , 3], '83 01 d81ff7 03');
  // eslint-disable-next-line no-sparse-arrays
  form([, , undefined], '83 d81ff7 d81ff7 f7');
  roundTrip(new Array(50));
  const holes = [];
  holes[60] = { a: 1 };
  holes[70] = undefined;
  roundTrip(holes);
  for (const length of [23, 24, 255, 256, 65535, 65536]) {
    roundTrip(new Array(length).fill('x'));
    roundTrip(new Array(length).fill(7));
  }
  // Runs of numbers that something else ends.
  for (const end of ['x', null, [1], { a: 1 }, undefined, 5n]) {
    roundTrip([1, 2, 3, 4, 5, 6.5, 7, 8, -9, end, 10, -0]);
  }
});

test('named properties of an array are left out', () => {
  const array = Object.assign([1, 2], { name: 'x' });
  assert.equal(difference(decode(encode(array)), [1, 2]), null);
});

test('an object keeps its keys and their order', () => {
  form({}, 'a0');
  form({ b: 1, a: 'x', c: { d: null } }, 'a3 6162 01 6161 6178 6163 a1 6164 f6');
  roundTrip({ z: 1, 10: 2, 9: 3, '': 4, ü: 5, 'a key that is longer than others are': [6] });
  for (const size of [22, 23, 24, 25, 255, 256, 257, 70_000]) {
    const entries = Array.from({ length: size }, (_, i) => [`key ${i}`, i]);
    roundTrip(Object.fromEntries(entries));
    // With something to walk in the middle, so that the object is left and taken up again.
    roundTrip({ ...Object.fromEntries(entries), inner: { a: [1] }, last: 'x' });
    roundTrip({ inner: { a: [1] }, ...Object.fromEntries(entries) });
  }
});

test('more keys than the tables have places for, again and again', () => {
  // Alike in length, and in their first, middle and last character: all of them want the same place.
  const alike = Array.from(
    { length: 40 },
    (_, i) => `key${String.fromCharCode(97 + (i % 26))}m${i % 7}${i % 9}z`,
  );
  const all = [...new Set(alike)];
  for (let round = 0; round < 6; round++) {
    for (const keys of [all.slice(0, 2), all.slice(2, 5), all, all.toReversed()]) {
      const object = Object.fromEntries(keys.map((key, i) => [key, i]));
      const decoded = decode(encode([object, object, { ...object }]));
      assert.deepEqual(decoded, [object, object, object]);
      assert.deepEqual(Object.keys(decoded[2]), keys);
    }
  }
  const many = Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]);
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(Object.entries(decode(encode(Object.fromEntries(many)))), many);
  }
});

test('keys that mean something on every object are data', () => {
  const value = JSON.parse(
    '{"__proto__":{"p":1},"constructor":{"a":[2]},"toString":3,"hasOwnProperty":null,"valueOf":"x"}',
  );
  const arrived = roundTrip(value);
  assert.ok(Object.hasOwn(arrived, '__proto__'));
  assert.equal(Object.getPrototypeOf(arrived), Object.prototype);
  assert.equal({}.p, undefined);
  roundTrip([value, { a: value }]);
  roundTrip(JSON.parse('{"__proto__":1}'));
});

test('only own enumerable string keys are sent', () => {
  const value = Object.defineProperty({ a: 1, [Symbol.for('s')]: 2 }, 'hidden', { value: 3 });
  roundTrip(value, { a: 1 });
  roundTrip(Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } }), { own: 2 });
});

test('an object without a prototype arrives as a plain one', () => {
  const value = Object.assign(Object.create(null), { a: 1, b: Object.create(null) });
  roundTrip(value, { a: 1, b: {} });
});

test('an instance of a class arrives as a plain object', () => {
  class Point {
    #secret = 1;
    x = 1;
    y = { z: [2] };
    get sum() {
      return this.x + this.#secret;
    }
  }
  roundTrip(new Point(), { x: 1, y: { z: [2] } });
  roundTrip(
    [new Point(), new Point()],
    [
      { x: 1, y: { z: [2] } },
      { x: 1, y: { z: [2] } },
    ],
  );
  function Old() {
    this.a = 1;
  }
  Old.prototype = Object.create(Error.prototype, { b: { value: 2, enumerable: true } });
  roundTrip(new Old(), { a: 1 });
});

test('getters are called, toJSON is not', () => {
  let calls = 0;
  const value = {
    get a() {
      calls++;
      return calls;
    },
    b: { toJSON: 1 },
  };
  roundTrip(value, { a: 1, b: { toJSON: 1 } });
  assert.equal(calls, 1);
});

test('Date, to the millisecond, and invalid', () => {
  form(new Date(0), 'c1 00');
  form(new Date(1363896240000), 'c1 1a 514b67b0');
  form(new Date(-1000), 'c1 20');
  form(new Date(1500), 'c1 fb 3ff8000000000000');
  form(new Date(NaN), 'd81b 82 6444617465 fb 7ff8000000000000');
  for (const time of [1, -1, 999, 8.64e15, -8.64e15, 8.64e15 - 1, -8.64e15 + 1, 1763942400123]) {
    roundTrip(new Date(time));
  }
  for (let i = 0; i < 5000; i++) roundTrip(new Date(Math.floor((Math.random() - 0.5) * 1.728e16)));
  roundTrip(new Date('1600-02-29T12:34:56.789Z'));
});

test('Uint8Array and Buffer arrive as Uint8Array', () => {
  form(new Uint8Array(0), '40');
  form(new Uint8Array([1, 2, 255]), '43 0102ff');
  const slice = Buffer.from('a slice of the pool').subarray(2, 7);
  roundTrip(slice, new Uint8Array(slice));
  for (const length of [23, 24, 32, 33, 255, 256, 4095, 4096, 65536, 1_000_000]) {
    const value = new Uint8Array(length).map((_, i) => i * 7);
    roundTrip(value);
    roundTrip({ a: value, b: [value.slice()] });
  }
});

test('received bytes are in memory of their own', () => {
  const encoded = Buffer.from(encode([new Uint8Array(10).fill(1), new Uint8Array(10_000).fill(2)]));
  const [small, large] = decode(encoded);
  encoded.fill(0);
  assert.deepEqual([small[9], large[9999]], [1, 2]);
  assert.equal(small.buffer.byteLength, 10);
  assert.equal(large.buffer.byteLength, 10_000);
});

test('ArrayBuffer and DataView keep their kind', () => {
  form(new ArrayBuffer(2), 'd81b 82 6b 4172726179427566666572 42 0000');
  const memory = new Uint8Array([1, 2, 3, 4]).buffer;
  form(new DataView(memory, 1, 2), 'd81b 82 68 4461746156696577 42 0203');
  roundTrip({ memory, view: new DataView(new ArrayBuffer(0)) });
  assert.equal(decode(encode(new DataView(memory, 1, 2))).byteOffset, 0);
});

test('typed arrays keep their kind', () => {
  form(new Uint8ClampedArray([1]), 'd844 41 01');
  form(new Uint16Array([1]), 'd845 42 0100');
  form(new Uint32Array([1]), 'd846 44 01000000');
  form(new BigUint64Array([1n]), 'd847 48 0100000000000000');
  form(new Int8Array([-1]), 'd848 41 ff');
  form(new Int16Array([-2]), 'd84d 42 feff');
  form(new Int32Array([-2]), 'd84e 44 feffffff');
  form(new BigInt64Array([-2n]), 'd84f 48 feffffffffffffff');
  form(new Float32Array([1.5]), 'd855 44 0000c03f');
  form(new Float64Array([1.5]), 'd856 48 000000000000f83f');
  const memory = new Uint8Array(64).map((_, i) => i).buffer;
  roundTrip([new Float64Array(memory, 8, 3), new Int16Array(memory, 2, 5), new Uint32Array(0)]);
});

test('half-precision arrays keep their kind where there are any', (t) => {
  const unknown = decode(bytes('d854 42 003c'));
  if (typeof Float16Array === 'undefined') {
    assert.equal(difference(unknown, new Tagged(84, new Uint8Array([0, 0x3c]))), null);
    assert.equal(hex(encode(unknown)), 'd854'.concat('42003c'));
    t.diagnostic('this version of Node.js has no Float16Array; it arrives as a Tagged');
    return;
  }
  form(new Float16Array([1]), 'd854 42 003c');
  assert.equal(unknown[0], 1);
});

test('Map and Set keep any key', () => {
  form(new Map(), 'd90103 a0');
  form(new Map([[1, { a: 1 }]]), 'd90103 a1 01 a1 6161 01');
  form(new Set(), 'd90102 80');
  form(new Set([1, 'a']), 'd90102 82 01 6161');
  const key = { k: [1] };
  roundTrip(
    new Map([
      [key, new Map([[key, new Set([key])]])],
      [undefined, null],
      [NaN, -0],
      ['text', Symbol.for('s')],
      [5n, new Date(0)],
      [[], new Set()],
    ]),
  );
  roundTrip(new Set(Array.from({ length: 1000 }, (_, i) => (i % 2 ? i * 1.5 : `x${i}`))));
});

test('what was derived from Map, Set, Array, Date or Uint8Array is that', () => {
  class MyMap extends Map {
    get size() {
      return 17;
    }
    forEach() {}
    *entries() {}
  }
  class MySet extends Set {}
  class MyArray extends Array {}
  class MyDate extends Date {
    getTime() {
      return 0;
    }
  }
  class MyBytes extends Uint8Array {}
  roundTrip(new MyMap([[1, 2]]), new Map([[1, 2]]));
  roundTrip(new MySet([1]), new Set([1]));
  roundTrip(MyArray.from([1, 2]), [1, 2]);
  roundTrip(new MyDate(5), new Date(5));
  roundTrip(new MyBytes([5]), new Uint8Array([5]));
});

test('RegExp, with source and flags, from the beginning', () => {
  form(/a\/b/gi, 'd9524a 82 64 615c2f62 62 6769');
  const value = /x/g;
  value.lastIndex = 5;
  assert.equal(roundTrip(value).lastIndex, 0);
  roundTrip([/(?:)/, /[/]\n/, new RegExp('\n/'), /\u{1f600}/u, new RegExp('\ud800'), /./dgimsuy]);
  roundTrip(new RegExp('[\\p{L}--[a-z]]', 'v'));
});

test('an Error keeps class, message, cause, and what was put on it', () => {
  form(new TypeError('no'), 'd81b 83 69 547970654572726f72 62 6e6f a0');
  form(
    new RangeError('x', { cause: 1 }),
    'd81b 83 6a 52616e67654572726f72 6178 a1 65 6361757365 01',
  );
  for (const Class of [
    Error,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
  ]) {
    const cause = Object.assign(new Class('inner'), { code: 'E_INNER' });
    roundTrip(
      Object.assign(new Class('outer', { cause }), { code: 'E_OUTER', errno: -2, path: [1] }),
    );
  }
  roundTrip(new Error(''));
  roundTrip(new Error('x', { cause: undefined }));
  roundTrip(new AggregateError([new Error('a'), 5], 'many', { cause: null }));
  roundTrip(new DOMException('stopped', 'AbortError'));
  assert.equal(decode(encode(new DOMException('', 'AbortError'))).code, DOMException.ABORT_ERR);
});

test('an Error of another class is the nearest that the language has, with its name', () => {
  class NotFound extends RangeError {
    name = 'NotFound';
  }
  class Quiet extends NotFound {}
  const arrived = decode(encode(Object.assign(new Quiet('x'), { id: 7 })));
  assert.equal(arrived.constructor, RangeError);
  assert.equal(arrived.name, 'NotFound');
  assert.equal(arrived.id, 7);
  assert.deepEqual(Object.keys(arrived), ['id']);
  assert.equal(decode(encode(arrived)).name, 'NotFound');
});

test('the stack of an Error stays at home', () => {
  const error = new Error('x', { cause: new Error('y') });
  error.own = { error: new TypeError('z') };
  const encoded = Buffer.from(encode(error));
  assert.ok(!encoded.includes(__filename));
  const arrived = decode(encoded);
  assert.ok(!arrived.stack.includes(__dirname), arrived.stack);
  assert.equal(String(arrived.stack).split('\n')[0], 'Error: x');
});

test('boxed primitives become primitives', () => {
  const boxed = [1, 'a', true, 5n, Symbol.for('s')].map(Object);
  roundTrip([boxed, Object(-0)], [[1, 'a', true, 5n, Symbol.for('s')], -0]);
  roundTrip(Object(false), false);
});

test('values of another realm are what they are there', () => {
  const foreign = vm.runInNewContext(
    '({ o: { a: 1 }, l: [1], m: new Map([[1, 2]]), s: new Set([1]), d: new Date(5), r: /x/g,' +
      ' e: Object.assign(new TypeError("t"), { code: 1 }), b: new Uint8Array([1]), n: new Number(7) })',
  );
  const arrived = decode(encode(foreign));
  const expected = {
    o: { a: 1 },
    l: [1],
    m: new Map([[1, 2]]),
    s: new Set([1]),
    d: new Date(5),
    r: /x/g,
    e: Object.assign(new TypeError('t'), { code: 1 }),
    b: new Uint8Array([1]),
    n: 7,
  };
  assert.equal(difference(expected, arrived), null);
});

test('the same object twice, and in itself', () => {
  const x = { a: 1 };
  form([x, x], '82 d81c a1 6161 01 d81d 00');
  const self = {};
  self.self = self;
  form(self, 'd81c a1 64 73656c66 d81d 00');
  const list = [];
  list.push(list, [list, x], x);
  roundTrip(list);
});

test('identity among any number of objects', () => {
  for (let count = 1; count < 80; count++) {
    const objects = Array.from({ length: count }, (_, i) => ({ i }));
    for (const again of [0, count >> 1, count - 1]) {
      const arrived = decode(encode([...objects, objects[again], { last: objects[again] }]));
      assert.deepEqual(arrived.slice(0, count), objects);
      assert.equal(new Set(arrived.slice(0, count)).size, count);
      assert.equal(arrived[count], arrived[again]);
      assert.equal(arrived[count + 1].last, arrived[again]);
    }
  }
});

test('identity of every kind of object', () => {
  const kinds = [
    [1],
    { a: 1 },
    new Map([[1, 2]]),
    new Set([1]),
    new Date(1),
    new Date(NaN),
    /x/,
    new TypeError('x'),
    new Uint8Array(3),
    new Float64Array(3),
    new ArrayBuffer(3),
    new DataView(new ArrayBuffer(1)),
    new Tagged(1000, 1),
  ];
  for (const object of kinds) {
    const arrived = decode(encode([object, { again: object }, object]));
    assert.equal(arrived[0], arrived[1].again);
    assert.equal(arrived[0], arrived[2]);
    assert.equal(difference([object, object], [arrived[0], arrived[2]]), null);
  }
  roundTrip([kinds, kinds.toReversed(), ...kinds]);
});

test('every kind of container can contain itself', () => {
  const map = new Map();
  map.set(map, [map]).set('x', map);
  roundTrip(map);
  const set = new Set();
  set.add(set).add([set]);
  roundTrip(set);
  const error = new Error('x');
  error.self = error;
  Object.defineProperty(error, 'cause', { value: [error] });
  roundTrip(error);
  const tagged = new Tagged(1000, null);
  tagged.value = [tagged, { tagged }];
  roundTrip(tagged);
});

test('marks are numbered in the order of what they are on', () => {
  // The first that is met again is not the first that is marked.
  const [a, b, c] = [{ a: 1 }, { b: 2 }, { c: 3 }];
  roundTrip([a, b, c, c, b, a, [b, a], c]);
  const outer = { a: { b: { c: {} } } };
  roundTrip([outer, outer.a.b.c, outer.a, outer, outer.a.b]);
  // As many as need longer numbers.
  const many = Array.from({ length: 300 }, (_, i) => ({ i }));
  roundTrip([many, many.toReversed(), many]);
  roundTrip(Array.from({ length: 70_000 }, () => many[0]));
});

test('objects that are equal and not the same stay apart', () => {
  roundTrip(Array.from({ length: 100 }, () => ({ a: [1, 2], b: {} })));
  roundTrip([new Date(0), new Date(0)]);
});

test('a Tagged is sent and received as it is', () => {
  form(new Tagged(4, [-2, 27315]), 'c4 82 21 19 6ab3');
  form(new Tagged(0, '2013-03-21T20:04:00Z'), 'c0 74 323031332d30332d32315432303a30343a30305a');
  form(new Tagged(55799, null), 'd9d9f7 f6');
  roundTrip(new Tagged(2 ** 53 - 1, { a: new Tagged(23, [new Tagged(24, undefined)]) }));
  form(new Tagged(2n ** 64n - 1n, 1), 'db ffffffffffffffff 01');
  assert.equal(decode(encode(new Tagged(1000n, 1))).tag, 1000);
});

test('the tag of a Tagged is checked', () => {
  for (const tag of [-1, 1.5, NaN, 2 ** 53, -1n, 2n ** 64n, 28, 29]) {
    assert.throws(() => new Tagged(tag, 1), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
  }
  for (const tag of ['1', null, undefined, {}]) {
    assert.throws(() => new Tagged(tag, 1), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
  const changed = new Tagged(5, 1);
  changed.tag = 28;
  assert.throws(() => encode(changed), { code: 'ERR_OUT_OF_RANGE' });
});

test('an object of tag 27 that is none of ours is a Tagged', () => {
  for (const value of [['Foo', 1, { a: 2 }], ['Foo'], ['', 'x'], ['error', 'm', {}]]) {
    const arrived = decode(encode(new Tagged(27, value)));
    assert.equal(difference(arrived, new Tagged(27, value)), null);
  }
});

test('what has no value to send is refused', () => {
  const refusals = [
    [() => 1, /^A function cannot be encoded: value$/],
    [function named() {}, /^The function named cannot be encoded: value$/],
    [class Foo {}, /^The function Foo cannot/],
    [Symbol('x'), /^Symbol\(x\), which is not registered, cannot be encoded: value$/],
    [Symbol.iterator, /^Symbol\(Symbol\.iterator\), which/],
    [Promise.resolve(), /^An instance of Promise cannot/],
    [new WeakMap(), /^An instance of WeakMap/],
    [new WeakSet(), /^An instance of WeakSet/],
    [new WeakRef({}), /^An instance of WeakRef/],
    [new SharedArrayBuffer(1), /^An instance of SharedArrayBuffer/],
    [new BlobClass(['x']), /^An instance of Blob/],
    [(function* generator() {})(), /cannot be encoded/],
    [new Map().keys(), /cannot be encoded/],
    [new Intl.NumberFormat(), /^An instance of NumberFormat/],
    [new WebAssembly.Memory({ initial: 1 }), /^An instance of Memory/],
    [Object(Symbol('boxed')), /^Symbol\(boxed\)/],
  ];
  for (const [value, pattern] of refusals) uncloneable(value, pattern);
  const { port1 } = new MessageChannel();
  const detached = new Uint8Array(8);
  port1.postMessage(detached, [detached.buffer]);
  port1.close();
  uncloneable(detached, /^A detached ArrayBuffer/);
  uncloneable(detached.buffer, /^A detached ArrayBuffer/);
});
