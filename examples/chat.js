'use strict';

// A chat room: every line that somebody sends goes to everybody else.
//   node examples/chat.js [port]
// Join it from several terminals with: nc 127.0.0.1 7008

const readline = require('node:readline');
const { createServer } = require('..');

const members = new Map();

function tell(text, except) {
  for (const socket of members.keys()) if (socket !== except) socket.write(`${text}\n`);
}

const server = createServer({ noDelay: true }, (socket) => {
  const name = `guest ${socket.remotePort}`;
  members.set(socket, name);
  socket.write(`You are ${name}, with ${members.size - 1} others.\n`);
  tell(`${name} came in`, socket);
  readline
    .createInterface({ input: socket })
    .on('line', (line) => tell(`${name}: ${line}`, socket));
  socket.on('error', (error) => console.log(`${name}: ${error.message}`));
  socket.on('close', () => {
    members.delete(socket);
    tell(`${name} went away`);
  });
});

server.on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
server.listen(Number(process.argv[2] ?? 7008), '127.0.0.1', () => {
  console.log(`chat room on 127.0.0.1:${server.address().port}, stop it with Ctrl+C`);
});
