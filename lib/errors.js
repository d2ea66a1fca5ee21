'use strict';
// Errors in Node's shape: of the system (`code`, `errno`, `syscall`, `address`, `port`), and of the
// caller (`ERR_*`).

const { getSystemErrorMap, inspect } = require('node:util');

/** The names of `core::error::Syscall`, by number. */
const SYSCALLS = [
  'connect',
  'bind',
  'listen',
  'accept',
  'read',
  'write',
  'shutdown',
  'connect',
  'send',
  'recvmsg',
];
/** The attempt failed in the call itself, before anything was sent. */
const CONNECT = 0;

/** Names and texts by libuv's negative numbers. Asked for once: Node makes a new map each time. */
const systemErrors = getSystemErrorMap();

/** libuv's negative numbers by name, for the few that are decided upon. */
const errnoByCode = new Map();
for (const [errno, [code]] of systemErrors) errnoByCode.set(code, errno);

/** @param {number} errno */
const codeOf = (errno) => systemErrors.get(errno)?.[0] ?? `Unknown system error ${errno}`;

/** @param {number} errno */
const textOf = (errno) => systemErrors.get(errno)?.[1] ?? 'unknown error';

/** `address:port`, or the address alone where there is no port, as Node prints it. */
function place(address, port) {
  if (port && port > 0) return ` ${address}:${port}`;
  return address ? ` ${address}` : '';
}

function systemError(message, errno, syscall, extra, caller) {
  // The stack is captured once, and not twice. A program may have frozen `Error`, so this may do nothing.
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', 0);
  const err = new Error(message);
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  Error.captureStackTrace(err, caller);
  const code = codeOf(errno);
  // As they are printed: Node has those of `listen` the other way round.
  Object.assign(err, caller === listenError ? { code, errno } : { errno, code });
  err.syscall = syscall;
  return Object.assign(err, extra);
}

/**
 * `write EPIPE`
 * @param {number} errno
 * @param {string} syscall
 */
function errnoError(errno, syscall) {
  return systemError(`${syscall} ${codeOf(errno)}`, errno, syscall, null, errnoError);
}

const withPort = (address, port) => (port ? { address, port } : { address });

/**
 * `connect ECONNREFUSED 127.0.0.1:1`
 * @param {number} errno
 * @param {string} syscall
 * @param {string} address
 * @param {number} [port]
 * @param {{ address: string, port: number }} [local] our end, where it was chosen
 */
function peerError(errno, syscall, address, port, local) {
  let message = `${syscall} ${codeOf(errno)}${place(address, port)}`;
  const extra = withPort(address, port);
  if (local) {
    message += ` - Local (${local.address}:${local.port})`;
    extra.localAddress = local.address;
    extra.localPort = local.port;
  }
  return systemError(message, errno, syscall, extra, peerError);
}

/**
 * `listen EADDRINUSE: address already in use :::80`
 * @param {number} errno
 * @param {string} address
 * @param {number} [port]
 */
function listenError(errno, address, port) {
  const message = `listen ${codeOf(errno)}: ${textOf(errno)}${place(address, port)}`;
  return systemError(message, errno, 'listen', withPort(address, port), listenError);
}

/** What a socket is destroyed with when its `AbortSignal` says so; the same shape as Node's. */
class AbortError extends Error {
  constructor(reason) {
    super('The operation was aborted', reason === undefined ? undefined : { cause: reason });
    this.code = 'ABORT_ERR';
    this.name = 'AbortError';
  }
}

/** An error of the caller. The first line of its stack has the code, as in Node. */
function codedError(Base, code, message, extra) {
  const err = new Base(message);
  const { name } = err;
  err.name = `${name} [${code}]`;
  Error.captureStackTrace(err, codedError);
  void err.stack; // The line is made on first sight, so it has to be seen now.
  delete err.name;
  err.code = code;
  return Object.assign(err, extra);
}

/** What somebody gave, in the words Node uses for it. */
function received(value) {
  if (value == null) return `Received ${value}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name ? `Received an instance of ${name}` : `Received ${inspect(value, { depth: -1 })}`;
  }
  let shown = inspect(value, { colors: false });
  if (shown.length > 28) shown = `${shown.slice(0, 25)}...`;
  return `Received type ${typeof value} (${shown})`;
}

const kindOf = (name) => (name.includes('.') ? 'property' : 'argument');

/**
 * @param {string} name `host`, or `options.host`
 * @param {string} expected `of type string`
 * @param {unknown} value
 */
function invalidType(name, expected, value) {
  const message = `The "${name}" ${kindOf(name)} must be ${expected}. ${received(value)}`;
  return codedError(TypeError, 'ERR_INVALID_ARG_TYPE', message);
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {string} [reason]
 */
function invalidValue(name, value, reason = 'is invalid') {
  let shown = inspect(value);
  if (shown.length > 128) shown = `${shown.slice(0, 128)}...`;
  const message = `The ${kindOf(name)} '${name}' ${reason}. Received ${shown}`;
  return codedError(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

/**
 * @param {string} name
 * @param {string} range `>= 0`
 * @param {unknown} value
 */
function outOfRange(name, range, value) {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`;
  return codedError(RangeError, 'ERR_OUT_OF_RANGE', message);
}

module.exports = {
  AbortError,
  CONNECT,
  SYSCALLS,
  codeOf,
  codedError,
  errnoByCode,
  errnoError,
  invalidType,
  invalidValue,
  listenError,
  outOfRange,
  peerError,
};
