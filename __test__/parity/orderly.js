'use strict';

/** A conversation from the first event to the last, as client and as accepted socket. */

module.exports = async ({ HOST, callback, call, net, once, peer, peerServer, mask, watch }) => {
  const echo = await peerServer((conn) => conn.pipe(conn));
  const client = new net.Socket();
  watch('client', client);
  call('client', 'connect', () =>
    client.connect(echo.address().port, HOST, callback('client', 'connect')),
  );
  await once(client, 'ready');
  call('client', 'write', () => client.write('hello', callback('client', 'write')));
  await once(client, 'data');
  call('client', 'end', () => client.end('bye', callback('client', 'end')));
  await once(client, 'close');

  const server = watch('server', net.createServer());
  server.listen(0, HOST);
  await once(server, 'listening');
  mask(server.address().port, 'SERVER');
  const accepted = once(server, 'connection');
  const other = peer.connect(server.address().port, HOST);
  const [conn] = await accepted;
  watch('accepted', conn);
  other.end('question');
  const gone = once(conn, 'close');
  other.resume();
  await gone;
  call('server', 'close', () => server.close(callback('server', 'close')) === server);
  await once(server, 'close');
};
