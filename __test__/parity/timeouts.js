'use strict';

/** Time limits and their listeners. */

module.exports = async ({ HOST, call, callback, net, once, peerServer, settle, watch }) => {
  const sink = await peerServer((conn) => conn.resume());
  const { port } = sink.address();
  const idle = watch('idle', net.connect(port, HOST));
  await once(idle, 'connect');
  call('idle', 'setTimeout', () => idle.setTimeout(30, callback('idle', 'timeout')) === idle);
  call('idle', 'timeout', () => idle.timeout);
  await once(idle, 'timeout');
  await settle();
  call('idle', 'setTimeout(0)', () => idle.setTimeout(0) === idle);
  call('idle', 'timeout', () => idle.timeout);
  idle.end();
  await once(idle, 'close');
  call('idle', 'setTimeout after close', () => idle.setTimeout(10) === idle);
  await settle();

  const early = watch('early', new net.Socket());
  call('early', 'timeout', () => early.timeout);
  early.setTimeout(30);
  early.connect(port, HOST);
  await once(early, 'timeout');
  early.destroy();
  await settle();

  const kill = watch('destroyed by its timeout', net.connect({ port, host: HOST, timeout: 30 }));
  kill.on('timeout', () => kill.destroy(new Error('too slow')));
  await settle();
  await settle();

  const wrong = new net.Socket();
  for (const value of [-1, NaN, Infinity, '1', null, undefined]) {
    call('wrong', `setTimeout(${value})`, () => wrong.setTimeout(value));
  }
  call('wrong', 'callback', () => wrong.setTimeout(1, 'x'));
};
