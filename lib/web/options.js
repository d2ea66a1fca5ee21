'use strict';
// Options that the web sockets have in common. Each check throws at once.

const { validateAbortSignal, validateInteger } = require('../args');
const { invalidValue } = require('../errors');

/** The largest number that the system's options take. */
const LONGEST = 2 ** 31 - 1;

const DNS_FAMILIES = { ipv4: 4, ipv6: 6 };

/**
 * An integer, or `fallback` where the option is absent.
 * @param {Record<string, unknown>} options
 * @param {string} name
 * @param {number} min
 * @param {number} max
 * @param {number} [fallback]
 */
function integerOf(options, name, min, max, fallback) {
  const value = options[name];
  if (value == null) return fallback;
  validateInteger(value, `options.${name}`, min, max);
  return value;
}

/** Which addresses of a name are asked for: 4, 6, or 0 for all. */
function dnsFamilyOf({ dnsQueryType }) {
  if (dnsQueryType == null) return 0;
  if (Object.hasOwn(DNS_FAMILIES, dnsQueryType)) return DNS_FAMILIES[dnsQueryType];
  throw invalidValue('options.dnsQueryType', dnsQueryType, "must be 'ipv4' or 'ipv6'");
}

/** The option `signal`, or null. @returns {AbortSignal | null} */
function signalOf({ signal }) {
  if (signal == null) return null;
  validateAbortSignal(signal, 'options.signal');
  return signal;
}

module.exports = { LONGEST, dnsFamilyOf, integerOf, signalOf };
