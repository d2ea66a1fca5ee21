'use strict';
// Reads everything and counts it.

const { serve } = require('./child');

let bytes = 0;

serve(
  {},
  (socket) => {
    socket.on('data', (data) => {
      bytes += data.length;
    });
  },
  { bytes: () => bytes },
);
