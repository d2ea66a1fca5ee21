'use strict';

/** Bytes made to do harm: each gives the proper error, soon, and without taking memory. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Tagged, decode, encode } = require('socket/cbor');
const { bytes, refused, roundTrip } = require('./helpers/cbor-kit');
const { tryMutants } = require('./helpers/mutation');

const options = { timeout: 120_000 };

/** A head with an argument of four bytes. */
function head(major, count) {
  const result = Buffer.alloc(5);
  result[0] = (major << 5) | 26;
  result.writeUInt32BE(count, 1);
  return result;
}

/** How much more memory is in use at the end of a call, and at most in the middle. */
function growth(call) {
  const before = process.memoryUsage().rss;
  call();
  return process.memoryUsage().rss - before;
}

test('counts and lengths beyond what is there', options, () => {
  for (const digits of [
    '9bffffffffffffffff',
    'bbffffffffffffffff',
    '5bffffffffffffffff',
    '7bffffffffffffffff',
    '9affffffff',
    'baffffffff',
    '5affffffff',
    '7affffffff',
    '9b0020000000000000',
    'd90102 9affffffff',
    'd90103 baffffffff',
    'd81b 9affffffff',
    'd9524a 9affffffff',
    'd845 5affffffff',
    'd90111 5affffffff',
    'c2 5affffffff',
    '82 9affffffff 00',
    'a1 6161 baffffffff',
    'a1 7affffffff 00',
    '98 ff 0000',
    'b8 80 6161 00',
  ]) {
    const length = bytes(digits).length;
    refused(bytes(digits), /announced.*left|end too early/);
    refused(Buffer.concat([bytes(digits), Buffer.alloc(100)]), /announced/);
    assert.ok(length > 0);
  }
});

test('what is announced inside counts with what is announced outside', () => {
  // Each array alone would fit.
  refused(bytes('83 83 83 00 00 00 00'), /3 are announced, and at most 0 bytes left/);
  refused(bytes('82 a1 6161 a1 6162 83 00 00 00'), /3 are announced, and at most 2 bytes left/);
  assert.deepEqual(decode(bytes('82 a1 6161 a1 6162 82 00 00 01')), [{ a: { b: [0, 0] } }, 1]);
  // Also where a key has something in it.
  assert.deepEqual(
    [...decode(bytes('a2 80 00 81 00 81 01'))],
    [
      [[], 0],
      [[0], [1]],
    ],
  );
  assert.deepEqual(
    [...decode(bytes('a2 6161 00 81 00 01'))],
    [
      ['a', 0],
      [[0], 1],
    ],
  );
  assert.deepEqual([...decode(bytes('d90103 a1 81 00 81 01'))], [[[0], [1]]]);
});

test('nested arrays that announce all the rest take no memory', options, () => {
  const size = 4_000_000;
  const parts = [];
  for (let i = 0; i < 1000; i++) parts.push(head(4, size));
  const encoded = Buffer.concat([...parts, Buffer.alloc(size)]);
  const grown = growth(() => refused(encoded, /announced/));
  assert.ok(grown < 300e6, `${grown} bytes`);
});

test('objects of one byte or two are not made without end', options, () => {
  const count = 4_000_000;
  for (const digits of ['40', 'a0', 'd9010280', 'c100', 'a16000']) {
    const one = bytes(digits);
    const length = digits === 'a0' ? 2 * count : count;
    refused(
      Buffer.concat([head(4, length), Buffer.alloc(length * one.length, one)]),
      /too much memory/,
    );
  }
  // Many, but no more than their bytes are worth, or than any value may have.
  assert.equal(
    decode(Buffer.concat([head(4, 1_000_000), Buffer.alloc(1_000_000, 0x80)])).length,
    1e6,
  );
  const pairs = Buffer.alloc(3 * 1_000_000, bytes('820102'));
  assert.equal(decode(Buffer.concat([head(4, 1_000_000), pairs])).length, 1e6);
});

test('a million levels, of every kind', options, () => {
  const levels = [
    '81',
    'a161',
    'a1',
    'c4',
    'd90102 81',
    'd90103 a1',
    'd81c 81',
    'd81b 83 65 4572726f72 60 a1 6161',
    'd81c c4',
  ];
  for (const digits of levels) {
    const level = bytes(digits === 'a161' ? 'a16161' : digits);
    const encoded = Buffer.alloc(1_000_000 * level.length, level);
    refused(encoded, /Nested deeper than 1024 levels/);
    refused(encoded, /Nested deeper than 20000 levels/, { maxDepth: 20_000 });
  }
  // Deeper than any recursion could go, if somebody wants it.
  const encoded = Buffer.alloc(1_000_001, 0x81);
  encoded[1_000_000] = 0x05;
  let value = decode(encoded, { maxDepth: 1_000_000 });
  for (let i = 0; i < 1_000_000; i++) value = value[0];
  assert.equal(value, 5);
});

