'use strict';
// The peer's certificates as the objects that Node makes of them.

const { X509Certificate } = require('node:crypto');

/**
 * The peer's certificate, or `{}` if it sent none.
 * @param {import('../stream-handle').StreamHandle} handle
 * @param {boolean} [isDetailed] with `issuerCertificate`, as far as the peer sent them
 */
function legacyCertificate(handle, isDetailed) {
  const first = certificateAt(handle, 0);
  if (first === null) return {};
  const object = first.toLegacyObject();
  if (!isDetailed) return object;
  let [last, lastObject] = [first, object];
  for (let index = 1; ; index++) {
    const next = certificateAt(handle, index);
    if (next === null || !last.checkIssued(next)) break;
    const nextObject = next.toLegacyObject();
    lastObject.issuerCertificate = nextObject;
    [last, lastObject] = [next, nextObject];
  }
  // As in Node, a root is its own issuer.
  if (last.checkIssued(last)) lastObject.issuerCertificate = lastObject;
  return object;
}

/** @returns {X509Certificate | null} */
function certificateAt(handle, index) {
  const der = handle.tlsPeerCertificate(index);
  return der ? new X509Certificate(der) : null;
}

module.exports = { certificateAt, legacyCertificate };
