'use strict';
// Addresses of web sockets: an IPv4 peer of an IPv6 listener is told of by its IPv4 address.

const { isIPv4 } = require('node:net');
const { endpointOf, hostOf } = require('../net/address');

const MAPPED = '::ffff:';

/** @param {object | number} native the engine's address, or an errno */
function placeOf(native) {
  if (typeof native === 'number') return { address: null, port: null };
  const { address, port } = hostOf(native);
  const rest = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : '';
  return { address: isIPv4(rest) ? rest : address, port };
}

/**
 * Where to bind, as the engine takes it; null where all is left to the system.
 * @param {{ localAddress: string | null, localPort: number | null }} local
 * @param {number} family 4 or 6, if no address is given
 */
function bindPlace({ localAddress, localPort }, family) {
  if (localAddress === null && !localPort) return null;
  return endpointOf(localAddress ?? (family === 6 ? '::' : '0.0.0.0'), localPort ?? 0);
}

module.exports = { bindPlace, placeOf };
