'use strict';

// Two processes share objects: one keeps a board of scores, the other adds to it and gets all of it back.
//   node examples/shared-objects.js [port]

const { fork } = require('node:child_process');
const { DataSocket } = require('..');

if (process.argv[3] === 'player') {
  const socket = DataSocket.connect(Number(process.argv[2]));
  socket.send({ player: 'Ada', points: 7n, at: new Date() });
  socket.once('data', (board) => {
    console.log(board); // Map(1) { 'Ada' => { points: 7n, at: [ 2026-11-24T… ] } }
    socket.close();
  });
} else {
  const board = new Map();
  const listener = DataSocket.listen(
    (socket) => {
      socket.on('data', ({ player, points, at }) => {
        const entry = board.get(player) ?? { points: 0n, at: [] };
        board.set(player, { points: entry.points + points, at: [...entry.at, at] });
        socket.send(board);
      });
      socket.on('close', () => listener.close());
      return true;
    },
    Number(process.argv[2] ?? 4000),
  );
  fork(__filename, [String(listener.port), 'player']);
}
