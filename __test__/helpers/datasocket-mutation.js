'use strict';

/**
 * Valid streams of values with something wrong, as `scripts/mutate-values.js` and a test feed them to a listener, each on
 * a connection of its own. What comes of one is values and then the end, or an error with one of our codes and then the end.
 */

const assert = require('node:assert/strict');
const net = require('node:net');
const { encode } = require('socket/cbor');
const { DataSocket } = require('socket/data');
const { until } = require('./kit');
const { RandomValues } = require('./random-values');

const HOST = '127.0.0.1';
/** Connections at a time. */
const WIDTH = 16;
const CODES =
  /^ERR_DATASOCKET_(PROTOCOL|VERSION|CODEC|REFUSED|TOO_LARGE|DECODE|TRUNCATED)$|^ECONNRESET$|^EPIPE$/;

class Streams extends RandomValues {
  /** @param {number} seed @param {boolean} isJson */
  constructor(seed, isJson) {
    super(seed);
    this.isJson = isJson;
    this.hello = Buffer.from([0xd5, 0x44, 0x53, 0x4b, 1, isJson ? 3 : 1, 0, 0, 4, 0, 0, 0]);
    this.frames = Array.from({ length: 200 }, () => this.frame());
  }

  frame() {
    const payload = this.isJson
      ? Buffer.from(JSON.stringify({ a: [this.text(), this.below(1000), null] }))
      : encode(this.value(2 + this.below(40)));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(payload.length);
    return Buffer.concat([head, payload]);
  }

  valid() {
    const frames = Array.from({ length: this.below(5) }, () => this.pick(this.frames));
    return Buffer.concat([this.hello, ...frames]);
  }

  /** One to three changes, seldom in the hello: then there is nothing more to see. */
  mutant() {
    let bytes = this.valid();
    for (let i = this.below(3); i >= 0; i--) {
      const from = this.chance(0.05) ? 0 : this.hello.length;
      bytes = this.change(
        bytes,
        Math.min(bytes.length, from + this.below(bytes.length - from + 1)),
      );
    }
    return bytes;
  }

  change(bytes, at) {
    const [before, rest] = [bytes.subarray(0, at), bytes.subarray(at)];
    const length = 1 + this.below(8);
    switch (this.below(6)) {
      case 0: {
        const changed = Buffer.from(bytes);
        if (at < bytes.length) changed[at] ^= 1 << this.below(8);
        return changed;
      }
      case 1:
        return Buffer.concat([before, this.bytes(length), rest]);
      case 2:
        return Buffer.concat([before, rest.subarray(length)]);
      case 3:
        return Buffer.from(before);
      case 4:
        return Buffer.concat([before, this.pick(this.frames), rest]);
      default: {
        // A length of its own liking.
        const head = Buffer.alloc(4);
        head.writeUInt32BE(this.pick([0, 1, 255, 65_536, 2 ** 26, 2 ** 26 + 1, 2 ** 32 - 1]));
        return Buffer.concat([before, head, rest]);
      }
    }
  }
}

/**
 * @param {number} count
 * @param {number} seed
 * @param {{ isJson?: boolean }} [options]
 * @returns {Promise<{ values: number, errors: Record<string, number>, ended: number }>}
 */
async function tryStreams(count, seed, { isJson = false } = {}) {
  const streams = new Streams(seed, isJson);
  const result = { values: 0, errors: {}, ended: 0 };
  const note = (err) => {
    assert.match(err.code ?? err.stack, CODES, err.stack);
    result.errors[err.code] = (result.errors[err.code] ?? 0) + 1;
  };
  let settled = 0;
  const listener = DataSocket.listen(
    (socket) => {
      let hasFailed = false;
      socket.on('data', () => result.values++);
      socket.on('error', (err) => {
        hasFailed = true;
        note(err);
      });
      socket.on('close', () => {
        if (!hasFailed) result.ended++;
        settled++;
      });
      return true;
    },
    0,
    { codec: isJson ? 'json' : 'cbor' },
  );
  listener.on('clienterror', (err) => {
    note(err);
    settled++;
  });
  let begun = 0;
  const one = async () => {
    while (begun < count) {
      begun++;
      await feed(listener.port, streams.mutant(), streams);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, one));
  await until(() => settled === count);
  listener.close();
  return result;
}

/** Sends bytes in up to three pieces, then ends; resolves when the connection is closed. */
function feed(port, bytes, streams) {
  const cuts = Array.from({ length: streams.below(3) }, () => streams.below(bytes.length + 1));
  cuts.sort((a, b) => a - b);
  return new Promise((resolve) => {
    const conn = net.connect({ port, host: HOST, noDelay: true });
    conn.on('error', () => {});
    conn.on('close', resolve);
    conn.resume();
    let at = 0;
    const next = () => {
      const cut = cuts.shift();
      if (cut === undefined) {
        conn.end(bytes.subarray(at));
        return;
      }
      conn.write(bytes.subarray(at, cut));
      at = cut;
      setImmediate(next);
    };
    conn.on('connect', next);
  });
}

module.exports = { tryStreams };