test('chains of tags', options, () => {
  refused(Buffer.alloc(1_000_000, 0xc6), /Nested deeper/);
  refused(Buffer.alloc(1_000_000, bytes('d81c')), /Tag 28 on tag 28/);
  refused(Buffer.alloc(1_000_000, bytes('d81d')), /Tag 29/);
  for (const digits of [
    'c1',
    'c2',
    'd81b',
    'd827',
    'd845',
    'd90102',
    'd90103',
    'd90111',
    'd9524a',
  ]) {
    refused(Buffer.alloc(1000, bytes(digits)));
    refused(bytes(`${digits} 00 00`));
    refused(bytes(`${digits} d81c ${digits} 00`));
  }
});

test('known tags on items of the wrong kind', () => {
  const wrong = {
    'tag 1': [
      'c1 6130',
      'c1 f6',
      'c1 40',
      'c1 80',
      'c1 c1 00',
      'c1 c2 41 00',
      'c1 1bffffffffffffffff',
    ],
    'tags 2 and 3': ['c2 00', 'c2 60', 'c3 80', 'c2 c2 40'],
    'tag 27': [
      'd81b 81 00',
      'd81b 82 d81c 63 466f6f 00',
      'd81b 00',
      'd81b 80',
      'd81b a0',
      'd81b 64 44617465',
    ],
    'tag 27, Date': [
      'd81b 81 64 44617465',
      'd81b 82 64 44617465 6130',
      'd81b 83 64 44617465 00 00',
    ],
    'tag 27, ArrayBuffer': [
      'd81b 82 6b 4172726179427566666572 00',
      'd81b 81 6b 4172726179427566666572',
    ],
    'tag 27, DataView': ['d81b 82 68 4461746156696577 60', 'd81b 83 68 4461746156696577 40 40'],
    'tag 27, Error': [
      'd81b 82 65 4572726f72 00',
      'd81b 83 65 4572726f72 60 80',
      'd81b 83 65 4572726f72 60 a1 00 00',
      'd81b 83 65 4572726f72 60 a1 64 6e616d65 00',
      'd81b 84 65 4572726f72 60 a0 00',
    ],
    'tag 29': [
      'd81d 00',
      'd81d 20',
      'd81d 6130',
      '82 d81c 80 d81d 01',
      '82 d81d 00 d81c 80',
      'd81d 1bffffffffffffffff',
    ],
    'tag 31': [
      'd81f f7',
      'd81f f6',
      '81 d81f f6',
      'a1 6161 d81f f7',
      '81 d81c d81f f7',
      'd90102 81 d81f f7',
      'c6 d81f f7',
    ],
    'tag 39': ['d827 00', 'd827 40', 'd827 80'],
    'tag 258': ['d90102 00', 'd90102 a0', 'd90102 40', 'd90102 d81c a0', 'd90102 d81c d81c 80'],
    'tag 259': ['d90103 00', 'd90103 80', 'd90103 d90102 80'],
    'tag 273': ['d90111 60', 'd90111 00', 'd90111 80'],
    'tag 21066': [
      'd9524a 60',
      'd9524a 80',
      'd9524a 81 60',
      'd9524a 83 60 60 60',
      'd9524a 82 00 60',
      'd9524a 82 60 00',
    ],
    'typed arrays': ['d844 00', 'd845 60', 'd845 80', 'd856 d81c 40'],
  };
  for (const list of Object.values(wrong)) for (const digits of list) refused(bytes(digits));
});

test('typed arrays whose bytes do not fill their elements', () => {
  const sizes = { d845: 2, d846: 4, d847: 8, d84d: 2, d84e: 4, d84f: 8, d855: 4, d856: 8 };
  for (const [tag, size] of Object.entries(sizes)) {
    for (let length = 0; length < 24; length++) {
      const encoded = Buffer.concat([
        bytes(tag),
        Buffer.from([0x40 | length]),
        Buffer.alloc(length),
      ]);
      if (length === 24) continue;
      if (length % size === 0) assert.equal(decode(encoded).byteLength, length);
      else refused(encoded, /elements have/);
    }
  }
});

