'use strict';

/** The examples of RFC 8949, appendix A, decoded. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Tagged, decode } = require('socket/cbor');
const { bytes, hex, refused } = require('./helpers/cbor-kit');
const { difference } = require('./helpers/same');

const oneTo25 = Array.from({ length: 25 }, (_, i) => i + 1);
const tagged = (tag, value) => new Tagged(tag, value);
const data = (digits) => new Uint8Array(bytes(digits));

/** What each is here. Where the RFC's notation has no counterpart in JavaScript, as docs/CBOR.md says. */
const EXAMPLES = [
  ['00', 0],
  ['01', 1],
  ['0a', 10],
  ['17', 23],
  ['1818', 24],
  ['1819', 25],
  ['1864', 100],
  ['1903e8', 1000],
  ['1a000f4240', 1000000],
  ['1b000000e8d4a51000', 1000000000000],
  ['1bffffffffffffffff', 18446744073709551615n],
  ['c249010000000000000000', 18446744073709551616n],
  ['3bffffffffffffffff', -18446744073709551616n],
  ['c349010000000000000000', -18446744073709551617n],
  ['20', -1],
  ['29', -10],
  ['3863', -100],
  ['3903e7', -1000],
  ['f90000', 0],
  ['f98000', -0],
  ['f93c00', 1],
  ['fb3ff199999999999a', 1.1],
  ['f93e00', 1.5],
  ['f97bff', 65504],
  ['fa47c35000', 100000],
  ['fa7f7fffff', 3.4028234663852886e38],
  ['fb7e37e43c8800759c', 1e300],
  ['f90001', 5.960464477539063e-8],
  ['f90400', 0.00006103515625],
  ['f9c400', -4],
  ['fbc010666666666666', -4.1],
  ['f97c00', Infinity],
  ['f97e00', NaN],
  ['f9fc00', -Infinity],
  ['fa7f800000', Infinity],
  ['fa7fc00000', NaN],
  ['faff800000', -Infinity],
  ['fb7ff0000000000000', Infinity],
  ['fb7ff8000000000000', NaN],
  ['fbfff0000000000000', -Infinity],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['f7', undefined],
  ['c074323031332d30332d32315432303a30343a30305a', tagged(0, '2013-03-21T20:04:00Z')],
  ['c11a514b67b0', new Date(1363896240000)],
  ['c1fb41d452d9ec200000', new Date(1363896240500)],
  ['d74401020304', tagged(23, data('01020304'))],
  ['d818456449455446', tagged(24, data('6449455446'))],
  ['d82076687474703a2f2f7777772e6578616d706c652e636f6d', tagged(32, 'http://www.example.com')],
  ['40', data('')],
  ['4401020304', data('01020304')],
  ['60', ''],
  ['6161', 'a'],
  ['6449455446', 'IETF'],
  ['62225c', '"\\'],
  ['62c3bc', '\u00fc'],
  ['63e6b0b4', '\u6c34'],
  ['64f0908591', '\ud800\udd51'],
  ['80', []],
  ['83010203', [1, 2, 3]],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', oneTo25],
  ['a0', {}],
  [
    'a201020304',
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
  ['a26161016162820203', { a: 1, b: [2, 3] }],
  ['826161a161626163', ['a', { b: 'c' }]],
  ['a56161614161626142616361436164614461656145', { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }],
];

/** Items of indefinite length: not in the profile, because their size is known only at their end. */
const INDEFINITE = [
  '5f42010243030405ff',
  '7f657374726561646d696e67ff',
  '9fff',
  '9f018202039f0405ffff',
  '9f01820203820405ff',
  '83018202039f0405ff',
  '83019f0203ff820405',
  '9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff',
  'bf61610161629f0203ffff',
  '826161bf61626163ff',
  'bf6346756ef563416d7421ff',
];

test('the examples of the RFC', () => {
  for (const [digits, expected] of EXAMPLES) {
    assert.equal(difference(expected, decode(bytes(digits))), null, digits);
  }
});

test('the examples in the middle of other things', () => {
  for (const [digits, expected] of EXAMPLES) {
    const [first, second] = decode(bytes(`82 ${digits} ${digits}`));
    assert.equal(difference(expected, first), null, digits);
    assert.equal(difference(expected, second), null, digits);
    assert.equal(
      difference({ k: expected, l: 1 }, decode(bytes(`a2 616b ${digits} 616c 01`))),
      null,
    );
    // A run of numbers ends with it.
    const run = decode(bytes(`8c 0102030405060708090a0b ${digits}`));
    assert.equal(difference(expected, run[11]), null, digits);
  }
});

test('every example is refused when a part of it is missing or something follows', () => {
  for (const [digits] of EXAMPLES) {
    const whole = bytes(digits);
    for (let length = 0; length < whole.length; length++) refused(whole.subarray(0, length));
    refused(bytes(`${digits} 00`), /1 byte.*left over/);
  }
});

test('indefinite lengths are refused', () => {
  for (const digits of INDEFINITE) refused(bytes(digits), /indefinite length/);
});

test('simple values that mean nothing are refused', () => {
  for (const digits of ['f0', 'f8ff', 'f820', 'e0', 'f3', 'f8']) refused(bytes(digits));
  // In two bytes what has one.
  for (const digits of ['f814', 'f815', 'f816', 'f817', 'f800', 'f81f']) refused(bytes(digits));
  refused(bytes('ff'), /indefinite/);
});

test('heads that are reserved are refused', () => {
  for (let major = 0; major < 8; major++) {
    for (const info of [28, 29, 30]) refused(Buffer.from([(major << 5) | info]), /reserved/);
  }
});

test('numbers and lengths that are not in the shortest form are accepted', () => {
  for (const digits of ['1805', '190005', '1a00000005', '1b0000000000000005']) {
    assert.equal(decode(bytes(digits)), 5);
    assert.deepEqual(decode(bytes(`83 01 ${digits} a1 6161 ${digits}`)), [1, 5, { a: 5 }]);
  }
  for (const digits of ['3805', '390005', '3a00000005', '3b0000000000000005']) {
    assert.equal(decode(bytes(digits)), -6);
  }
  for (const head of ['61', '7801', '790001', '7a00000001', '7b0000000000000001']) {
    assert.equal(decode(bytes(`${head} 61`)), 'a');
    assert.deepEqual(decode(bytes(`a1 ${head} 61 ${head} 62`)), { a: 'b' });
    assert.deepEqual(decode(bytes(`81 ${head} 61`)), ['a']);
  }
  for (const head of ['81', '9801', '990001', '9a00000001', '9b0000000000000001']) {
    assert.deepEqual(decode(bytes(`${head} 05`)), [5]);
  }
  for (const head of ['a1', 'b801', 'b90001', 'ba00000001', 'bb0000000000000001']) {
    assert.deepEqual(decode(bytes(`${head} 6161 05`)), { a: 5 });
  }
  for (const head of ['41', '5801', '590001', '5a00000001', '5b0000000000000001']) {
    assert.equal(hex(decode(bytes(`${head} 07`))), '07');
  }
  for (const head of ['c1', 'd801', 'd90001', 'da00000001', 'db0000000000000001']) {
    assert.equal(decode(bytes(`${head} 00`)).getTime(), 0);
  }
});

test('every float of 16 bits', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    let expected = sign * 2 ** (exponent - 25) * (1024 + fraction);
    if (exponent === 0) expected = sign * 2 ** -24 * fraction;
    if (exponent === 31) expected = fraction ? NaN : sign * Infinity;
    const value = decode(Buffer.from([0xf9, bits >> 8, bits]));
    assert.ok(Object.is(value, expected), `${bits}: ${value} is not ${expected}`);
  }
});
