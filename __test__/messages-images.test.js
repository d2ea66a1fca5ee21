'use strict';

/** Images: pixels that are encoded, files that go out as they are, and what is received. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  TIMEOUT,
  dataOf,
  frame,
  framesIn,
  hex,
  logOf,
  messageKit,
  receivedOf,
  until,
  wireOf,
} = require('./helpers/messages');

const opts = { timeout: TIMEOUT };

const pixels = (width, height, rgba) => ({
  data: Buffer.from(Array.from({ length: width * height }, () => rgba).flat()),
  width,
  height,
});

for (const [type, signature] of [
  ['bmp', '424d'],
  ['gif', '474946383961'],
  ['jpeg', 'ffd8ff'],
  ['jpg', 'ffd8ff'],
  ['png', '89504e470d0a1a0a'],
  ['wbmp', '0000 10 02'],
  ['image', 'ffd8ff'],
]) {
  test(`pixels as ${type}, and a file of it goes out as it is`, opts, async (t) => {
    const image = pixels(16, 2, [255, 0, 0, 255]);
    const first = await wireOf(t, { sendType: type, rawBytes: false }, (ours) => {
      ours.send(image);
      ours.send({ ...image, data: new Uint8ClampedArray(image.data) });
    });
    assert.deepEqual(first.errors, []);
    const [file, same] = framesIn(first.bytes);
    assert.ok(file.equals(same));
    const start = hex(signature);
    assert.ok(file.subarray(0, start.length).equals(start), file.subarray(0, 8).toString('hex'));
    const second = await wireOf(t, { sendType: type }, (ours) => ours.send(file));
    assert.ok(second.bytes.equals(file));
  });
}

test('a wireless bitmap: light is 1, rows are padded to bytes', opts, async (t) => {
  const { data } = pixels(10, 1, [0, 0, 0, 255]);
  data.fill(255, 0, 4);
  data.fill(255, 36, 40);
  const { hex: wire } = await wireOf(t, { sendType: 'wbmp' }, (ours) =>
    ours.send({ data, width: 10, height: 1 }),
  );
  assert.equal(wire, '00000a018040');
});

test('pixels that are no picture', opts, async (t) => {
  const wrong = [
    { data: Buffer.alloc(3), width: 1, height: 1 },
    { data: Buffer.alloc(0), width: 0, height: 0 },
    { data: Buffer.alloc(4), width: -1, height: -1 },
    { data: Buffer.alloc(4), width: 2 ** 33 + 1, height: 1 },
    { data: Buffer.alloc(4), width: 1.5, height: 1 },
    { data: [1, 2, 3, 4], width: 1, height: 1 },
  ];
  const { hex: wire, errors } = await wireOf(t, { sendType: 'png' }, (ours) => {
    for (const value of wrong) ours.send(value);
  });
  assert.equal(wire, '');
  assert.equal(errors.length, wrong.length);
  for (const [, err] of errors) assert.equal(err.code, 'ERR_MESSAGE_INVALID_VALUE');
});

test('images received: one Buffer a frame, its memory its own', opts, async (t) => {
  const large = Buffer.alloc(200_000, 7);
  const log = await receivedOf(
    t,
    { receiveType: 'image', rawBytes: false },
    Buffer.concat([frame('ab'), frame(large), frame(''), frame('c')]),
  );
  const images = dataOf(log);
  assert.ok(images.every((image) => Buffer.isBuffer(image)));
  assert.deepEqual(
    images.map(({ length }) => length),
    [2, 200_000, 0, 1],
  );
  assert.ok(images[1].equals(large));
  assert.equal(String(images[0]), 'ab');
  images[0].fill(0);
  assert.equal(String(images[3]), 'c');
});

test('received arrays and images are not changed by what comes later', opts, async (t) => {
  const { ours, conn } = await messageKit(t).pair('server', { receiveType: 'image' });
  const log = logOf(ours);
  for (let i = 0; i < 50; i++) {
    conn.write(Buffer.alloc(1000, i));
    await until(() => Buffer.concat(dataOf(log)).length === (i + 1) * 1000);
  }
  const all = Buffer.concat(dataOf(log));
  for (let i = 0; i < 50; i++) assert.equal(all[i * 1000 + 500], i);
});