test('references only to what was marked before', () => {
  // A mark on what is not complete, and cannot be referred to yet.
  refused(bytes('d81c c1 d81d 00'));
  refused(bytes('d81c d9524a 82 d81d 00 60'));
  refused(bytes('82 d81c 61 61 d81d 01'), /Nothing was marked as number 1/);
  assert.deepEqual(decode(bytes('82 d81c 61 61 d81d 00')), ['a', 'a']);
  const shared = decode(bytes('83 d81c 43 010203 d81d 00 d81c 80'));
  assert.equal(shared[0], shared[1]);
});

test('marks between a known tag and what it is on, as cbor2 puts them', () => {
  const same = [
    '82 d90102 d81c 81 01 d81d 00',
    '82 d90103 d81c a1 01 02 d81d 00',
    '82 d81b d81c 83 65 4572726f72 60 a0 d81d 00',
    '82 d81b d81c 82 65 4572726f72 60 d81d 00',
    '82 d81b d81c 82 6b 4172726179427566666572 40 d81d 00',
    '82 d9524a d81c 82 60 60 d81d 00',
  ];
  for (const digits of same) {
    const [first, second] = decode(bytes(digits));
    assert.equal(typeof first, 'object');
    assert.equal(first, second, digits);
    // With another one around the tag.
    const [x, y, z] = decode(bytes(`83 d81c ${digits.slice(3)} d81d 01`));
    assert.ok(x === y && y === z, digits);
  }
  // The fields of an error are none of its values.
  refused(bytes('82 d81b d81c 83 65 4572726f72 60 d81c a0 d81d 01'), /Nothing was marked/);
  const [error, again, next] = decode(
    bytes('84 d81b d81c 83 65 4572726f72 60 d81c a1 6161 d81d 00 d81d 00 d81c 80 d81d 02'),
  );
  assert.ok(error === again && error.a === error && Array.isArray(next));
  const [tagged, inner] = decode(bytes('82 d81b d81c 81 63 466f6f d81d 00'));
  assert.deepEqual([tagged.tag, tagged.value], [27, ['Foo']]);
  assert.equal(tagged.value, inner);
  const [outer, list, whole] = decode(bytes('83 d81c d81b d81c 81 63 466f6f d81d 01 d81d 00'));
  assert.ok(outer === whole && outer.value === list);
});

test('a marked map that turns out not to be an object', () => {
  // {"a": [itself], 1: itself}
  const map = decode(bytes('d81c a2 6161 81 d81d00 01 d81d00'));
  assert.ok(map instanceof Map);
  assert.equal(map.get('a')[0], map);
  assert.equal(map.get(1), map);
  // Two of them, the second of which is not referred to before it turns out, and one that stays.
  const [first, second, third] = decode(
    bytes('83 d81c a2 6161 d81d00 01 02 d81c a2 6161 00 01 d81d01 d81c a1 6161 d81d02'),
  );
  assert.equal(first.get('a'), first);
  assert.equal(second.get(1), second);
  assert.equal(third.a, third);
  // As many as there are levels.
  const deep = Buffer.concat([
    ...Array.from({ length: 500 }, () => bytes('d81c a2 6161')),
    bytes('d81d 00'),
    ...Array.from({ length: 500 }, () => bytes('00 d81d 00')),
  ]);
  let value = decode(deep);
  for (let i = 0; i < 500; i++) value = value instanceof Map ? value.get('a') : value;
  assert.ok(value instanceof Map);
});

test('text that is not valid UTF-8', () => {
  const invalid = [
    'ff',
    'c3',
    'c328',
    'c0af',
    'c1bf',
    'e28281e2',
    'e0809f',
    'eda080',
    'edbfbf',
    'f08080af',
    'f4908080',
    'f5808080',
    '80',
    'fe',
  ];
  for (const digits of invalid) {
    for (const before of [0, 1, 3, 10, 20, 40, 130, 300, 70_000]) {
      for (const after of [0, 1, 15]) {
        const text = Buffer.concat([
          Buffer.alloc(before, 'a'),
          bytes(digits),
          Buffer.alloc(after, 'b'),
        ]);
        const encoded = Buffer.concat([head(3, text.length), text]);
        refused(encoded, /not valid UTF-8/);
        refused(Buffer.concat([bytes('81'), encoded]), /not valid UTF-8/);
        refused(Buffer.concat([bytes('a1'), encoded, bytes('00')]), /not valid UTF-8/);
        if (text.length < 24) {
          const short = Buffer.concat([Buffer.from([0x60 | text.length]), text]);
          refused(Buffer.concat([bytes('a1'), short, short]), /not valid UTF-8/);
        }
      }
    }
  }
  // The character that stands for invalid ones is valid itself.
  roundTrip(`${'x'.repeat(50)}\ufffd`);
});

