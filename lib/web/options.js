'use strict';
// Options that the web sockets have in common. Each check throws at once.

const { validateAbortSignal, validateInteger } = require('../args');
const { invalidValue } = require('../errors');
const { invalidAccess } = require('./exceptions');

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

/** How the other sockets of this package are asked for TLS. */
const ELSEWHERE = ['tls', 'sslTls'];

/**
 * Whether TLS is wanted. What says so in other words is refused: passed over, it would give plaintext.
 * @param {Record<string, unknown>} options
 * @param {string[]} names of options that mean nothing without TLS
 */
function isSecure(options, names) {
  const foreign = ELSEWHERE.find((name) => options[name]);
  if (foreign !== undefined) {
    throw invalidAccess(`There is no option ${foreign} here: TLS is useSecureTransport`);
  }
  const { useSecureTransport } = options;
  if (useSecureTransport != null) return Boolean(useSecureTransport);
  const given = names.find((name) => options[name] != null);
  if (given === undefined) return false;
  throw invalidAccess(
    `The option ${given} is for TLS: say useSecureTransport: true, or false for plaintext`,
  );
}

module.exports = { LONGEST, dnsFamilyOf, integerOf, isSecure, signalOf };
