'use strict';

/** What may be sent as what, beyond the table; what is refused, and that nothing of it goes out. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  TIMEOUT,
  closed,
  dataOf,
  errorsOf,
  frame,
  framesIn,
  hex,
  logOf,
  messageKit,
  readBytes,
  receivedOf,
  told,
  wireOf,
  writeCut,
} = require('./helpers/messages');

const opts = { timeout: TIMEOUT };

for (const [type, value, wire] of [
  ['byte', 255n, 'ff'],
  ['short', -2n, 'fffe'],
  ['unsignedshort', 65537n, '0001'],
  ['int', 2n ** 32n + 5n, '00000005'],
  ['unsignedint', -1n, 'ffffffff'],
  ['long', 2n ** 63n - 1n, '7fffffffffffffff'],
  ['long', -(2n ** 63n), '8000000000000000'],
  ['long', 2n ** 64n + 7n, '0000000000000007'],
  ['long', [1n, 2, -3n], '0000000000000001 0000000000000002 fffffffffffffffd'],
  ['long', 2 ** 53 + 2, '0020000000000002'],
  ['long', -(2 ** 40) - 1.5, 'fffffeffffffffff'],
  ['long', [NaN, -1e300, 1e300], '0000000000000000 8000000000000000 7fffffffffffffff'],
  [
    'unsignedint',
    [NaN, Infinity, -Infinity, -1.9, 4294967295.9],
    '00000000 ffffffff 00000000 ffffffff ffffffff',
  ],
  ['float', 3n, '40400000'],
  ['double', 2n ** 70n, '4450000000000000'],
  ['number', -1n, 'bff0000000000000'],
  ['float', -NaN, '7fc00000'],
  ['double', -NaN, '7ff8000000000000'],
  ['float', -0, '80000000'],
  ['short', new Int8Array([-1, 2]), 'ffff 0002'],
  ['byte', new Int8Array([-1, 2]), 'ff02'],
  ['byte', Buffer.from([200, 1]), 'c801'],
  ['unsignedbyte', new Uint8Array([200, 1]), 'c801'],
  ['short', Buffer.from([200, 1]), '00c8 0001'],
  ['int', new Float64Array([1.9, -1.9, 1e10]), '00000001 ffffffff 7fffffff'],
  ['long', new BigInt64Array([-1n, 5n]), 'ffffffffffffffff 0000000000000005'],
  ['float', new Float32Array([0.5]), '3f000000'],
  ['int', [1, undefined, 2, null], '00000001 00000002'],
  // oxlint-disable-next-line no-sparse-arrays -- a hole is what is looked at
  ['int', [1, , 2], '00000001 00000002'],
  ['int', [], ''],
  ['int', new Uint8Array(0), ''],
  ['string', true, of('true')],
  ['string', 1e21, of('1e+21')],
  ['string', 12n, of('12')],
  ['string', { toString: () => 'é' }, 'c3a9'],
  ['string', ['a', null, undefined, 1, 'é'], `61 31 c3a9`],
  ['string', '\ud800', 'efbfbd'],
  ['string', 'a\udc00b', '61 efbfbd 62'],
  ['string', '\ufeffx', 'efbbbf 78'],
  ['string', Buffer.from([0xff, 0]), 'ff00'],
  ['string', '', ''],
  ['json', '[1, 2]', of('[1, 2]')],
  ['json', [1, 'é', null], of('[1,"é",null]')],
  ['json', null, of('null')],
  ['json', undefined, ''],
  ['json', { toJSON: () => 5 }, of('5')],
  ['json', true, of('true')],
  ['image', new Uint8Array([1, 2]), '0102'],
]) {
  test(`${type} ${show(value)}, raw and framed`, opts, async (t) => {
    const bytes = hex(wire);
    const raw = await wireOf(t, { sendType: type }, (ours) => ours.send(value));
    assert.equal(raw.hex, bytes.toString('hex'));
    assert.deepEqual(raw.errors, []);
    const framed = await wireOf(t, { sendType: type, rawBytes: false }, (ours) => ours.send(value));
    const expected = value === undefined ? Buffer.alloc(0) : frame(bytes);
    assert.equal(framed.hex, expected.toString('hex'));
  });
}

function of(text) {
  return Buffer.from(text).toString('hex');
}

function show(value) {
  return require('node:util').inspect(value, { breakLength: Infinity }).slice(0, 60);
}

class Thing {}
const circle = {};
circle.self = circle;

for (const [type, value, text] of [
  ['int', 'abc', 'Data cannot be converted to int. It is: string'],
  ['int', '12', 'Data cannot be converted to int. It is: string'],
  ['short', true, 'Data cannot be converted to short. It is: boolean'],
  ['double', {}, 'Data cannot be converted to double. It is: Object'],
  ['double', new Thing(), 'Data cannot be converted to double. It is: Thing'],
  ['byte', [1, [2], 3], 'Data cannot be converted to byte. It is: Array'],
  ['byte', [1, 'x'], 'Data cannot be converted to byte. It is: string'],
  ['long', Symbol('s'), 'Data cannot be converted to long. It is: symbol'],
  ['int', new DataView(new ArrayBuffer(4)), 'Data cannot be converted to int. It is: DataView'],
  ['string', Object.create(null), 'Data cannot be converted to string. It is: object'],
  [
    'string',
    [Symbol('s'), Object.create(null)],
    'Data cannot be converted to string. It is: Array',
  ],
  ['json', circle, 'Data cannot be converted to json. It is: Object'],
  ['json', 5n, 'Data cannot be converted to json. It is: bigint'],
  ['json', () => {}, 'Data cannot be converted to json. It is: Function'],
  ['image', 'picture', 'Expected an image to send, but instead got string'],
  ['png', {}, 'Expected an image to send, but instead got Object'],
  [
    'png',
    hex('ffd8ffe000104a464946'),
    'Expected an image of type png to send, but this one is jpeg',
  ],
  [
    'gif',
    hex('01'),
    'Expected an image of type gif to send, but these bytes are none that is known',
  ],
]) {
  test(`refused: ${type} ${show(value)}`, opts, async (t) => {
    for (const rawBytes of [true, false]) {
      const { hex: wire, errors } = await wireOf(t, { sendType: type, rawBytes }, (ours) => {
        assert.equal(ours.send(value), true, 'little waits');
      });
      assert.equal(wire, '');
      assert.equal(errors.length, 1);
      assert.equal(errors[0][0], text);
      assert.equal(errors[0][1].message, text);
      assert.equal(errors[0][1].code, 'ERR_MESSAGE_INVALID_VALUE');
    }
  });
}

test('a refused message between others leaves no trace', opts, async (t) => {
  const { bytes, errors } = await wireOf(t, { sendType: 'int', rawBytes: false }, (ours) => {
    ours.send(1);
    ours.send([2, 'x']);
    ours.send([3, 4]);
  });
  assert.equal(bytes.toString('hex'), '0400000001080000000300000004');
  assert.equal(errors.length, 1);
});

test('long as a BigInt', opts, async (t) => {
  const options = { receiveType: 'long', bigint: true };
  const bytes = hex('7fffffffffffffff 8000000000000000 0000000000000007');
  const values = [2n ** 63n - 1n, -(2n ** 63n), 7n];
  assert.deepEqual(dataOf(await receivedOf(t, options, bytes)), values);
  assert.deepEqual(dataOf(await receivedOf(t, { ...options, rawBytes: false }, frame(bytes))), [
    values,
  ]);
  const one = frame(bytes.subarray(0, 8));
  assert.deepEqual(dataOf(await receivedOf(t, { ...options, rawBytes: false }, one)), [values[0]]);
  // Only `long` is meant.
  assert.deepEqual(
    dataOf(await receivedOf(t, { receiveType: 'int', bigint: true }, hex('00000007'))),
    [7],
  );
});

test('a large array of numbers, framed, and one that is over', opts, async (t) => {
  const values = Array.from({ length: 50_000 }, (_, i) => i * 3 - 70_000);
  const payload = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => payload.writeInt32BE(value, i * 4));
  const { bytes } = await wireOf(t, { sendType: 'int', rawBytes: false }, (ours) =>
    ours.send(values),
  );
  assert.ok(bytes.equals(frame(payload)));
  const over = frame(Buffer.concat([payload, Buffer.from([1, 2, 3])]));
  const log = await receivedOf(
    t,
    { receiveType: 'int', rawBytes: false },
    Buffer.concat([frame(payload), over, frame(hex('00000005'))]),
  );
  assert.deepEqual(dataOf(log), [values, values, 5]);
  assert.deepEqual(errorsOf(log), [
    'Expect to receive type INT, but received bytes over behind the last whole one: 3',
  ]);
});

test('texts around every length at which something changes', opts, async (t) => {
  const lengths = [0, 1, 42, 84, 85, 126, 127, 128, 129, 253, 254, 255, 256, 1023, 1024, 1025];
  lengths.push(
    4095,
    4096,
    4097,
    10_922,
    10_923,
    16_383,
    16_384,
    16_385,
    32_762,
    32_763,
    32_768,
    100_000,
  );
  const texts = lengths.flatMap((length) => [
    'x'.repeat(length),
    'é'.repeat(length),
    `${'x'.repeat(length)}€`,
    '😀'.repeat(length >> 1),
    // ASCII in memory of two bytes for each character.
    `€${'x'.repeat(length)}`.slice(1),
  ]);
  for (const rawBytes of [false, true]) {
    const { bytes, errors } = await wireOf(t, { rawBytes }, (ours) =>
      texts.forEach((text) => ours.send(text)),
    );
    assert.deepEqual(errors, []);
    const payloads = texts.map((text) => Buffer.from(text));
    if (rawBytes) assert.ok(bytes.equals(Buffer.concat(payloads)));
    else assert.deepEqual(framesIn(bytes).map(String), texts);
  }
  const log = await receivedOf(
    t,
    { rawBytes: false },
    Buffer.concat(texts.map((text) => frame(text))),
  );
  assert.deepEqual(dataOf(log), texts);
});

test('lone surrogates in a long text', opts, async (t) => {
  const texts = ['\ud800'.repeat(200), `${'x'.repeat(200)}\udfff`, `\ud800${'x'.repeat(40_000)}`];
  const { bytes } = await wireOf(t, { rawBytes: false }, (ours) =>
    texts.forEach((text) => ours.send(text)),
  );
  assert.deepEqual(
    framesIn(bytes).map(String),
    texts.map((text) => text.replace(/[\ud800-\udfff]/g, '\ufffd')),
  );
});

test('many short texts of which one is not ASCII', opts, async (t) => {
  for (const odd of ['é', '€uro', '😀', '\ud800', 'y'.repeat(126) + 'é', 'é'.repeat(127)]) {
    for (const at of [0, 500, 999]) {
      const texts = Array.from({ length: 1000 }, (_, i) => (i === at ? odd : `text ${i}`));
      const { bytes } = await wireOf(t, { rawBytes: false }, (ours) =>
        texts.forEach((text) => ours.send(text)),
      );
      assert.deepEqual(
        framesIn(bytes).map(String),
        texts.map((text) => String(Buffer.from(text))),
      );
    }
  }
});

test(
  'texts that are not ASCII leave with their tick, with nothing sent after them',
  opts,
  async (t) => {
    const { ours, conn } = await messageKit(t).pair('server', { rawBytes: false });
    for (const texts of [
      ['é'],
      ['x', '€'],
      ['😀', 'x'.repeat(100), 'ß'],
      ['a'.repeat(5000), 'é', 'b'.repeat(50_000)],
    ]) {
      const bytes = Buffer.concat(texts.map((text) => frame(text)));
      const all = readBytes(conn, bytes.length);
      for (const text of texts) ours.send(text);
      assert.ok((await all).equals(bytes));
      assert.equal(ours.bufferedAmount, 0);
    }
  },
);

test('what is no UTF-8 becomes U+FFFD and is no error', opts, async (t) => {
  const bytes = Buffer.concat([frame(hex('ff61')), frame(hex('c3')), frame('ok')]);
  assert.deepEqual(await receivedOf(t, { rawBytes: false }, bytes), [
    ['data', '\ufffda'],
    ['data', '\ufffd'],
    ['data', 'ok'],
    ['close'],
  ]);
  const raw = await receivedOf(t, {}, hex('61 ff 62 e282'));
  assert.equal(dataOf(raw).join(''), 'a\ufffdb\ufffd', 'the end of the stream completes nothing');
  assert.deepEqual(errorsOf(raw), []);
});

test('a BOM is part of the text', opts, async (t) => {
  const log = await receivedOf(t, { rawBytes: false }, frame('\ufeffx'));
  assert.deepEqual(dataOf(log), ['\ufeffx']);
});

test('JSON in frames: values, and frames that are none', opts, async (t) => {
  const texts = ['null', '{"a":[1,"é"]}', ' 5 ', '{a}', '', '"x"', '1 2'];
  const log = await receivedOf(
    t,
    { receiveType: 'json', rawBytes: false },
    Buffer.concat(texts.map((text) => frame(text))),
  );
  const bad = (bytes) =>
    `Expect to receive type JSON, but received ${bytes} bytes that are not JSON`;
  assert.deepEqual(log, [
    ['data', null],
    ['data', { a: [1, 'é'] }],
    ['data', 5],
    ['error', bad(3)],
    ['error', bad(0)],
    ['data', 'x'],
    ['error', bad(3)],
    ['close'],
  ]);
});

test('raw JSON: texts end where they end, however they are cut', opts, async (t) => {
  const stream = '{"a":"}\\"é"}[1,[2]] "x" true null\n7 {"b":{}}';
  const expected = [{ a: '}"é' }, [1, [2]], 'x', true, null, 7, { b: {} }];
  assert.deepEqual(dataOf(await receivedOf(t, { receiveType: 'json' }, stream)), expected);
  const { ours, conn } = await messageKit(t).pair('server', { receiveType: 'json' });
  const log = logOf(ours);
  const bytes = Buffer.from(stream);
  await writeCut(conn, [
    bytes.subarray(0, 6),
    bytes.subarray(6, 10),
    bytes.subarray(10, 15),
    bytes.subarray(15),
  ]);
  conn.end();
  await closed(ours);
  assert.deepEqual(dataOf(log), expected);
  assert.deepEqual(errorsOf(log), []);
});

test(
  'raw JSON: what is none is an error and passed over; what is left at the end, too',
  opts,
  async (t) => {
    const log = await receivedOf(t, { receiveType: 'json' }, '{a} [1] {"b":');
    assert.deepEqual(log, [
      ['error', 'Expect to receive type JSON, but received 3 bytes that are not JSON'],
      ['data', [1]],
      ['error', 'Expect to receive type JSON, but received 5 bytes that are not JSON'],
      ['close'],
    ]);
  },
);

test('raw JSON: a large text', opts, async (t) => {
  const value = { list: Array.from({ length: 100_000 }, (_, i) => i) };
  const log = await receivedOf(
    t,
    { receiveType: 'json' },
    JSON.stringify(value) + JSON.stringify([1]),
  );
  assert.deepEqual(dataOf(log), [value, [1]]);
});

/** A view whose memory was given away. */
function detached(view) {
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

for (const [type, value, name] of [
  ['byte', () => detached(new Uint8Array(4)), 'Uint8Array'],
  ['byte', () => detached(new Int8Array(4)), 'Int8Array'],
  ['int', () => detached(new Int32Array(4)), 'Int32Array'],
  ['long', () => detached(new BigInt64Array(4)), 'BigInt64Array'],
  ['string', () => detached(new Uint8Array(4)), 'Uint8Array'],
  ['string', () => detached(new DataView(new ArrayBuffer(4))), 'DataView'],
  ['string', () => detached({ buffer: new ArrayBuffer(4) }).buffer, 'ArrayBuffer'],
  ['image', () => detached(new Uint8Array(4)), 'Uint8Array'],
  ['png', () => detached(new Uint8Array(4)), 'Uint8Array'],
]) {
  for (const rawBytes of [true, false]) {
    const how = rawBytes ? 'raw' : 'framed';
    test(`refused: ${type}, a ${name} whose memory is gone, ${how}`, opts, async (t) => {
      const { hex: wire, errors } = await wireOf(t, { sendType: type, rawBytes }, (ours) => {
        assert.equal(ours.send(value()), true);
      });
      assert.equal(wire, '');
      assert.equal(errors.length, 1);
      const [[text, err]] = errors;
      assert.equal(err.code, 'ERR_MESSAGE_INVALID_VALUE');
      assert.ok(text.startsWith(`Data cannot be converted to ${type}. It is: ${name}`), text);
    });
  }
}

test('views that are empty, and have their memory, are sent', opts, async (t) => {
  for (const [sendType, value] of [
    ['byte', new Uint8Array(0)],
    ['int', new Int32Array(0)],
    ['string', new DataView(new ArrayBuffer(0))],
    ['string', new ArrayBuffer(0)],
    ['string', new Float64Array(0)],
  ]) {
    const { hex: wire, errors } = await wireOf(t, { sendType, rawBytes: false }, (ours) =>
      ours.send(value),
    );
    assert.equal(wire, '00', sendType);
    assert.deepEqual(errors, []);
  }
});

test('memory as text: bytes as they are; numbers as in an array', opts, async (t) => {
  const memory = Uint8Array.from(Buffer.from('héllo')).buffer;
  const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(0x61);
  for (const [value, text] of [
    [memory, 'héllo'],
    [new DataView(memory, 1, 2), 'é'],
    [shared, 'aa'],
    [shared.buffer, 'aa'],
    [new Int16Array([1, 2]), '12'],
    [[1, 2], '12'],
    [new Float64Array([1.5, -2]), '1.5-2'],
    [new BigInt64Array([1n, 2n]), '12'],
  ]) {
    const { bytes } = await wireOf(t, {}, (ours) => ours.send(value));
    assert.equal(String(bytes), text);
  }
});

test('halves of a surrogate pair in two messages stay halves', opts, async (t) => {
  const act = (ours) => {
    ours.send('a\ud83d');
    ours.send('\ude00b');
    ours.send('\ude00');
    ours.send('\ud83d\ude00');
    ours.send('\ud83d');
    ours.send('x'.repeat(1000));
    ours.send('\ude00');
  };
  const half = 'efbfbd';
  const parts = [`61${half}`, `${half}62`, half, 'f09f9880', half, '78'.repeat(1000), half];
  const raw = await wireOf(t, {}, act);
  assert.equal(raw.hex, parts.join(''));
  const framed = await wireOf(t, { rawBytes: false }, act);
  assert.deepEqual(
    framesIn(framed.bytes).map((bytes) => bytes.toString('hex')),
    parts,
  );
});

test('a frame of very many numbers is an array like any other', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', {
    rawBytes: false,
    receiveType: 'byte',
  });
  // One more than V8 makes a plain array of at once.
  const length = 2 ** 25 + 1;
  const bytes = Buffer.alloc(length, 7);
  bytes[0] = 1;
  bytes[length - 1] = 255;
  const header = Buffer.alloc(5, 255);
  header.writeUInt32BE(length, 1);
  const made = [];
  const RealArray = Array;
  t.after(() => (globalThis.Array = RealArray));
  globalThis.Array = new Proxy(RealArray, {
    construct(target, args) {
      made.push(args[0]);
      return Reflect.construct(target, args);
    },
  });
  conn.write(header);
  conn.end(bytes);
  conn.resume();
  const [values] = await told(ours, 'data');
  globalThis.Array = RealArray;
  // A longer one begins as a dictionary, and takes seconds.
  assert.deepEqual(
    made.filter((each) => each > 2 ** 25),
    [],
  );
  assert.equal(values.length, length);
  assert.deepEqual([values[0], values[1], values[length - 2], values.at(-1)], [1, 7, 7, -1]);
});

