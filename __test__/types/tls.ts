// Code that uses `socket/tls`, and where its classes go.

import * as https from 'node:https';
import * as node from 'node:net';
import * as net from 'socket/net';
import * as promises from 'socket/promises';
import * as tls from 'socket/tls';
import { tls as same } from 'socket';

const context: tls.SecureContext = tls.createSecureContext({
  cert: 'pem',
  key: Buffer.from('pem'),
});
const server: tls.Server = tls.createServer(
  { secureContext: context, requestCert: true },
  (socket) => {
    const name: string | false | null = socket.servername;
    socket.end(`hello ${name}`);
  },
);
server.on('tlsClientError', (err, socket) => socket.destroy(err));
server.on('secureConnection', (socket) => void socket.getCipher()?.name);
const onsecure = (socket: tls.TLSSocket) => void socket.authorized;
server.addListener('secureConnection', onsecure).prependListener('secureConnection', onsecure);
server.prependOnceListener('tlsClientError', (err, socket) => socket.destroy(err));
server.off('secureConnection', onsecure).removeListener('secureConnection', onsecure);
server.addListener('connection', (socket) => socket.setNoDelay());
server.addListener('of my own', (value) => value.whatever);
const heard: ((socket: tls.TLSSocket) => void)[] = server.listeners('secureConnection');
server.addContext('*.example.com', { pfx: [{ buf: Buffer.alloc(1), passphrase: 'x' }] });
const plain: net.Server = server;

const client: tls.TLSSocket = tls.connect({
  host: 'example.com',
  port: 443,
  ALPNProtocols: ['h2'],
});
client.on('session', (session) => tls.connect(443, 'example.com', { session }));
client.once('secureConnect', () => void client.getPeerCertificate()?.subject.CN);
client.addListener('session', (session) => session.subarray(1));
client.prependListener('secureConnect', () => {}).prependOnceListener('secure', () => {});
client.addListener('data', (data) => data.length);
client.off('session', () => {}).removeListener('secure', () => {});
client.emit('secureConnect');
const asNode: node.Socket = client;
const wrapped: tls.TLSSocket = tls.connect({
  socket: new node.Socket(),
  servername: 'example.com',
});
const over = new tls.TLSSocket(new net.Socket(), {
  isServer: true,
  SNICallback: (_, done) => done(null, context),
});

const byOption: tls.TLSSocket = net.connect({ port: 443, tls: { servername: 'example.com' } });
const created: tls.TLSSocket = net.createConnection({ port: 443, tls: true }, () => {});
const secureServer: tls.Server = net.createServer(
  { tls: { cert: 'pem', key: 'pem' } },
  (socket) => {
    void socket.authorized;
  },
);
const notSecure: net.Socket = net.connect({ port: 80 });
https.request({ createConnection: () => tls.connect(443, 'example.com') });
same.connect(443);

async function withPromises(): Promise<void> {
  const guarded: tls.TLSSocket = await promises.connect({ port: 443, tls: true });
  const open: net.Socket = await promises.connect({ port: 80 });
  open.end(guarded.getProtocol() ?? '');
  const listening = await promises.listen({ proxyProtocol: true, tls: { secureContext: context } });
  for await (const socket of listening) socket.end(socket.alpnProtocol || '');
}
void withPromises;
