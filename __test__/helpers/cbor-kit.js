'use strict';

/** What the tests of the codec share. */

const assert = require('node:assert/strict');
const { decode, encode } = require('socket/cbor');
const { difference } = require('./same');

/** Asserts that a value arrives as another one, or as it is. */
function roundTrip(value, expected = value, options = undefined) {
  const arrived = decode(encode(value, options), options);
  assert.equal(difference(expected, arrived), null);
  return arrived;
}

/** Bytes from hexadecimal digits; spaces are for the reader. */
function bytes(digits) {
  const packed = digits.replaceAll(' ', '');
  const result = Buffer.from(packed, 'hex');
  assert.equal(result.length * 2, packed.length, `${digits} is not hexadecimal`);
  return result;
}

/** @param {Uint8Array} encoded */
function hex(encoded) {
  return Buffer.from(encoded).toString('hex');
}

/** Asserts that bytes are refused in the way that a socket can report. */
function refused(encoded, pattern = /./, options = undefined) {
  assert.throws(
    () => decode(encoded, options),
    (error) => {
      assertDecodeError(error, encoded.length);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

/** Asserts that an error is the one that the codec gives for bad bytes. */
function assertDecodeError(error, length) {
  assert.equal(error.code, 'ERR_DATASOCKET_DECODE', error.stack);
  assert.ok(error instanceof Error);
  assert.ok(Number.isInteger(error.offset), `the offset is ${error.offset}`);
  assert.ok(error.offset >= 0 && error.offset <= length, `${error.offset} of ${length}`);
  assert.ok(error.message.endsWith(`(at byte ${error.offset})`), error.message);
}

/** Asserts that a value cannot be encoded, and what the message says. */
function uncloneable(value, pattern, options = undefined) {
  assert.throws(
    () => encode(value, options),
    (error) => {
      assert.ok(error instanceof DOMException);
      assert.equal(error.name, 'DataCloneError');
      assert.equal(error.code, DOMException.DATA_CLONE_ERR);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

module.exports = { assertDecodeError, bytes, hex, refused, roundTrip, uncloneable };