test('bytes under tag 273 that are not WTF-8', () => {
  for (const digits of [
    'ff',
    'c3',
    'c080',
    'e08080',
    'eda080edb080',
    'f0808080',
    'f4908080',
    'ed',
    'eda0',
    '80',
  ]) {
    const text = bytes(digits);
    refused(Buffer.concat([bytes('d90111'), Buffer.from([0x40 | text.length]), text]), /not WTF-8/);
  }
});

test('regular expressions that are not any, or too large', options, () => {
  const regExp = (source, flags = '') =>
    Buffer.concat([bytes('d9524a 82'), encode(source), encode(flags)]);
  for (const source of ['(', '[', '*', '\\', '(?<a', 'a{2,1}', '(?<a>)(?<a>)']) {
    refused(regExp(source), /regular expression/i);
  }
  for (const flags of ['x', 'gg', 'uv', ' ', 'G']) refused(regExp('a', flags), /flags/i);
  refused(regExp('('.repeat(100_000)));
  refused(regExp('a'.repeat(300_000)), /too large/);
  refused(regExp('\\p{L}'.repeat(1100), 'u'), /too large/);
  refused(regExp('\\p{RGI_Emoji}'.repeat(11), 'v'), /too large/);
  // In a class, under `v` and `i`, each of these takes 50 times as long as its four characters otherwise.
  for (const escape of ['\\W', '\\S', '\\D', '\\w', '^\\s']) {
    refused(regExp(`[${escape}]`.repeat(1100), 'vi'), /too large/);
  }
  const many = (count, one) => Buffer.concat([head(4, count), ...new Array(count).fill(one)]);
  refused(many(1100, regExp('\\p{L}', 'u')), /too large/);
  refused(many(300, regExp('a'.repeat(1000))), /too large/);
  assert.equal(decode(many(1000, regExp('\\d+[a-z]', 'i'))).length, 1000);
  // The next value has its own allowance.
  assert.equal(decode(many(1000, regExp('\\p{L}', 'u'))).length, 1000);
});

test('bignums of a megabyte take no more time than their length', options, () => {
  const large = Buffer.alloc(1_000_000, 0xff);
  const value = decode(Buffer.concat([bytes('c2'), head(2, large.length), large]));
  assert.equal(value, 2n ** 8_000_000n - 1n);
  roundTrip(-value);
  assert.equal(decode(bytes('c2 40')), 0n);
  assert.equal(decode(bytes('c3 40')), -1n);
  assert.equal(decode(bytes('c2 44 00000001')), 1n);
});

test('a bignum that is larger than the engine allows', options, () => {
  const tooLarge = Buffer.alloc(2 ** 27 + 1, 0xff);
  refused(Buffer.concat([bytes('c2'), head(2, tooLarge.length), tooLarge]), /larger than a BigInt/);
});

/** Numbers that V8 finds in the same place of a Map of 65,536; the hash is Thomas Wang's. */
function collidingIntegers(count) {
  const result = [];
  for (let key = 1; result.length < count; key++) {
    let hash = (~key + (key << 15)) | 0;
    hash ^= hash >>> 12;
    hash = (hash + (hash << 2)) | 0;
    hash ^= hash >>> 4;
    hash = Math.imul(hash, 2057);
    hash ^= hash >>> 16;
    if ((hash & 0x7fff) === 0) result.push(key);
  }
  return result;
}

test('keys that were chosen to collide are refused, before they cost much', options, () => {
  const integers = collidingIntegers(20_000);
  refused(encode(new Set(integers.slice(0, 20_000))), /chosen to collide/);
  const collidingBigInts = Array.from({ length: 10_000 }, (_, i) => (BigInt(i) << 64n) | 5n);
  refused(encode(new Map(collidingBigInts.map((key) => [key, 0]))), /chosen to collide/);
  const plainMap = Buffer.concat([
    head(5, 20_000),
    ...integers.flatMap((key) => [encode(key), encode(0)]),
  ]);
  refused(plainMap, /chosen to collide/);
  // In many small ones.
  const small = Buffer.from(encode(new Set(collidingBigInts.slice(0, 1000))));
  refused(Buffer.concat([head(4, 100), ...new Array(100).fill(small)]), /chosen to collide/);
  // A few that collide are no attack, and the next value has its own allowance.
  roundTrip(new Set(integers.slice(0, 1000)));
  roundTrip(new Set(integers.slice(0, 1000)));
});

