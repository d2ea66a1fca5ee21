'use strict';
// The options of UDP sockets, checked, and in the shapes that the engine takes.

const { isIP } = require('node:net');
const { targetOf } = require('../datagram-address');
const { bare } = require('../engine');
const { invalidValue } = require('../errors');
const { endpointOf } = require('../net/address');
const { hostOf, localOf, portOf } = require('./arguments');
const { invalidAccess } = require('./exceptions');
const { dictionaryOf } = require('./interface');
const { LONGEST, dnsFamilyOf, integerOf, signalOf } = require('./options');
const { interfaceOf } = require('./udp-groups');

const ANY = { 4: '0.0.0.0', 6: '::' };

/** Which family the option says, or 0. */
function familyOption({ family }) {
  if (family == null) return 0;
  if (family === 4 || family === 6) return family;
  throw invalidValue('options.family', family, 'must be 4 or 6');
}

/** Where to bind: what was given, or everywhere in the family that the rest of the options is about. */
function bindAddress(options, localAddress, remoteAddress) {
  const family = familyOption(options);
  if (localAddress !== null) {
    if (family === 0 || isIP(localAddress) === family) return localAddress;
    throw invalidAccess(`localAddress is not of the family that is asked for: ${localAddress}`);
  }
  return ANY[family || isIP(remoteAddress ?? '') || dnsFamilyOf(options) || 4];
}

/** Where groups are: as the option says, else on the interface of the address that is bound, if it is one. */
function groupInterface(option, { address, family, words, isAny }) {
  if (option != null) return interfaceOf(option, family, false);
  const [, , , , scope = 0] = words;
  return scope > 0 ? { index: scope } : interfaceOf(isAny ? null : address, family, true);
}

/** @param {unknown} value the caller's options */
function udpOptions(value) {
  const options = dictionaryOf(value, 'UDPSocket constructor');
  const { localAddress, localPort } = localOf(options);
  const { remoteAddress, remotePort, multicastInterface } = options;
  const remote = {
    address: remoteAddress == null ? null : hostOf(remoteAddress, 'remoteAddress'),
    port: remotePort == null ? null : portOf(remotePort, 'remotePort'),
  };
  const address = bindAddress(options, localAddress, remote.address);
  const family = isIP(address);
  const addressReuse = options.addressReuse == null || Boolean(options.addressReuse);
  const loopback = Boolean(options.loopback);
  const ipv6Only = Boolean(options.ipv6Only);
  const { isAny } = targetOf(address);
  const reach = {
    4: family === 4 || (isAny && !ipv6Only),
    6: family === 6,
  };
  const groups = groupInterface(multicastInterface, targetOf(address));
  return {
    remote,
    addressReuse,
    loopback,
    family,
    reach,
    dnsFamily: dnsFamilyOf(options) || (reach[4] && reach[6] ? 0 : family),
    groups,
    signal: signalOf(options),
    local: endpointOf(address, localPort ?? 0),
    native: {
      // Of sockets that let the system choose a port, some would get one that another has.
      reuseAddress: addressReuse && localPort !== null && localPort !== 0,
      ipv6Only,
      broadcast: Boolean(options.broadcast),
      ttl: integerOf(options, 'ttl', 1, 255),
      multicastTtl: integerOf(options, 'multicastTTL', 0, 255),
      multicastLoopback: loopback,
      multicastInterface: bare(groups),
      sendBufferSize: integerOf(options, 'sendBufferSize', 1, LONGEST),
      recvBufferSize: integerOf(options, 'receiveBufferSize', 1, LONGEST),
    },
  };
}

module.exports = { udpOptions };
