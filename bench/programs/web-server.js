'use strict';
// What the servers of echo, sink and source do, with web sockets. The module is `<file>|<role>`.

const { HOST, answer, memory, moduleName } = require('./child');

const [file, role] = moduleName.split('|');
const { TCPServerSocket } = require(file);

// The load generator compares with the same block (bench/load/src/message.rs).
const block = Buffer.from(Array.from({ length: 64 * 1024 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
let bytes = 0;

const roles = {
  echo(socket) {
    socket.onmessage = ({ data }) => socket.send(data);
  },
  sink(socket) {
    socket.onmessage = ({ data }) => {
      bytes += data.byteLength;
    };
  },
  source(socket) {
    const pump = () => {
      while (socket.readyState === 'open' && socket.send(block));
    };
    socket.ondrain = pump;
    pump();
  },
};

const server = new TCPServerSocket({
  localAddress: HOST,
  backlog: 4096,
  noDelay: role === 'echo',
});
server.onconnect = ({ connectedSocket }) => roles[role](connectedSocket);
answer({ memory, bytes: () => bytes });
process.send({ ready: true, port: server.localPort });
