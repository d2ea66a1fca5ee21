'use strict';

/**
 * Keys and certificates for tests, made anew in each run: none are kept in the repository, and no
 * program is needed. X.509 version 3 (RFC 5280) in DER, signed with ECDSA P-256 and SHA-256.
 */

const { generateKeyPairSync, sign } = require('node:crypto');
const { isIP } = require('node:net');

const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';
const BASIC_CONSTRAINTS = '551d13';
const SUBJECT_ALT_NAME = '551d11';

/** Validity before and after now, in milliseconds. */
const DAY = 24 * 60 * 60 * 1000;

/** Tag, length and content of one element. */
function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts) => der(0x30, ...parts);
const oid = (hex) => der(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes) => der(0x03, Buffer.from([0]), bytes);
const algorithm = () => sequence(oid(ECDSA_WITH_SHA256));
const name = (text) =>
  sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(text)))));

function time(msecs) {
  // UTCTime, with two digits of the year: the form that is prescribed before 2050.
  const text = new Date(msecs).toISOString().replace(/^..|[-:T]|\.\d+/g, '');
  return der(0x17, Buffer.from(text));
}

function extension(id, critical, value) {
  const flag = critical ? [der(0x01, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...flag, der(0x04, value));
}

function altName(host) {
  if (isIP(host) === 4) return der(0x87, Buffer.from(host.split('.').map(Number)));
  return der(0x82, Buffer.from(host));
}

function pem(bytes) {
  const lines = bytes.toString('base64').match(/.{1,64}/g);
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

let serial = 0x1000;

/**
 * @param {object} subject `name`; `hosts` (names and IPv4 addresses) or `isAuthority`
 * @param {{ name: string, privateKey: import('node:crypto').KeyObject }} [issuer] itself if left out
 */
function certificate({ name: common, hosts = [], isAuthority = false }, issuer) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = issuer ?? { name: common, privateKey };
  const now = Date.now();
  const extensions = isAuthority
    ? extension(BASIC_CONSTRAINTS, true, sequence(der(0x01, Buffer.from([0xff]))))
    : extension(SUBJECT_ALT_NAME, false, sequence(...hosts.map(altName)));
  const number = Buffer.alloc(2);
  number.writeUInt16BE(++serial);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, number),
    algorithm(),
    name(signer.name),
    sequence(time(now - DAY), time(now + DAY)),
    name(common),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extensions)),
  );
  const signature = sign('sha256', body, signer.privateKey);
  return {
    name: common,
    privateKey,
    cert: pem(sequence(body, algorithm(), bits(signature))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

/**
 * An authority and what it issued for each list of hosts.
 * @param {Record<string, string[]>} wanted hosts by common name
 * @param {string} [label] the authority's own name
 * @returns {{ ca: string, [name: string]: any }}
 */
function authority(wanted, label = 'test authority') {
  const root = certificate({ name: label, isAuthority: true });
  const issued = Object.entries(wanted).map(([subject, hosts]) => {
    const { cert, key } = certificate({ name: subject, hosts }, root);
    return [subject, { cert, key }];
  });
  return { ca: root.cert, ...Object.fromEntries(issued) };
}

module.exports = { authority };
