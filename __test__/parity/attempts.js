'use strict';

/** The events of attempts to connect. Since Node 24, older versions have them with gaps. */

const ATTEMPTS = ['connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout'];
const EVENTS = ['lookup', ...ATTEMPTS, 'connect', 'ready', 'error', 'close'];

module.exports = async ({ HOST, line, net, peerServer, refusedPort, settle, watch }) => {
  const sink = await peerServer((conn) => conn.resume().end());
  const { port } = sink.address();
  const refused = await refusedPort();
  const answer = (addresses) => (_, options, callback) =>
    setImmediate(() => {
      const list = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      if (options.all) callback(null, list);
      else callback(null, list[0].address, list[0].family);
    });
  const run = async (name, options) => {
    const socket = watch(name, net.connect({ port, ...options }), { events: EVENTS });
    await settle();
    line(name, String(socket.autoSelectFamilyAttemptedAddresses?.length));
    socket.destroy();
    await settle();
  };

  await run('address', { host: HOST });
  await run('address refused', { host: HOST, port: refused });
  await run('name', { host: 'x', lookup: answer([HOST]) });
  await run('name refused', { host: 'x', port: refused, lookup: answer([HOST]) });
  await run('twice the same', { host: 'x', lookup: answer([HOST, HOST]) });
  await run('second answers', { host: 'x', lookup: answer(['127.0.0.9', HOST]) });
  await run('families in turn', {
    host: 'x',
    port: refused,
    lookup: answer([HOST, '127.0.0.2', '127.0.0.3', '::1']),
  });
  await run('one family', {
    host: 'x',
    port: refused,
    family: 4,
    lookup: answer([HOST, '127.0.0.2']),
  });
  await run('no such local address', { host: HOST, localAddress: '203.0.113.1' });
  await run('local address of the other family', { host: HOST, localAddress: '::1' });
  await run('local address', { host: HOST, localAddress: '127.0.0.7' });

  const blockList = new net.BlockList();
  blockList.addAddress(HOST);
  await run('blocked', { host: HOST, blockList });
  await run('one of two blocked', { host: 'x', blockList, lookup: answer([HOST, '127.0.0.2']) });
  await run('all blocked', { host: 'x', blockList, lookup: answer([HOST, HOST]) });
};

module.exports.since = 24;
