// The package by its name from an ES module: named, default and namespace imports are one and the same.

import socket, { connect, createServer, type Socket } from 'socket';
import * as everything from 'socket';
import net from 'socket/net';
import * as netNames from 'socket/net';
import { isIP } from 'socket/net';

const client: Socket = connect(80);
const same: net.Socket = client;
const alsoSame: netNames.Socket = everything.connect(80);
const server: socket.Server = createServer();
const version: number = isIP('::1') + net.isIP('::1') + socket.isIP('::1');

import messages, { SocketClient } from 'socket/messages';
const messageClient: SocketClient = new messages.SocketClient();
const alsoClient: socket.SocketClient = new SocketClient();
