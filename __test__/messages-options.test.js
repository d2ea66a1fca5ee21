'use strict';

/** Every option: its default, what it takes, and that it reaches the system. */

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('./helpers/child');
const { NO_PROC, noStrace, timerOf, traceCalls } = require('./helpers/system');
const { TIMEOUT, messageKit, messages, turn } = require('./helpers/messages');

const { SocketClient, SocketServer, supportedReceiveTypes, supportedSendTypes } = messages;
const opts = { timeout: TIMEOUT };

const common = {
  batch: false,
  bigint: false,
  emitBatchDataAsAvailable: false,
  idleTimeout: 0,
  keepAlive: true,
  maxBufferedAmount: 0,
  maxMessageSize: 64 * 1024 * 1024,
  noDelay: true,
  pfxKeyCertPassword: '',
  pfxKeyCertPath: '',
  rawBytes: true,
  receiveBufferSize: 65536,
  receiveType: 'string',
  sendBufferSize: 65536,
  sendType: 'string',
  sslTls: false,
  trustedCACertPath: '',
};
const clientDefaults = {
  ...common,
  connectTimeout: 6000,
  discardMessagesBeforeOpen: false,
  maxUnsentMessages: 100,
  reconnectAttempts: 10,
  reconnectBackoff: undefined,
  reconnectInterval: 1000,
  reconnectOnDrop: false,
  signal: undefined,
  trustAll: false,
  verifyHost: true,
};
const serverDefaults = { ...common, clientAuth: 'none', hostInterface: '0.0.0.0', port: 4000 };

const clientOptions = (options) => new SocketClient(1, 'localhost', options).options;
const serverOptions = (options) => new SocketServer(options).options;
const both = [
  ['client', clientOptions, clientDefaults],
  ['server', serverOptions, serverDefaults],
];

const has = (options, expected) => {
  for (const [name, value] of Object.entries(expected))
    assert.deepEqual(options[name], value, name);
};

