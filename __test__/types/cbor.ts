// The codec by its name.

import { decode, encode, Tagged, type CborDecodeError, type CborOptions } from 'socket/cbor';

const options: CborOptions = { maxDepth: 20_000 };
const bytes: Uint8Array = encode({ a: [1n, undefined, new Map()] }, options);
const length: number = encode(undefined).byteLength;
const value: { a: number } = decode(bytes);
const typed = decode<{ b: string }>(bytes, options);
const text: string = typed.b;
const fromBuffer: unknown = decode(Buffer.from(bytes));

const tagged = new Tagged(4, [-2, 27315]);
const exponent: number = tagged.value[0]!;
const tag: number | bigint = new Tagged(2n ** 63n, null).tag;
const unknownTag: Tagged = decode<Tagged>(bytes);

try {
  decode(bytes);
} catch (error) {
  const { code, offset } = error as CborDecodeError;
  console.log(code === 'ERR_DATASOCKET_DECODE', offset.toFixed());
}

// @ts-expect-error Bytes, not text.
decode('a0');
// @ts-expect-error An ArrayBuffer has no bytes to index.
decode(new ArrayBuffer(1));
// @ts-expect-error There is no such option.
encode(1, { depth: 5 });
// @ts-expect-error A tag is a number.
new Tagged('1', 2);
