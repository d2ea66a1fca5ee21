'use strict';
// `NODE_DEBUG=socket`: the life of every handle on the standard error stream.

const { debuglog } = require('node:util');

const log = debuglog('socket');

/**
 * Undefined where nobody asked for it, for `debug?.(…)`: a log that is switched off would still be
 * called, with a list of arguments made for each call.
 */
const debug = log.enabled ? log : undefined;

module.exports = { debug };
