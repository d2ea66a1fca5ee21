'use strict';

/** write(), end() and destroy() before the connection is there. */

module.exports = async ({ HOST, callback, call, net, once, peerServer, settle, watch }) => {
  const sink = await peerServer((conn) => conn.resume());
  const { port } = sink.address();

  const ended = watch('ended', net.connect(port, HOST));
  call('ended', 'write', () => ended.write('first', callback('ended', 'write')));
  call('ended', 'end', () => ended.end('last', callback('ended', 'end')) === ended);
  await once(ended, 'close');

  const empty = watch('empty', net.connect(port, HOST));
  empty.end();
  await once(empty, 'close');

  const destroyed = watch('destroyed', net.connect(port, HOST));
  destroyed.write('never', callback('destroyed', 'write'));
  destroyed.destroy();
  await once(destroyed, 'close');

  const reason = watch('reason', net.connect(port, HOST));
  reason.end('never', callback('reason', 'end'));
  reason.destroy(new Error('my reason'));
  await settle();

  const soon = watch('soon', net.connect(port, HOST));
  soon.write('still', callback('soon', 'write'));
  soon.destroySoon();
  await settle();

  const fresh = watch('fresh', new net.Socket());
  fresh.destroy();
  await settle();
  // Node.js 20 lets the callback wait for the end of the socket; later versions do not, nor do we.
  if (Number.parseInt(process.versions.node, 10) < 22) return;
  const closing = watch('fresh end', new net.Socket());
  call('fresh end', 'end', () => closing.end(callback('fresh end', 'end')) === closing);
  closing.resume();
  await settle();
  closing.destroy();
};
