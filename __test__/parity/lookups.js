'use strict';

/** The ways of a lookup, good and bad. */

module.exports = async ({ HOST, net, peerServer, refusedPort, settle, watch }) => {
  const sink = await peerServer((conn) => conn.resume().end());
  const { port } = sink.address();
  const host = 'name.invalid';
  const one = (address, family) => (_, options, callback) =>
    setImmediate(() =>
      options.all ? callback(null, [{ address, family }]) : callback(null, address, family),
    );
  const run = async (name, options) => {
    const socket = watch(name, net.connect({ port, host, ...options }));
    await settle();
    socket.destroy();
    await settle();
  };

  await run('good', { lookup: one(HOST, 4) });
  await run('no address', { lookup: one('nonsense', 4) });
  await run('no address, one family', { lookup: one('nonsense', 4), autoSelectFamily: false });
  await run('wrong family', { lookup: one(HOST, 100), autoSelectFamily: false });
  await run('error', {
    lookup: (_, options, callback) =>
      setImmediate(callback, Object.assign(new Error('not found'), { code: 'ENOTFOUND' })),
  });
  await run('error at once', {
    lookup: (_, options, callback) => callback(new Error('at once')),
  });
  await run('answer at once', {
    lookup: (_, options, callback) =>
      options.all ? callback(null, [{ address: HOST, family: 4 }]) : callback(null, HOST, 4),
  });

  const refused = await refusedPort();
  await run('all refuse', {
    port: refused,
    autoSelectFamily: true,
    lookup: (_, options, callback) =>
      setImmediate(callback, null, [
        { address: HOST, family: 4 },
        { address: '127.0.0.2', family: 4 },
      ]),
  });
  await run('only the second answers', {
    autoSelectFamily: true,
    lookup: (_, options, callback) =>
      setImmediate(callback, null, [
        { address: '127.0.0.9', family: 4 },
        { address: HOST, family: 4 },
      ]),
  });

  const stopped = watch('destroyed in lookup', net.connect({ port, host, lookup: one(HOST, 4) }));
  stopped.on('lookup', () => stopped.destroy());
  await settle();
};
