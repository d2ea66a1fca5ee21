'use strict';
// TLS of message sockets: from options that name files to what the engine takes. Whoever asks for TLS gets TLS or an
// error, never plain text.

const fs = require('node:fs');
const { fileURLToPath } = require('node:url');
const { clientTls, createSecureContext, serverTls } = require('../tls/context');
const { MessageError } = require('./errors');
const { clientAuthOf } = require('./options');

const KEY = 'the server key-certificate';
const CA = 'the trusted CA certificate';

/** @param {string} message @param {unknown} [cause] */
const tlsOptionError = (message, cause) =>
  new MessageError('ERR_MESSAGE_TLS_OPTION', message, { cause });

/**
 * What a file holds: a certificate or a key that can be used.
 * @param {object} options see `options.js`
 * @param {string} option which of them is the path; also a `file:` URL
 * @param {string} what it should hold
 * @param {(bytes: Buffer) => object} optionsOf the TLS options that it makes
 */
function fromFile(options, option, what, optionsOf) {
  const path = options[option];
  try {
    const made = optionsOf(fs.readFileSync(/^file:/i.test(path) ? fileURLToPath(path) : path));
    createSecureContext(made);
    return made;
  } catch (cause) {
    // That it cannot be found is what the original says, whatever is wrong with it.
    throw tlsOptionError(`Failed to find ${what} at ${path} (${option}): ${cause.message}`, cause);
  }
}

/** The certificates that are trusted; nothing: those of the operating system. */
const trustOf = (options) =>
  options.trustedCACertPath === ''
    ? {}
    : fromFile(options, 'trustedCACertPath', CA, (ca) => ({ ca }));

const identityOf = (options) =>
  options.pfxKeyCertPath === ''
    ? {}
    : fromFile(options, 'pfxKeyCertPath', KEY, (pfx) => ({
        pfx,
        passphrase: options.pfxKeyCertPassword,
      }));

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
    throw tlsOptionError(
      `Empty pemCertPath option. Can't find ${KEY}. Set pfxKeyCertPath to a PKCS#12 file.`,
    );
  }
  const clientAuth = clientAuthOf(options);
  const asks = clientAuth !== 'none';
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
