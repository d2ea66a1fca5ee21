'use strict';
// Contexts of TLS, and the options of connections, as the engine takes them.
//
// For every API of this package. A client:
//
//   const tls = clientTls({ ca, cert, key, servername, ... }, host);  // once; throws on bad options
//   handle.connect(remote, local, { ..., readAtOnce: false });        // StreamHandle
//   // in onconnect: const failure = tls.start(handle);               // null, or give up
//   // onsecured(owner, needsOwner): const err = tls.check(handle, needsOwner);
//   //    null: bytes flow from now on; an error: close the handle, it is not the right peer
//   // ontlsfailed(owner, failure): tlsError(failure) is the error; close the handle
//
// What is written before `onsecured` is queued and encrypted when the handshake is over; nothing is ever
// sent in plain. A server:
//
//   const tls = serverTls({ cert, key, ca, requestCert, ... });
//   listener.listen(local, options, streamOptions, tls.native);       // ListenHandle
//   // each handle of onconnection gets onsecured (nothing to check), or ontlsfailed: then close it
//   // with an `SNICallback` also onnamed(owner): answer with handle.tlsChoose(context.native)
//
// The end of a half is said in TLS before it is sent, by `handle.end()` and by `handle.close()`.

const { Buffer } = require('node:buffer');
const { isIP } = require('node:net');
const nodeTls = require('node:tls');
const { TlsClientAuth, TlsContext, TlsServer } = require('../native');
const { codedError, invalidType, invalidValue } = require('../errors');
const { validateFunction, validateInteger, validateObject, validateString } = require('../args');
const { legacyCertificate } = require('./certificate');
const { certificatesOf, filesOf, identitiesOf, wipe } = require('./identity');
const { memoryOf } = require('./sessions');
const { tlsError, unsupported } = require('./failure');

/** The most a handshake may take on a server, in milliseconds, as in Node. */
const HANDSHAKE_TIMEOUT = 120_000;

/** @type {Record<string, number>} */
const VERSIONS = { TLSv1: 0, 'TLSv1.1': 1, 'TLSv1.2': 2, 'TLSv1.3': 3 };

/** Who we are and whom we trust. Node's class of that name, without its `context`. */
class SecureContext {
  /** @param {TlsContext} native */
  constructor(native) {
    /** The engine's object. Not enumerable: it is nobody's business what is in there. */
    Object.defineProperty(this, 'native', { value: native });
  }
}

/** Contexts without anything of their own, by versions: the system's roots are many. */
const defaults = new Map();

/**
 * @param {Record<string, any>} [options] `ca`, `cert`, `key`, `pfx`, `passphrase`, `minVersion`,
 *   `maxVersion`; see `tls.d.ts`
 * @returns {SecureContext}
 */
function createSecureContext(options = {}) {
  validateObject(options, 'options');
  refuseUnsupported(options);
  const versions = versionsOf(options);
  const isDefault = ['ca', 'cert', 'key', 'pfx'].every((name) => options[name] == null);
  if (!isDefault) return makeContext(options, versions);
  const name = `${versions.tls12} ${versions.tls13}`;
  if (!defaults.has(name)) defaults.set(name, makeContext(options, versions));
  return defaults.get(name);
}

function makeContext(options, versions) {
  const { certs, keys } = identitiesOf(options);
  let made;
  try {
    made = TlsContext.create({
      __proto__: null, // See `bare`.
      certs,
      keys,
      ...filesOf(options),
      ca: rootsOf(options.ca),
      ...versions,
    });
  } finally {
    wipe(keys);
  }
  // Not `instanceof`: where the addon is loaded twice, its objects are of the class that was loaded last.
  if ('code' in made) throw tlsError(made);
  return new SecureContext(made);
}

/** The certificates of `ca`; else nothing, which is the operating system's; else Node's own. */
function rootsOf(ca) {
  if (ca != null) return certificatesOf(ca, 'options.ca');
  // A slim container has none of its own.
  if (TlsContext.systemRoots() > 0) return undefined;
  return nodeTls.rootCertificates.map((one) => Buffer.from(one));
}

/** What would be less safe, or not work, if it were passed over. */
function refuseUnsupported({ crl, pskCallback, secureProtocol, ticketKeys, privateKeyEngine }) {
  if (crl != null) throw unsupported('crl', 'a revoked certificate would be taken');
  if (pskCallback != null) throw unsupported('pskCallback');
  if (secureProtocol != null) throw unsupported('secureProtocol', 'use minVersion and maxVersion');
  if (ticketKeys != null) throw unsupported('ticketKeys');
  if (privateKeyEngine != null) throw unsupported('privateKeyEngine');
}

function versionsOf({ minVersion, maxVersion }) {
  const [min, max] = [versionOf(minVersion, 'minimum', 0), versionOf(maxVersion, 'maximum', 3)];
  if (max < VERSIONS['TLSv1.2']) {
    throw invalidValue('options.maxVersion', maxVersion, 'must be at least TLSv1.2');
  }
  if (min > max) throw invalidValue('options.minVersion', minVersion, 'is above maxVersion');
  return { tls12: min <= 2, tls13: max >= 3 };
}

function versionOf(value, which, fallback) {
  if (value == null) return fallback;
  const version = Object.hasOwn(VERSIONS, value) ? VERSIONS[value] : undefined;
  if (version !== undefined) return version;
  const message = `"${value}" is not a valid ${which} TLS protocol version`;
  throw codedError(TypeError, 'ERR_TLS_INVALID_PROTOCOL_VERSION', message);
}

