//! The certificates that a chain must end at.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::{CertificateDer, TrustAnchor};
use rustls::{DistinguishedName, RootCertStore};

use crate::core::tls::failure::Failure;
use crate::core::tls::identity::certificates;

/// Trusted certificates.
#[derive(Debug)]
pub struct Roots {
    store: RootCertStore,
    /// The certificates themselves, where they were given one by one: a peer may present one of them
    /// as its own, see [`crate::core::tls::verify`].
    given: Vec<CertificateDer<'static>>,
    /// Names of the given ones: a server tells its clients whose certificates it takes. The system's
    /// are too many for that.
    subjects: Vec<DistinguishedName>,
}

impl Roots {
    /// The operating system's, read once in a process, with those in the file that the environment variable
    /// `NODE_EXTRA_CA_CERTS` names, as in Node.
    pub fn of_system() -> Arc<Self> {
        static SYSTEM: OnceLock<Arc<Roots>> = OnceLock::new();
        Arc::clone(SYSTEM.get_or_init(|| {
            // What is in the system's store and cannot be read is nobody's business here: the rest is
            // as good as before.
            let found = rustls_native_certs::load_native_certs();
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(found.certs);
            if let Some(path) = std::env::var_os("NODE_EXTRA_CA_CERTS")
                && let Ok(file) = std::fs::read(path)
            {
                // A file that cannot be read: Node itself has warned of it when it started.
                store.add_parsable_certificates(certificates(&file).unwrap_or_default());
            }
            Arc::new(Self::new(store, Vec::new()))
        }))
    }

    /// Those in `files`, each PEM (any number of certificates) or DER (one).
    ///
    /// # Errors
    /// A file without a certificate, or one that cannot be read.
    pub fn given(files: &[Vec<u8>]) -> Result<Arc<Self>, Failure> {
        let mut store = RootCertStore::empty();
        let mut given = Vec::new();
        for file in files {
            for certificate in certificates(file)? {
                store.add(certificate.clone()).map_err(|_| {
                    Failure::new(
                        "ERR_OSSL_ASN1_PARSE_ERROR",
                        "a CA certificate cannot be read",
                    )
                })?;
                given.push(certificate);
            }
        }
        Ok(Arc::new(Self::new(store, given)))
    }

    fn new(store: RootCertStore, given: Vec<CertificateDer<'static>>) -> Self {
        let subjects = if given.is_empty() {
            Vec::new()
        } else {
            store.subjects()
        };
        Self {
            store,
            given,
            subjects,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.store.is_empty()
    }

    pub(crate) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.store.roots
    }

    pub(crate) fn subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    /// Whether that very certificate was given.
    pub(crate) fn contains(&self, certificate: &CertificateDer<'_>) -> bool {
        self.given.iter().any(|given| given == certificate)
    }

    pub(crate) fn given_certificates(&self) -> &[CertificateDer<'static>] {
        &self.given
    }
}