for (const receiveType of ['string', 'json']) {
  test(
    `a text that no string can hold is one that is too long (${receiveType})`,
    opts,
    async (t) => {
      const { ours, conn } = await messageKit(t).pair('client', {
        rawBytes: false,
        receiveType,
        reconnectOnDrop: true,
      });
      // More than half a gigabyte, really.
      const { utf8Slice } = Buffer.prototype;
      const failure = Object.assign(new Error('Cannot create a string'), {
        code: 'ERR_STRING_TOO_LONG',
      });
      t.mock.method(Buffer.prototype, 'utf8Slice', function (from, to) {
        if (to - from === 500_000) throw failure;
        return utf8Slice.call(this, from, to);
      });
      const log = logOf(ours);
      const failed = told(ours, 'error');
      conn.on('error', () => {});
      conn.resume();
      conn.write(Buffer.concat([frame('1'), frame('x'.repeat(500_000)), frame('2')]));
      const [text, err] = await failed;
      assert.equal(err.code, 'ERR_MESSAGE_TOO_LARGE');
      assert.equal(err.cause, failure);
      assert.match(text, /^A message of 500000 bytes came in/);
      await closed(ours);
      assert.deepEqual(
        log.map(([name]) => name),
        ['data', 'error', 'close'],
      );
    },
  );
}
