'use strict';
// `tls.connect` in all its forms.

const { normalizeArgs } = require('../args');
const { TLSSocket } = require('./socket');

let hasWarned = false;

/** Node's way to switch all checks off from outside. */
function areChecksOff() {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return false;
  if (!hasWarned) {
    hasWarned = true;
    process.emitWarning(
      "Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections " +
        'insecure by disabling certificate verification.',
    );
  }
  return true;
}

/** `(options, callback?)`, `(port, host?, options?, callback?)`, `(path, options?, callback?)`. */
function connectArgs(args) {
  const [target, callback] = normalizeArgs(args);
  const further = [args[1], args[2]].find((arg) => arg !== null && typeof arg === 'object');
  return [{ ...target, ...further }, callback];
}

function connect(...args) {
  const [given, callback] = connectArgs(args);
  const options = { ...given };
  options.rejectUnauthorized ??= !areChecksOff();
  const { socket: parent } = options;
  if (parent) options.allowHalfOpen ??= parent.allowHalfOpen;
  const socket = new TLSSocket(parent, { ...options, isServer: false });
  if (callback !== null) socket.once('secureConnect', callback);
  if (parent) return socket;
  if (options.timeout) socket.setTimeout(options.timeout);
  return socket.connect(options);
}

module.exports = { connect };
