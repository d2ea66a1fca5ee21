'use strict';
// The option `tls` of the functions that make sockets and servers without TLS where it is not given.

const { connect } = require('./connect');

/** The options of `tls.connect`. @param {{ tls: true | object, [name: string]: any }} options */
const clientOptions = ({ tls, ...rest }) => ({ ...rest, ...(tls === true ? {} : tls) });

/** The options of `tls.createServer`. @param {{ tls: object, [name: string]: any }} options */
const serverOptions = ({ tls, ...rest }) => ({ ...rest, ...tls });

/** `tls.connect` with the options of `net.connect`. */
const connectSecurely = (options, callback) => connect(clientOptions(options), callback);

module.exports = { connectSecurely, serverOptions };
