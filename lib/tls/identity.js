'use strict';
// Certificates, private keys and PKCS#12 files, in the many forms that Node takes, as the engine takes
// them. Keys are decrypted by Node's own crypto; the engine gets PKCS#8, and our copy of it is wiped.

const { Buffer } = require('node:buffer');
const crypto = require('node:crypto');
const { isArrayBufferView } = require('node:util').types;
const { invalidType } = require('../errors');
const { validateString } = require('../args');

const DATA = 'of type string or an instance of Buffer, TypedArray, or DataView';

/** One of something, or an array of it, as an array. */
const listOf = (value) => (value == null ? [] : Array.isArray(value) ? value : [value]);

/** @returns {Uint8Array} */
function bytesOf(value, name) {
  if (typeof value === 'string') return Buffer.from(value);
  if (isArrayBufferView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw invalidType(name, DATA, value);
}

/** Certificates of the option `ca` or `cert`; each may hold several. */
const certificatesOf = (value, name) => listOf(value).map((one) => bytesOf(one, name));

/** @returns {crypto.KeyObject} */
function keyOf(value, passphrase) {
  if (value instanceof crypto.KeyObject) return value;
  const isPair = value !== null && typeof value === 'object' && value.pem !== undefined;
  const key = isPair ? value.pem : value;
  const phrase = (isPair ? value.passphrase : undefined) ?? passphrase;
  if (phrase != null) validateString(phrase, 'options.passphrase');
  if (typeof key !== 'string' && !isArrayBufferView(key))
    throw invalidType('options.key', DATA, key);
  return crypto.createPrivateKey({ key, passphrase: phrase });
}

/**
 * Certificate chains with their keys: `{ certs, keys }`, of the same length. They go together by what
 * they are, not by their order, as in Node. Call {@link wipe} with `keys` when the engine has them.
 */
function identitiesOf({ cert, key, passphrase }) {
  const certs = certificatesOf(cert, 'options.cert');
  const keys = listOf(key).map((one) => keyOf(one, passphrase));
  if (certs.length === 0 || keys.length === 0) return { certs: [], keys: [] };
  const chosen =
    certs.length === 1 && keys.length === 1 ? keys : certs.map((one) => match(one, keys));
  return { certs, keys: chosen.map((one) => one.export({ type: 'pkcs8', format: 'der' })) };
}

/** The key of a certificate; if there is none, any: the engine says that they do not fit. */
function match(cert, keys) {
  const { publicKey } = new crypto.X509Certificate(cert);
  return (
    keys.find((key) => crypto.createPublicKey(key).equals(publicKey)) ??
    /** @type {any} */ (keys[0])
  );
}

/** PKCS#12 files with their pass phrases: `{ pfx, passphrases }`. */
function filesOf({ pfx, passphrase }) {
  const files = listOf(pfx).map((one) => (one?.buf === undefined ? { buf: one } : one));
  return {
    pfx: files.map(({ buf }) => bytesOf(buf, 'options.pfx')),
    passphrases: files.map((file) => {
      const phrase = file.passphrase ?? passphrase ?? '';
      validateString(phrase, 'options.passphrase');
      return phrase;
    }),
  };
}

/** @param {Buffer[]} keys */
function wipe(keys) {
  for (const key of keys) key.fill(0);
}

module.exports = { certificatesOf, filesOf, identitiesOf, wipe };
