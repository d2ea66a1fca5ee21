'use strict';
// The numbers of the tags that mean something here; every other one is a `Tagged`. All are in IANA's
// registry "CBOR Tags".

module.exports = {
  /** Seconds since 1970 → Date. */
  EPOCH: 1,
  POSITIVE_BIGNUM: 2,
  NEGATIVE_BIGNUM: 3,
  /** [type name, arguments…] → Date, ArrayBuffer, DataView or Error. */
  OBJECT: 27,
  /** Marks a value that is referred to. */
  SHAREABLE: 28,
  /** The value that was marked as the n-th. */
  REFERENCE: 29,
  /** On undefined, in an array → a hole. */
  ABSENT: 31,
  /** On text → Symbol.for(text). */
  IDENTIFIER: 39,
  SET: 258,
  MAP: 259,
  /** On bytes: UTF-8 in which lone surrogates may stand → string. */
  WTF8: 273,
  /** [source, flags] → RegExp. */
  REGEXP: 21066,
  /** RFC 8746, little-endian. */
  TYPED_ARRAYS: {
    68: 'Uint8ClampedArray',
    69: 'Uint16Array',
    70: 'Uint32Array',
    71: 'BigUint64Array',
    72: 'Int8Array',
    77: 'Int16Array',
    78: 'Int32Array',
    79: 'BigInt64Array',
    84: 'Float16Array',
    85: 'Float32Array',
    86: 'Float64Array',
  },
};
