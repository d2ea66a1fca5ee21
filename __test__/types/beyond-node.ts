// What this package has and `node:net` has not (yet).

import * as net from 'socket/net';
import { connect, listen, type Server } from 'socket/promises';
import * as promises from 'socket/promises';

// --- Servers.

const server = net.createServer({ proxyProtocol: true, proxyTimeout: 2_000 }, (socket) => {
  console.log(socket.remoteAddress, socket.remotePort, socket.localPort);
});
server.on('drop', (drop) => {
  const reason: net.DropReason | undefined = drop?.reason;
  if (reason === 'proxy-header-timeout') console.log(drop?.remoteAddress);
});
const same: net.Server = server.close({ grace: 5_000 }, (err) => console.log(err?.message));
server.close({});
server.close({ grace: undefined });
server.close();
const nothing: void = server.closeAllConnections();
process.on('SIGTERM', () => server.close({ grace: 5_000 }));

async function takeOne(from: net.Server): Promise<net.Socket | undefined> {
  for await (const socket of from) return socket;
  return undefined;
}

// --- Promises.

const alsoPromises: typeof promises = net.promises;

async function main(): Promise<void> {
  await using echo = await listen({
    port: 0,
    host: '127.0.0.1',
    noDelay: true,
    proxyProtocol: false,
    signal: new AbortController().signal,
    connectionListener: (socket) => socket.pipe(socket),
  });
  const made: Server = echo;
  const { port } = echo.address() as net.AddressInfo;
  const sockets: net.Socket[] = [
    await connect(port),
    await connect(port, '127.0.0.1'),
    await connect({ port, host: '127.0.0.1', signal: AbortSignal.timeout(1_000) }),
    await connect('/run/echo.sock'),
    await connect({ path: '/run/echo.sock', timeout: 1_000 }),
  ];
  for await (const socket of echo) {
    const theirs: net.Socket = socket;
    socket.end('bye');
    if (sockets.length > 100) break;
  }
  // The server stays what it is through its own methods.
  const end: Promise<void> = echo
    .once('error', (err) => console.error(err.message))
    .on('drop', (drop) => console.log(drop?.reason))
    .unref()
    .ref()
    .close({ grace: 100 });
  await end;
  await echo.close((err) => console.log(err?.message));
  echo.closeAllConnections();
  echo.getConnections((_, count) => count.toFixed());
  const listening: boolean = echo.listening;
  echo.maxConnections = 10;

  await listen();
  await listen({});
  await listen(8_080);
  await listen(8_080, '::1', 100);
  await listen('/run/echo.sock', 100);
  const version: number = promises.isIP('::1');
}

// --- What would be wrong.

async function wrong(): Promise<void> {
  // @ts-expect-error The host alone is not enough.
  await connect({ host: 'localhost' });
  // @ts-expect-error There is no callback.
  await connect(80, 'localhost', () => undefined);
  // @ts-expect-error The listener is an option.
  await listen(80, (socket: net.Socket) => socket.end());
  // @ts-expect-error The listener gets a socket.
  await listen({ port: 80, connectionListener: (text: string) => text });
  // @ts-expect-error A port is a number.
  await listen({ port: '80' });
  const made = await listen();
  // @ts-expect-error It answers a promise, not the server.
  made.close().listening;
  // @ts-expect-error So it is no server of `net`.
  const asNet: net.Server = made;
  // @ts-expect-error Sockets come, not text.
  for await (const text of made) text.toUpperCase();
  // @ts-expect-error A server is no array.
  for (const socket of made) socket;
  // @ts-expect-error There is no such export.
  promises.createServer();
}
