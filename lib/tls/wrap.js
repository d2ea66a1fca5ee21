'use strict';
// TLS over a connection that somebody else opened (STARTTLS): one of our sockets is taken over natively;
// any other Duplex is joined to the engine by a pair of connected sockets.

const { AsyncResource } = require('node:async_hooks');
const { Buffer } = require('node:buffer');
const { StreamHandle } = require('../stream-handle');
const { CONTEXT } = require('../handle');
const { errnoError } = require('../errors');
const { Making } = require('../net/making');
const { peername, sockname } = require('../net/address');
const { Socket } = require('../net/socket');
const { kHadHandle } = require('../net/symbols');

/** Options of the two ends of a pair. */
const PAIR = { noDelay: true, keepAlive: false, keepAliveDelay: 0, readAtOnce: false };

/**
 * Calls `start(handle, early)` with a connected handle that is free for TLS, and the bytes that were
 * received on it before.
 * @param {import('./socket').TLSSocket} secure
 * @param {import('node:stream').Duplex} parent
 */
function takeOver(secure, parent, start) {
  // As in Node, a client hears of its parent's errors; a server's side is not told why it ends.
  parent.on('error', (err) => {
    if (!secure.isServer) secure.emit('error', err);
  });
  // Each takes the other along.
  parent.once('close', () => secure.destroy());
  secure.once('close', () => parent.destroy());
  const isOurs = parent instanceof Socket && !parent.encrypted;
  if (!isOurs) join(secure, parent, start);
  else if (parent.connecting) parent.once('connect', () => takeHandle(secure, parent, start));
  else takeHandle(secure, parent, start);
}

function takeHandle(secure, parent, start) {
  if (secure.destroyed || !parent._handle) return;
  const take = () => {
    const handle = parent._handle;
    if (!handle || secure.destroyed) return; // Closed meanwhile, which takes the other along.
    handle.quiesce((early) => {
      // Its addresses stay to be seen.
      sockname(parent);
      peername(parent);
      // Before it is read empty, which would have the handle read on: what comes now is for TLS.
      parent._handle = null;
      const kept = drain(parent);
      parent.setTimeout(0);
      parent[kHadHandle] = true;
      // Its end would be that of the connection.
      if (!parent.writableEnded) parent.once('finish', () => secure.end());
      start(handle, Buffer.concat([...kept, early]));
    });
  };
  // What was written before belongs to the time before.
  if (parent.writableLength > 0 || parent._handle.hasQueued) parent.write('', take);
  else take();
}

/** What a program had received and not taken. As in Node, listeners of `'data'` see it as well. */
function drain(parent) {
  const kept = [];
  for (let chunk = parent.read(); chunk !== null; chunk = parent.read()) {
    kept.push(typeof chunk === 'string' ? Buffer.from(chunk, parent.readableEncoding) : chunk);
  }
  return kept;
}

/** Pumps between `parent` and one end of a pair; TLS gets the other one. */
function join(secure, parent, start) {
  const resource = new AsyncResource('TLSWRAP', CONTEXT);
  const handles = StreamHandle.pair(PAIR, resource);
  if (typeof handles === 'number') {
    process.nextTick(() => secure.destroy(errnoError(handles, 'connect')));
    return;
  }
  const [ours, theirs] = handles;
  const end = new Socket(new Making({ allowHalfOpen: true, noDelay: true }, theirs));
  parent.once('error', () => secure.destroy()); // It need not say that it is closed.
  end.on('error', (err) => secure.destroy(err));
  parent.once('close', () => end.destroy());
  secure.once('close', () => end.destroy());
  parent.pipe(end);
  end.pipe(parent);
  start(ours, undefined);
}

module.exports = { takeOver };
