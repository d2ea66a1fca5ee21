'use strict';
// Failures of TLS as errors in Node's shape.

const { codedError } = require('../errors');

/**
 * @param {{ code: string, text: string }} failure the engine's
 * @param {object} [extra] further properties
 */
function tlsError({ code, text }, extra) {
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_OSSL_')) {
    return plainError(code, text, extra);
  }
  const isHandshake = code.startsWith('ERR_SSL_');
  const library = isHandshake ? 'SSL routines' : 'certificates';
  return plainError(code, `${library}::${text}`, { library, reason: text, ...extra });
}

/** As OpenSSL's errors come: without the code in the first line of the stack. */
function plainError(code, message, extra) {
  const err = new Error(message);
  Error.captureStackTrace(err, tlsError);
  err.code = code;
  return Object.assign(err, extra);
}

/** The peer went away before a client's handshake was over. @param {object} options of the connection */
function cutError({ host, port, path, localAddress } = {}) {
  return plainError(
    'ECONNRESET',
    'Client network socket disconnected before secure TLS connection was established',
    { path, host, port, localAddress },
  );
}

/** The same on a server. */
const hangUpError = () => plainError('ECONNRESET', 'socket hang up');

/** An option that would be dangerous to pass over in silence. */
function unsupported(name, why) {
  return codedError(
    Error,
    'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    `The option "${name}" is not supported${why ? `: ${why}` : ''}`,
  );
}

module.exports = { cutError, hangUpError, tlsError, unsupported };
