'use strict';
// JSON lines over node:net: texts of one tick are joined and written in one go, received ones are cut out of what came.

const overNet = require('../over-net');

/** So many characters are written without waiting for more. */
const MOST = 64 * 1024;

module.exports = overNet((socket) => {
  let joined = '';
  let isScheduled = false;
  const flush = () => {
    if (joined !== '') socket.write(joined);
    joined = '';
  };
  const flushTick = () => {
    isScheduled = false;
    flush();
  };
  const send = (value) => {
    joined += JSON.stringify(value) + '\n';
    if (joined.length >= MOST) flush();
    if (!isScheduled) {
      isScheduled = true;
      process.nextTick(flushTick);
    }
    return !socket.writableNeedDrain;
  };
  const peer = { send, ondrain() {}, take() {} };
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text) => {
    const all = rest === '' ? text : rest + text;
    let at = 0;
    for (;;) {
      const end = all.indexOf('\n', at);
      if (end < 0) break;
      peer.take(JSON.parse(all.slice(at, end)));
      at = end + 1;
    }
    rest = at < all.length ? all.slice(at) : '';
  });
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => peer.ondrain());
  return peer;
});
