'use strict';
// The PROXY protocol on a server: its options, and what is told of connections that had no good header.
// The header itself is read by the engine (`src/core/proxy.rs`).

const { validateBoolean, validateInteger } = require('../args');
const { LOCAL } = require('../handle');
const { hostOf } = require('./address');

/** How long a header may take, in milliseconds. */
const DEFAULT_TIMEOUT = 5000;

/** The names of `core::event::DropReason`, by number. */
const REASONS = [
  'proxy-header-malformed',
  'proxy-header-timeout',
  'proxy-header-incomplete',
  'proxy-header-overload',
  'server-closed',
];

/**
 * How long a header may take, in milliseconds; undefined where connections have none.
 * @param {{ proxyProtocol?: boolean, proxyTimeout?: number }} options
 */
function proxyTimeoutOf({ proxyProtocol, proxyTimeout = DEFAULT_TIMEOUT }) {
  validateInteger(proxyTimeout, 'options.proxyTimeout', 1, 2 ** 31 - 1);
  if (proxyProtocol === undefined) return undefined;
  validateBoolean(proxyProtocol, 'options.proxyProtocol');
  return proxyProtocol ? proxyTimeout : undefined;
}

/** As in Node, a local socket has no address. */
const hostOrNone = (native) => (native && native.family !== LOCAL ? hostOf(native) : {});

/**
 * The argument of `'drop'` for a connection that was dropped before its header was complete. The
 * addresses are those of the connection itself, as nothing better is known.
 * @param {number} reason
 * @param {{ local?: object, remote?: object }} ends
 */
function dropOf(reason, ends) {
  const [local, remote] = [ends.local, ends.remote].map(hostOrNone);
  return {
    __proto__: null,
    localAddress: local.address,
    localPort: local.port,
    localFamily: local.family,
    remoteAddress: remote.address,
    remotePort: remote.port,
    remoteFamily: remote.family,
    reason: REASONS[reason],
  };
}

module.exports = { dropOf, proxyTimeoutOf };
