'use strict';

/** Connections that fail, with and without writes waiting. */

module.exports = async ({ HOST, callback, net, refusedPort, watch, settle }) => {
  const port = await refusedPort();
  const closed = (socket) => new Promise((resolve) => socket.once('close', resolve));

  await closed(watch('plain', net.connect(port, HOST)));

  const writer = watch('writer', net.connect(port, HOST));
  writer.write('one', callback('writer', 'first write'));
  writer.write('two', callback('writer', 'second write'));
  writer.end('three', callback('writer', 'end'));
  await closed(writer);

  const again = watch('again', new net.Socket());
  again.connect(port, HOST);
  await closed(again);
  again.connect(port, HOST);
  await closed(again);

  const foreign = watch('foreign', net.connect({ port, host: HOST, localAddress: '203.0.113.1' }));
  await closed(foreign);
  await settle();
};
