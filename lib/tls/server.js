'use strict';
// `tls.Server`: a `net.Server` whose connections begin with a handshake.

const { EventEmitter } = require('node:events');
const { invalidType } = require('../errors');
const { validateFunction } = require('../args');
const { defineMethods } = require('../net/methods');
const { Server: NetServer } = require('../net/server');
const { acceptedMaking } = require('../net/socket');
const { kAccept, kTlsServer } = require('../net/symbols');
const { serverTls } = require('./context');
const { TLSSocket } = require('./socket');

/** `ServerTls` */
const kTls = Symbol('kTls');

/**
 * @this {any}
 * @param {Record<string, any> | Function} [options] see `tls.d.ts`
 * @param {Function} [secureConnectionListener]
 */
function Server(options, secureConnectionListener) {
  if (!(this instanceof Server)) return new Server(options, secureConnectionListener);
  if (typeof options === 'function') {
    secureConnectionListener = options;
    options = {};
  } else if (options == null) {
    options = {};
  } else if (typeof options !== 'object') {
    throw invalidType('options', 'of type object', options);
  }
  this[kTls] = serverTls(options);
  NetServer.call(this, options);
  if (secureConnectionListener != null) {
    validateFunction(secureConnectionListener, 'secureConnectionListener');
    this.on('secureConnection', secureConnectionListener);
  }
}
Object.setPrototypeOf(Server, NetServer);

const methods = {
  [kTlsServer]() {
    return this[kTls].native;
  },

  [kAccept](handle) {
    const making = acceptedMaking(handle, this);
    const socket = new TLSSocket(making, { server: this, tls: this[kTls] });
    if (this.pauseOnConnect) socket.pause();
    return socket;
  },

  /** For connections that come from now on. */
  setSecureContext(options) {
    this[kTls].setContext(options);
  },

  /** For clients that ask for `hostname`, which may begin with `*.`; the last that fits is taken. */
  addContext(hostname, context) {
    this[kTls].addContext(hostname, context);
  },

  /** With `captureRejections`, an async listener of `'secureConnection'` takes its own socket along. */
  [EventEmitter.captureRejectionSymbol](err, event, socket) {
    if (event === 'secureConnection') socket.destroy(err);
    else NetServer.prototype[EventEmitter.captureRejectionSymbol].call(this, err, event, socket);
  },
};

Object.setPrototypeOf(Server.prototype, NetServer.prototype);
defineMethods(Server.prototype, methods);

module.exports = { Server };
