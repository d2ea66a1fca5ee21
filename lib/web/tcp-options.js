'use strict';
// The options of TCP sockets and servers, checked, and in the shapes that the engine and TLS take.

const { isIP } = require('node:net');
const { clientTls, serverTls } = require('../tls/context');
const { localOf } = require('./arguments');
const { invalidAccess } = require('./exceptions');
const { dictionaryOf } = require('./interface');
const { LONGEST, dnsFamilyOf, integerOf, isSecure, signalOf } = require('./options');

/** libuv's default for the kernel's queue of connections. */
const BACKLOG = 511;
/** Milliseconds that the peer has to close its half after `close()`. */
const CLOSE_TIMEOUT = 5000;
/** Less than a second the system cannot count, in milliseconds. */
const SHORTEST_DELAY = 1000;

/** What the engine sets on a connection. */
function streamOptions(options) {
  const size = (name) => integerOf(options, name, 1, LONGEST, 0);
  const sendBufferSize = size('sendBufferSize');
  const recvBufferSize = size('receiveBufferSize');
  const keepAliveDelay = integerOf(options, 'keepAliveDelay', SHORTEST_DELAY, LONGEST, 0);
  return {
    noDelay: Boolean(options.noDelay),
    keepAlive: keepAliveDelay > 0,
    keepAliveDelay,
    socket: { userTimeout: 0, sendBufferSize, recvBufferSize },
    readAtOnce: true,
    copied: true,
  };
}

/** What holds for a connection from its start to its end. */
const connectionOptions = (options) => ({
  allowHalfOpen: Boolean(options.allowHalfOpen),
  closeTimeout: integerOf(options, 'closeTimeout', 0, LONGEST, CLOSE_TIMEOUT),
  maxBufferedAmount: integerOf(
    options,
    'maxBufferedAmount',
    0,
    Number.MAX_SAFE_INTEGER,
    Number.POSITIVE_INFINITY,
  ),
});

/** Which addresses of a name are asked for; undefined: all. */
function familyOf(options, localAddress) {
  const family = dnsFamilyOf(options);
  if (localAddress === null) return family || undefined;
  const local = isIP(localAddress);
  if (family === 0 || family === local) return local;
  throw invalidAccess(`localAddress is not of the family of dnsQueryType: ${localAddress}`);
}

/** What TLS is made of, or InvalidAccessError where it is not good. */
function tlsOf(make) {
  try {
    return make();
  } catch (cause) {
    throw invalidAccess(`The TLS options cannot be used: ${cause.message}`, cause);
  }
}

const present = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value != null));

const CLIENT_TLS = ['ca', 'cert', 'key', 'serverName', 'rejectUnauthorized'];
const SERVER_TLS = ['cert', 'key', 'pfx', 'passphrase'];

function clientSecurity(options, host) {
  if (!isSecure(options, CLIENT_TLS)) return null;
  const { ca, cert, key, serverName, rejectUnauthorized } = options;
  const given = present({ ca, cert, key, servername: serverName, rejectUnauthorized });
  return tlsOf(() => clientTls(given, host));
}

function serverSecurity(options) {
  const { ca, requestCert, clientAuth } = options;
  // Passed over, it would let everybody in.
  if (ca != null || requestCert || (clientAuth != null && clientAuth !== 'none')) {
    throw invalidAccess(
      'A TCPServerSocket asks clients for no certificates (ca, requestCert, clientAuth): tls.createServer() does',
    );
  }
  if (!isSecure(options, SERVER_TLS)) return null;
  const { cert, key, pfx, passphrase } = options;
  if (pfx == null && (cert == null || key == null)) {
    throw invalidAccess('A secure server needs a certificate: cert and key, or pfx');
  }
  return tlsOf(() => serverTls(present({ cert, key, pfx, passphrase })));
}

/**
 * @param {string} host that is connected to
 * @param {unknown} value the caller's options
 */
function tcpOptions(host, value) {
  const options = dictionaryOf(value, 'TCPSocket constructor');
  const local = localOf(options);
  return {
    ...local,
    ...connectionOptions(options),
    family: familyOf(options, local.localAddress),
    stream: streamOptions(options),
    tls: clientSecurity(options, host),
    signal: signalOf(options),
  };
}

/** @param {unknown} value the caller's options */
function serverOptions(value) {
  const options = dictionaryOf(value, 'TCPServerSocket constructor');
  return {
    ...localOf(options),
    listen: {
      backlog: integerOf(options, 'backlog', 1, LONGEST, BACKLOG),
      ipv6Only: Boolean(options.ipv6Only),
      reuseAddress: options.addressReuse == null ? undefined : Boolean(options.addressReuse),
      reusePort: false,
    },
    stream: streamOptions(options),
    connection: connectionOptions({ allowHalfOpen: options.allowHalfOpen }),
    tls: serverSecurity(options),
  };
}

module.exports = { serverOptions, tcpOptions };
