'use strict';

/** AbortSignal and Symbol.asyncDispose. */

module.exports = async ({ HOST, call, line, net, once, peerServer, settle, watch }) => {
  const sink = await peerServer((conn) => conn.resume());
  const { port } = sink.address();

  const later = new AbortController();
  const socket = watch('open', net.connect({ port, host: HOST, signal: later.signal }));
  await once(socket, 'connect');
  later.abort();
  await settle();

  const early = new AbortController();
  watch('connecting', net.connect({ port, host: HOST, signal: early.signal }));
  early.abort();
  await settle();

  const stop = new AbortController();
  const server = watch('server', net.createServer());
  server.listen({ port: 0, signal: stop.signal });
  await once(server, 'listening');
  stop.abort();
  await settle();

  const other = watch('disposed server', net.createServer());
  other.listen(0);
  await once(other, 'listening');
  await other[Symbol.asyncDispose]();
  line('disposed server', 'disposed');
  call('disposed server', 'again', () => typeof other[Symbol.asyncDispose]().then);
  await settle();

  const last = watch('disposed socket', net.connect(port, HOST));
  await once(last, 'connect');
  last.on('error', () => {});
  await last[Symbol.asyncDispose]().catch((err) => line('disposed socket', err.code));
  line('disposed socket', 'disposed');
  await settle();
};
