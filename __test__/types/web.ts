// Web sockets: what the typings say about attributes, methods and events.

import { TCPSocket as FromWhole } from 'socket';
import * as web from 'socket/web';
import {
  ConnectEvent,
  type TCPConnectEvent,
  ErrorEvent,
  TCPServerSocket,
  TCPSocket,
  UDPMessageEvent,
  UDPSocket,
} from 'socket/web';

const socket = new TCPSocket('localhost', 80, {
  localAddress: '127.0.0.1',
  localPort: 0,
  useSecureTransport: true,
  ca: ['-----BEGIN'],
  cert: Buffer.alloc(1),
  key: null,
  serverName: 'example.org',
  rejectUnauthorized: false,
  noDelay: true,
  keepAliveDelay: 1000,
  allowHalfOpen: null,
  dnsQueryType: 'ipv6',
  sendBufferSize: 1,
  receiveBufferSize: 1,
  closeTimeout: 0,
  maxBufferedAmount: 5,
  signal: AbortSignal.timeout(5),
});
new TCPSocket('localhost', '80', null);
const same: typeof FromWhole = web.TCPSocket;

const target: EventTarget = socket;
const mayGoOn: boolean = socket.send('text');
socket.send(new Blob(['x']));
socket.send(new ArrayBuffer(1));
socket.send(new Uint8Array(1));
socket.send(new DataView(new ArrayBuffer(1)));
socket.send(Buffer.from('x'));
const amount: number = socket.bufferedAmount;
const here: string | null = socket.localAddress;
if (socket.readyState === 'halfclosed') socket.close();

socket.onmessage = (event) => event.data.byteLength;
socket.onmessage = function onmessage({ data }) {
  this.send(data);
};
socket.onerror = ({ error, name, message }) => [error?.cause, name.length, message.length];
socket.onhalfclose = () => false;
socket.onopen = null;
socket.addEventListener('message', ({ data }) => data.slice(1), { once: true });
socket.addEventListener('error', (event) => event.error?.code);
socket.addEventListener('close', { handleEvent: (event) => event.type });
socket.addEventListener('open', function onopen() {
  this.suspend();
});
const listener = (event: Event) => event.type;
socket.addEventListener('drain', listener);
socket.removeEventListener('drain', listener);
// A type of the program's own.
socket.addEventListener('mine', (event) => event.type);
socket.ref().unref().closeImmediately();

async function streams() {
  const { readable, writable, remotePort } = await socket.opened;
  for await (const chunk of readable) chunk.subarray(remotePort);
  const writer = writable.getWriter();
  await writer.write('x');
  await writer.write(new Uint8Array(1));
  const nothing: void = await socket.closed;
  return nothing;
}

const server = new TCPServerSocket({
  localPort: 80,
  backlog: 5,
  ipv6Only: true,
  addressReuse: false,
  useSecureTransport: true,
  pfx: Buffer.alloc(1),
  passphrase: 'word',
});
new TCPServerSocket();
server.onconnect = ({ connectedSocket }) => connectedSocket.remoteAddress.length;
server.addEventListener('connect', (event: TCPConnectEvent) => event.connectedSocket.close());
const port: number = server.localPort;

async function connections() {
  const { readable } = await server.opened;
  for await (const connection of readable) connection.send('hello');
}

const failed: Event = new ErrorEvent('error', { error: new DOMException('x', 'NetworkError') });
const datagram: MessageEvent = new UDPMessageEvent('message', { data: 'x', remotePort: 5 });
new ConnectEvent('connect', { connectedSocket: socket });
new ConnectEvent('connect').connectedSocket?.close();

class Mine extends TCPSocket {
  greet() {
    this.send('hello');
  }
}

const udp = new UDPSocket({
  localAddress: '::',
  localPort: '5000',
  remoteAddress: 'localhost',
  remotePort: 5001,
  addressReuse: false,
  loopback: true,
  family: 6,
  ipv6Only: null,
  broadcast: true,
  ttl: 5,
  multicastTTL: 0,
  multicastInterface: 'eth0',
  dnsQueryType: 'ipv4',
  sendBufferSize: 1,
  receiveBufferSize: 1,
  signal: AbortSignal.timeout(5),
});
new UDPSocket();
new UDPSocket(null);
const sent: boolean =
  udp.send('x') && udp.send(new Blob([]), 'localhost', '80') && udp.send('x', null, 5);
udp.onmessage = function onmessage({ data, remoteAddress, remotePort }) {
  this.send(data.slice(1), remoteAddress, remotePort);
};
udp.addEventListener('message', ({ data }) => data.byteLength);
udp.joinMulticastGroup('239.1.2.3');
udp.leaveMulticastGroup(udp.joinedGroups[0]);
const { memory, system } = udp.dropCounts();
const drops: number = memory + (system ?? 0);
udp.ref().unref().close();

async function datagrams() {
  const { readable, writable, localPort } = await udp.opened;
  const writer = writable.getWriter();
  await writer.write('x');
  await writer.write({
    data: new Uint8Array(1),
    remoteAddress: 'localhost',
    remotePort: localPort,
  });
  for await (const { data, remoteAddress, remotePort } of readable) {
    await writer.write({ data, remoteAddress, remotePort });
  }
}
