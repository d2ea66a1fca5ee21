'use strict';
// The echo server once more, which also knows how many connections it holds.

const { serve } = require('./child');

let connections = 0;

serve(
  { noDelay: true },
  (socket) => {
    connections++;
    socket.on('close', () => connections--);
    socket.on('data', (data) => socket.write(data));
  },
  { connections: () => connections },
);
