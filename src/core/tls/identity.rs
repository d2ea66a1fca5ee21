//! Certificates with their private keys.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use webpki::EndEntityCert;

use crate::core::tls::failure::Failure;
use crate::core::tls::provider;
use crate::core::tls::roots::Roots;

/// A DER certificate begins like every ASN.1 sequence; no PEM file does.
const SEQUENCE: u8 = 0x30;

/// Chains longer than this are of no use to anybody, and cost every peer.
const LONGEST_CHAIN: usize = 10;

/// The certificates in a file: PEM (at least one) or DER (one).
pub(crate) fn certificates(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    if file.first() == Some(&SEQUENCE) {
        return Ok(vec![CertificateDer::from(file.to_vec())]);
    }
    let found = CertificateDer::pem_slice_iter(file)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| {
            Failure::new(
                "ERR_OSSL_PEM_BAD_BASE64_DECODE",
                "a PEM file cannot be read",
            )
        })?;
    if found.is_empty() {
        return Err(Failure::new(
            "ERR_OSSL_PEM_NO_START_LINE",
            "no certificate found",
        ));
    }
    Ok(found)
}

/// A certificate chain (leaf first, PEM or DER) and its key (PKCS#8 in DER).
///
/// # Errors
/// They cannot be read, or do not belong together.
pub fn from_parts(chain: &[u8], key: Vec<u8>, roots: &Roots) -> Result<Arc<CertifiedKey>, Failure> {
    let chain = certificates(chain)?;
    identity(chain, key, roots)
}

/// What a PKCS#12 file holds: one key, its certificate, and the others as its chain.
///
/// # Errors
/// The pass phrase is wrong, or the file cannot be read or has no key.
pub fn from_pkcs12(
    file: &[u8],
    pass_phrase: &str,
    roots: &Roots,
) -> Result<Arc<CertifiedKey>, Failure> {
    // The error says what could not be decoded; a program cannot do anything with it, and the usual
    // reason is the pass phrase.
    let store = p12_keystore::KeyStore::from_pkcs12(file, pass_phrase)
        .map_err(|_| Failure::new("ERR_OSSL_PKCS12_MAC_VERIFY_FAILURE", "mac verify failure"))?;
    let Some((_, entry)) = store.private_key_chain() else {
        return Err(Failure::new(
            "ERR_OSSL_PKCS12_NO_PRIVATE_KEY",
            "the PKCS#12 file has no private key with a certificate",
        ));
    };
    let chain = entry
        .chain()
        .iter()
        .map(|certificate| CertificateDer::from(certificate.as_der().to_vec()))
        .collect();
    identity(chain, entry.key().to_vec(), roots)
}

fn identity(
    mut chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    roots: &Roots,
) -> Result<Arc<CertifiedKey>, Failure> {
    complete(&mut chain, roots);
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    match CertifiedKey::from_der(chain, key, provider()) {
        Ok(identity) => Ok(Arc::new(identity)),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(Failure::new(
            "ERR_OSSL_X509_KEY_VALUES_MISMATCH",
            "key values mismatch",
        )),
        Err(Error::InvalidCertificate(_)) => Err(Failure::new(
            "ERR_OSSL_ASN1_PARSE_ERROR",
            "the certificate cannot be read",
        )),
        Err(_) => Err(Failure::new(
            "ERR_OSSL_UNSUPPORTED",
            "the private key cannot be used: RSA of at least 2048 bits, P-256, P-384, P-521 and Ed25519 can",
        )),
    }
}

/// Adds the intermediate certificates that are among the given CAs, as OpenSSL does: many programs give
/// their leaf as `cert` and all the rest as `ca`.
fn complete(chain: &mut Vec<CertificateDer<'static>>, roots: &Roots) {
    if chain.len() != 1 {
        return;
    }
    while chain.len() < LONGEST_CHAIN {
        let Some(issuer) = chain.last().and_then(|last| issuer_among(last, roots)) else {
            return;
        };
        chain.push(issuer);
    }
}

fn issuer_among(
    certificate: &CertificateDer<'_>,
    roots: &Roots,
) -> Option<CertificateDer<'static>> {
    let parsed = EndEntityCert::try_from(certificate).ok()?;
    roots
        .given_certificates()
        .iter()
        .find(|candidate| {
            EndEntityCert::try_from(*candidate).is_ok_and(|candidate| {
                // A root is not sent: who trusts it has it.
                candidate.subject() == parsed.issuer() && candidate.issuer() != candidate.subject()
            })
        })
        .cloned()
}
