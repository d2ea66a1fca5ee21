'use strict';
// The options of clients and servers: their defaults, and what they come to. A field that is absent, undefined or
// null has its default.

const { inspect } = require('node:util');
const { codedError, invalidType, invalidValue, outOfRange } = require('../errors');
const { validateAbortSignal, validatePort } = require('../args');
const { ValueKind } = require('../native');
const { receiveType, sendType } = require('./types');

const DEFAULT_PORT = 4000;
const MAX_INT = 2 ** 31 - 1;

/** Options that both have. */
const COMMON = {
  batch: false,
  bigint: false,
  emitBatchDataAsAvailable: false,
  idleTimeout: 0,
  keepAlive: true,
  maxBufferedAmount: 0,
  maxMessageSize: 64 * 1024 * 1024,
  noDelay: true,
  pfxKeyCertPassword: '',
  pfxKeyCertPath: '',
  rawBytes: true,
  receiveBufferSize: 65536,
  receiveType: 'string',
  sendBufferSize: 65536,
  sendType: 'string',
  sslTls: false,
  trustedCACertPath: '',
};

const CLIENT = {
  ...COMMON,
  connectTimeout: 6000,
  discardMessagesBeforeOpen: false,
  maxUnsentMessages: 100,
  reconnectAttempts: 10,
  reconnectBackoff: undefined,
  reconnectInterval: 1000,
  reconnectOnDrop: false,
  signal: undefined,
  trustAll: false,
  verifyHost: true,
};

const SERVER = {
  ...COMMON,
  clientAuth: 'none',
  hostInterface: '0.0.0.0',
  port: DEFAULT_PORT,
};

/** Every name that one of the two takes: a program may have one object for both. */
const KNOWN = new Set([
  ...Object.keys({ ...CLIENT, ...SERVER }),
  'keyStorePath',
  'keyStorePassword',
]);

/** Those that mean nothing without TLS, and that a program would not set if it did not want it. */
const OWN_TLS = ['pfxKeyCertPath', 'keyStorePath', 'trustedCACertPath', 'clientAuth'];
/** How other APIs say it, and how it is misspelled; all in lower case. */
const OTHER_TLS = new Set([
  'tls',
  'ssl',
  'ssltls',
  'usessl',
  'usetls',
  'usesecuretransport',
  'securetransport',
  'ca',
  'cert',
  'key',
  'pfx',
  'securecontext',
]);
/** Words that ask for none. */
const NO_TLS = new Set(['', 'false', 'none', 'off', 'no', '0']);

const CLIENT_AUTH = new Set(['none', 'request', 'required']);
/** The system's buffers. */
const SIZES = ['receiveBufferSize', 'sendBufferSize'];

const BACKOFF = { factor: 2, jitter: 0.2, max: 30000 };

/** The least and the most of each number; the unit is the option's own. */
const RANGES = {
  connectTimeout: [0, MAX_INT],
  idleTimeout: [0, Math.floor(MAX_INT / 1000)],
  maxBufferedAmount: [0, Number.MAX_SAFE_INTEGER],
  maxMessageSize: [1, MAX_INT],
  maxUnsentMessages: [0, MAX_INT],
  receiveBufferSize: [1, MAX_INT],
  reconnectAttempts: [-1, MAX_INT],
  reconnectInterval: [1, MAX_INT],
  sendBufferSize: [1, MAX_INT],
};

/** Numbers that need not be whole. */
const FRACTIONS = new Set(['idleTimeout']);
/** Looked up, and complained about, by {@link formatOf}. */
const TYPES = new Set(['receiveType', 'sendType']);

/** Numbers and booleans may come as text: from a form, or from the environment. */
function numberOf(value, name, [min, max]) {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
  if (!isNumeric) throw invalidType(`options.${name}`, 'of type number', value);
  // A time of half a second is none of no seconds: only counts are cut.
  const number = FRACTIONS.has(name) ? Number(value) : Math.trunc(Number(value));
  if (!(number >= min && number <= max))
    throw outOfRange(`options.${name}`, `>= ${min} && <= ${max}`, value);
  return number;
}

