/**
 * Values of JavaScript as bytes and back: CBOR (RFC 8949) with registered tags. What arrives is of the same kind,
 * whatever it is: `undefined`, −0, BigInt, Date, Map, Set, typed arrays, errors, holes, cycles. It can be read by
 * any other CBOR library.
 *
 * `docs/CBOR.md` has the whole table of what becomes what.
 */

/** With every version of TypeScript the same: some have a parameter there, for the memory. */
type Bytes = ReturnType<typeof Uint8Array.from>;

/** What both directions can be told. */
export interface CborOptions {
  /**
   * Levels of arrays, objects, Maps, Sets, errors and `Tagged`s inside each other. Default 1024; at least 1, at
   * most 2 147 483 647.
   */
  maxDepth?: number | undefined;
}

/**
 * A tagged item that has no counterpart in JavaScript. An unknown tag arrives as one, and it can be sent, so that
 * relaying loses nothing.
 */
export class Tagged<Value = unknown> {
  /**
   * @param tag 0 to 2^64 − 1; neither 28 nor 29
   * @throws {RangeError} `ERR_OUT_OF_RANGE`
   * @throws {TypeError} `ERR_INVALID_ARG_TYPE`
   */
  constructor(tag: number | bigint, value: Value);
  /** A number where that is exact, otherwise a BigInt. */
  tag: number | bigint;
  value: Value;
}

/** What `decode` throws when bytes are not a value, or exceed a limit. */
export interface CborDecodeError extends Error {
  code: 'ERR_DATASOCKET_DECODE';
  /** The byte at which it was noticed, counted from the beginning. */
  offset: number;
}

/**
 * The bytes of a value. It is a snapshot: what happens to the value afterwards does not change them.
 *
 * Results of up to 1 KiB share memory with each other, as those of `Buffer.from` do: `buffer` is larger than the
 * result, and cannot be transferred.
 *
 * @throws {DOMException} `DataCloneError` when there is something in the value that cannot be sent, like a function;
 *   the message says where
 * @throws {RangeError} `ERR_DATASOCKET_TOO_LARGE` when there would be more than 2 147 483 647 bytes
 * @throws whatever a getter of the value throws
 */
export function encode(value: unknown, options?: CborOptions): Bytes;

/**
 * The value that the bytes are, all of them. Nothing in it refers to `bytes` afterwards.
 *
 * @throws {CborDecodeError}
 */
export function decode<Value = any>(bytes: Uint8Array, options?: CborOptions): Value;
