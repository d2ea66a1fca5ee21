'use strict';

// Sends back whatever a client sends, with the W3C's `TCPServerSocket`.
//   node examples/web-echo-server.js [port]
// Try it with: node examples/web-echo-client.js

const { TCPServerSocket } = require('..');

const server = new TCPServerSocket({
  localAddress: '127.0.0.1',
  localPort: process.argv[2] ?? 6789,
});

server.onconnect = ({ connectedSocket: socket }) => {
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  console.log(`${peer} connected`);
  socket.onmessage = ({ data }) => {
    // Whoever sends and does not read is held back until he does.
    if (!socket.send(data)) socket.suspend();
  };
  socket.ondrain = () => socket.resume();
  socket.onerror = ({ name, message }) => console.log(`${peer} failed: ${name}: ${message}`);
  socket.onclose = () => console.log(`${peer} closed`);
};
server.onerror = ({ name, message }) => console.error(`${name}: ${message}`);

console.log(`echo server on ${server.localAddress}:${server.localPort}, stop it with Ctrl+C`);
