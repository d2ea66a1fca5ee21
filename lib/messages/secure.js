'use strict';
// TLS of message sockets: from options that name files to what the engine takes. Whoever asks for TLS gets TLS or an
// error, never plain text.

const fs = require('node:fs');
const { fileURLToPath } = require('node:url');
const { clientTls, createSecureContext, serverTls } = require('../tls/context');
const { MessageError } = require('./errors');

const KEY = 'the server key-certificate';
const CA = 'the trusted CA certificate';

/** @param {string} message @param {unknown} [cause] */
const tlsOptionError = (message, cause) =>
  new MessageError('ERR_MESSAGE_TLS_OPTION', message, { cause });

/**
 * What a file holds: a certificate or a key that can be used.
 * @param {string} path also a `file:` URL
 * @param {string} what it should hold
 * @param {(bytes: Buffer) => object} optionsOf the TLS options that it makes
 */
function fromFile(path, what, optionsOf) {
  try {
    const options = optionsOf(fs.readFileSync(/^file:/i.test(path) ? fileURLToPath(path) : path));
    createSecureContext(options);
    return options;
  } catch (cause) {
    throw tlsOptionError(`Failed to find ${what} at ${path}`, cause);
  }
}

/** The certificates that are trusted; nothing: those of the operating system. */
const trustOf = ({ trustedCACertPath }) =>
  trustedCACertPath === '' ? {} : fromFile(trustedCACertPath, CA, (ca) => ({ ca }));

const identityOf = ({ pfxKeyCertPath, pfxKeyCertPassword: passphrase }) =>
  pfxKeyCertPath === '' ? {} : fromFile(pfxKeyCertPath, KEY, (pfx) => ({ pfx, passphrase }));

/**
 * A client's TLS, or null.
 * @param {object} options see `options.js`
 * @param {string} host that is connected to
 * @throws {MessageError} a file is missing or holds something else
 */
function clientSecurity(options, host) {
  if (!options.sslTls) return null;
  const { trustAll, verifyHost } = options;
  return clientTls(
    {
      ...(trustAll ? {} : trustOf(options)),
      ...identityOf(options),
      rejectUnauthorized: !trustAll,
      checkServerIdentity: verifyHost ? undefined : () => undefined,
    },
    host,
  );
}

/**
 * A server's TLS, or null.
 * @param {object} options see `options.js`
 * @throws {MessageError} a file is missing or holds something else
 */
function serverSecurity(options) {
  if (!options.sslTls) return null;
  if (options.pfxKeyCertPath === '') {
    throw tlsOptionError(`Empty pemCertPath option. Can't find ${KEY}.`);
  }
  const clientAuth = options.clientAuth.trim().toLowerCase();
  const asks = clientAuth === 'request' || clientAuth === 'required';
  if (asks && options.trustedCACertPath === '') {
    throw tlsOptionError(`Empty trustedCACertPath option. Can't find ${CA}.`);
  }
  return serverTls({
    ...identityOf(options),
    ...(asks ? trustOf(options) : {}),
    requestCert: clientAuth === 'required',
    clientAuth: clientAuth === 'request' ? 'request' : undefined,
  });
}

module.exports = { clientSecurity, serverSecurity };
