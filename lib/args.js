'use strict';
// Argument checks: the only place that throws ERR_INVALID_* and their like. Each throws at once,
// with Node's code, and returns nothing; the `normalize*` functions turn the many forms of a call
// into one.

const { codedError, invalidType, invalidValue, outOfRange } = require('./errors');

function validateFunction(value, name) {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
}

function validateString(value, name) {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
}

function validateStringWithoutNullBytes(value, name) {
  validateString(value, name);
  if (value.includes('\0')) throw invalidValue(name, value, 'must be a string without null bytes');
}

function validateBoolean(value, name) {
  if (typeof value !== 'boolean') throw invalidType(name, 'of type boolean', value);
}

function validateObject(value, name) {
  if (value === null || typeof value !== 'object') throw invalidType(name, 'of type object', value);
}

function validateNumber(value, name) {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
}

/** An integer from `min` to `max`. */
function validateInteger(value, name, min, max) {
  validateNumber(value, name);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}

function validateAbortSignal(value, name) {
  if (value === null || typeof value !== 'object' || !('aborted' in value)) {
    throw invalidType(name, 'an instance of AbortSignal', value);
  }
}

/** A number, or a string that looks like one, from 0 to 65535. Answers it as a number. */
function validatePort(port, name = 'Port') {
  const isNumeric = typeof port === 'number' || (typeof port === 'string' && port.trim() !== '');
  // A symbol has no number, and would throw.
  const number = isNumeric ? Number(port) : NaN;
  if (!isNumeric || number !== number >>> 0 || number > 0xffff) {
    const message = `${name} should be >= 0 and < 65536. Received ${describePort(port)}.`;
    throw codedError(RangeError, 'ERR_SOCKET_BAD_PORT', message);
  }
  return number;
}

function describePort(port) {
  return typeof port === 'string'
    ? `type string ('${port}')`
    : `type ${typeof port} (${String(port)})`;
}

/** Milliseconds for a timer; more than a timer can hold is cut, with a warning, as in Node. */
function validateTimeout(value, name) {
  validateNumber(value, name);
  if (value < 0 || !Number.isFinite(value))
    throw outOfRange(name, 'a non-negative finite number', value);
  const LONGEST = 2 ** 31 - 1;
  if (value <= LONGEST) return value;
  process.emitWarning(
    `${value} does not fit into a 32-bit signed integer.\nTimer duration was truncated to ${LONGEST}.`,
    'TimeoutOverflowWarning',
  );
  return LONGEST;
}

/** An address to bind to or to connect from; names are not looked up there. */
function invalidAddress(address) {
  return codedError(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${address}`);
}

function missingArguments(...names) {
  const list = names.map((name) => `"${name}"`).join(' or ');
  return codedError(TypeError, 'ERR_MISSING_ARGS', `The ${list} argument must be specified`);
}

const isPort = (value) => (typeof value === 'number' ? value : Number(value)) >= 0;

/**
 * `(options, callback?)`, `(port, host?, callback?)`, `(path, callback?)` as options and callback.
 * @param {unknown[]} args
 * @returns {[options: Record<string, any>, callback: Function | null]}
 */
function normalizeArgs(args) {
  if (args.length === 0) return [{}, null];
  const [first, second] = args;
  let options = {};
  if (typeof first === 'object' && first !== null) {
    options = first;
  } else if (typeof first === 'string' && !isPort(first)) {
    options.path = first;
  } else {
    options.port = first;
    if (args.length > 1 && typeof second === 'string') options.host = second;
  }
  const last = args[args.length - 1];
  return [options, typeof last === 'function' ? last : null];
}

module.exports = {
  invalidAddress,
  isPort,
  missingArguments,
  normalizeArgs,
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateInteger,
  validateNumber,
  validateObject,
  validatePort,
  validateString,
  validateStringWithoutNullBytes,
  validateTimeout,
};
