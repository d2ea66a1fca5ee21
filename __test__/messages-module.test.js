'use strict';

/** What `socket/messages` exports, what of it the front door has, and that the examples run. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { cleanEnv } = require('./helpers/child');

const names = [
  'Socket',
  'SocketClient',
  'SocketServer',
  'supportedReceiveTypes',
  'supportedSendTypes',
];

test('the module has these names and no others', async () => {
  const messages = require('socket/messages');
  assert.deepEqual(Object.keys(messages).sort(), names);
  const imported = await import('socket/messages');
  for (const name of names) assert.equal(imported[name], messages[name], name);
});

test('the front door has them, too; its Socket is of net', async () => {
  const whole = require('socket');
  const messages = require('socket/messages');
  assert.equal(whole.MessageSocket, messages.Socket);
  assert.notEqual(whole.Socket, messages.Socket);
  for (const name of names.slice(1)) assert.equal(whole[name], messages[name], name);
  const { MessageSocket, SocketClient } = await import('socket');
  assert.equal(MessageSocket, messages.Socket);
  assert.equal(SocketClient, messages.SocketClient);
});

/** Runs an example until it has printed all of `wanted`, after `lines` were typed. */
async function runExample(t, name, lines, wanted) {
  const file = path.join(__dirname, '..', 'examples', name);
  const child = spawn(process.execPath, [file, '0'], { env: cleanEnv() });
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  let errors = '';
  const done = new Promise((resolve) => child.once('close', resolve));
  child.stderr.on('data', (text) => (errors += text));
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      out += text;
      if (wanted.every((each) => each.test(out))) resolve();
    });
    done.then(() => reject(new Error(`it ended too early: ${out} ${errors}`)));
    for (const line of lines) child.stdin.write(`${line}\n`);
  });
  child.stdin.end();
  child.kill('SIGTERM');
  await done;
  assert.equal(errors, '');
}

const opts = { timeout: 30_000 };

test('the example of a sensor runs', opts, (t) =>
  runExample(t, 'sensor-feed.js', [], [/^ *\d+ °C (#+\n|\n)/m, /(.*\n){3}/]),
);

test('the example of a two-way chat runs', opts, (t) =>
  runExample(t, 'two-way-chat.js', ['hello', 'grüße'], [/you said: hello/, /you said: grüße/]),
);
