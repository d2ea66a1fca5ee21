// Message sockets: what the typings say about values and listeners.

import { MessageSocket, SocketClient, SocketServer, supportedSendTypes } from 'socket';
import type { MessageError, SocketClientOptions, SocketServerOptions } from 'socket';
import * as messages from 'socket/messages';

// Text is the default, and everything has a string form.
const plain = new SocketClient();
plain.send('text');
plain.send(5);
plain.send(['a', 1, null]);
plain.on('data', (text) => text.toUpperCase());
plain.on('error', (message, error) => [message.length, error.code, error.cause]);
plain.once('open', () => {}).on('close', () => {});
plain.on('reconnecting', (attempt, delayMs) => attempt + delayMs);
plain.on('drain', () => {});
const mayGoOn: boolean = plain.send('x');
const amount: number = plain.bufferedAmount;
const host: string | undefined = plain.remoteHost();

// Numbers.
const sensor = new SocketClient(4000, 'localhost', {
  receiveType: 'short',
  sendType: 'int',
  rawBytes: false,
  reconnectOnDrop: true,
  reconnectBackoff: { jitter: 0 },
  signal: AbortSignal.timeout(5),
});
sensor.send(1);
sensor.send(1n);
sensor.send([1, 2n, null]);
sensor.send(new Float64Array(2));
sensor.send(Buffer.alloc(2));
sensor.on('data', (value) => {
  const values: number[] = Array.isArray(value) ? value : [value];
  return values;
});

const arrays = new SocketClient(1, '', { receiveType: 'byte', emitBatchDataAsAvailable: true });
arrays.on('data', (values) => values.map((value) => value.toFixed()));

const long = new SocketClient(1, null, { receiveType: 'long', bigint: true, batch: true });
long.on('messages', (values) => {
  const first: bigint | bigint[] | undefined = values[0];
  return first;
});

const anyCase = new SocketClient(1, null, { receiveType: 'DOUBLE', sendType: 'PNG' });
anyCase.send(Buffer.alloc(1));
anyCase.send({ data: new Uint8ClampedArray(4), width: 1, height: 1 });
anyCase.on('data', (value: number | number[]) => value);

const json = new SocketClient(1, null, { receiveType: 'json', sendType: 'json' });
json.send({ a: [null] });
json.on('data', (value) => value.a.b);

// Options that are only known when it runs.
declare const options: messages.SocketClientOptions;
const later = new SocketClient(1, null, options);
later.send({});
later.on('data', (value) => {
  // It may be anything.
  const numbers: number[] = value;
  const text: string = value;
  return [numbers, text];
});
const named = new SocketClient(1, null, { receiveType: 'int' as 'int' | 'short' | undefined });
named.on('data', (value) => value satisfies number);
const unnamed = new SocketClient(1, null, { receiveType: undefined, sendType: null });
unnamed.on('data', (value) => value.toUpperCase());
const eitherNumber = new SocketClient(1, null, { receiveType: 'int' as 'int' | 'short' });
eitherNumber.on('data', (value) => {
  const values: number[] = Array.isArray(value) ? value : [value];
  return values;
});
declare const maybeRaw: boolean;
const maybe = new SocketClient(1, null, {
  receiveType: 'int',
  emitBatchDataAsAvailable: true,
  rawBytes: maybeRaw,
});
maybe.on('data', (value) => (typeof value === 'number' ? value : value.length));

// Servers.
const server = new SocketServer({ port: 0, receiveType: 'image', sendType: 'string' });
server.on('listening', (port) => port.toFixed());
server.on('connection', (socket) => {
  socket.on('data', (image) => image.subarray(1).toString('hex'));
  socket.send('thanks');
  const address: string = socket.remoteHost();
  const port: number = socket.remotePort();
  return [address, port];
});
server.start();
const port: number | undefined = server.address()?.port;
const serverOptions: SocketServerOptions = {
  clientAuth: 'REQUIRED',
  keyStorePath: 'a',
  keyStorePassword: 'b',
};
new SocketServer(serverOptions);
new SocketServer({ clientAuth: 'Request', sslTls: true, maxBufferedAmount: 2 ** 20 });
const clientOptions: SocketClientOptions = {};
new SocketClient(1, null, clientOptions);
const asError = (error: MessageError): string => error.code;
server.on('connection', (socket) => {
  socket.on('drain', () => socket.resume());
  socket.pause();
  socket.destroy();
});
plain.pause();
plain.resume();
plain.destroy();
for (const each of server.connections) each.close();
const isOne: boolean = ({} as unknown) instanceof MessageSocket;
const same: typeof messages.SocketServer = SocketServer;

const names: readonly string[] = supportedSendTypes();
const merged: number | undefined = plain.options.maxMessageSize;

async function dispose() {
  await using client = new SocketClient();
  client.open();
  await server[Symbol.asyncDispose]();
}
