'use strict';

/**
 * Wrong arguments: Node's codes, thrown at once. Each row says what is called and what it throws;
 * nothing here may reach the network.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { getDefaultHighWaterMark } = require('node:stream');
const { test } = require('node:test');
const { inspect } = require('node:util');
const { net } = require('./helpers/subject');
const { HOST, TIMEOUT, kit, once } = require('./helpers/kit');

const opts = { timeout: TIMEOUT };
const show = (value) => (typeof value === 'symbol' ? String(value) : inspect(value));

/** A server or socket that came into being although the arguments were wrong must not stay. */
function mustThrow(call, expected) {
  let leftover;
  try {
    assert.throws(() => {
      leftover = call();
    }, expected);
  } finally {
    leftover?.on?.('error', () => {});
    leftover?.destroy?.();
    leftover?.close?.();
  }
}

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const PORT = { name: 'RangeError', code: 'ERR_SOCKET_BAD_PORT' };
const MISSING = { name: 'TypeError', code: 'ERR_MISSING_ARGS' };

test('connect: ports of a wrong type', opts, () => {
  for (const port of [true, false, [], {}, () => {}, Symbol('s'), 10n]) {
    mustThrow(() => net.connect({ port, host: HOST }), TYPE);
    mustThrow(() => new net.Socket().connect({ port, host: HOST }), TYPE);
  }
});

test('connect: ports out of range', opts, () => {
  const wrong = [-1, 65536, 1.5, NaN, Infinity, -Infinity, '', ' ', '-1', '65536', '1.5', 'abc'];
  for (const port of wrong) {
    mustThrow(() => net.connect({ port, host: HOST }), PORT);
    mustThrow(() => new net.Socket().connect({ port, host: HOST }), PORT);
    if (typeof port === 'number' && port !== -1 && !Number.isNaN(port)) {
      mustThrow(() => net.connect(port, HOST), PORT);
      mustThrow(() => net.createConnection(port, HOST), PORT);
    }
  }
});

test('connect: the message names the port', opts, () => {
  mustThrow(() => net.connect({ port: 65536, host: HOST }), {
    code: 'ERR_SOCKET_BAD_PORT',
    message: 'Port should be >= 0 and < 65536. Received type number (65536).',
  });
  mustThrow(() => net.connect({ port: {}, host: HOST }), {
    code: 'ERR_INVALID_ARG_TYPE',
    message:
      'The "options.port" property must be one of type number or string. ' +
      'Received an instance of Object',
  });
});

test('connect: nothing to connect to', opts, () => {
  mustThrow(() => net.connect(), MISSING);
  mustThrow(() => net.connect({}), MISSING);
  mustThrow(() => net.connect({ host: HOST }), MISSING);
  mustThrow(() => net.createConnection(), MISSING);
  mustThrow(() => new net.Socket().connect(), MISSING);
  mustThrow(() => new net.Socket().connect({}), MISSING);
  mustThrow(() => new net.Socket().connect({ port: undefined, path: undefined }), MISSING);
  mustThrow(() => net.connect({}), {
    message: 'The "options" or "port" or "path" argument must be specified',
  });
});

const connectOptions = [
  [{ localAddress: 'foobar' }, { name: 'TypeError', code: 'ERR_INVALID_IP_ADDRESS' }],
  [{ localAddress: '300.0.0.1' }, { name: 'TypeError', code: 'ERR_INVALID_IP_ADDRESS' }],
  [{ localPort: 'foobar' }, TYPE],
  [{ localPort: {} }, TYPE],
  [{ lookup: 'foobar' }, TYPE],
  [{ lookup: 1 }, TYPE],
  [{ lookup: {} }, TYPE],
  [{ autoSelectFamily: 'yes' }, TYPE],
  [{ autoSelectFamily: 1 }, TYPE],
  [{ autoSelectFamilyAttemptTimeout: '10' }, TYPE],
  [{ autoSelectFamilyAttemptTimeout: 0 }, RANGE],
  [{ autoSelectFamilyAttemptTimeout: -10 }, RANGE],
  [{ autoSelectFamilyAttemptTimeout: 1.5 }, RANGE],
  [{ objectMode: true }, VALUE],
  [{ readableObjectMode: true }, VALUE],
  [{ writableObjectMode: true }, VALUE],
  [{ signal: 'now' }, TYPE],
  [{ highWaterMark: -1 }, VALUE],
];
for (const [options, expected] of connectOptions) {
  test(`connect: ${show(options)}`, opts, () => {
    // A name, not an address: `lookup` and its like only matter for names.
    mustThrow(() => net.connect({ port: 1, host: 'localhost', ...options }), expected);
  });
}

test('connect: a path must be a string', opts, () => {
  for (const path of [1, true, {}, []]) mustThrow(() => net.connect({ path }), TYPE);
});

