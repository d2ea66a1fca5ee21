'use strict';

/** Listeners that throw, and what becomes of their sockets by themselves. */

module.exports = async ({ HOST, line, mask, net, once, peer, peerServer, settle, show, watch }) => {
  let current = 'none';
  process.on('uncaughtException', (err) => line(current, `uncaught ${show(err)}`));
  const boom = () => {
    throw new Error('on purpose');
  };

  const polite = await peerServer((conn) => conn.resume().end('hello'));
  // Not 'connect' and 'ready': a throw there keeps Node's socket from ever reading, and so from closing.
  // Ours reads on, see exceptions.test.js.
  for (const event of ['data', 'end', 'finish', 'close']) {
    current = `throw in ${event}`;
    const socket = new net.Socket();
    watch(current, socket);
    socket.on(event, boom);
    socket.connect(polite.address().port, HOST);
    await settle();
    line(current, `in the end: ${socket.destroyed ? 'destroyed' : 'open'} ${socket.readyState}`);
    socket.destroy();
    await settle();
  }

  const server = net.createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  mask(server.address().port, 'SERVER');
  for (const event of ['data', 'end', 'close']) {
    current = `accepted, throw in ${event}`;
    const accepted = once(server, 'connection');
    const other = peer.connect(server.address().port, HOST);
    const [conn] = await accepted;
    watch(current, conn);
    conn.on(event, boom);
    other.resume().end('question');
    await settle();
    line(current, `in the end: ${conn.destroyed ? 'destroyed' : 'open'} ${conn.readyState}`);
    conn.destroy();
    other.destroy();
    await settle();
  }

  current = 'throw in a write callback';
  const writer = watch(
    current,
    net.connect({ port: polite.address().port, host: HOST, allowHalfOpen: true }),
  );
  await once(writer, 'end');
  writer.write('x', boom);
  await settle();
  writer.destroy();
  await settle();
  server.close();
};
