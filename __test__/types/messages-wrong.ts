// Mistakes that the typings of message sockets must catch. Each `@ts-expect-error` fails the check when its mistake
// compiles.

import { SocketClient, SocketServer, Socket } from 'socket/messages';

// @ts-expect-error A port is a number, or text.
new SocketClient({});
// @ts-expect-error The host is a string.
new SocketClient(1, 5);
// @ts-expect-error There is no such option.
new SocketClient(1, null, { framed: true });
// @ts-expect-error Nor where another option is right.
new SocketClient(4000, 'x', { rawBytes: false, recieveType: 'short' });
// @ts-expect-error Nor of a server.
new SocketServer({ port: 0, recieveType: 'short' });
// @ts-expect-error That is none of the words.
new SocketServer({ sslTls: true, clientAuth: 'require' });
// @ts-expect-error Milliseconds are a number.
new SocketClient(1, null, { reconnectInterval: [5] });
// @ts-expect-error Servers do not reconnect.
new SocketServer({ reconnectAttempts: 5 });
// @ts-expect-error Servers make them.
new Socket();

const ints = new SocketClient(1, null, { sendType: 'int', receiveType: 'int' });
// @ts-expect-error Text is no number.
ints.send('5');
// @ts-expect-error Nor is an object.
ints.send({ value: 5 });
// @ts-expect-error Nor is an array of text.
ints.send(['5']);
// @ts-expect-error A number has no length.
ints.on('data', (value: string) => value.length);

const either = new SocketClient(1, null, { receiveType: 'int' as 'int' | 'string' });
// @ts-expect-error It may be a number.
either.on('data', (value: string) => value.length);

const pictures = new SocketServer({ sendType: 'png' });
// @ts-expect-error Pixels have a width.
pictures.on('connection', (socket) => socket.send({ data: Buffer.alloc(4), height: 1 }));
// @ts-expect-error The port is a number.
pictures.on('listening', (port: string) => port);
// @ts-expect-error There is no such event.
pictures.on('data', () => {});

const text = new SocketClient();
// @ts-expect-error Text is not a number.
text.on('data', (value) => value.toFixed());
// @ts-expect-error The message comes first.
text.on('error', (error: Error) => error);
// @ts-expect-error Read-only.
text.bufferedAmount = 0;
// @ts-expect-error May be missing.
text.remoteHost().length;

const long = new SocketClient(1, null, { receiveType: 'long', bigint: true, rawBytes: false });
// @ts-expect-error A BigInt is not a number.
long.on('data', (value: number) => value);
