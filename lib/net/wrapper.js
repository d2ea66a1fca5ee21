'use strict';
// Node's TLS and HTTP/2 reach into the handles of Node's own sockets. Any other stream they take through a
// wrapper, JSStreamSocket, which is a socket of its own on top: it has its own `allowHalfOpen`, and it ends
// or destroys what is beneath when that is due. If the stream beneath ended by itself as well, as a socket
// that is not half-open does when the peer has ended, it would be too early: what TLS still has to send
// (the rest of the data, its own last word) would be lost, or be an EPIPE that nobody expects.

/**
 * Whether the wrapper reads from this socket. All that it leaves on the stream are closures; the one for
 * `'end'` is known by the method that only the wrapper's handle has.
 * @param {import('node:events').EventEmitter} socket
 */
function isWrapped(socket) {
  return socket.listenerCount('end') > 1 && socket.listeners('end').some(passesEndOn);
}

const passesEndOn = (listener) =>
  Function.prototype.toString.call(listener).includes('_handle.emitEOF()');

module.exports = { isWrapped };
