'use strict';

/** destroy() and end() called from each listener. */

module.exports = async ({ HOST, call, net, peerServer, settle, watch }) => {
  const polite = await peerServer((conn) => conn.end('hello'));
  for (const act of ['destroy', 'end', 'resetAndDestroy']) {
    for (const event of ['connect', 'ready', 'data', 'end', 'finish', 'close']) {
      const name = `${act} in ${event}`;
      const socket = new net.Socket();
      // First our own listener, so that the log has what happens after it.
      socket.once(event, () => call(name, act, () => socket[act]() === socket));
      watch(name, socket);
      socket.connect(polite.address().port, HOST);
      await settle();
      socket.on('error', () => {});
      socket.destroy();
    }
  }
};
