'use strict';

/** What the module exports, and the ways to load it. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { net, isOurs, SKIP_FOREIGN } = require('./helpers/subject');
const { run } = require('./helpers/child');
const { NO_OPENSSL } = require('./helpers/tls-certificates');

const functions = [
  'createServer',
  'connect',
  'createConnection',
  'isIP',
  'isIPv4',
  'isIPv6',
  'getDefaultAutoSelectFamily',
  'setDefaultAutoSelectFamily',
  'getDefaultAutoSelectFamilyAttemptTimeout',
  'setDefaultAutoSelectFamilyAttemptTimeout',
];
const classes = ['Socket', 'Stream', 'Server', 'BlockList', 'SocketAddress'];

function checkSurface(module) {
  for (const name of [...functions, ...classes]) {
    assert.equal(typeof module[name], 'function', name);
  }
}

test('the surface of net', () => checkSurface(net));

test('Socket and Server have the members of net', () => {
  const socket = [
    ['address', 'connect', 'destroySoon', 'pause', 'ref', 'resetAndDestroy', 'resume'],
    ['setEncoding', 'setKeepAlive', 'setNoDelay', 'setTimeout', 'unref', 'write', 'end'],
  ].flat();
  for (const name of socket) assert.equal(typeof net.Socket.prototype[name], 'function', name);
  for (const name of ['listen', 'address', 'getConnections', 'close', 'ref', 'unref']) {
    assert.equal(typeof net.Server.prototype[name], 'function', name);
  }
  const instance = new net.Socket();
  for (const name of ['bytesRead', 'bytesWritten', 'connecting', 'pending', 'readyState']) {
    assert.ok(name in instance, name);
  }
  for (const side of ['local', 'remote']) {
    for (const part of ['Address', 'Port', 'Family']) assert.ok(`${side}${part}` in instance);
  }
  instance.destroy();
  const server = new net.Server();
  assert.ok('listening' in server);
  assert.ok('maxConnections' in server || server.maxConnections === undefined);
});

test('the package can be required by its name, whole and as net', (t) => {
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  const whole = require('socket');
  const only = require('socket/net');
  checkSurface(whole);
  checkSurface(only);
  assert.equal(whole.Socket, only.Socket);
  assert.equal(whole.Server, only.Server);
  // `const net = require('socket/net')` replaces node:net: nothing that net has is missing.
  // But for what late versions of 26 have for passing handles of Node's own between threads.
  const missing = Object.keys(require('node:net')).filter(
    (name) => !(name in only) && !name.startsWith('_') && name !== 'BoundSocket',
  );
  assert.deepEqual(missing, []);
});

test('the package can be imported by its name', async (t) => {
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  const whole = await import('socket');
  checkSurface(whole);
  assert.equal(whole.Socket, require('socket').Socket);
  const only = await import('socket/net');
  assert.equal(only.Socket ?? only.default.Socket, whole.Socket);
});

test('named imports work in a program', { timeout: 60_000 }, async (t) => {
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  const result = await run('named-imports', [], { extension: 'mjs' });
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stdout, 'imported\n');
});

test(
  'loading twice gives the same module, and loading holds nothing',
  { timeout: 60_000 },
  async () => {
    const result = await run('exit-scenarios', ['require only']);
    assert.equal(result.stdout, 'exit 0\n');
    const entry = require.resolve(isOurs ? process.env.SOCKET_TEST_SUBJECT || '..' : 'node:net');
    assert.equal(require(entry), net);
  },
);

test('without the native half, the error says what is missing and what to do', (t) => {
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'socket-native-'));
  try {
    fs.mkdirSync(path.join(dir, 'lib'));
    const copy = path.join(dir, 'lib', 'native.js');
    fs.copyFileSync(path.join(__dirname, '..', 'lib', 'native.js'), copy);
    assert.throws(() => require(copy), {
      code: 'ERR_SOCKET_NATIVE_MISSING',
      message: new RegExp(`${process.platform}-${process.arch}.*npm run build`, 's'),
    });
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
});

test('where addons may not be loaded, the error says so', async (t) => {
  if (!isOurs) return t.skip(SKIP_FOREIGN);
  const { stderr } = await run('no-warning', [], { execArgv: ['--no-addons'] });
  assert.match(stderr, /could not be loaded: .*addons is disabled/);
  assert.match(stderr, /ERR_SOCKET_NATIVE_MISSING/);
});

for (const what of ['plain', 'tls']) {
  test(`what is in Object.prototype is no option (${what})`, async (t) => {
    if (what === 'tls' && NO_OPENSSL) return t.skip(NO_OPENSSL);
    const { stdout, stderr } = await run('polluted', [what]);
    assert.equal(stdout, 'done\n', stderr);
  });
}

test('nothing of Node is used that it warns of, or will', async () => {
  const all = [
    { execArgv: ['--pending-deprecation', '--throw-deprecation'] },
    { execArgv: ['--pending-deprecation'] },
    { env: { NODE_PENDING_DEPRECATION: '1' } },
  ];
  for (const opts of all) {
    const { stdout, stderr } = await run('no-warning', [], opts);
    assert.equal(stderr, '');
    assert.equal(stdout, 'done\n');
  }
});
