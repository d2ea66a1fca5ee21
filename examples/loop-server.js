'use strict';

// Greets whoever connects, in a loop; stops gracefully on Ctrl+C.
//   node examples/loop-server.js [port]
// Try it with: nc 127.0.0.1 7007

const { listen } = require('..').promises;

async function main() {
  const server = await listen(Number(process.argv[2] ?? 7007), '127.0.0.1');
  // Those who are being served have three seconds to finish.
  process.once('SIGINT', () => server.close({ grace: 3000 }));
  console.log(`listening on 127.0.0.1:${server.address().port}, stop it with Ctrl+C`);

  for await (const socket of server) {
    // Not awaited: the next one need not wait for this one.
    serve(socket).catch((error) => console.log(error.message));
  }
  console.log('no more connections');
}

async function serve(socket) {
  socket.write('What is your name?\n');
  for await (const name of socket.setEncoding('utf8')) {
    socket.end(`Hello, ${name.trim()}!\n`);
  }
}

main();