test('keys that collide by nature are not refused', options, () => {
  const count = 50_000;
  const series = {
    integers: (i) => i,
    negative: (i) => -i,
    'multiples of 65,536': (i) => i * 65_536,
    halves: (i) => i / 2,
    'large doubles': (i) => i * 1e12 + 0.25,
    times: (i) => 1_763_942_400_000 + i * 1000,
    squares: (i) => i * i,
    bigInts: (i) => BigInt(i) * 2n ** 32n,
    'negative bigInts': (i) => -BigInt(i),
    strings: (i) => String(i * 65_536),
  };
  for (const make of Object.values(series)) {
    const list = Array.from({ length: count }, (_, i) => make(i));
    roundTrip(new Set(list));
    roundTrip(new Map(list.map((key) => [key, 1])));
  }
  // The same key again and again costs nothing.
  const again = Buffer.concat([bytes('d90102'), head(4, count), Buffer.alloc(count, 5)]);
  assert.equal(decode(again).size, 1);
});

test('keys that come twice: the last one wins', () => {
  assert.deepEqual(decode(bytes('a3 6161 01 6162 02 6161 03')), { a: 3, b: 2 });
  assert.deepEqual([...decode(bytes('d90103 a2 01 01 01 02'))], [[1, 2]]);
  assert.deepEqual(decode(bytes('a2 6161 81 01 6161 f7')), { a: undefined });
});

test('objects with very many keys, and keys that never come again', options, () => {
  for (let round = 0; round < 5; round++) {
    const entries = Array.from({ length: 40_000 }, (_, i) => [`${round}:${i}`, i]);
    roundTrip(Object.fromEntries(entries));
    roundTrip(entries.map(([key, i]) => ({ [key]: i, id: 1 })));
  }
  roundTrip({ id: 1, name: 'x' });
});

test('keys with prototypes in mind change no prototype', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', '__defineGetter__'];
  for (const name of names) {
    const key = Buffer.from(encode(name));
    const inner = Buffer.concat([bytes('a1'), Buffer.from(encode('polluted')), bytes('f5')]);
    for (const encoded of [
      Buffer.concat([bytes('a1'), key, inner]),
      Buffer.concat([bytes('a2'), key, bytes('00'), key, inner]),
      Buffer.concat([
        bytes('a1 d90111'),
        Buffer.from([0x40 | name.length]),
        Buffer.from(name),
        inner,
      ]),
      Buffer.concat([bytes('d81b 83 65 4572726f72 60 a1'), key, inner]),
    ]) {
      const value = decode(encoded);
      assert.deepEqual(Object.getOwnPropertyDescriptor(value, name).value, { polluted: true });
      assert.equal({}.polluted, undefined);
      assert.equal(Function.prototype.polluted, undefined);
      assert.equal(Error.prototype.polluted, undefined);
    }
  }
});

test('names of symbols are limited, because symbols stay for ever', options, () => {
  refused(Buffer.concat([bytes('d827'), Buffer.from(encode('x'.repeat(257)))]), /more than 256/);
  const names = Array.from({ length: 10_001 }, (_, i) =>
    Buffer.concat([bytes('d827'), Buffer.from(encode(`hostile ${i}`))]),
  );
  const decoded = decode(Buffer.concat([head(4, names.length), ...names]));
  assert.equal(decoded[9_000], Symbol.for('hostile 9000'));
  // The rest are what they were, and lose nothing by being sent on.
  const rest = decoded[10_000];
  assert.ok(rest instanceof Tagged);
  assert.deepEqual({ ...rest }, { tag: 39, value: 'hostile 10000' });
  assert.deepEqual(Buffer.from(encode(rest)), names[10_000]);
  // Those that are known are still taken.
  assert.equal(decode(names[0]), Symbol.for('hostile 0'));
});

test('errors show no more than they must of what was received', () => {
  try {
    decode(Buffer.concat([bytes('d9524a 82'), encode(`(${'x'.repeat(50_000)}`), encode('')]));
    assert.fail();
  } catch (error) {
    assert.ok(error.message.length < 200, error.message);
  }
});

test('the decoder is ready again after each error', () => {
  for (const digits of [
    '',
    '9f',
    '83 01 d81c 81 02',
    'a2 6161 d81c a1 6162',
    'd90102 82 00',
    'd81b 83 65 4572726f72 60 a2 6161 00',
  ]) {
    refused(bytes(digits));
    const value = { a: [1, { b: new Map([[1, new Set([2])]]) }], c: new Error('x') };
    roundTrip([value, value]);
  }
});

test('20,000 mutations of valid bytes', options, (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const { values, refusals } = tryMutants(20_000, seed);
  assert.equal(values + refusals, 20_000);
  assert.ok(values > 100 && refusals > 1000, `${values} values, ${refusals} refusals`);
});
