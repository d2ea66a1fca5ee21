'use strict';
// Process-wide defaults of connecting. They begin as Node's own are, so that its command line options
// (`--network-family-autoselection…`) hold here as well.

const net = require('node:net');
const { validateBoolean, validateInteger } = require('../args');

const defaults = {
  autoSelectFamily: net.getDefaultAutoSelectFamily(),
  autoSelectFamilyAttemptTimeout: net.getDefaultAutoSelectFamilyAttemptTimeout(),

  getDefaultAutoSelectFamily: () => defaults.autoSelectFamily,

  /** @param {boolean} value */
  setDefaultAutoSelectFamily(value) {
    validateBoolean(value, 'value');
    defaults.autoSelectFamily = value;
  },

  getDefaultAutoSelectFamilyAttemptTimeout: () => defaults.autoSelectFamilyAttemptTimeout,

  /** @param {number} value milliseconds; less than 10 counts as 10 */
  setDefaultAutoSelectFamilyAttemptTimeout(value) {
    validateInteger(value, 'value', 1, 2 ** 31 - 1);
    defaults.autoSelectFamilyAttemptTimeout = Math.max(value, 10);
  },
};

module.exports = defaults;
