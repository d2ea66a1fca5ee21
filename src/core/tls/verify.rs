//! The check of a peer's certificate chain.
//!
//! The outcome is kept: a program may want a connection in spite of it, and is then told what is wrong.
//! Names are not checked here but by [`crate::core::tls::client`], because a program may have its own
//! idea of them.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage};

use crate::core::tls::failure::Failure;
use crate::core::tls::provider;
use crate::core::tls::roots::Roots;

/// What a peer's certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Server,
    Client,
}

/// Whether `chain` (leaf first) leads to one of `roots` and is good now.
pub(crate) fn check_chain(
    chain: &[CertificateDer<'_>],
    roots: &Roots,
    purpose: Purpose,
    now: UnixTime,
) -> Result<(), Failure> {
    let [leaf, intermediates @ ..] = chain else {
        return Err(NO_CERTIFICATE);
    };
    let parsed = EndEntityCert::try_from(leaf).map_err(|error| failure_of(&error))?;
    let usage = match purpose {
        Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    };
    let algorithms = provider().signature_verification_algorithms.all;
    let anchors = roots.anchors();
    match parsed.verify_for_usage(algorithms, anchors, intermediates, now, usage, None, None) {
        Ok(_) => Ok(()),
        // A certificate that signed itself is a CA in the eyes of most tools, and is trusted by being
        // given as one. Its dates were checked before this was said of it, and the handshake proves
        // that the peer has its key.
        Err(webpki::Error::CaUsedAsEndEntity) if roots.contains(leaf) => Ok(()),
        // The last two: a trusted certificate has the issuer's name, and is another one.
        Err(
            webpki::Error::UnknownIssuer
            | webpki::Error::CaUsedAsEndEntity
            | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_),
        ) => Err(missing_issuer(&parsed, intermediates)),
        Err(webpki::Error::InvalidSignatureForPublicKey) if signs_itself(&parsed) => {
            Err(missing_issuer(&parsed, intermediates))
        }
        Err(error) => Err(failure_of(&error)),
    }
}

const NO_CERTIFICATE: Failure = Failure::new(
    "UNABLE_TO_GET_ISSUER_CERT",
    "the peer did not present a certificate",
);

fn signs_itself(certificate: &EndEntityCert<'_>) -> bool {
    certificate.issuer() == certificate.subject()
}

/// In OpenSSL's words, what kind of chain it is that leads nowhere.
fn missing_issuer(leaf: &EndEntityCert<'_>, intermediates: &[CertificateDer<'_>]) -> Failure {
    if signs_itself(leaf) {
        return Failure::new("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate");
    }
    let others: Vec<_> = intermediates
        .iter()
        .filter_map(|der| EndEntityCert::try_from(der).ok())
        .collect();
    // Follows the chain by its names, as far as it goes.
    let mut issuer = leaf.issuer();
    let mut steps = 0;
    while let Some(next) = others.iter().find(|other| other.subject() == issuer) {
        if signs_itself(next) {
            return Failure::new(
                "SELF_SIGNED_CERT_IN_CHAIN",
                "self-signed certificate in certificate chain",
            );
        }
        issuer = next.issuer();
        steps += 1;
        if steps > others.len() {
            break;
        }
    }
    if steps == 0 {
        Failure::new(
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            "unable to verify the first certificate",
        )
    } else {
        Failure::new(
            "UNABLE_TO_GET_ISSUER_CERT",
            "unable to get issuer certificate",
        )
    }
}

fn failure_of(error: &webpki::Error) -> Failure {
    use webpki::Error as Reason;
    match error {
        Reason::CertExpired { .. } => Failure::new("CERT_HAS_EXPIRED", "certificate has expired"),
        Reason::CertNotValidYet { .. } => {
            Failure::new("CERT_NOT_YET_VALID", "certificate is not yet valid")
        }
        Reason::CertRevoked => Failure::new("CERT_REVOKED", "certificate revoked"),
        Reason::InvalidSignatureForPublicKey => {
            Failure::new("CERT_SIGNATURE_FAILURE", "certificate signature failure")
        }
        Reason::RequiredEkuNotFoundContext(_) => {
            Failure::new("INVALID_PURPOSE", "unsuitable certificate purpose")
        }
        Reason::EndEntityUsedAsCa => Failure::new("INVALID_CA", "invalid CA certificate"),
        Reason::PathLenConstraintViolated => {
            Failure::new("PATH_LENGTH_EXCEEDED", "path length constraint exceeded")
        }
        Reason::MaximumPathDepthExceeded => {
            Failure::new("CERT_CHAIN_TOO_LONG", "certificate chain too long")
        }
        other => Failure {
            code: Cow::Borrowed("CERT_REJECTED"),
            text: Cow::Owned(format!("certificate rejected: {other:?}")),
        },
    }
}

/// What the peer is told: the alert that fits.
fn alert_for(failure: &Failure) -> CertificateError {
    match &*failure.code {
        "CERT_HAS_EXPIRED" | "CERT_NOT_YET_VALID" => CertificateError::Expired,
        "CERT_REVOKED" => CertificateError::Revoked,
        "CERT_SIGNATURE_FAILURE" => CertificateError::BadSignature,
        "INVALID_PURPOSE" => CertificateError::InvalidPurpose,
        "CERT_REJECTED" => CertificateError::BadEncoding,
        _ => CertificateError::UnknownIssuer,
    }
}

/// Checks the peer of one connection.
#[derive(Debug)]
pub(crate) struct PeerVerifier {
    roots: Arc<Roots>,
    /// Let nobody through whose chain is bad.
    is_strict: bool,
    /// A client without a certificate is refused.
    is_required: bool,
    outcome: OnceLock<Result<(), Failure>>,
}

impl PeerVerifier {
    pub(crate) fn new(roots: Arc<Roots>, is_strict: bool, is_required: bool) -> Arc<Self> {
        Arc::new(Self {
            roots,
            is_strict,
            is_required,
            outcome: OnceLock::new(),
        })
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// The outcome of the check. A resumed session has not been checked by the handshake: it is now,
    /// because roots may have changed and certificates expire.
    pub(crate) fn outcome(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
    ) -> Result<(), Failure> {
        self.outcome
            .get_or_init(|| check_chain(chain, &self.roots, purpose, UnixTime::now()))
            .clone()
    }

    /// What was found wrong, if anything was looked at.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.outcome.get()?.clone().err()
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<(), Error> {
        let chain: Vec<_> = std::iter::once(leaf)
            .chain(intermediates)
            .cloned()
            .collect();
        let outcome = self
            .outcome
            .get_or_init(|| check_chain(&chain, &self.roots, purpose, now));
        match outcome {
            Err(failure) if self.is_strict => Err(Error::InvalidCertificate(alert_for(failure))),
            _ => Ok(()),
        }
    }

    fn algorithms() -> &'static rustls::crypto::WebPkiSupportedAlgorithms {
        &provider().signature_verification_algorithms
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, Purpose::Server, now)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, Self::algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, Self::algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Self::algorithms().supported_schemes()
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Who takes any certificate gives no hint: a client would have none to offer.
        if self.is_strict {
            self.roots.subjects()
        } else {
            &[]
        }
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, intermediates, Purpose::Client, now)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, Self::algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, Self::algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Self::algorithms().supported_schemes()
    }
}
