'use strict';

/** Fresh objects and the return values of their methods. */

module.exports = async ({ call, callback, net, show }) => {
  const socket = new net.Socket();
  const members = [
    'allowHalfOpen',
    'autoSelectFamilyAttemptedAddresses',
    'bufferSize',
    'bytesRead',
    'bytesWritten',
    'connecting',
    'destroyed',
    'localAddress',
    'localFamily',
    'localPort',
    'pending',
    'readable',
    'readableFlowing',
    'readableHighWaterMark',
    'readyState',
    'remoteAddress',
    'remoteFamily',
    'remotePort',
    'timeout',
    'writable',
    'writableHighWaterMark',
    'writableLength',
    '_handle',
    '_connecting',
  ];
  for (const name of members) call('socket', name, () => show(socket[name]));
  call('socket', 'address', () => socket.address());
  for (const [name, ...args] of [
    ['ref'],
    ['unref'],
    ['pause'],
    ['resume'],
    ['setNoDelay'],
    ['setKeepAlive', true, 10],
    ['setTimeout', 0],
    ['setEncoding', 'utf8'],
  ]) {
    call('socket', name, () => socket[name](...args) === socket);
  }
  // Node remembers ref() and unref() of a socket without a handle by listeners of 'connect'.
  const names = socket.eventNames().filter((name) => name !== 'connect');
  call('socket', 'listeners', () => names.map(String).join());
  socket.destroy();

  const server = new net.Server();
  for (const name of [
    'listening',
    'maxConnections',
    'allowHalfOpen',
    'pauseOnConnect',
    '_handle',
  ]) {
    call('server', name, () => show(server[name]));
  }
  call('server', 'address', () => server.address());
  call('server', 'ref', () => server.ref() === server);
  call('server', 'unref', () => server.unref() === server);
  call('server', 'getConnections', () => server.getConnections(callback('server', 'n')) === server);
  call('server', 'listeners', () => server.eventNames().map(String).join());

  const wrong = {
    'connect()': () => net.connect(),
    'connect({})': () => net.connect({}),
    'connect(-1)': () => net.connect({ port: -1 }),
    'connect({ port: {} })': () => net.connect({ port: {} }),
    'connect(NaN)': () => net.connect({ port: NaN }),
    'connect({ localAddress })': () => net.connect({ port: 1, localAddress: 'x' }),
    'connect({ localPort })': () => net.connect({ port: 1, localPort: 'x' }),
    'connect({ lookup })': () => net.connect({ port: 1, lookup: 'x' }),
    'connect({ objectMode })': () => net.connect({ port: 1, objectMode: true }),
    'listen(-1)': () => net.createServer().listen(-1),
    'listen({})': () => net.createServer().listen({}),
    'listen(true)': () => net.createServer().listen(true),
    'listen({ host })': () => net.createServer().listen({ host: 'x' }),
    'listen(65536)': () => net.createServer().listen(65536),
    "createServer('x')": () => net.createServer('x'),
    'Socket({ fd: -1 })': () => new net.Socket({ fd: -1 }),
    'write(null)': () => new net.Socket().write(null),
    'write(1)': () => new net.Socket().write(1),
  };
  for (const [name, act] of Object.entries(wrong)) call('wrong', name, act);
};
