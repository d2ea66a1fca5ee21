// What this package has and `node:net` does not.

import * as net from 'socket/net';
import type { SocketError, TuningOpts } from 'socket/net';

const tuning: TuningOpts = { userTimeout: 30_000, sendBufferSize: 65_536, recvBufferSize: 65_536 };

const socket = net.connect({ port: 80, connectTimeout: 5_000, ...tuning });
new net.Socket({ ...tuning }).connect({ path: '/run/s', connectTimeout: 5_000, sendBufferSize: 1 });
net.createServer({ ...tuning, noDelay: true });
new net.Server({ userTimeout: undefined });
socket.setUserTimeout(30_000).setNoDelay().resume();

socket.on('error', (err) => {
  const { code, remoteAddress, remotePort, localPort } = err as SocketError;
  const text: string = `${code} ${remoteAddress ?? '?'}:${remotePort ?? 0} from ${localPort ?? 0}`;
  console.log(text, (err as SocketError).hostname?.length);
});
