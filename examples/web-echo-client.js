'use strict';

// Sends a text to an echo server, prints what comes back, and closes, with the W3C's `TCPSocket`.
//   node examples/web-echo-client.js [port]
// Start before it: node examples/web-echo-server.js

const { TCPSocket } = require('..');

const socket = new TCPSocket('127.0.0.1', process.argv[2] ?? 6789);
const decoder = new TextDecoder();

socket.onopen = () => {
  console.log(`connected to ${socket.remoteAddress}:${socket.remotePort}`);
  socket.send('Hello, ');
  socket.send(new Blob(['World']));
  // There is nothing more to say; the answer still comes.
  socket.halfclose();
};
socket.onmessage = ({ data }) => console.log(`received: ${decoder.decode(data, { stream: true })}`);
socket.onerror = ({ name, message }) => console.error(`${name}: ${message}`);
socket.onclose = () => console.log('closed');
