// Our classes go wherever those of `node:net`, or plain streams, are asked for.

import * as http from 'node:http';
import * as node from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as tls from 'node:tls';
import { EventEmitter } from 'node:events';
import * as ours from 'socket/net';

declare const socket: ours.Socket;
declare const server: ours.Server;

const nodeSocket: node.Socket = socket;
const nodeServer: node.Server = server;
const duplex: Duplex = socket;
const readable: Readable = socket;
const webStyle: NodeJS.ReadWriteStream = socket;
const emitter: EventEmitter = server;
const blockList: node.BlockList = new ours.BlockList();
const address: node.AddressInfo = server.address() as ours.AddressInfo;

// Options travel in both directions.
const theirOptions: node.NetConnectOpts = { port: 80 } as ours.NetConnectOpts;
const ourOptions: ours.TcpNetConnectOpts = { port: 80 } as Omit<node.TcpNetConnectOpts, 'handle'>;
const theirLookup: node.LookupFunction = (() => undefined) as ours.LookupFunction;
const ourLookup: ours.LookupFunction = (() => undefined) as node.LookupFunction;

// Functions that want a `net.Socket` or `net.Server`.
function describe(peer: node.Socket): string {
  return `${peer.remoteAddress}:${peer.remotePort}`;
}
describe(socket);
tls.connect({ socket });
new http.Agent().createConnection = () => ours.connect(80);
http.createServer().emit('connection', socket);
async function copy(from: ours.Socket, to: Writable): Promise<void> {
  await pipeline(from, to);
}

// A listener that was typed for Node's socket takes ours.
const nodeListener = (peer: node.Socket): void => peer.destroy() as unknown as void;
ours.createServer(nodeListener);
server.on('connection', nodeListener);
