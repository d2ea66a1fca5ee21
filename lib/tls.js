'use strict';
// The `tls` API: what people use of `require('node:tls')`, with handshakes and records on this package's
// engine.

const { checkServerIdentity, convertALPNProtocols, rootCertificates } = require('node:tls');
const { connect } = require('./tls/connect');
const { SecureContext, createSecureContext } = require('./tls/context');
const { Server } = require('./tls/server');
const { TLSSocket } = require('./tls/socket');

const DEFAULT_MIN_VERSION = 'TLSv1.2';
const DEFAULT_MAX_VERSION = 'TLSv1.3';

/** The cipher suites there are, in the words of `node:tls`. */
const getCiphers = () => [
  'tls_aes_256_gcm_sha384',
  'tls_aes_128_gcm_sha256',
  'tls_chacha20_poly1305_sha256',
  'ecdhe-ecdsa-aes256-gcm-sha384',
  'ecdhe-ecdsa-aes128-gcm-sha256',
  'ecdhe-ecdsa-chacha20-poly1305',
  'ecdhe-rsa-aes256-gcm-sha384',
  'ecdhe-rsa-aes128-gcm-sha256',
  'ecdhe-rsa-chacha20-poly1305',
];

/** All of them, for who looks; as an option it has no effect. */
const DEFAULT_CIPHERS = getCiphers().join(':').toUpperCase();
const DEFAULT_ECDH_CURVE = 'auto';
/** Node's limits of what is not there. */
const CLIENT_RENEG_LIMIT = 3;
const CLIENT_RENEG_WINDOW = 600;

/**
 * Makes a server; it listens when told to.
 * @param {object | Function} [options]
 * @param {Function} [secureConnectionListener]
 */
function createServer(options, secureConnectionListener) {
  return new Server(options, secureConnectionListener);
}

// Plain names, so that Node.js finds them for `import { … }` as well.
module.exports = {
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  DEFAULT_CIPHERS,
  DEFAULT_ECDH_CURVE,
  DEFAULT_MAX_VERSION,
  DEFAULT_MIN_VERSION,
  SecureContext,
  Server,
  TLSSocket,
  checkServerIdentity,
  connect,
  convertALPNProtocols,
  createSecureContext,
  createServer,
  getCiphers,
  rootCertificates,
};
