'use strict';
// The option `tls` of the functions that make sockets and servers without TLS where it is not given.

const { missingArguments, validateObject } = require('../args');
const { connect } = require('./connect');

/** The options of `tls.connect`. @param {{ tls: true | object, [name: string]: any }} options */
function clientOptions({ tls, ...rest }) {
  if (tls === true) return rest;
  validateObject(tls, 'options.tls');
  return { ...rest, ...tls };
}

/** The options of `tls.createServer`. @param {{ tls: object, [name: string]: any }} options */
function serverOptions({ tls, ...rest }) {
  requireIdentity(tls === true ? {} : tls);
  return { ...rest, ...tls };
}

/** `tls.connect` with the options of `net.connect`. */
const connectSecurely = (options, callback) => connect(clientOptions(options), callback);

/**
 * A server that is to have TLS must be able to show a certificate: without one, every client would fail, with an error
 * that does not say why.
 * @param {any} tls
 */
function requireIdentity(tls) {
  validateObject(tls, 'options.tls');
  const { cert, key, pfx, SNICallback, contexts, secureContext } = tls;
  if (pfx || SNICallback || secureContext || Object.keys(contexts ?? {}).length > 0) return;
  if (cert && key) return;
  if (cert) throw missingArguments('options.tls.key');
  throw missingArguments('options.tls.cert', 'options.tls.pfx', 'options.tls.SNICallback');
}

module.exports = { connectSecurely, requireIdentity, serverOptions };
