// The package by its name from an ES module: named, default and namespace imports are one and the same.

import socket, { connect, createServer, type Socket } from 'socket';
import * as everything from 'socket';
import net from 'socket/net';
import * as netNames from 'socket/net';
import { isIP } from 'socket/net';
import promises from 'socket/promises';
import { listen, type Server } from 'socket/promises';

const client: Socket = connect(80);
const same: net.Socket = client;
const alsoSame: netNames.Socket = everything.connect(80);
const server: socket.Server = createServer();
const version: number = isIP('::1') + net.isIP('::1') + socket.isIP('::1');
const later: Promise<Server> = listen(0);
const alsoLater: Promise<Socket> = promises.connect(80);
const andLater: Promise<Socket> = socket.promises.connect(80);

import messages, { SocketClient } from 'socket/messages';
const messageClient: SocketClient = new messages.SocketClient();
const alsoClient: socket.SocketClient = new SocketClient();
