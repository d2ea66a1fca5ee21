'use strict';
// What `connect` and `listen` were asked for: both orders of their arguments as one target, and the options with their
// defaults.

const {
  validateAbortSignal,
  validateBoolean,
  validateFunction,
  validateInteger,
  validateObject,
  validateString,
  validateStringWithoutNullBytes,
} = require('../args');
const { codedError, invalidType, invalidValue } = require('../errors');
const { requireIdentity } = require('../tls/option');

const MAX_INT = 2 ** 31 - 1;
/** libuv's default for the kernel's queue of connections. */
const BACKLOG = 511;
const LOCALHOST = 'localhost';

/** The codecs by name, as numbers of a hello. */
const CBOR = 1;
const JSON_TEXT = 3;
const CODECS = new Map([
  ['cbor', CBOR],
  ['json', JSON_TEXT],
]);

/**
 * @typedef {object} Limits what holds for each connection
 * @property {number} codec its number
 * @property {number} maxMessageSize bytes
 * @property {number} maxBufferedAmount bytes; 0 is no limit
 * @property {number} maxDepth levels
 * @property {number} handshakeTimeout milliseconds; 0 is no limit
 *
 * @typedef {object} Options
 * @property {Limits} limits
 * @property {object} stream what the engine sets on a connection
 * @property {AbortSignal | undefined} signal
 * @property {true | Record<string, any> | undefined} tls
 *
 * @typedef {{ host: string, port: number } | { path: string }} Target
 */

/** `(port, host?, options?)`, `(host, port, options?)`, `(path, options?)`; a port that comes first may be text. @returns {[Target, Options]} */
function connectArguments(args) {
  const [target, options] = targetOf(args, 1);
  return [target, optionsOf(options, false)];
}

/** The same behind an acceptor. @returns {[Function, Target, Options]} */
function listenArguments([acceptor, ...args]) {
  validateFunction(acceptor, 'acceptor');
  const [target, options] = targetOf(args, 0);
  return [acceptor, target, optionsOf(options, true)];
}

/** A port comes as text from the environment (`process.env.PORT`): digits alone are one, as for `net`. */
const portFrom = (value) =>
  typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;

/** `localhost:4000`, which is a good name of a file, but hardly meant as one. */
const HOST_AND_PORT = /^(?!\0)[^/\\]*:\d+$/;

function targetOf(args, lowestPort) {
  const [given, second, third] = args;
  const first = portFrom(given);
  if (typeof first === 'string') {
    validateStringWithoutNullBytes(first.replace(/^\0/, ''), 'name');
    if (first === '') throw invalidValue('name', first, 'must not be empty');
    if (typeof second === 'number')
      return [{ host: first, port: portOf(second, lowestPort) }, third];
    if (second !== undefined && typeof second !== 'object')
      throw invalidType('port', 'of type number', second);
    if (HOST_AND_PORT.test(first)) {
      throw invalidValue(
        'name',
        first,
        "is taken for a path: give the port and the host as two arguments, or './' before a path",
      );
    }
    return [{ path: pathOf(first) }, second ?? third];
  }
  if (typeof first !== 'number') throw invalidType('port', 'one of type number or string', first);
  const port = portOf(first, lowestPort);
  if (second !== null && typeof second === 'object') return [{ host: LOCALHOST, port }, second];
  if (second == null) return [{ host: LOCALHOST, port }, third];
  validateStringWithoutNullBytes(second, 'domain');
  return [{ host: second || LOCALHOST, port }, third];
}

function portOf(port, lowest) {
  if (Number.isInteger(port) && port >= lowest && port <= 0xffff) return port;
  const message = `The port must be an integer >= ${lowest} and < 65536. Received ${port}.`;
  throw codedError(RangeError, 'ERR_SOCKET_BAD_PORT', message);
}

/** On Windows local names are those of pipes, which have a place of their own. */
function pathOf(name, platform = process.platform) {
  return platform === 'win32' && !/^[\\/]{2}[.?][\\/]/.test(name) ? `\\\\.\\pipe\\${name}` : name;
}

function optionsOf(options, isListener) {
  if (options == null) options = {};
  validateObject(options, 'options');
  refuseMisplaced(options);
  const { codec = 'cbor', noDelay = true, signal } = options;
  validateString(codec, 'options.codec');
  if (!CODECS.has(codec)) throw invalidValue('options.codec', codec, "must be 'cbor' or 'json'");
  validateBoolean(noDelay, 'options.noDelay');
  if (signal != null) validateAbortSignal(signal, 'options.signal');
  const limits = {
    codec: CODECS.get(codec),
    maxMessageSize: integerOf(options, 'maxMessageSize', 64 * 1024 * 1024, 1),
    maxDepth: integerOf(options, 'maxDepth', 1024, 1),
    handshakeTimeout: integerOf(options, 'handshakeTimeout', 5000, 0),
    maxBufferedAmount: integerOf(options, 'maxBufferedAmount', 0, 0),
  };
  const keepAliveDelay = integerOf(options, 'keepAliveDelay', 0, 0);
  return {
    limits,
    stream: {
      noDelay,
      keepAlive: keepAliveDelay > 0,
      keepAliveDelay,
      readAtOnce: true,
      valueCodec: {
        json: limits.codec === JSON_TEXT,
        maxMessage: limits.maxMessageSize,
        maxDepth: limits.maxDepth,
      },
    },
    signal: signal ?? undefined,
    tls: tlsOf(options.tls, isListener),
  };
}

function integerOf(options, name, fallback, min) {
  const value = options[name] ?? fallback;
  validateInteger(value, `options.${name}`, min, MAX_INT);
  return value;
}

/** How the other sockets of this package are asked for TLS. */
const ELSEWHERE = ['useSecureTransport', 'sslTls'];
/** What is to be in `tls`. */
const INSIDE = [
  'SNICallback',
  'ca',
  'cert',
  'checkServerIdentity',
  'clientAuth',
  'contexts',
  'key',
  'pfx',
  'rejectUnauthorized',
  'requestCert',
  'secureContext',
  'servername',
];

/** Passed over, these would give plaintext, or no authentication, to who asked for it. (Values are not shown: keys.) */
function refuseMisplaced(options) {
  const refuse = (name, reason) => {
    throw codedError(
      TypeError,
      'ERR_INVALID_ARG_VALUE',
      `The property 'options.${name}' ${reason}`,
    );
  };
  for (const name of ELSEWHERE) {
    if (options[name]) refuse(name, "is not one of a DataSocket: TLS is the option 'tls'");
  }
  for (const name of INSIDE) {
    if (options[name] != null) refuse(name, "is for TLS: put it into the option 'tls'");
  }
}

/** A server without a certificate is none. */
function tlsOf(tls, isListener) {
  if (tls == null || tls === false) return undefined;
  if (tls === true && !isListener) return tls;
  if (isListener) requireIdentity(tls);
  else validateObject(tls, 'options.tls');
  return tls;
}

module.exports = { BACKLOG, CBOR, JSON_TEXT, LOCALHOST, connectArguments, listenArguments, pathOf };
