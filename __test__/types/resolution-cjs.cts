// The package by its name from CommonJS: whole, and the `net` part alone.

import socket = require('socket');
import net = require('socket/net');
import promises = require('socket/promises');
import { connect, type Socket } from 'socket';

const client: Socket = connect(80);
const same: net.Socket = client;
const server: socket.Server = socket.createServer();
const alsoSame: net.Server = server;
const version: string = (require('socket/package.json') as { version: string }).version;
const later: Promise<Socket> = promises.connect(80);
const alsoLater: Promise<net.Socket> = socket.promises.connect(80);

import messages = require('socket/messages');
const messageClient: messages.SocketClient = new socket.SocketClient();