for (const [side, optionsOf, defaults] of both) {
  test(`the defaults of a ${side}`, () => {
    has(optionsOf(), defaults);
    has(optionsOf(null), defaults);
    const absent = Object.fromEntries(Object.keys(defaults).map((name) => [name, undefined]));
    has(optionsOf(absent), defaults);
    const nulls = Object.fromEntries(Object.keys(defaults).map((name) => [name, null]));
    has(optionsOf(nulls), defaults);
  });

  test(`numbers out of range are refused by a ${side}`, () => {
    const wrong = {
      idleTimeout: [-1, NaN, Infinity, 2 ** 31],
      maxBufferedAmount: [-1, NaN, 2 ** 53],
      maxMessageSize: [0, -1, 2 ** 31],
      receiveBufferSize: [0, -1, 2 ** 31],
      sendBufferSize: [0, -1, 2 ** 31],
    };
    if (side === 'client') {
      Object.assign(wrong, {
        connectTimeout: [-1, NaN, 2 ** 31],
        maxUnsentMessages: [-1, 2 ** 31],
        reconnectAttempts: [-2, 2 ** 31],
        reconnectInterval: [0, -1, 2 ** 31],
      });
    }
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        assert.throws(() => optionsOf({ [name]: value }), {
          name: 'RangeError',
          code: 'ERR_OUT_OF_RANGE',
          message: new RegExp(`"options\\.${name}"`),
        });
      }
      for (const value of ['', 'many', {}, [], true, () => {}, Symbol('5'), 5n]) {
        assert.throws(
          () => optionsOf({ [name]: value }),
          (err) => err.code === 'ERR_INVALID_ARG_TYPE' || err.code === 'ERR_OUT_OF_RANGE',
          `${name}: ${String(value)}`,
        );
      }
    }
  });

  test(`what a ${side} takes at the borders, and as text`, () => {
    has(optionsOf({ idleTimeout: 2.5, maxMessageSize: 1, rawBytes: false }), {
      idleTimeout: 2.5,
      maxMessageSize: 1,
      rawBytes: false,
    });
    has(
      optionsOf({ maxMessageSize: '6000', idleTimeout: '2', rawBytes: 'false', noDelay: 'TRUE' }),
      {
        maxMessageSize: 6000,
        idleTimeout: 2,
        rawBytes: false,
        noDelay: true,
      },
    );
    has(optionsOf({ maxMessageSize: 6000.9, keepAlive: 0, batch: 1 }), {
      maxMessageSize: 6000,
      keepAlive: false,
      batch: true,
    });
  });

  test(`what is no boolean, no text, no object is refused by a ${side}`, () => {
    for (const [name, value] of [
      ['rawBytes', 'maybe'],
      ['noDelay', {}],
      ['keepAlive', 2],
      ['trustedCACertPath', 5],
      ['pfxKeyCertPath', {}],
    ]) {
      assert.throws(() => optionsOf({ [name]: value }), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    assert.throws(() => optionsOf('options'), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  test(`types are found in any case and with space around by a ${side}`, () => {
    for (const name of [...supportedReceiveTypes(), ' INT ', 'unsignedByte', '\tJson\n']) {
      optionsOf({ receiveType: name, sendType: name });
    }
    for (const name of [...supportedSendTypes(), ' PNG', 'Jpg ']) optionsOf({ sendType: name });
  });

  test(`unknown types are refused by the constructor of a ${side}`, () => {
    for (const [name, shown] of [
      ['integer', 'integer'],
      ['', ''],
      [5, '5'],
      [{}, '{}'],
      ['toString', 'toString'],
    ]) {
      assert.throws(() => optionsOf({ sendType: name }), {
        name: 'TypeError',
        message: `Invalid send data type: ${shown}`,
      });
      assert.throws(() => optionsOf({ receiveType: name }), {
        name: 'TypeError',
        message: `Invalid receive data type: ${shown}`,
      });
    }
    for (const image of ['bmp', 'gif', 'jpeg', 'jpg', 'png', 'wbmp']) {
      assert.throws(() => optionsOf({ receiveType: image }), /Invalid receive data type/);
    }
  });

  test(`an option that a ${side} does not know is ignored, with one warning`, async (t) => {
    await turn(); // Those of other tests are told.
    const warnings = [];
    const onWarning = (warning) => warnings.push(warning);
    process.on('warning', onWarning);
    t.after(() => process.off('warning', onWarning));
    // Names of the other class are no mistake: one object may serve both.
    const others = { ...clientDefaults, ...serverDefaults, keyStorePath: '', keyStorePassword: '' };
    optionsOf({ ...others, reconnectBackoff: {} });
    const name = `RAWbytes${side === 'client' ? '' : ' '}`;
    const options = optionsOf({ [`colour of a ${side}`]: 'red', [name]: false, toString: 'red' });
    optionsOf({ [`colour of a ${side}`]: 'red', [name]: false });
    assert.equal(`colour of a ${side}` in options, false);
    assert.equal(options.rawBytes, true);
    assert.equal(options.toString, Object.prototype.toString);
    await turn();
    const texts = [
      `Message sockets have no option 'colour of a ${side}': it is ignored.`,
      `Message sockets have no option '${name}': it is ignored. Did you mean 'rawBytes'?`,
    ];
    if (side === 'client') texts.push("Message sockets have no option 'toString': it is ignored.");
    assert.deepEqual(
      warnings.map(({ message }) => message),
      texts,
    );
    assert.equal(warnings[0].code, 'SOCKET_UNKNOWN_OPTION');
  });

  test(`options of a ${side} may be inherited`, () => {
    const base = { rawBytes: false, sendType: 'int', maxMessageSize: 5 };
    has(optionsOf(Object.create(base)), base);
  });

  test(`who asks a ${side} for TLS in other words than sslTls is told so`, () => {
    const words = [
      { tls: true },
      { tls: {} },
      { useSecureTransport: true },
      { secureTransport: 'on' },
      { ssl: 'true' },
      { SSLTLS: true },
      { sslTLS: true },
      { cert: 'x' },
      { ca: ['x'] },
      { key: 'x' },
      { pfx: Buffer.alloc(1) },
    ];
    const own = [{ pfxKeyCertPath: 'a' }, { trustedCACertPath: 'a' }];
    if (side === 'server') own.push({ keyStorePath: 'a' }, { clientAuth: 'required' });
    const refused = (options) => {
      const [name] = Object.keys(options);
      assert.throws(() => optionsOf(options), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_VALUE',
        message: new RegExp(`'${name}'.*'sslTls'`),
      });
    };
    for (const options of words) {
      refused(options);
      refused({ ...options, sslTls: false });
      optionsOf({ ...options, sslTls: true });
    }
    for (const options of own) {
      refused(options);
      // Who says that there shall be none may leave the paths where they are.
      optionsOf({ ...options, sslTls: false });
      optionsOf({ ...options, sslTls: 'true' });
    }
    const none = { tls: false, useSecureTransport: 'off', ca: null, cert: '', clientAuth: 'NONE' };
    optionsOf({ ...none, trustedCACertPath: '', pfxKeyCertPath: '' });
  });
}

test('the type lists, in their order, as lists of the caller’s own', () => {
  const receive = [
    ['byte', 'double', 'float', 'image', 'int', 'json', 'long', 'number', 'short', 'string'],
    ['unsignedbyte', 'unsignedint', 'unsignedshort'],
  ].flat();
  assert.deepEqual(supportedReceiveTypes(), receive);
  const send = [...receive, 'bmp', 'gif', 'jpeg', 'jpg', 'png', 'wbmp'];
  assert.deepEqual(supportedSendTypes(), send);
  supportedReceiveTypes().pop();
  supportedSendTypes().length = 0;
  assert.deepEqual(supportedReceiveTypes(), receive);
  assert.deepEqual(supportedSendTypes(), send);
});

test('ports', () => {
  for (const port of [-1, 65536, 1.5, NaN, 'http', '', {}, true, Symbol('1'), 1n]) {
    const expected = { name: 'RangeError', code: 'ERR_SOCKET_BAD_PORT' };
    assert.throws(() => new SocketClient(port), expected);
    assert.throws(() => new SocketServer({ port }), expected);
  }
  for (const port of [0, 65535]) {
    assert.equal(new SocketClient(port).port, port);
    assert.equal(new SocketServer({ port }).options.port, port);
  }
  assert.equal(new SocketServer({ port: '80' }).options.port, 80);
});

test('the host is text', () => {
  for (const host of [5, {}, true, Symbol('host')]) {
    assert.throws(() => new SocketClient(1, host), {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
    });
  }
  assert.throws(() => new SocketClient(1, 'a\0b'), {
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_VALUE',
  });
  assert.throws(() => new SocketServer({ hostInterface: 5 }), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.equal(serverOptions({ hostInterface: '' }).hostInterface, '0.0.0.0');
});

test('reconnectBackoff: its own defaults and ranges', () => {
  const backoff = (value) => clientOptions({ reconnectBackoff: value }).reconnectBackoff;
  const defaults = { factor: 2, jitter: 0.2, max: 30000 };
  assert.deepEqual(backoff({}), defaults);
  assert.deepEqual(backoff(true), defaults);
  assert.deepEqual(backoff({ factor: null, jitter: undefined, max: 5 }), { ...defaults, max: 5 });
  assert.equal(backoff(false), undefined);
  assert.equal(backoff('FALSE'), undefined);
  assert.deepEqual(backoff('true'), defaults);
  assert.deepEqual(backoff(1), defaults);
  assert.deepEqual(backoff({ factor: '3' }), { ...defaults, factor: 3 });
  for (const value of [
    { factor: 0.5 },
    { factor: NaN },
    { jitter: -0.1 },
    { jitter: 1.1 },
    { max: 0 },
    { max: 'long' },
    { max: Symbol('5') },
    { max: true },
    { factor: [2] },
  ]) {
    assert.throws(() => backoff(value), {
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
      message: /"options\.reconnectBackoff\./,
    });
  }
  assert.throws(() => backoff('fast'), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => backoff(2), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('signal is an AbortSignal', () => {
  for (const signal of ['abort', 5, {}, { aborted: false }]) {
    assert.throws(() => clientOptions({ signal }), {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
    });
  }
});

test('the old names of the certificate options', () => {
  const sslTls = true;
  has(serverOptions({ sslTls, keyStorePath: 'a', keyStorePassword: 'b' }), {
    pfxKeyCertPath: 'a',
    pfxKeyCertPassword: 'b',
  });
  has(serverOptions({ sslTls, keyStorePath: 'a', pfxKeyCertPath: 'c' }), { pfxKeyCertPath: 'c' });
});

test('clientAuth is one of three words', () => {
  for (const clientAuth of ['none', 'request', 'required', ' REQUIRED ', 'Request']) {
    has(serverOptions({ sslTls: true, clientAuth }), { clientAuth });
  }
  for (const clientAuth of ['require', 'yes', 'true', '']) {
    for (const sslTls of [true, false]) {
      assert.throws(() => serverOptions({ sslTls, clientAuth }), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_VALUE',
        message: /'options\.clientAuth'.*'required'/,
      });
    }
  }
});

const KEEPALIVE = 2;

for (const side of ['client', 'server']) {
  test(`keepAlive: on by default, and off (${side})`, { ...opts, skip: NO_PROC }, async (t) => {
    const m = messageKit(t);
    for (const [options, kind] of [
      [{}, KEEPALIVE],
      [{ keepAlive: false }, 0],
    ]) {
      const { conn } = await m.pair(side, options);
      assert.equal(timerOf(conn.remotePort, conn.localPort).kind, kind);
    }
  });

  test(`noDelay: on by default, and off (${side})`, opts, async (t) => {
    if (noStrace()) return t.skip(noStrace());
    for (const noDelay of [true, false]) {
      const trace = traceCalls(t, 'setsockopt');
      const result = await run('message-socket-options', [side, JSON.stringify({ noDelay })], {
        prefix: trace.prefix,
      });
      assert.equal(result.code, 0, result.stderr);
      const on = /TCP_NODELAY, \[1\], 4\)\s+= 0/;
      assert.equal(
        trace.read().some((line) => on.test(line)),
        noDelay,
      );
    }
  });

  test(`receiveBufferSize and sendBufferSize (${side})`, opts, async (t) => {
    if (noStrace()) return t.skip(noStrace());
    const trace = traceCalls(t, 'setsockopt');
    const sizes = { receiveBufferSize: 30_000, sendBufferSize: 40_000 };
    const result = await run('message-socket-options', [side, JSON.stringify(sizes)], {
      prefix: trace.prefix,
    });
    assert.equal(result.code, 0, result.stderr);
    const calls = trace.read();
    for (const wanted of [/SO_RCVBUF, \[30000\]/, /SO_SNDBUF, \[40000\]/]) {
      assert.ok(
        calls.some((line) => wanted.test(line)),
        String(wanted),
      );
    }
  });

  test(`receiveBufferSize that options are changed to (${side})`, opts, async (t) => {
    if (noStrace()) return t.skip(noStrace());
    const trace = traceCalls(t, 'setsockopt');
    const result = await run(
      'message-socket-options',
      [side, '{}', '{"receiveBufferSize":20000}'],
      {
        prefix: trace.prefix,
      },
    );
    assert.equal(result.code, 0, result.stderr);
    assert.ok(trace.read().some((line) => /SO_RCVBUF, \[20000\]/.test(line)));
  });

  test(`buffers that nobody asks for are the system's (${side})`, opts, async (t) => {
    if (noStrace()) return t.skip(noStrace());
    const trace = traceCalls(t, 'setsockopt');
    const result = await run('message-socket-options', [side, '{}'], { prefix: trace.prefix });
    assert.equal(result.code, 0, result.stderr);
    const calls = trace.read();
    assert.ok(
      calls.some((line) => line.includes('TCP_NODELAY')),
      calls.join(),
    );
    assert.deepEqual(
      calls.filter((line) => /SO_(RCV|SND)BUF/.test(line)),
      [],
    );
  });
}
