'use strict';

/** Any sequence of messages, cut anywhere: what was sent is what arrives, in order. Both directions, raw other end. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  TIMEOUT,
  closed,
  dataOf,
  errorsOf,
  frame,
  framesIn,
  logOf,
  messageKit,
  readAll,
} = require('./helpers/messages');

const opts = { timeout: 3 * TIMEOUT };

/** Numbers that look random. The seed is in the name of the test: SOCKET_SEED=… repeats it. */
const SEED = Number(process.env.SOCKET_SEED || Math.floor(Math.random() * 2 ** 31));
function generator(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below;
  };
}

/** How Node itself writes one number: [bytes, method, smallest, one more than the largest, is an integer]. */
const numbers = {
  byte: [1, 'Int8', -(2 ** 7), 2 ** 7],
  unsignedbyte: [1, 'UInt8', 0, 2 ** 8],
  short: [2, 'Int16BE', -(2 ** 15), 2 ** 15],
  unsignedshort: [2, 'UInt16BE', 0, 2 ** 16],
  int: [4, 'Int32BE', -(2 ** 31), 2 ** 31],
  unsignedint: [4, 'UInt32BE', 0, 2 ** 32],
  long: [8, 'BigInt64BE', -(2 ** 53), 2 ** 53],
  float: [4, 'FloatBE'],
  double: [8, 'DoubleBE'],
  number: [8, 'DoubleBE'],
};

function numberOf(type, random) {
  const [, , min, max] = numbers[type];
  if (min !== undefined) return Math.floor(min + random(max - min));
  const value = (random(1) - 0.5) * 10 ** Math.floor(random(30) - 15);
  return type === 'float' ? Math.fround(value) : value;
}

function bytesOfNumbers(type, values) {
  const [size, method] = numbers[type];
  const bytes = Buffer.alloc(size * values.length);
  values.forEach((value, i) => {
    bytes[`write${method}`](type === 'long' ? BigInt(value) : value, i * size);
  });
  return bytes;
}

const letters = ['a', 'b', ' ', '0', '"', '\\', '\n', 'é', 'ß', '€', '漢', '😀'];
/** Mostly short, now and then so long that it is a message by itself. */
const lengthOf = (random) =>
  Math.floor(
    [random(5), random(130), random(1500), random(40_000)][Math.floor(random(4) ** 2 / 4)],
  );

function textOf(random) {
  const isAscii = random(2) < 1;
  const among = isAscii ? 7 : letters.length;
  return Array.from({ length: lengthOf(random) }, () => letters[Math.floor(random(among))]).join(
    '',
  );
}

/** A value to send, its payload made without our code, and what a framed receiver gives. */
const makers = {
  string(random) {
    const text = textOf(random);
    return { value: text, payload: Buffer.from(text), given: text };
  },
  json(random) {
    const value = [
      textOf(random),
      { list: Array.from({ length: Math.floor(random(20)) }, () => random(100)) },
      null,
    ];
    return { value, payload: Buffer.from(JSON.stringify(value)), given: value };
  },
  image(random) {
    const bytes = Buffer.from(
      Array.from({ length: lengthOf(random) }, () => Math.floor(random(256))),
    );
    return { value: bytes, payload: bytes, given: bytes };
  },
};
for (const type of Object.keys(numbers)) {
  makers[type] = (random) => {
    const values = Array.from({ length: Math.floor(lengthOf(random) / 4) }, () =>
      numberOf(type, random),
    );
    return {
      value: values,
      payload: bytesOfNumbers(type, values),
      given: values.length === 1 ? values[0] : values,
    };
  };
}

/** What a raw receiver gives of all of them, put together so that cuts do not show. */
const together = {
  string: (values) => values.join(''),
  json: (values) => values,
  image: (values) => Buffer.concat(values),
};
const asOne = (type, values) => (together[type] ?? ((each) => each.flat()))(values);

for (const type of Object.keys(makers)) {
  for (const rawBytes of [false, true]) {
    const mode = rawBytes ? 'raw' : 'framed';
    test(`${type}, ${mode}, seed ${SEED}`, opts, async (t) => {
      const random = generator(SEED + type.length * 7 + Number(rawBytes));
      const side = random(2) < 1 ? 'client' : 'server';
      for (let round = 0; round < 4; round++) {
        const list = Array.from({ length: 1 + Math.floor(random(150)) }, () =>
          makers[type](random),
        );
        const options = { sendType: type, receiveType: type, rawBytes };
        const { ours, conn } = await messageKit(t).pair(side, options, { allowHalfOpen: true });
        const log = logOf(ours);
        const sent = readAll(conn);

        // In: pieces of any size, sometimes many in one read, sometimes with turns between.
        const stream = Buffer.concat(
          list.map(({ payload }) => (rawBytes ? payload : frame(payload))),
        );
        for (let at = 0; at < stream.length;) {
          const end =
            at + 1 + Math.floor([random(3), random(50), random(70_000)][Math.floor(random(3))]);
          conn.write(stream.subarray(at, end));
          at = end;
          if (random(10) < 3) await new Promise((resolve) => setImmediate(resolve));
        }

        // Out, meanwhile: several a tick, or one.
        for (const { value } of list) {
          ours.send(value);
          if (random(10) < 2) await new Promise((resolve) => setImmediate(resolve));
        }
        const over = closed(ours);
        conn.end();
        await over;
        assert.deepEqual(errorsOf(log), []);
        const got = await sent;
        if (rawBytes) {
          assert.ok(got.equals(Buffer.concat(list.map(({ payload }) => payload))));
          const given = list.map((each) => each.given);
          assert.deepEqual(asOne(type, dataOf(log)), asOne(type, given));
        } else {
          const frames = framesIn(got);
          assert.equal(frames.length, list.length);
          list.forEach(({ payload }, i) => assert.ok(frames[i].equals(payload), `message ${i}`));
          assert.deepEqual(
            dataOf(log),
            list.map(({ given }) => given),
          );
        }
      }
    });
  }
}
