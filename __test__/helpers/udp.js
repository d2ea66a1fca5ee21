'use strict';

/** UDP sockets that end with their test. Peers are node:dgram unless a test says otherwise. */

const dgram = require('node:dgram');
const { HOST, TIMEOUT, event, once, throwsDom, turn, until, web } = require('./web');

function udpKit(t) {
  const sockets = new Set();
  t.after(() => {
    for (const socket of sockets) socket.close();
  });

  /** A `UDPSocket`, by default on the loopback interface. */
  function bind(options = { localAddress: HOST }) {
    const socket = new web.UDPSocket(options);
    sockets.add(socket);
    return socket;
  }

  /** A socket of node:dgram, bound. */
  async function peer(type = 'udp4', address = type === 'udp6' ? '::1' : HOST, options = {}) {
    const socket = dgram.createSocket({ type, ...options });
    socket.bind(options.port ?? 0, address);
    await once(socket, 'listening');
    t.after(() => socket.close());
    return { socket, port: socket.address().port, received: received(socket) };
  }

  return { bind, peer };
}

/** What a socket of either kind receives, as it comes. */
function received(socket) {
  const datagrams = [];
  const take = (data, address, port) => datagrams.push({ data: Buffer.from(data), address, port });
  if (socket instanceof EventTarget) {
    socket.addEventListener('message', ({ data, remoteAddress, remotePort }) =>
      take(data, remoteAddress, remotePort),
    );
  } else socket.on('message', (data, { address, port }) => take(data, address, port));
  return {
    datagrams,
    get count() {
      return datagrams.length;
    },
    texts: () => datagrams.map(({ data }) => data.toString()),
    /** Until there are so many. */
    async atLeast(count) {
      await until(() => datagrams.length >= count);
      return datagrams;
    },
  };
}

/** Notes the types of all events of a socket, with the state that its listeners see. */
function log(socket) {
  const events = [];
  for (const type of ['message', 'drain', 'error', 'open', 'close']) {
    socket.addEventListener(type, () => events.push(`${type} ${socket.readyState}`));
  }
  return events;
}

module.exports = { HOST, TIMEOUT, event, log, once, received, throwsDom, turn, udpKit, until, web };
