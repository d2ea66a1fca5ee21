'use strict';

// Sends back whatever a client sends.
//   node examples/echo-server.js [port]
// Try it with: nc 127.0.0.1 7007

const { createServer } = require('..');

const server = createServer((socket) => {
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  console.log(`${peer} connected`);
  socket.on('error', (error) => console.log(`${peer} failed: ${error.message}`));
  socket.on('close', () => {
    console.log(`${peer} closed, ${socket.bytesRead} bytes in, ${socket.bytesWritten} out`);
  });
  socket.pipe(socket);
});

server.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
server.listen(Number(process.argv[2] ?? 7007), '127.0.0.1', () => {
  console.log(`echo server on 127.0.0.1:${server.address().port}, stop it with Ctrl+C`);
});