function booleanOf(value, name) {
  if (typeof value === 'boolean') return value;
  const word = String(value).trim().toLowerCase();
  if (word === 'true' || value === 1) return true;
  if (word === 'false' || value === 0) return false;
  throw invalidType(`options.${name}`, 'of type boolean', value);
}

function stringOf(value, name) {
  if (typeof value !== 'string') throw invalidType(`options.${name}`, 'of type string', value);
  return value;
}

function merge(defaults, options) {
  if (options == null) return { ...defaults };
  if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
  const merged = { ...defaults };
  // By name, and not what the object has of its own: options may be inherited.
  for (const name of Object.keys(defaults)) {
    const value = options[name];
    if (value == null) continue;
    const kind = typeof defaults[name];
    if (kind === 'boolean') merged[name] = booleanOf(value, name);
    else if (Object.hasOwn(RANGES, name)) merged[name] = numberOf(value, name, RANGES[name]);
    else if (kind === 'string' && !TYPES.has(name)) merged[name] = stringOf(value, name);
    else merged[name] = value;
  }
  if (!merged.sslTls) refuseTls(options);
  for (const name of Object.keys(options)) if (!KNOWN.has(name)) warnOf(name);
  return merged;
}

/**
 * Nobody who asks for TLS shall get plain text, in whatever words. Own words, other than `sslTls`, may stand beside a
 * `sslTls` that is false; those of other APIs say the opposite of it.
 */
