'use strict';

/** The program's code that runs during `send()`, to make text or numbers of a value: it may throw, or close the connection. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { TIMEOUT, closed, logOf, messageKit, readAll, turn, wireOf } = require('./helpers/messages');

const opts = { timeout: TIMEOUT };

/** What throws is the program's own code. */
const thrown = new Error('of a getter');
const fail = () => {
  throw thrown;
};
const failingElement = () => Object.defineProperty([1, 2], 1, { get: fail });
const proxy = () => new Proxy({}, { getPrototypeOf: fail, get: fail });

for (const [type, value, name] of [
  ['string', () => ({ toString: fail }), 'Object'],
  ['string', failingElement, 'Array'],
  ['string', proxy, 'object'],
  ['json', () => ({ toJSON: fail }), 'Object'],
  ['json', proxy, 'object'],
  ['int', failingElement, 'Array'],
  ['byte', failingElement, 'Array'],
  [
    'png',
    () => ({
      get data() {
        return fail();
      },
    }),
    'Object',
  ],
  ['image', proxy, 'object'],
]) {
  test(`refused: ${type}, ${name}, because the program's code throws`, opts, async (t) => {
    const options = { sendType: type, rawBytes: false };
    const { hex: wire, errors } = await wireOf(t, options, (ours) => {
      assert.equal(ours.send(value()), true);
    });
    assert.equal(wire, '');
    assert.equal(errors.length, 1);
    const [[text, err]] = errors;
    assert.equal(text, `Data cannot be converted to ${type}. It is: ${name}`);
    assert.equal(err.code, 'ERR_MESSAGE_INVALID_VALUE');
    assert.equal(err.cause, thrown);
  });
}

for (const [sendType, value] of [
  ['string', (client, act) => ({ toString: () => act(client) ?? 'late' })],
  ['json', (client, act) => ({ toJSON: () => act(client) ?? 'late' })],
  ['int', (client, act) => Object.defineProperty([1], 0, { get: () => act(client) ?? 5 })],
]) {
  for (const how of ['close', 'destroy']) {
    test(
      `${how}() inside of the conversion to ${sendType}: not sent, and said so`,
      opts,
      async (t) => {
        const { ours, conn } = await messageKit(t).pair('client', { sendType, rawBytes: false });
        const log = logOf(ours);
        const all = readAll(conn);
        const hasClosed = closed(ours);
        assert.equal(ours.send(value(ours, (client) => client[how]())), false);
        assert.equal(String(await all), '');
        await hasClosed;
        await turn();
        assert.deepEqual(log, [['error', 'Socket is closed. Cannot send data.'], ['close']]);
        assert.equal(ours.bufferedAmount, 0);
      },
    );
  }
}

test(
  'close() inside of a conversion, while connecting: nothing is left for the next open()',
  opts,
  async (t) => {
    const m = messageKit(t);
    const listening = await m.rawServer();
    const client = m.client(listening.address().port);
    const log = logOf(client);
    client.open();
    client.send({ toString: () => client.close() ?? 'late' });
    await closed(client);
    assert.deepEqual(log, [['error', 'Socket is closed. Cannot send data.'], ['close']]);
    assert.equal(client.bufferedAmount, 0);
  },
);