/** The context of `options`: `secureContext`, or one made of the rest. */
function secureContextOf(options) {
  const { secureContext } = options;
  if (secureContext == null) return createSecureContext(options);
  if (secureContext instanceof SecureContext) return secureContext;
  throw invalidType(
    'options.secureContext',
    "a context of this package's createSecureContext",
    secureContext,
  );
}

/** @param {string[] | Uint8Array | undefined} protocols names, or the wire format */
function alpnOf(protocols) {
  if (protocols == null) return undefined;
  const out = { ALPNProtocols: undefined };
  nodeTls.convertALPNProtocols(protocols, out);
  return out.ALPNProtocols;
}

function timeoutOf(value, fallback) {
  if (value === undefined) return fallback;
  validateInteger(value, 'options.handshakeTimeout', 0, 2 ** 31 - 1);
  return value;
}

/** One client's TLS, see the top of the file. */
class ClientTls {
  /**
   * @param {Record<string, any>} options
   * @param {string | undefined} host that is connected to
   */
  constructor(options, host) {
    const { servername, checkServerIdentity } = options;
    if (servername !== undefined) validateString(servername, 'options.servername');
    if (checkServerIdentity !== undefined) {
      validateFunction(checkServerIdentity, 'options.checkServerIdentity');
    }
    this.context = secureContextOf(options);
    /** The host that the certificate must be for. */
    this.host = servername || host || 'localhost';
    this.rejectsUnauthorized = options.rejectUnauthorized !== false;
    this.checkServerIdentity = checkServerIdentity;
    /** Where sessions are resumed from and kept. */
    this.sessions = memoryOf(options.session);
    this.isStarted = false;
    this.native = {
      host: this.host,
      sendName: servername !== '' && isIP(this.host) === 0,
      alpn: alpnOf(options.ALPNProtocols),
      isStrict: this.rejectsUnauthorized,
      ownerChecks: checkServerIdentity !== undefined,
      timeout: timeoutOf(options.handshakeTimeout, 0),
    };
  }

  /** Another host than that of the options, before the handshake begins: the certificate is checked for the one asked for. */
  setName(name) {
    if (this.isStarted) return;
    this.host = name || this.host;
    this.native.host = this.host;
    this.native.sendName = name !== '' && isIP(name) === 0;
  }

  /** Begins the handshake on a connected handle. Answers a failure, or null. */
  start(handle, early) {
    this.isStarted = true;
    return handle.secureClient(this.context.native, this.sessions, this.native, early) ?? null;
  }

  /**
   * The peer's certificate, when the handshake is over: answers what is wrong with it, or null; after
   * that bytes flow. What is wrong and does not matter (`rejectUnauthorized: false`) is noted in
   * `this.problem`.
   */
  check(handle, needsOwner) {
    const { failure } = handle.tlsInfo() ?? {};
    this.problem = failure ? tlsError(failure) : needsOwner ? this.identityProblem(handle) : null;
    if (this.problem && this.rejectsUnauthorized) return this.problem;
    if (needsOwner) handle.tlsAccept();
    return null;
  }

  /** By Node's rules, or the program's. */
  identityProblem(handle) {
    const checkIdentity = this.checkServerIdentity ?? nodeTls.checkServerIdentity;
    return checkIdentity(this.host, legacyCertificate(handle, true)) ?? null;
  }
}

/** A server's TLS, see the top of the file. */
class ServerTls {
  /** @param {Record<string, any>} options see `tls.d.ts` */
  constructor(options) {
    const { SNICallback, contexts } = options;
    if (SNICallback !== undefined) validateFunction(SNICallback, 'options.SNICallback');
    if (options.ALPNCallback !== undefined) throw unsupported('ALPNCallback', 'use ALPNProtocols');
    this.SNICallback = SNICallback;
    this.native = new TlsServer(secureContextOf(options).native, {
      __proto__: null,
      alpn: alpnOf(options.ALPNProtocols),
      clientAuth: clientAuthOf(options),
      ownerChooses: SNICallback !== undefined,
      timeout: timeoutOf(options.handshakeTimeout, HANDSHAKE_TIMEOUT),
    });
    for (const name of Object.keys(contexts ?? {})) this.addContext(name, contexts[name]);
  }

  /** @param {object} options also a secure context */
  setContext(options) {
    this.native.setContext(contextFrom(options).native);
  }

  addContext(name, options) {
    validateString(name, 'hostname');
    this.native.addContext(name, contextFrom(options).native);
  }
}

const contextFrom = (value) =>
  value instanceof SecureContext ? value : createSecureContext(value);

/** The values of `clientAuth`. */
const CLIENT_AUTH = new Map([
  ['none', TlsClientAuth.None],
  // What Node cannot say: a client without a certificate may come in, one with a bad one not.
  ['request', TlsClientAuth.Requested],
  ['required', TlsClientAuth.Required],
]);

/** Whatever is not understood is refused: passed over, it would let everybody in. */
function clientAuthOf({ requestCert, rejectUnauthorized, clientAuth }) {
  if (clientAuth == null) {
    if (!requestCert) return TlsClientAuth.None;
    return rejectUnauthorized === false ? TlsClientAuth.Tolerant : TlsClientAuth.Required;
  }
  const refuse = (reason) => invalidValue('options.clientAuth', clientAuth, reason);
  const asked = CLIENT_AUTH.get(clientAuth);
  if (asked === undefined) throw refuse("must be 'none', 'request' or 'required'");
  if (clientAuth === 'none' && requestCert) throw refuse('contradicts requestCert: true');
  if (clientAuth === 'required' && rejectUnauthorized === false) {
    throw refuse('contradicts rejectUnauthorized: false');
  }
  return asked;
}

const clientTls = (options, host) => new ClientTls(options, host);
const serverTls = (options) => new ServerTls(options);

module.exports = { SecureContext, clientTls, createSecureContext, serverTls };
