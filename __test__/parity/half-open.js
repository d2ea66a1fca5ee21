'use strict';

/** Who ends first, with allowHalfOpen on and off, as client and as accepted socket. */

module.exports = async ({ HOST, call, mask, net, once, peer, peerServer, settle, watch }) => {
  for (const allowHalfOpen of [false, true]) {
    const open = allowHalfOpen ? 'open' : 'plain';

    // The peer ends first.
    const ends = await peerServer((conn) => conn.resume().end('bye'), { allowHalfOpen: true });
    const client = watch(
      `client ${open}`,
      net.connect({ port: ends.address().port, host: HOST, allowHalfOpen }),
    );
    await once(client, 'end');
    await settle();
    call(`client ${open}`, 'state', () => `${client.readyState} ${client.destroyed}`);
    if (allowHalfOpen) client.end('my end');
    await settle();

    // This side ends first, the peer answers later.
    const waits = await peerServer(
      (conn) => conn.resume().on('end', () => setTimeout(() => conn.end('answer'), 20)),
      { allowHalfOpen: true },
    );
    const first = net.connect({ port: waits.address().port, host: HOST, allowHalfOpen });
    watch(`first ${open}`, first);
    first.end('question');
    await once(first, 'close');

    const server = net.createServer({ allowHalfOpen });
    server.listen(0, HOST);
    await once(server, 'listening');
    mask(server.address().port, 'SERVER');
    const accepted = once(server, 'connection');
    const other = peer.connect({ port: server.address().port, host: HOST, allowHalfOpen: true });
    const [conn] = await accepted;
    watch(`accepted ${open}`, conn);
    other.resume().end('question');
    await once(conn, 'end');
    await settle();
    if (allowHalfOpen) conn.end('answer');
    await settle();
    server.close();
    other.destroy();
  }
};
