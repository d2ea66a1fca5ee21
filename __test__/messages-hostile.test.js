'use strict';

/** Peers that mean harm: an error and the close where the specification says so, and memory stays bounded. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./helpers/child');
const { messages, messageKit, hex, logOf, told, until } = require('./helpers/messages');

const MiB = 1024 * 1024;
const opts = { timeout: 90_000 };
const child = { execArgv: ['--expose-gc'], timeout: 80_000 };

for (const [scenario, check] of Object.entries({
  'tiny frames': ({ received, errors }) => {
    assert.equal(errors, 0);
    assert.ok(received >= 20 * MiB, `${received}`);
  },
  'empty frames': ({ received, errors }) => {
    assert.equal(errors, 0);
    assert.ok(received >= 20 * MiB, `${received}`);
  },
  faults: ({ received, errors, codes }) => {
    assert.equal(received, 0);
    assert.ok(errors >= MiB / 2, `${errors}`);
    assert.deepEqual(codes, ['ERR_MESSAGE_INCOMPLETE']);
  },
  'no JSON': ({ errors, codes }) => {
    assert.ok(errors >= MiB / 4, `${errors}`);
    assert.deepEqual(codes, ['ERR_MESSAGE_NOT_JSON']);
  },
  'nested JSON': ({ received, errors, codes }) => {
    assert.deepEqual(
      { received, errors, codes },
      { received: 0, errors: 1, codes: ['ERR_MESSAGE_TOO_LARGE'] },
    );
  },
  promises: ({ received }) => assert.equal(received, 0),
  dribble: ({ received, errors, closed }) => {
    assert.deepEqual({ received, errors, closed }, { received: 20, errors: 0, closed: 20 });
  },
})) {
  test(`hostile: ${scenario}`, opts, async (t) => {
    const result = await runJson('message-hostile', [scenario], child);
    t.diagnostic(`memory grew by ${(result.growth / MiB).toFixed(1)} MiB at most`);
    check(result);
    assert.ok(result.growth < 64 * MiB, `memory grew by ${Math.round(result.growth / MiB)} MiB`);
  });
}

test('lengths that are not to be believed: an error at once, and the close', opts, async (t) => {
  const m = messageKit(t);
  const limit = 64 * MiB;
  for (const [type, header, length] of [
    ['string', 'ff ffffffff', 2 ** 32 - 1],
    ['json', 'ff 80000000', 2 ** 31],
    ['image', 'ff 7fffffff', 2 ** 31 - 1],
    ['int', 'ff 04000001', limit + 1],
    ['long', 'ff 04000008', limit + 8],
  ]) {
    const { ours, conn } = await m.pair('server', { receiveType: type, rawBytes: false });
    conn.on('error', () => {});
    const log = logOf(ours);
    const failed = told(ours, 'error');
    conn.write(hex(header));
    const [text, err] = await failed;
    assert.equal(text, `A message of ${length} bytes came in, more than maxMessageSize (${limit})`);
    assert.equal(err.code, 'ERR_MESSAGE_TOO_LARGE');
    await until(() => log.at(-1)[0] === 'close');
    assert.equal(log.length, 2);
  }
});

/** Numbers that look random and are the same every time. */
function generator(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const STREAMS = Number(process.env.SOCKET_HOSTILE_STREAMS || 400);

for (const type of messages.supportedReceiveTypes()) {
  for (const rawBytes of [false, true]) {
    const mode = rawBytes ? 'raw' : 'framed';
    test(
      `${STREAMS} random streams as ${type}, ${mode}: each ends`,
      { timeout: 280_000 },
      async (t) => {
        const m = messageKit(t);
        const { server, port } = await m.server({
          receiveType: type,
          rawBytes,
          maxMessageSize: 5000,
        });
        const random = generator(type.length * 2 + Number(rawBytes));
        let closes = 0;
        server.on('connection', (socket) => {
          socket.on('error', () => {});
          socket.on('close', () => closes++);
        });
        const alphabet = Buffer.from('{}[]",:\\0123456789.eE+-truefalsn \n');
        for (let done = 0; done < STREAMS; done += 10) {
          await Promise.all(
            Array.from({ length: 10 }, async () => {
              const bytes = Buffer.from(Array.from({ length: random(600) }, () => random(256)));
              // Some are almost right: small lengths, the characters of JSON.
              const taste = random(3);
              for (let i = 0; i < bytes.length; i++) {
                if (taste === 1) bytes[i] %= 6;
                if (taste === 2) bytes[i] = alphabet[bytes[i] % alphabet.length];
              }
              const conn = await m.raw(port);
              conn.on('error', () => {});
              const over = new Promise((resolve) => conn.once('close', resolve));
              conn.resume();
              const at = random(bytes.length + 1);
              conn.write(bytes.subarray(0, at), () => conn.end(bytes.subarray(at)));
              await over;
            }),
          );
        }
        await until(() => closes >= STREAMS);
        assert.equal(server.connections.length, 0);
      },
    );
  }
}
