'use strict';

/** Servers: starting, failing, counting, dropping, closing. */

module.exports = async ({ HOST, call, callback, mask, net, once, peer, settle, watch }) => {
  const server = watch('server', net.createServer());
  call('server', 'close', () => server.close(callback('server', 'close unopened')) === server);
  await settle();
  call('server', 'listen', () => server.listen(0, callback('server', 'listen')) === server);
  mask(server.address().port, 'SERVER');
  call('server', 'listen again', () => server.listen(0));
  await once(server, 'listening');
  server.getConnections(callback('server', 'none'));

  const client = peer.connect(server.address().port, HOST);
  const [conn] = await once(server, 'connection');
  watch('conn', conn);
  server.getConnections(callback('server', 'one'));
  await settle();
  server.maxConnections = 1;
  const second = peer.connect(server.address().port, HOST);
  second.on('error', () => {});
  await once(second, 'connect');
  second.resume();
  await settle();

  server.close(callback('server', 'close'));
  call('server', 'close twice', () => server.close(callback('server', 'second close')) === server);
  await settle();
  client.resume().end();
  await once(server, 'close');
  await settle();
  server.getConnections(callback('server', 'after'));
  server.maxConnections = undefined;
  server.listen(0);
  mask(server.address().port, 'SERVER2');
  await once(server, 'listening');
  server.close();
  await settle();

  const busy = peer.createServer().listen(0);
  await once(busy, 'listening');
  mask(busy.address().port, 'BUSY');
  const late = watch('in use', net.createServer());
  call('in use', 'listen', () => late.listen(busy.address().port) === late);
  await settle();
  late.listen(0);
  await once(late, 'listening');
  late.close();
  busy.close();

  const foreign = watch('foreign', net.createServer());
  foreign.listen(0, '203.0.113.1');
  await settle();
  const hasty = watch('hasty', net.createServer());
  hasty.listen(0);
  hasty.close(callback('hasty', 'close'));
  await settle();
};
