'use strict';
// Sends back whatever arrives. What a user would write, on both sides.

const { serve } = require('./child');

serve({ noDelay: true }, (socket) => {
  socket.on('data', (data) => socket.write(data));
});
