// Mistakes that the typings must catch. Each `@ts-expect-error` fails the check when its mistake compiles.

import * as net from 'socket/net';

// @ts-expect-error A host alone is not enough.
net.connect({ host: 'localhost' });
// @ts-expect-error The port is a number.
net.connect({ port: '80' });
// @ts-expect-error The host is a string.
net.connect(80, 4);
// @ts-expect-error A listener is a function.
net.createServer('listener');
// @ts-expect-error The listener gets a socket, not text.
net.createServer((text: string) => text);
// @ts-expect-error There is no such option.
net.createServer({ halfOpen: true });
// @ts-expect-error There is no such option.
net.createServer().listen({ port: 0, hostname: 'localhost' });
// @ts-expect-error A backlog is a number.
net.createServer().listen({ port: 0, backlog: 'many' });

const socket = new net.Socket();

// @ts-expect-error Numbers cannot be written.
socket.write(1);
// @ts-expect-error There is no such encoding.
socket.write('text', 'utf-9');
// @ts-expect-error A time is a number of milliseconds.
socket.setTimeout('1s');
// @ts-expect-error May be missing.
socket.remoteAddress.length;
// @ts-expect-error Read-only.
socket.bytesRead = 0;
// @ts-expect-error Read-only.
socket.remoteAddress = '127.0.0.1';
// @ts-expect-error A time is a number of milliseconds.
net.connect({ port: 80, connectTimeout: '1s' });
// @ts-expect-error A server does not connect.
net.createServer({ connectTimeout: 1000 });
// @ts-expect-error A size is a number of bytes.
net.createServer({ recvBufferSize: '64k' });
// @ts-expect-error Sizes are set before listening begins, by the server.
net.createServer().listen({ port: 0, sendBufferSize: 65536 });
// @ts-expect-error A time is a number of milliseconds.
socket.setUserTimeout('1s');
// @ts-expect-error `lookup` is a function.
socket.connect({ port: 80, lookup: '127.0.0.1' });
// @ts-expect-error `lookup` answers an address.
socket.connect({ port: 80, lookup: (_name, _options, callback) => callback(null, 127) });
// @ts-expect-error 'close' has one argument.
socket.on('close', (hadError) => hadError.toFixed());
// @ts-expect-error An address is text.
net.isIP(127);
// @ts-expect-error There is no such event data.
net.createServer().on('drop', (data) => data?.cause);
// @ts-expect-error The address of a server is null before it listens.
net.createServer().address().port;
// @ts-expect-error There is no such export.
net.listen(0);
// @ts-expect-error It is on or off.
net.createServer({ proxyProtocol: 'v2' });
// @ts-expect-error A time is a number of milliseconds.
net.createServer({ proxyProtocol: true, proxyTimeout: '5s' });
// @ts-expect-error A client has no such option.
net.connect({ port: 80, proxyProtocol: true });
// @ts-expect-error Not every reason is one.
net.createServer().on('drop', (data) => data?.reason === 'full');
// @ts-expect-error A grace is a number of milliseconds.
net.createServer().close({ grace: '1s' });
// @ts-expect-error There is no such option.
net.createServer().close({ timeout: 1000 });
// @ts-expect-error `close()` of `net` answers the server, not a promise.
const closed: Promise<void> = net.createServer().close();
// @ts-expect-error `closeAllConnections()` answers nothing.
net.createServer().closeAllConnections().listen();

const secure = net.createConnection({ port: 443, tls: true });
// @ts-expect-error A session is bytes.
secure.addListener('session', (session) => session.text);
// @ts-expect-error The same.
secure.prependOnceListener('session', (session) => session.text);
const secureServer = net.createServer({ tls: {} }, () => {});
// @ts-expect-error The listener gets a secure socket.
secureServer.addListener('secureConnection', (accepted) => accepted.text);
// @ts-expect-error The same.
secureServer.prependListener('secureConnection', (accepted) => accepted.text);
