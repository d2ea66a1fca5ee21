// Value sockets: what the typings say about values and callbacks.

import { DataSocket } from 'socket';
import * as data from 'socket/data';

interface Order {
  id: number;
  lines: Map<string, bigint>;
}

// Any value, if nothing is said.
const plain = DataSocket.connect(4000);
const mayGoOn: boolean = plain.send({ some: ['value', undefined, 5n] });
plain.send(undefined);
plain.on('data', (value) => value.whatever.it.is);
plain.on('connect', () => {}).once('close', () => {});
plain.on('error', (error) => error.code.toUpperCase());
plain.on('sent.mine', () => {}).off('.mine');

// One type for both directions, or one for each.
const orders = DataSocket.connect<Order>('example.org', 4000, { tls: { ca: '' }, maxDepth: 5 });
orders.on('data', (order) => order.lines.get('a')?.toString());
orders.once('receive.audit', (order) => order.id.toFixed());
orders.send({ id: 1, lines: new Map([['a', 1n]]) });
const replies = DataSocket.connect<string, number>('/tmp/a socket', { codec: 'json' });
replies.on('data', (text) => text.length);
replies.send(5);

// In a callback, `this` is the socket.
replies.on('data', function (text) {
  this.send(text.length);
});

// Listeners.
const listener = DataSocket.listen<Order, string>(
  function (socket) {
    socket.on('data', (order) => socket.send(String(order.id)));
    this.port.toFixed();
    return socket.address === '127.0.0.1';
  },
  0,
  {
    signal: AbortSignal.timeout(5),
    handshakeTimeout: 100,
    maxMessageSize: 2 ** 20,
    noDelay: false,
  },
);
listener.on('clienterror', (error, address) => [error.code, address.length]);
const port: number = listener.port;
DataSocket.listen(() => true, '0.0.0.0', 4000, { keepAliveDelay: 1000 });
DataSocket.listen(() => true, 4000, null, null);
DataSocket.listen(() => true, '4000', '0.0.0.0');
DataSocket.listen(() => true, '/tmp/a socket', { tls: false });

const fn = (value: Order) => value.id;
orders.on('data', fn).off(fn).off('data', fn).off('data.x').off('.x').ref().unref();
const state: [boolean, boolean, string, string, number] = [
  orders.active,
  orders.state,
  orders.address,
  orders.remoteAddress,
  orders.bufferedAmount,
];
orders.closeImmediately();
const isOne: boolean = ({} as unknown) instanceof DataSocket;
const same: typeof data.DataSocket = DataSocket;
const options: data.DataSocketConnectOptions = { tls: true };
