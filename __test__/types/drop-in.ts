// Code as people write it for `@types/node`'s net; only the name of the import differs.

import * as net from 'socket/net';
import type {
  AddressInfo,
  NetConnectOpts,
  Server,
  Socket,
  SocketConstructorOpts,
} from 'socket/net';

// --- An echo server and its client.

const server: Server = net.createServer((socket: Socket) => {
  socket
    .setNoDelay(true)
    .setKeepAlive(true, 1_000)
    .setTimeout(5_000, () => socket.destroy());
  socket.on('error', (error: NodeJS.ErrnoException) => console.error(error.code, error.message));
  socket.pipe(socket);
});

server.on('error', (error) => console.error(error.message));
server.once('close', () => console.log('closed'));
server.on('drop', (info) => console.log(info?.remoteAddress, info?.remotePort));
server.listen({ port: 0, host: '127.0.0.1', backlog: 128 }, () => {
  const { port, address, family } = server.address() as AddressInfo;
  const client = net.connect({ port, host: address, noDelay: true }, () => {
    client.write('hello', 'utf8', (error) => console.log(error?.message));
    client.end();
  });
  const chunks: Uint8Array[] = [];
  client.on('data', (chunk) => {
    if (typeof chunk === 'string') return;
    chunks.push(chunk);
    console.log(chunk.readUInt8(0), chunk.byteLength);
  });
  client.on('close', (hadError) => {
    const failed: boolean = hadError;
    console.log(failed, Buffer.concat(chunks).toString(), family.toUpperCase());
    server.close((error) => console.log(error?.message));
  });
});

// --- Every form of every function.

net.createServer();
net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
net.createServer(
  { noDelay: true, keepAlive: true, keepAliveInitialDelay: 1_000, highWaterMark: 65_536 },
  (socket) => socket.end('bye\n'),
);
new net.Server((socket) => socket.destroy()).listen(0);
new net.Server({ blockList: new net.BlockList() }).listen(0, () => undefined);

server.listen();
server.listen(() => undefined);
server.listen(0, '::1', 511, () => undefined);
server.listen(0, '::1', () => undefined);
server.listen(0, 511, () => undefined);
server.listen('/run/echo.sock', 16, () => undefined);
server.listen({ path: '/run/echo.sock', readableAll: true, writableAll: true });
server.listen({ port: 80, ipv6Only: true, reusePort: true, exclusive: true });
server.listen({ fd: 3 });
server.listen({ port: 0, signal: AbortSignal.timeout(1_000) });
server.ref().unref().close();
server.getConnections((error, count) => console.log(error?.message, count.toFixed()));
server.maxConnections = 10;
const isListening: boolean = server.listening;

net.connect(80);
net.connect(80, () => undefined);
net.connect(80, 'localhost');
net.connect(80, 'localhost', () => undefined);
net.connect('/run/echo.sock', () => undefined);
net.connect({ path: '/run/echo.sock', allowHalfOpen: true });
net.createConnection(80);
net.createConnection(80, 'localhost', () => undefined);
net.createConnection('/run/echo.sock');
const options: NetConnectOpts = {
  port: 80,
  host: 'localhost',
  localAddress: '127.0.0.1',
  localPort: 0,
  family: 4,
  hints: 0,
  lookup: (hostname, _options, callback) => callback(null, hostname === 'a' ? '127.0.0.1' : [], 4),
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: 250,
  timeout: 1_000,
};
net.createConnection(options, () => undefined);

const constructorOptions: SocketConstructorOpts = {
  fd: 3,
  readable: true,
  writable: true,
  allowHalfOpen: false,
  signal: new AbortController().signal,
  onread: {
    buffer: Buffer.alloc(4_096),
    callback: (count, buffer) => buffer.subarray(0, count).length > 0,
  },
};
const socket = new net.Socket(constructorOptions);
const alias: net.Stream = new net.Stream();
socket.connect(80);
socket.connect(80, 'localhost', () => undefined);
socket.connect({ port: 80 }, () => undefined);
socket.connect('/run/echo.sock');
socket
  .setKeepAlive(true, 1_000, 1_000, 3)
  .setTypeOfService(0x10)
  .setEncoding('utf8')
  .pause()
  .resume();
socket.setKeepAlive({ enable: true, initialDelay: 1_000 });
socket.end('last', 'latin1', () => undefined);
socket.end(new Uint8Array(1), () => undefined);
socket.write(new Uint8Array(1));
socket.resetAndDestroy().ref().unref();
socket.destroySoon();

// --- Properties.

const numbers: number[] = [
  socket.bytesRead,
  socket.bytesWritten,
  socket.bufferSize,
  socket.getTypeOfService(),
];
const booleans: boolean[] = [socket.connecting, socket.pending, socket.destroyed];
const strings: (string | undefined)[] = [
  socket.localAddress,
  socket.localFamily,
  socket.remoteAddress,
  socket.remoteFamily,
];
const ports: (number | undefined)[] = [socket.localPort, socket.remotePort, socket.timeout];
const state: 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' = socket.readyState;
const attempted: string[] = socket.autoSelectFamilyAttemptedAddresses;
const bound = socket.address();
if ('port' in bound) console.log(bound.port.toFixed());

// --- Events, each with the right arguments.

socket
  .on('connect', () => undefined)
  .on('ready', () => undefined)
  .on('lookup', (error, address, family, host) =>
    console.log(error?.message, address.length, family, host.length),
  )
  .on('connectionAttempt', (ip, port, family) =>
    console.log(ip.length, port.toFixed(), family.toFixed()),
  )
  .on('connectionAttemptFailed', (ip, port, family, error) =>
    console.log(ip, port, family, error.message),
  )
  .on('connectionAttemptTimeout', (ip, port, family) => console.log(ip.length, port + family))
  .on('drain', () => undefined)
  .on('end', () => undefined)
  .once('timeout', () => undefined)
  .prependListener('error', (error) => console.log(error.stack))
  .off('end', () => undefined)
  .removeAllListeners('data')
  .on('an event of my own', (anything) => console.log(anything));
socket.emit('close', false);

// --- A subclass, a stream pipeline, iteration, disposal.

class Line extends net.Socket {
  sendLine(text: string): boolean {
    return this.write(`${text}\n`);
  }
}
new Line({ allowHalfOpen: true }).sendLine('hello');

async function iterate(source: Socket): Promise<number> {
  let total = 0;
  for await (const chunk of source) total += (chunk as Buffer).length;
  await server[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
  return total;
}

// --- The rest of the module.

const version: number = net.isIP('::1');
const answers: boolean[] = [
  net.isIPv4('127.0.0.1'),
  net.isIPv6('::1'),
  net.getDefaultAutoSelectFamily(),
];
net.setDefaultAutoSelectFamily(true);
net.setDefaultAutoSelectFamilyAttemptTimeout(net.getDefaultAutoSelectFamilyAttemptTimeout());
const blocked = new net.BlockList();
blocked.addSubnet('10.0.0.0', 8);
blocked.addAddress(new net.SocketAddress({ address: '::1', family: 'ipv6' }));
