'use strict';

/** Writes where no write can be. */

module.exports = async ({ HOST, call, callback, net, once, peerServer, settle, watch }) => {
  const sink = await peerServer((conn) => conn.resume());
  const ends = await peerServer((conn) => conn.resume().end());
  const open = async (name, port) => {
    const socket = watch(name, net.connect(port, HOST));
    await once(socket, 'connect');
    return socket;
  };

  const ended = await open('after end', sink.address().port);
  ended.end();
  call('after end', 'write', () => ended.write('late', callback('after end', 'write')));
  call('after end', 'end', () => ended.end('late', callback('after end', 'end')) === ended);
  await settle();

  const destroyed = await open('after destroy', sink.address().port);
  destroyed.destroy();
  call('after destroy', 'write', () => destroyed.write('late', callback('after destroy', 'write')));
  call('after destroy', 'end', () => destroyed.end(callback('after destroy', 'end')) === destroyed);
  await settle();
  call('after destroy', 'write', () => destroyed.write('later', callback('after destroy', 'late')));
  await settle();

  const peerEnded = await open('after the peer ended', ends.address().port);
  await once(peerEnded, 'end');
  call('after the peer ended', 'write', () =>
    peerEnded.write('late', callback('after the peer ended', 'write')),
  );
  await settle();

  const fresh = watch('fresh', new net.Socket());
  call('fresh', 'write', () => fresh.write('void', callback('fresh', 'write')));
  await settle();

  const wrong = await open('wrong arguments', sink.address().port);
  for (const value of [null, undefined, 1, {}, true]) {
    call('wrong arguments', `write(${value})`, () => wrong.write(value));
  }
  call('wrong arguments', 'encoding', () => wrong.write('a', 'bogus'));
  wrong.destroy();
  await settle();
};
