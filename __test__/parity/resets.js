'use strict';

/** Resets: received, sent, in each state. */

module.exports = async ({ HOST, call, callback, net, once, peerServer, settle, watch }) => {
  const closed = (socket) => new Promise((resolve) => socket.once('close', resolve));

  const resetter = await peerServer((conn) => conn.once('data', () => conn.resetAndDestroy()));
  const reader = watch('reader', net.connect(resetter.address().port, HOST));
  await once(reader, 'connect');
  reader.write('go', callback('reader', 'write'));
  await closed(reader);
  call('reader', 'write after', () => reader.write('late', callback('reader', 'late write')));
  await settle();

  // With an end under way.
  const ender = watch('ender', net.connect(resetter.address().port, HOST));
  await once(ender, 'connect');
  ender.end('go', callback('ender', 'end'));
  await closed(ender);

  const sink = await peerServer((conn) => conn.resume());
  const { port } = sink.address();
  const sender = watch('sender', net.connect(port, HOST));
  await once(sender, 'connect');
  call('sender', 'resetAndDestroy', () => sender.resetAndDestroy() === sender);
  await closed(sender);
  call('sender', 'resetAndDestroy again', () => sender.resetAndDestroy() === sender);
  await settle();

  const connecting = watch('connecting', net.connect(port, HOST));
  call('connecting', 'resetAndDestroy', () => connecting.resetAndDestroy() === connecting);
  await settle();

  const fresh = watch('fresh', new net.Socket());
  call('fresh', 'resetAndDestroy', () => fresh.resetAndDestroy() === fresh);
  await settle();
};
