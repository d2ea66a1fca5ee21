'use strict';

// A sensor sends readings, ten at a time as an array of shorts; whoever is connected prints them as bars.
//   node examples/sensor-feed.js [port]

const { SocketClient, SocketServer } = require('..');

const server = new SocketServer({
  port: process.argv[2] ?? 4000,
  hostInterface: '127.0.0.1',
  rawBytes: false, // each array arrives as one message
  sendType: 'short',
});
server.on('connection', (socket) => {
  let time = 0;
  const readings = () => Array.from({ length: 10 }, () => 20 + 15 * Math.sin(time++ / 5));
  const timer = setInterval(() => socket.send(readings()), 500);
  socket.on('close', () => clearInterval(timer));
});
server.on('listening', (port) => {
  const client = new SocketClient(port, '127.0.0.1', { rawBytes: false, receiveType: 'short' });
  client.on('data', (values) => {
    for (const value of values) console.log(`${String(value).padStart(3)} °C ${'#'.repeat(value)}`);
  });
  client.open();
});
server.on('error', (message) => console.error(message));
server.start();
