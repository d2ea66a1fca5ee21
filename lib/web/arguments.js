'use strict';
// Arguments of web sockets: addresses, ports, and data to send. Each check throws at once.

const { Buffer, Blob } = require('node:buffer');
const { isIP } = require('node:net');
const { domainToASCII } = require('node:url');
const { inspect, types } = require('node:util');
const { validatePort } = require('../args');
const { getter, placeOfTypedArray } = require('../intrinsics');
const { invalidAccess } = require('./exceptions');

/** Of a name in ASCII: labels of at most 63 letters, digits, hyphens and underscores. */
const NAME = /^(?!-)[\w-]{1,63}(?:\.(?!-)[\w-]{1,63})*\.?$/;
/** The last label of an IPv4 address in some short form, which is no name (`127.1`, `0x7f.1`). */
const NUMERIC_END = /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i;
const LONGEST_NAME = 254; // with a dot at its end

const shown = (value) => inspect(value, { depth: -1 });

/** Whether it may be a host's name: `localhost`, `example.org.`, `müller.example`. */
function isHostName(text) {
  if (text.length > LONGEST_NAME || NUMERIC_END.test(text)) return false;
  if (NAME.test(text)) return true;
  // Not ASCII, or not a name.
  return (
    /[^\0-\x7f]/.test(text) && !/[\0-\x20:[\]/?#@%\\]/.test(text) && NAME.test(domainToASCII(text))
  );
}

/**
 * An IP address, with a zone if need be, or the name of a host.
 * @param {unknown} value
 * @param {string} name of the argument
 * @returns {string}
 * @throws {DOMException} InvalidAccessError
 */
function hostOf(value, name) {
  if (typeof value === 'string' && (isIP(value) !== 0 || isHostName(value))) return value;
  throw invalidAccess(`${name} is neither an IP address nor a host name: ${shown(value)}`);
}

/** An IP address. See {@link hostOf}. */
function addressOf(value, name) {
  if (typeof value === 'string' && isIP(value) !== 0) return value;
  throw invalidAccess(`${name} is not an IP address: ${shown(value)}`);
}

/**
 * A port, also as a numeric string.
 * @param {unknown} value
 * @param {string} name of the argument
 * @param {number} [least] 0 where that means any free port
 * @returns {number} to 65535
 * @throws {DOMException} InvalidAccessError
 */
function portOf(value, name, least = 1) {
  let port;
  try {
    port = validatePort(value, name);
  } catch {
    port = -1;
  }
  if (port >= least) return port;
  throw invalidAccess(`${name} is not an integer from ${least} to 65535: ${shown(value)}`);
}

/** Where a socket is to be bound: nulls where that is left to the system. */
function localOf({ localAddress, localPort }) {
  return {
    localAddress: localAddress == null ? null : addressOf(localAddress, 'localAddress'),
    localPort: localPort == null ? null : portOf(localPort, 'localPort', 0),
  };
}

// --- Data.

const sizeOfBlob = getter(Blob.prototype, 'size');
/** `lengthOf`: how many bytes a view has, whatever it says. */
const [bufferOf, offsetOf, lengthOf] = placeOfTypedArray;

/** @param {unknown} value @returns {value is Blob} */
function isBlob(value) {
  if (!(value instanceof Blob)) return false;
  try {
    // Something else may have its prototype.
    sizeOfBlob(value);
    return true;
  } catch {
    return false;
  }
}

/** The same bytes, by a view that says what is true. @param {Uint8Array} view */
const plainView = (view) => new Uint8Array(bufferOf(view), offsetOf(view), lengthOf(view));

/**
 * A copy of the bytes of a string (as UTF-8; a lone surrogate is U+FFFD), an `ArrayBuffer`, or the part of one that a
 * view covers. Of a Blob: null, see {@link isBlob}.
 * @param {unknown} data
 * @returns {Buffer | null}
 * @throws {DOMException} InvalidAccessError
 */
function bytesOf(data) {
  if (typeof data === 'string') return Buffer.from(data);
  if (isBlob(data)) return null;
  const view = viewOf(data);
  const copy = Buffer.allocUnsafeSlow(lengthOf(view));
  copy.set(view);
  return copy;
}

/**
 * The bytes of an `ArrayBuffer` or a view, not copied.
 * @param {unknown} data
 * @returns {Uint8Array}
 * @throws {DOMException} InvalidAccessError
 */
function viewOf(data) {
  try {
    if (types.isUint8Array(data) && !isShared(data)) {
      // Of detached memory this throws.
      if (lengthOf(data) === 0) void new Uint8Array(data.buffer);
      return data;
    }
    if (types.isArrayBuffer(data)) return new Uint8Array(data);
    if (ArrayBuffer.isView(data) && !isShared(data)) {
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    }
  } catch {
    throw invalidAccess(`The memory of ${shown(data)} is detached, or does not reach so far`);
  }
  throw invalidAccess(
    `Only a string, a Blob, an ArrayBuffer or a view of one can be sent, not ${shown(data)}`,
  );
}

/** Others may write to it while it is read. */
const isShared = (view) => types.isSharedArrayBuffer(view.buffer);

module.exports = {
  addressOf,
  bytesOf,
  hostOf,
  isBlob,
  lengthOf,
  localOf,
  plainView,
  portOf,
  viewOf,
};
