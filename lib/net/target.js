'use strict';
// What `listen()` was asked for: its many forms of arguments as one target.

const { ListenHandle } = require('../listen-handle');
const { invalidValue } = require('../errors');
const { isPort, normalizeArgs, validatePort } = require('../args');

/** One target out of the many forms of `listen`; see `net.d.ts`. */
function listenTarget(options, args) {
  if (options instanceof ListenHandle || hasHandle(options)) return { fd: descriptorOf(options) };
  if (typeof options.fd === 'number' && options.fd >= 0) return { fd: options.fd };
  const { path, port } = options;
  const isPortArgument =
    args.length === 0 ||
    typeof args[0] === 'function' ||
    (port === undefined && 'port' in options) ||
    port === null;
  if (isPortArgument) return { port: 0, host: options.host };
  if (typeof port === 'number' || typeof port === 'string') {
    return { port: validatePort(port, 'options.port'), host: options.host };
  }
  // As in Node, what looks like a port is none.
  if (typeof path === 'string' && path !== '' && !isPort(path)) {
    if (path.startsWith('\0') && (options.readableAll || options.writableAll)) {
      const reason = 'can not have readableAll or writableAll with an abstract path';
      throw invalidValue('options', options, reason);
    }
    return { path };
  }
  if (!('port' in options || 'path' in options)) {
    throw invalidValue('options', options, 'must have the property "port" or "path"');
  }
  throw invalidValue('options', options);
}

const hasHandle = (options) => options._handle != null || options.handle != null;

/** The descriptor of an object that wraps an open socket, such as a handle of Node's own. */
function descriptorOf(options) {
  const handle = options._handle ?? options.handle ?? options;
  if (typeof handle.fd === 'number' && handle.fd >= 0) return handle.fd;
  throw invalidValue('options', options);
}

/**
 * `(port, host, backlog, callback)` and its like: options, the callback or null, and the backlog, which is the first
 * number after the target. The options stay the caller's object: it may inherit them, or have getters.
 */
function listenArguments(args) {
  const [options, callback] = normalizeArgs(args);
  const given = (value) => (Number(value) >= 0 ? Number(value) : 0);
  return [options, callback, options.backlog || given(args[1]) || given(args[2])];
}

module.exports = { listenArguments, listenTarget };
