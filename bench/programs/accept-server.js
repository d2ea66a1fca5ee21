'use strict';
// Accepts, counts and closes. The load generator waits for this close, so a connection counts once it was served.

const { serve } = require('./child');

let accepted = 0;

serve(
  {},
  (socket) => {
    accepted++;
    socket.destroy();
  },
  { accepted: () => accepted },
);
