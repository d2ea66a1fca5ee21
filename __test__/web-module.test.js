'use strict';

/** What `socket/web` exports, and that the examples run. The numbers are those of the acceptance cases of the contract. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { cleanEnv, runJson } = require('./helpers/child');

const opts = { timeout: 30_000 };
const names = [
  'ConnectEvent',
  'ErrorEvent',
  'TCPServerSocket',
  'TCPSocket',
  'UDPMessageEvent',
  'UDPSocket',
];

test('the module has these names, for require and import', async () => {
  const web = require('socket/web');
  const whole = require('socket');
  const imported = await import('socket/web');
  const { default: wholeImported, ...named } = await import('socket');
  for (const name of names) {
    assert.equal(web[name].name, name);
    for (const module of [whole, imported, wholeImported, named]) {
      assert.equal(module[name], web[name], name);
    }
  }
});

test('members are accessors and methods of the prototypes, and enumerable', () => {
  const { TCPServerSocket, TCPSocket, UDPSocket } = require('socket/web');
  const tcp = {
    attributes: [
      'bufferedAmount',
      'closed',
      'localAddress',
      'localPort',
      'opened',
      'readyState',
      'remoteAddress',
      'remotePort',
    ],
    methods: [
      'send',
      'close',
      'halfclose',
      'suspend',
      'resume',
      'closeImmediately',
      'ref',
      'unref',
    ],
  };
  const server = {
    attributes: ['localAddress', 'localPort', 'readyState', 'opened', 'closed'],
    methods: ['close', 'suspend', 'resume', 'ref', 'unref'],
  };
  const udp = {
    attributes: [
      'localAddress',
      'localPort',
      'remoteAddress',
      'remotePort',
      'addressReuse',
      'loopback',
      'bufferedAmount',
      'readyState',
      'opened',
      'closed',
      'joinedGroups',
    ],
    methods: [
      'send',
      'joinMulticastGroup',
      'leaveMulticastGroup',
      'close',
      'suspend',
      'resume',
      'closeImmediately',
      'ref',
      'unref',
      'dropCounts',
    ],
  };
  for (const [{ prototype }, { attributes, methods }] of [
    [TCPSocket, tcp],
    [TCPServerSocket, server],
    [UDPSocket, udp],
  ]) {
    const descriptors = Object.getOwnPropertyDescriptors(prototype);
    for (const name of attributes) assert.equal(typeof descriptors[name].get, 'function', name);
    for (const name of methods) assert.equal(typeof descriptors[name].value, 'function', name);
    const seen = Object.keys(prototype).filter((name) => !name.startsWith('on'));
    assert.deepEqual(seen.sort(), [...attributes, ...methods].sort());
  }
});

test('69: globalThis is as it was', opts, async () => {
  const { added, changed, removed } = await runJson('web-globals');
  assert.deepEqual({ added, changed, removed }, { added: [], changed: [], removed: [] });
});

/** Starts an example; its output grows. */
function example(t, name, args) {
  const file = path.join(__dirname, '..', 'examples', name);
  const child = spawn(process.execPath, [file, ...args], { env: cleanEnv() });
  const result = { child, out: '', errors: '' };
  t.after(() => child.kill('SIGKILL'));
  child.stdout.setEncoding('utf8').on('data', (text) => (result.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (result.errors += text));
  result.done = new Promise((resolve) => child.once('close', resolve));
  result.saying = (pattern) =>
    new Promise((resolve, reject) => {
      const look = () => pattern.test(result.out) && resolve(pattern.exec(result.out));
      child.stdout.on('data', look);
      result.done.then(() => reject(new Error(`it ended: ${result.out} ${result.errors}`)));
      look();
    });
  return result;
}

test('70: the echo server and the echo client of the draft', opts, async (t) => {
  const server = example(t, 'web-echo-server.js', ['0']);
  const [, port] = await server.saying(/echo server on 127\.0\.0\.1:(\d+)/);
  const client = example(t, 'web-echo-client.js', [port]);
  assert.equal(await client.done, 0);
  assert.equal(client.errors, '');
  const lines = client.out.trim().split('\n');
  assert.equal(lines[0], `connected to 127.0.0.1:${port}`);
  assert.equal(lines.at(-1), 'closed');
  const received = lines.slice(1, -1).map((line) => line.replace(/^received: /, ''));
  assert.equal(received.join(''), 'Hello, World');
  await server.saying(/connected\n.* closed\n/);
  assert.equal(server.errors, '');
});

test('70b: the echo client says why it cannot connect', opts, async (t) => {
  const client = example(t, 'web-echo-client.js', ['1']);
  assert.equal(await client.done, 0);
  assert.match(client.errors, /^NetworkError: connect ECONNREFUSED 127\.0\.0\.1:1\n$/);
});

test('70c: the discovery of the draft finds itself on the loopback interface', opts, async (t) => {
  const discovery = example(t, 'ssdp-discovery.js', ['--loopback']);
  assert.equal(await discovery.done, 0);
  assert.equal(discovery.errors, '');
  assert.match(discovery.out, /^[\d.]+:1900 uuid:of-this-program\n$/);
});

test('undici is not loaded for the sake of MessageEvent', opts, async (t) => {
  const { byPackage, byMessageEvent } = await runJson('load-list');
  if (!byMessageEvent) return t.skip('this version of Node has its MessageEvent elsewhere');
  assert.equal(byPackage, false);
});
