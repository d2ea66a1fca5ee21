// Mistakes that the typings of web sockets must catch. Each `@ts-expect-error` fails the check when its mistake compiles.

import {
  ConnectEvent,
  ErrorEvent,
  TCPServerSocket,
  TCPSocket,
  UDPMessageEvent,
  UDPSocket,
} from 'socket/web';

// @ts-expect-error Both arguments are needed.
new TCPSocket('localhost');
// @ts-expect-error The address comes first.
new TCPSocket(80, 'localhost');
// @ts-expect-error There is no such option.
new TCPSocket('localhost', 80, { timeout: 5 });
// @ts-expect-error A number.
new TCPSocket('localhost', 80, { keepAliveDelay: '5' });
// @ts-expect-error One of two words.
new TCPSocket('localhost', 80, { dnsQueryType: 'any' });
// @ts-expect-error Servers do not look names up.
new TCPServerSocket({ dnsQueryType: 'ipv4' });

const socket = new TCPSocket('localhost', 80);
// @ts-expect-error Numbers are not sent.
socket.send(5);
// @ts-expect-error Nor objects.
socket.send({});
// @ts-expect-error Something is.
socket.send();
// @ts-expect-error Read-only.
socket.readyState = 'open';
// @ts-expect-error There is no such state.
if (socket.readyState === 'opening') socket.close();
// @ts-expect-error May be null.
socket.localAddress.length;
// @ts-expect-error An ArrayBuffer is no text.
socket.onmessage = ({ data }) => data.toUpperCase();
// @ts-expect-error An `open` has no data.
socket.onopen = ({ data }) => data;
// @ts-expect-error A handler is a function.
socket.onclose = 'close';
// @ts-expect-error May be null.
socket.onerror = ({ error }) => error.name;
// @ts-expect-error There is no such attribute.
socket.onconnect = null;

const server = new TCPServerSocket();
// @ts-expect-error Servers do not send.
server.send('x');
// @ts-expect-error Nor do they receive.
server.onmessage = null;
// @ts-expect-error The number is known.
server.localPort = 5;

// @ts-expect-error A type is needed.
new ErrorEvent();
// @ts-expect-error A number.
new UDPMessageEvent('message', { remotePort: '5' });

const udp = new UDPSocket();
// @ts-expect-error 4 or 6.
new UDPSocket({ family: 5 });
// @ts-expect-error There are no such events.
udp.onopen = null;
// @ts-expect-error There is no TLS.
new UDPSocket({ useSecureTransport: true });
// @ts-expect-error Data comes first.
udp.send(5, 'localhost', 80);
// @ts-expect-error A string.
udp.joinMulticastGroup(5);
// @ts-expect-error Read-only.
udp.loopback = true;
// @ts-expect-error May be null.
udp.dropCounts().system.toFixed();

// @ts-expect-error Null where the program that made the event gave none.
new ConnectEvent('connect').connectedSocket.close();
