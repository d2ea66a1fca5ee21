//! The check of a peer's certificate chain.
//!
//! A program may want a connection in spite of what is found, and is then told what is wrong.
//! Names are not checked here but by [`crate::core::tls::client`], because a program may have its own
//! idea of them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage};

use crate::core::tls::failure::Failure;
use crate::core::tls::info::Authorization;
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

thread_local! {
    /// What the last check on this thread found wrong. Rustls has an alert for each kind of error and
    /// hands only that on; who called it asks for the rest, on the same thread, before anything else.
    static LAST_FAILURE: RefCell<Option<Failure>> = const { RefCell::new(None) };
}

/// Why the handshake that has just failed on this thread did not like the peer's certificate.
pub(crate) fn take_last_failure() -> Option<Failure> {
    LAST_FAILURE.take()
}

/// Checks peers in the handshake.
///
/// It knows nothing of a single connection: rustls resumes sessions only where they were made with the
/// very same one.
#[derive(Debug)]
pub(crate) struct PeerVerifier {
    roots: Arc<Roots>,
    /// Let nobody through whose chain is bad. Otherwise it is looked at when the handshake is over.
    is_strict: bool,
    /// A client without a certificate is refused.
    is_required: bool,
}

impl PeerVerifier {
    pub(crate) fn new(roots: Arc<Roots>, is_strict: bool, is_required: bool) -> Arc<Self> {
        Arc::new(Self {
            roots,
            is_strict,
            is_required,
        })
    }

    /// What is to be said of a peer when the handshake is over.
    ///
    /// # Errors
    /// The handshake let it through, and should not have: the session was resumed, and was made when
    /// the certificate was still good or none was asked for.
    pub(crate) fn authorization(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        is_resumed: bool,
    ) -> Result<Authorization, Failure> {
        if self.is_required && chain.is_empty() {
            return Err(Failure::NO_CLIENT_CERTIFICATE);
        }
        if self.is_strict && !is_resumed && !chain.is_empty() {
            return Ok(Authorization::Good); // Or the handshake had failed.
        }
        match check_chain(chain, &self.roots, purpose, UnixTime::now()) {
            Ok(()) => Ok(Authorization::Good),
            Err(failure) if self.is_strict && !chain.is_empty() => Err(failure),
            Err(failure) => Ok(Authorization::Bad(failure)),
        }
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<(), Error> {
        if !self.is_strict {
            return Ok(());
        }
        let chain: Vec<_> = std::iter::once(leaf)
            .chain(intermediates)
            .cloned()
            .collect();
        check_chain(&chain, &self.roots, purpose, now).map_err(|failure| {
            let error = Error::InvalidCertificate(alert_for(&failure));
            LAST_FAILURE.set(Some(failure));
            error
        })
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
