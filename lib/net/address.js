'use strict';
// Addresses between JavaScript's shape and the engine's.

const fs = require('node:fs');
const os = require('node:os');
const { LOCAL } = require('../handle');

/**
 * Whether an IP address is of fe80::/10. By its text: every attempt to connect asks, and a `BlockList` makes two objects
 * for the answer, which took an eighth of the time of a connect.
 * @param {string} address
 */
const isLinkLocal = (address) => /^fe[89ab][0-9a-f]:/i.test(address);

/** The number of an interface, by name or number; 0 if it is not known. Only link-local addresses tell it everywhere. */
function scopeId(name) {
  if (/^\d+$/.test(name)) return Number(name);
  const addresses = os.networkInterfaces()[name] ?? [];
  const scoped = addresses.find(({ scopeid }) => scopeid > 0);
  if (scoped !== undefined) return scoped.scopeid;
  try {
    return Number(fs.readFileSync(`/sys/class/net/${name}/ifindex`, 'latin1'));
  } catch {
    return 0;
  }
}

/** As libuv does it: a link-local address without an interface is meant for the first one. */
function firstLink() {
  for (const addresses of Object.values(os.networkInterfaces())) {
    const found = addresses.find(({ address, scopeid }) => scopeid > 0 && isLinkLocal(address));
    if (found) return found.scopeid;
  }
  return 0;
}

/** `fe80::1%eth0` and a port, as the engine takes them. */
function endpointOf(address, port) {
  const percent = address.indexOf('%');
  if (percent < 0) {
    return isLinkLocal(address) ? { address, port, scopeId: firstLink() } : { address, port };
  }
  return { address: address.slice(0, percent), port, scopeId: scopeId(address.slice(percent + 1)) };
}

/** The engine's address in Node's shape: `{ address, family, port }`; `{ address }` of a local socket. */
function hostOf(native) {
  const { address, family, port } = native;
  if (family === LOCAL) return address ? { address } : {};
  if (native.scopeId === 0) return { address, family, port };
  return { address: `${address}%${interfaceName(native.scopeId)}`, family, port };
}

function interfaceName(id) {
  for (const [name, addresses] of Object.entries(os.networkInterfaces())) {
    if (addresses.some((address) => address.scopeid === id)) return name;
  }
  return id;
}

/** The address of our end, asked for once: it does not change. As in Node, a local socket has none. */
function sockname(socket) {
  if (socket._sockname) return socket._sockname;
  if (!socket._handle) return {};
  const native = socket._handle.getsockname();
  if (typeof native === 'number') return {};
  const address = native.family === LOCAL ? {} : hostOf(native);
  if (!socket.connecting) socket._sockname = address;
  return address;
}

function peername(socket) {
  if (socket._peername) return socket._peername;
  if (!socket._handle || socket.connecting) return {};
  const native = socket._handle.getpeername();
  if (typeof native === 'number') return {};
  return (socket._peername = native.family === LOCAL ? {} : hostOf(native));
}

/**
 * Both ends of a connection, as far as they are known, under the names that errors have them by; of a
 * local socket, the paths. The socket knows them from then on, for who asks when it is destroyed.
 */
function endsOf(socket) {
  const ends = {};
  const put = (side, known, native) => {
    const isLocal = known.address === undefined && typeof native === 'object';
    const { address, port } = isLocal ? hostOf(native) : known;
    if (address !== undefined) ends[`${side}Address`] = address;
    if (port !== undefined) ends[`${side}Port`] = port;
  };
  put('local', sockname(socket), socket._handle?.getsockname());
  put('remote', peername(socket), socket._handle?.getpeername());
  return ends;
}

module.exports = {
  endpointOf,
  endsOf,
  hostOf,
  interfaceName,
  isLinkLocal,
  peername,
  scopeId,
  sockname,
};
