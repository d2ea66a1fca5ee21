'use strict';
// The types of a message: what they are called, what they are natively, and how one number is written.
//
// Integers follow Java's narrowing (JLS 5.1.3): cut toward zero, NaN is 0, what is out of range becomes the
// nearest 32-bit (or 64-bit) integer, and of that the low bits are kept. So 1e10 as a byte is -1, and 128 is -128.

const { ValueKind } = require('../native');

const MAX_INT = 2 ** 31 - 1;
const MIN_INT = -(2 ** 31);
const TWO_32 = 2 ** 32;
const MAX_LONG = 2n ** 63n - 1n;
const MIN_LONG = -(2n ** 63n);
/** The bits of Java's NaN; JavaScript's may have any sign and payload. */
const FLOAT_NAN = 0x7fc00000;
const DOUBLE_NAN = 0x7ff80000;

/** @param {number | bigint} value Answers an integer with the right low 32 bits. */
function toInt(value) {
  if (typeof value === 'bigint') return Number(BigInt.asIntN(32, value));
  if (value >= MAX_INT) return MAX_INT;
  if (value <= MIN_INT) return MIN_INT;
  return value | 0;
}

/** @param {number | bigint} value Answers a number with the right low 32 bits, by way of 64. */
function toUnsignedInt(value) {
  if (typeof value === 'bigint') return Number(BigInt.asUintN(32, value));
  if (value >= 2 ** 63) return TWO_32 - 1;
  if (value <= -(2 ** 63)) return 0;
  return value >>> 0;
}

function writeLong(view, at, value) {
  if (typeof value === 'bigint') view.setBigInt64(at, value);
  else if (Number.isSafeInteger(value)) {
    const high = Math.floor(value / TWO_32);
    view.setInt32(at, high);
    view.setUint32(at + 4, value - high * TWO_32);
  } else view.setBigInt64(at, toLong(value));
}

function toLong(value) {
  if (Number.isNaN(value)) return 0n;
  if (value >= 2 ** 63) return MAX_LONG;
  if (value <= -(2 ** 63)) return MIN_LONG;
  return BigInt(Math.trunc(value));
}

function writeFloat(view, at, value) {
  const number = Number(value);
  if (Number.isNaN(number)) view.setUint32(at, FLOAT_NAN);
  else view.setFloat32(at, number);
}

function writeDouble(view, at, value) {
  const number = Number(value);
  if (Number.isNaN(number)) {
    view.setUint32(at, DOUBLE_NAN);
    view.setUint32(at + 4, 0);
  } else view.setFloat64(at, number);
}

/**
 * @typedef {object} Type
 * @property {string} name
 * @property {'number' | 'text' | 'json' | 'image'} family
 * @property {number} kind what the engine is told, see `ValueKind`
 * @property {number} size bytes of one number
 * @property {((view: DataView, at: number, value: number | bigint) => void) | null} write
 * @property {any} View the typed array that received numbers are seen through
 * @property {string} format the image's encoding that is sent, or ''
 */

const number = (name, kind, size, View, write) => ({
  name,
  family: 'number',
  kind,
  size,
  write,
  View,
  format: '',
});
const other = (name, family, kind, format = '') => ({
  name,
  family,
  kind,
  size: 1,
  write: null,
  View: null,
  format,
});

const { Bits8, Bits16, Bits32, Bits64, Bytes, Json, LongAsDouble, Text } = ValueKind;
const setByte = (view, at, value) => view.setInt8(at, toInt(value));
const setShort = (view, at, value) => view.setInt16(at, toInt(value));
const setInt = (view, at, value) => view.setInt32(at, toInt(value));
const setUnsignedInt = (view, at, value) => view.setUint32(at, toUnsignedInt(value));

/** In the order in which they are listed. @type {Type[]} */
const RECEIVE_TYPES = [
  number('byte', Bits8, 1, Int8Array, setByte),
  number('double', Bits64, 8, Float64Array, writeDouble),
  number('float', Bits32, 4, Float32Array, writeFloat),
  other('image', 'image', Bytes),
  number('int', Bits32, 4, Int32Array, setInt),
  other('json', 'json', Json),
  number('long', LongAsDouble, 8, Float64Array, writeLong),
  number('number', Bits64, 8, Float64Array, writeDouble),
  number('short', Bits16, 2, Int16Array, setShort),
  other('string', 'text', Text),
  number('unsignedbyte', Bits8, 1, Uint8Array, setByte),
  number('unsignedint', Bits32, 4, Uint32Array, setUnsignedInt),
  number('unsignedshort', Bits16, 2, Uint16Array, setShort),
];

/** Images whose encoding is named when they are sent. */
const IMAGE_TYPES = ['bmp', 'gif', 'jpeg', 'jpg', 'png', 'wbmp'].map((name) =>
  other(name, 'image', Bytes, name === 'jpg' ? 'jpeg' : name),
);

const SEND_TYPES = [...RECEIVE_TYPES, ...IMAGE_TYPES];

/** `long` when it is wanted as a BigInt. */
const LONG_AS_BIGINT = number('long', Bits64, 8, BigInt64Array, writeLong);

const namesOf = (types) => types.map(({ name }) => name);

/** Case and surrounding space do not count. @returns {Type | undefined} */
function find(types, name) {
  const wanted = String(name).trim().toLowerCase();
  return types.find((type) => type.name === wanted);
}

module.exports = {
  /** @param {unknown} name @param {boolean} bigint */
  receiveType(name, bigint) {
    const type = find(RECEIVE_TYPES, name);
    return type?.name === 'long' && bigint ? LONG_AS_BIGINT : type;
  },
  sendType: (name) => find(SEND_TYPES, name),
  /** A list of the caller's own. */
  supportedReceiveTypes: () => namesOf(RECEIVE_TYPES),
  supportedSendTypes: () => namesOf(SEND_TYPES),
};
