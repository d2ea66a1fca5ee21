// Mistakes that the typings of value sockets must catch. Each `@ts-expect-error` fails the check when its mistake compiles.

import { DataSocket } from 'socket/data';

// @ts-expect-error Only the two functions make sockets.
new DataSocket();
// @ts-expect-error A port is a number.
DataSocket.connect('localhost', '4000');
// @ts-expect-error The acceptor comes first.
DataSocket.listen(4000);
// @ts-expect-error An async acceptor would take nobody.
DataSocket.listen(async () => true, 4000);
// @ts-expect-error There is no such codec.
DataSocket.connect(1, { codec: 'msgpack' });
// @ts-expect-error There is no such option.
DataSocket.connect(1, { timeout: 5 });
// @ts-expect-error A server needs a certificate.
DataSocket.listen(() => true, 0, { tls: true });

const numbers = DataSocket.connect<number>(1);
// @ts-expect-error Text is no number.
numbers.send('5');
// @ts-expect-error A number has no length.
numbers.on('data', (value) => value.length);
// @ts-expect-error Nor in a namespace.
numbers.on('data.mine', (value) => value.length);
// @ts-expect-error There is no such event.
numbers.on('message', () => {});
// @ts-expect-error Nor with a namespace.
numbers.once('message.mine', () => {});
// @ts-expect-error A name without an event is for taking off.
numbers.on('.mine', () => {});
// @ts-expect-error Connecting says nothing.
numbers.on('connect', (value: number) => value);
// @ts-expect-error Read-only.
numbers.active = false;

const listener = DataSocket.listen(() => true, 0);
// @ts-expect-error It has nobody to send to.
listener.send(1);
