'use strict';

// Two ends that send each other lines of text. Type something; the other end answers.
//   node examples/two-way-chat.js [port]

const readline = require('node:readline');
const { SocketClient, SocketServer } = require('..');

const server = new SocketServer({
  port: process.argv[2] ?? 4000,
  hostInterface: '127.0.0.1',
  rawBytes: false, // each line arrives as one message
});
server.on('connection', (socket) => socket.on('data', (text) => socket.send(`you said: ${text}`)));
server.on('error', (message) => console.error(message));
server.on('listening', (port) => {
  const client = new SocketClient(port, '127.0.0.1', { rawBytes: false });
  client.on('data', (text) => console.log(text));
  client.on('close', () => process.exit());
  client.open();
  readline
    .createInterface({ input: process.stdin })
    .on('line', (line) => client.send(line))
    .on('close', () => client.close());
});
server.start();