test('connect: hints and family that no lookup takes', opts, () => {
  const hints = (2 << 5) + (2 << 6) + (2 << 7) + (2 << 8);
  mustThrow(() => net.connect({ port: 1, host: 'localhost', hints }), VALUE);
  mustThrow(() => net.connect({ port: 1, host: 'localhost', family: 5 }), VALUE);
});

test('connect: hosts of a wrong type', opts, () => {
  for (const host of [1, true, {}, [], () => {}]) {
    mustThrow(() => net.connect({ port: 1, host }), TYPE);
  }
});

test('a failed connect call leaves the socket usable', opts, async (t) => {
  const k = kit(t);
  const server = await k.listen();
  const socket = k.own(new net.Socket());
  assert.throws(() => socket.connect({ port: -1, host: HOST }), PORT);
  await new Promise((resolve) => socket.connect(server.address().port, HOST, resolve));
});

test('listen: ports out of range', opts, () => {
  for (const port of [-1, 65536, 1.5, NaN, Infinity, '-1', '65536']) {
    mustThrow(() => net.createServer().listen({ port }), PORT);
  }
  for (const port of [-1, 65536, 65536.5]) mustThrow(() => net.createServer().listen(port), PORT);
});

test('listen: neither port nor path nor descriptor', opts, () => {
  for (const bad of [{}, { host: HOST }, { port: true }, { port: {} }, { fd: undefined }]) {
    mustThrow(() => net.createServer().listen(bad), VALUE);
  }
  for (const bad of [true, false]) mustThrow(() => net.createServer().listen(bad), VALUE);
});

test('listen: a wrong signal', opts, () => {
  mustThrow(() => net.createServer().listen({ port: 0, signal: 'now' }), TYPE);
});

test('a failed listen call leaves the server usable', opts, async (t) => {
  const server = kit(t).ownServer(net.createServer());
  assert.throws(() => server.listen({ port: -1 }), PORT);
  assert.equal(server.listening, false);
  await new Promise((resolve) => server.listen(0, resolve));
});

test('createServer: options of a wrong type', opts, () => {
  for (const bad of ['path', 1, true]) mustThrow(() => net.createServer(bad), TYPE);
  for (const bad of ['path', 1, true]) mustThrow(() => new net.Server(bad), TYPE);
});

test('createServer: highWaterMark', opts, () => {
  mustThrow(() => net.createServer({ highWaterMark: 'big' }), TYPE);
});

test('Socket: options', opts, () => {
  mustThrow(() => new net.Socket({ objectMode: true }), VALUE);
  mustThrow(() => new net.Socket({ readableObjectMode: true }), VALUE);
  mustThrow(() => new net.Socket({ writableObjectMode: true }), VALUE);
  mustThrow(() => new net.Socket({ fd: -1 }), RANGE);
  mustThrow(() => new net.Socket({ fd: 'one' }), TYPE);
  mustThrow(() => new net.Socket({ signal: 'now' }), TYPE);
});

test('setTimeout: time and callback', opts, () => {
  for (const bad of ['100', true, false, undefined, null, {}, [], () => {}]) {
    mustThrow(() => new net.Socket().setTimeout(bad), TYPE);
  }
  for (const bad of [-1, -0.001, NaN, Infinity, -Infinity]) {
    mustThrow(() => new net.Socket().setTimeout(bad), RANGE);
  }
  for (const bad of [1, '1', true, null, {}, [], Symbol('s')]) {
    mustThrow(() => new net.Socket().setTimeout(1, bad), TYPE);
  }
});

test('write and end: chunk and encoding', opts, async (t) => {
  for (const state of ['new', 'open']) {
    const socket = state === 'new' ? new net.Socket() : (await kit(t).pair()).client;
    mustThrow(() => socket.write(null), { name: 'TypeError', code: 'ERR_STREAM_NULL_VALUES' });
    for (const bad of [undefined, 1, true, {}, [], () => {}, new Date()]) {
      mustThrow(() => socket.write(bad), TYPE);
    }
    mustThrow(() => socket.end(1), TYPE);
    mustThrow(() => socket.write('text', 'no such encoding'), {
      name: 'TypeError',
      code: 'ERR_UNKNOWN_ENCODING',
    });
    assert.throws(() => socket.setEncoding('no such encoding'), { code: 'ERR_UNKNOWN_ENCODING' });
    assert.equal(socket.destroyed, false, 'a wrong argument does not end the socket');
    socket.destroy();
  }
});

