'use strict';

/** The logger of the parity scenarios: one list of lines per watched emitter. */

const { once } = require('node:events');
const peer = require('node:net');

const HOST = '127.0.0.1';

const SOCKET_EVENTS = [
  'lookup',
  'connect',
  'ready',
  'data',
  'end',
  'finish',
  'drain',
  'timeout',
  'error',
  'close',
];
const SERVER_EVENTS = ['listening', 'connection', 'drop', 'error', 'close'];

function createKit(net) {
  const logs = {};
  const masks = new Map();
  let echo;

  /** Ports differ from run to run: each known one is written as its name. */
  function mask(port, name) {
    masks.set(String(port), name);
    return port;
  }

  function hide(value) {
    // The near port of a raw client can only be known from the event itself.
    let text = String(value).replace(/"remotePort":\d+/, '"remotePort":<CLIENT>');
    for (const [port, name] of masks) text = text.replaceAll(port, `<${name}>`);
    return text;
  }

  function show(value) {
    if (value instanceof AggregateError) {
      return `${showError(value)} [${value.errors.map(showError).join(' | ')}]`;
    }
    if (value instanceof Error) return showError(value);
    if (value instanceof Uint8Array) return `bytes(${hide(value)})`;
    if (value instanceof peer.Socket || value instanceof net.Socket) return 'socket';
    if (typeof value === 'object' && value !== null) return hide(JSON.stringify(value));
    return hide(value);
  }

  function showError(err) {
    const fields = ['code', 'errno', 'syscall', 'address', 'port', 'hostname', 'host']
      .filter((name) => err[name] !== undefined)
      .map((name) => `${name}=${hide(err[name])}`);
    return `${err.name}(${[...fields, hide(err.message)].join(', ')})`;
  }

  /** What a program may ask a socket or a server at that moment. */
  function state(emitter) {
    if ('listening' in emitter) {
      return `listening=${emitter.listening} address=${emitter.address() ? 'yes' : 'null'}`;
    }
    const flags = [
      'connecting',
      'pending',
      'destroyed',
      'readable',
      'readableEnded',
      'writable',
      'writableEnded',
      'writableFinished',
    ].filter((name) => emitter[name]);
    const { readyState, bytesRead, bytesWritten } = emitter;
    const handle = emitter._handle ? 'handle' : 'no handle';
    return `${readyState} ${flags.join(' ')} in=${bytesRead} out=${bytesWritten} ${handle}`;
  }

  function line(name, text) {
    logs[name] ??= [];
    logs[name].push(text);
  }

  /** Logs every event with arguments and state, and what ticks and jobs run after it. */
  function watch(name, emitter, opts = {}) {
    const { events = 'listening' in emitter ? SERVER_EVENTS : SOCKET_EVENTS, flow = true } = opts;
    for (const event of events) {
      if (event === 'data' && !flow) continue;
      emitter.on(event, (...args) => {
        line(name, `${event}(${args.map(show).join(', ')}) ${state(emitter)}`);
        process.nextTick(() => line(name, `${event} tick`));
        Promise.resolve().then(() => line(name, `${event} job`));
      });
    }
    return emitter;
  }

  /** A callback whose call is logged. */
  function callback(name, label) {
    return (...args) => line(name, `${label} callback(${args.map(show).join(', ')})`);
  }

  /** Logs what a call returns or throws. */
  function call(name, label, act) {
    try {
      const value = act();
      line(name, `${label} → ${show(value)}`);
      return value;
    } catch (err) {
      line(name, `${label} threw ${show(err)}`);
      return undefined;
    }
  }

  /** A raw server that does `onConnection` with each of its sockets. */
  async function peerServer(onConnection = () => {}, options = {}) {
    const server = peer.createServer(options, (conn) => {
      conn.on('error', () => {});
      onConnection(conn);
    });
    server.listen(0, HOST);
    await once(server, 'listening');
    server.unref();
    mask(server.address().port, 'PEER');
    return server;
  }

  /** A port that refuses: the near end of a connection that stays open. */
  async function refusedPort() {
    const server = await peerServer((conn) => conn.unref());
    const socket = peer.connect(server.address().port, HOST);
    await once(socket, 'connect');
    socket.unref();
    return mask(socket.localPort, 'REFUSED');
  }

  /** Time for all that should, or should not, happen: trips of a raw connection, then a pause. */
  async function settle() {
    if (!echo) {
      const server = peer.createServer((conn) => conn.pipe(conn)).listen(0, HOST);
      await once(server, 'listening');
      echo = { server, socket: peer.connect(server.address().port, HOST) };
      await once(echo.socket, 'connect');
    }
    for (let i = 0; i < 20; i++) {
      echo.socket.write('x');
      await once(echo.socket, 'data');
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  function finish() {
    if (!echo) return;
    echo.socket.destroy();
    echo.server.close();
  }

  return {
    HOST,
    call,
    callback,
    finish,
    line,
    logs,
    mask,
    net,
    once,
    peer,
    peerServer,
    refusedPort,
    settle,
    show,
    state,
    watch,
  };
}

module.exports = { createKit };
