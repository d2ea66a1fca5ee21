'use strict';
// Writes 64 KiB blocks for as long as somebody reads, waiting for 'drain' as the documentation of streams asks for.

const { serve } = require('./child');

// The load generator compares with the same block (bench/load/src/message.rs).
const block = Buffer.from(Array.from({ length: 64 * 1024 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));

serve({}, (socket) => {
  const pump = () => {
    while (socket.writable && socket.write(block));
  };
  socket.on('drain', pump);
  pump();
});