function refuseTls(options) {
  const own = options.sslTls == null ? OWN_TLS : [];
  const others = Object.keys(options).filter((each) => OTHER_TLS.has(each.toLowerCase()));
  const name = [...own, ...others].find((each) => asks(options[each]));
  if (name === undefined) return;
  const message = `The option '${name}' is about TLS, but 'sslTls' is not true: all would be plain text. Set sslTls.`;
  throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

const asks = (value) =>
  Boolean(value) && !(typeof value === 'string' && NO_TLS.has(value.trim().toLowerCase()));

/** Names that were warned of. @type {Set<string>} */
const warned = new Set();

/** The original ignores what it does not know, and so do we; but it is mostly a slip of the pen. */
function warnOf(name) {
  if (warned.has(name)) return;
  warned.add(name);
  const meant = [...KNOWN].find((known) => known.toLowerCase() === name.trim().toLowerCase());
  const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`;
  process.emitWarning(`Message sockets have no option '${name}': it is ignored.${hint}`, {
    type: 'SocketOptionWarning',
    code: 'SOCKET_UNKNOWN_OPTION',
  });
}

function backoffOf(given) {
  if (!given) return undefined;
  const value = typeof given === 'object' ? given : booleanOf(given, 'reconnectBackoff');
  if (!value) return undefined;
  const backoff = { ...BACKOFF };
  for (const name of Object.keys(BACKOFF)) {
    if (value[name] == null) continue;
    const range = { factor: [1, 1000], jitter: [0, 1], max: [1, MAX_INT] }[name];
    const isNumeric = typeof value[name] === 'number' || typeof value[name] === 'string';
    const number = isNumeric ? Number(value[name]) : NaN;
    if (!(number >= range[0] && number <= range[1])) {
      const place = `options.reconnectBackoff.${name}`;
      throw outOfRange(place, `>= ${range[0]} && <= ${range[1]}`, value[name]);
    }
    backoff[name] = number;
  }
  return backoff;
}

/** @param {object} [options] the user's */
function clientOptions(options) {
  const merged = merge(CLIENT, options);
  merged.reconnectBackoff = backoffOf(merged.reconnectBackoff);
  if (merged.signal !== undefined) {
    validateAbortSignal(merged.signal, 'options.signal');
    if (typeof merged.signal.addEventListener !== 'function')
      throw invalidType('options.signal', 'an instance of AbortSignal', merged.signal);
  }
  return merged;
}

/** @param {object} [options] the user's */
function serverOptions(options) {
  const merged = merge(SERVER, options);
  merged.port = validatePort(merged.port, 'options.port');
  merged.hostInterface ||= SERVER.hostInterface;
  clientAuthOf(merged);
  // The names of an older edition.
  merged.pfxKeyCertPath ||= stringOf(options?.keyStorePath ?? '', 'keyStorePath');
  merged.pfxKeyCertPassword ||= stringOf(options?.keyStorePassword ?? '', 'keyStorePassword');
  return merged;
}

/**
 * Whether clients are asked for certificates: `none`, `request` or `required`. Another word would be taken for none.
 * @param {{ clientAuth: string }} options
 */
function clientAuthOf({ clientAuth }) {
  const word = String(clientAuth).trim().toLowerCase();
  if (CLIENT_AUTH.has(word)) return word;
  throw invalidValue('options.clientAuth', clientAuth, "must be 'none', 'request' or 'required'");
}

/**
 * What is the same for all connections of one client or server.
 * @typedef {object} Format
 * @property {boolean} isFramed
 * @property {import('./types').Type} send
 * @property {import('./types').Type} receive
 * @property {number} maxMessageSize bytes
 * @property {number} maxBufferedAmount bytes; 0 is no limit
 * @property {boolean} isBatch
 * @property {boolean} emitsArrays raw numbers are delivered as arrays
 * @property {number} idleTimeout milliseconds
 * @property {Set<string>} given of the sizes of the system's buffers those that the user gave
 */

/**
 * @param {object} options merged
 * @param {object} [own] the user's
 * @returns {Format}
 */
function formatOf(options, own) {
  const send = sendType(options.sendType);
  const receive = receiveType(options.receiveType, options.bigint);
  if (!send) throw invalidDataType('send', options.sendType);
  if (!receive) throw invalidDataType('receive', options.receiveType);
  return {
    isFramed: !options.rawBytes,
    send,
    receive,
    maxMessageSize: options.maxMessageSize,
    maxBufferedAmount: options.maxBufferedAmount,
    isBatch: options.batch,
    emitsArrays: options.emitBatchDataAsAvailable,
    idleTimeout: options.idleTimeout * 1000,
    given: new Set(SIZES.filter((name) => own?.[name] != null)),
  };
}

function invalidDataType(direction, name) {
  const shown = typeof name === 'string' ? name : inspect(name);
  const message = `Invalid ${direction} data type: ${shown}`;
  return codedError(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

/** What the engine sets on a connection. @param {Format} format */
function streamOptions(options, format) {
  // Raw images are pieces as they come: there is nothing to decode.
  const isPlain = !format.isFramed && format.receive.kind === ValueKind.Bytes;
  return {
    noDelay: options.noDelay,
    keepAlive: options.keepAlive,
    keepAliveDelay: 0,
    socket: {
      userTimeout: 0,
      sendBufferSize: bufferSize('sendBufferSize', options, format),
      recvBufferSize: bufferSize('receiveBufferSize', options, format),
    },
    readAtOnce: true,
    codec: isPlain
      ? undefined
      : {
          framed: format.isFramed,
          value: format.receive.kind,
          maxMessage: format.maxMessageSize,
        },
  };
}

/**
 * The system's buffers are only set where somebody asks for it: a size that is set does not grow with the connection any
 * more (decision 17). 0: they are the system's.
 */
function bufferSize(name, options, { given }) {
  return given.has(name) || options[name] !== COMMON[name] ? options[name] : 0;
}

module.exports = {
  DEFAULT_PORT,
  clientAuthOf,
  clientOptions,
  formatOf,
  serverOptions,
  streamOptions,
};