test('isIP, isIPv4 and isIPv6', opts, () => {
  const four = ['127.0.0.1', '0.0.0.0', '255.255.255.255'];
  const six = ['::', '::1', 'fe80::1%lo', '2001:db8::ff00:42:8329', '::ffff:127.0.0.1'];
  const none = ['', 'localhost', '256.0.0.1', '1.2.3', '1.2.3.4.5', ':::', '::g', null, undefined];
  for (const address of four) {
    assert.equal(net.isIP(address), 4, address);
    assert.equal(net.isIPv4(address), true);
    assert.equal(net.isIPv6(address), false);
  }
  for (const address of six) {
    assert.equal(net.isIP(address), 6, address);
    assert.equal(net.isIPv4(address), false);
    assert.equal(net.isIPv6(address), true);
  }
  for (const address of [...none, 127, {}, []]) {
    assert.equal(net.isIP(address), 0, show(address));
    assert.equal(net.isIPv4(address), false);
    assert.equal(net.isIPv6(address), false);
  }
});

test('the defaults of autoSelectFamily', opts, () => {
  const flag = net.getDefaultAutoSelectFamily();
  const time = net.getDefaultAutoSelectFamilyAttemptTimeout();
  try {
    for (const bad of ['yes', 1, null, undefined, {}]) {
      mustThrow(() => net.setDefaultAutoSelectFamily(bad), TYPE);
    }
    for (const bad of ['10', true, null, {}]) {
      mustThrow(() => net.setDefaultAutoSelectFamilyAttemptTimeout(bad), TYPE);
    }
    for (const bad of [0, -1, 1.5, NaN]) {
      mustThrow(() => net.setDefaultAutoSelectFamilyAttemptTimeout(bad), RANGE);
    }
    net.setDefaultAutoSelectFamily(!flag);
    assert.equal(net.getDefaultAutoSelectFamily(), !flag);
    net.setDefaultAutoSelectFamilyAttemptTimeout(123);
    assert.equal(net.getDefaultAutoSelectFamilyAttemptTimeout(), 123);
    // Less than 10 ms is raised to 10, so that a slow host still has a chance.
    net.setDefaultAutoSelectFamilyAttemptTimeout(1);
    assert.equal(net.getDefaultAutoSelectFamilyAttemptTimeout(), 10);
  } finally {
    net.setDefaultAutoSelectFamily(flag);
    net.setDefaultAutoSelectFamilyAttemptTimeout(time);
  }
});

test('a host is text without a NUL', opts, () => {
  for (const host of [1, {}, true, Symbol('s')])
    mustThrow(() => net.connect({ port: 1, host }), TYPE);
  mustThrow(() => net.connect({ port: 1, host: 'a\0b' }), VALUE);
});

test('a block list is one', opts, () => {
  for (const blockList of [1, {}, 'x', []]) {
    mustThrow(() => new net.Socket({ blockList }), TYPE);
    mustThrow(() => net.createServer({ blockList }), TYPE);
  }
});

test('the type of service, as an option and as a method', opts, () => {
  for (const typeOfService of ['1', {}, true, null]) {
    mustThrow(() => new net.Socket({ typeOfService }), {
      ...TYPE,
      message: /^The "options\.typeOfService" property must be of type number\./,
    });
  }
  for (const typeOfService of [-1, 256, 1.5, NaN]) {
    mustThrow(() => new net.Socket({ typeOfService }), RANGE);
  }
  mustThrow(() => new net.Socket().setTypeOfService('1'), TYPE);
  mustThrow(() => new net.Socket().setTypeOfService(256), RANGE);
});

test('a signal is one, or nothing', opts, () => {
  for (const signal of [1, 'x', {}, true]) mustThrow(() => new net.Socket({ signal }), TYPE);
  for (const signal of [undefined, null]) new net.Socket({ signal }).destroy();
});

test('a path that looks like a port is none', opts, () => {
  for (const path of ['80', '0x50', ' ']) {
    mustThrow(() => net.createServer().listen({ path }), VALUE);
  }
});

test('what is no backlog is the default one', opts, async (t) => {
  const k = kit(t);
  for (const backlog of ['x', true, null, {}, NaN, -5, 1e12]) {
    const server = k.ownServer(net.createServer());
    server.listen({ port: 0, host: HOST, backlog });
    await once(server, 'listening');
  }
});

test('a descriptor that is no stream socket is named for what it is', opts, () => {
  const fd = fs.openSync(__filename);
  try {
    mustThrow(() => new net.Socket({ fd }), {
      name: 'TypeError',
      code: 'ERR_INVALID_FD_TYPE',
      message: 'Unsupported fd type: FILE',
    });
  } finally {
    fs.closeSync(fd);
  }
  mustThrow(() => new net.Socket({ fd: 1e9 }), {
    code: 'ERR_INVALID_FD_TYPE',
    message: 'Unsupported fd type: UNKNOWN',
  });
});

test('a server without a high-water mark has the default one', opts, () => {
  const usual = net.createServer().highWaterMark;
  assert.equal(usual, getDefaultHighWaterMark(false));
  assert.equal(net.createServer({ highWaterMark: -1 }).highWaterMark, usual);
  assert.equal(net.createServer({ highWaterMark: 7 }).highWaterMark, 7);
});
