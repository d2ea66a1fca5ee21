'use strict';

/** A peer in Python that knows the wire format and cbor2, and nothing of us: case 49 of the contract. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { findPython } = require('./helpers/cbor-peer');
const { TIMEOUT, dataKit, told } = require('./helpers/datasocket');
const { producedFor, values } = require('./helpers/python-values');
const { difference } = require('./helpers/same');

const PEER = path.join(__dirname, 'fixtures', 'datasocket_peer.py');
const python = findPython();
const SKIP = 'no Python with cbor2 (on Debian: apt-get install python3-cbor2)';

/** Starts the peer; it must end well by itself, when the connection does. */
function start(t, ...args) {
  const child = spawn(python, [PEER, ...args], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  t.after(() => child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const ended = once(child, 'close').then(([code]) => ({ code, errors }));
  return { child, ended };
}

/** Both ways: it understands our values, and we its. */
async function talk(socket, ended) {
  const arrived = [];
  const wanted = Object.keys(values).length;
  let isAll;
  const all = new Promise((resolve) => (isAll = resolve));
  socket.on('data', (value) => {
    if (value === 'that is all') isAll();
    else arrived.push(value);
  });
  for (const entry of Object.entries(values)) socket.send(entry);
  socket.send('produce');
  await Promise.race([
    all,
    ended.then(({ errors }) => assert.fail(`it ended: ${errors}`)),
    told(socket, 'error').then(([err]) => assert.fail(err)),
  ]);
  assert.deepEqual(
    arrived.slice(0, wanted).filter((answer) => answer !== true),
    [],
  );
  const produced = Object.fromEntries(arrived.slice(wanted));
  const expected = producedFor(produced);
  assert.deepEqual(Object.keys(produced), Object.keys(expected));
  for (const name of Object.keys(expected)) {
    assert.equal(difference(expected[name], produced[name]), null, name);
  }
  socket.close();
  assert.deepEqual(await ended, { code: 0, errors: '' });
}

test('49: Python listens', { timeout: 6 * TIMEOUT }, async (t) => {
  if (python === null) return t.skip(SKIP);
  const { connect } = dataKit(t);
  const { child, ended } = start(t, 'listen');
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const client = connect(Number(line));
  await told(client, 'connect');
  await talk(client, ended);
});

test('49: Python connects', { timeout: 6 * TIMEOUT }, async (t) => {
  if (python === null) return t.skip(SKIP);
  const { listen } = dataKit(t);
  let take;
  const accepted = new Promise((resolve) => (take = resolve));
  const listener = listen((socket) => {
    take(socket);
    return true;
  });
  const { ended } = start(t, 'connect', String(listener.port));
  await talk(await accepted, ended);
});
