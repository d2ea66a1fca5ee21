'use strict';
// Receives and counts datagrams, or sends them, with `node:dgram` or with our `UDPSocket`, each in its own words.

const { HOST, answer } = require('./child');

const api = require(process.argv[2]);

/** Datagrams that are sent in one turn of the loop. */
const AT_ONCE = 256;

let received = 0;

/** @returns {Promise<{ port: number, send(payload: Buffer, port: number): void, onready: (() => void) | null }>} */
function openDgram() {
  const socket = api.createSocket('udp4');
  socket.on('message', (message) => {
    if (message.length > 0) received++;
  });
  const end = {
    port: 0,
    // The same `Buffer` again and again is what is cheapest here.
    send: (payload, port) => socket.send(payload, port, HOST),
    /** Calls `go` when what was sent is with the system. */
    whenSent(payload, port, go) {
      socket.send(payload, port, HOST, go);
    },
  };
  return new Promise((resolve) => {
    socket.bind(0, HOST, () => resolve({ ...end, port: socket.address().port }));
  });
}

async function openOurs() {
  const socket = new api.UDPSocket({ localAddress: HOST });
  socket.onmessage = ({ data }) => {
    if (data.byteLength > 0) received++;
  };
  let waiting = null;
  socket.ondrain = () => waiting();
  return {
    port: socket.localPort,
    send: (payload, port) => socket.send(payload, HOST, port),
    whenSent(payload, port, go) {
      waiting = go;
      // It is true as long as little waits, and then all of it goes out with this turn.
      if (socket.send(payload, HOST, port)) setImmediate(go);
    },
  };
}

async function main() {
  const end = await (api.UDPSocket ? openOurs() : openDgram());
  answer({
    count: () => ({ received, at: performance.now() }),
    /** Sends until the process ends. */
    send({ port, size }) {
      const payload = Buffer.alloc(size, 'x');
      const turn = () => {
        for (let i = 1; i < AT_ONCE; i++) end.send(payload, port);
        end.whenSent(payload, port, turn);
      };
      // Not before the answer is out.
      setImmediate(turn);
    },
  });
  process.send({ ready: true, port: end.port });
}

main();
