//! What connections share: who we are, whom we trust, which versions we speak, and what a server
//! remembers for resumption. Node's `SecureContext`; one serves clients and servers.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert,
    ServerSessionMemoryCache, StoresServerSessions,
};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ConfigBuilder, ConfigSide, ServerConfig, SignatureScheme,
    SupportedProtocolVersion, WantsVerifier,
};

use crate::core::tls::failure::Failure;
use crate::core::tls::provider;
use crate::core::tls::roots::Roots;
use crate::core::tls::sessions::Sessions;
use crate::core::tls::verify::PeerVerifier;

/// Sessions of TLS 1.2 that a server remembers for clients that do not know tickets.
const SERVER_SESSIONS: usize = 256;

/// Versions that may be agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// TLS 1.2 and 1.3.
    #[default]
    Both,
    /// TLS 1.2 alone.
    Only12,
    /// TLS 1.3 alone.
    Only13,
}

impl Versions {
    fn list(self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
        static ONLY_12: &[&SupportedProtocolVersion] = &[&TLS12];
        static ONLY_13: &[&SupportedProtocolVersion] = &[&TLS13];
        match self {
            Self::Both => BOTH,
            Self::Only12 => ONLY_12,
            Self::Only13 => ONLY_13,
        }
    }
}

/// See the module. Private keys are dropped with it.
pub struct Context {
    identities: Arc<Identities>,
    /// The same as what a client has, always the same one, as for the verifiers: rustls resumes no session
    /// with another one than it was made with.
    client_identities: Arc<dyn ResolvesClientCert>,
    strict: Arc<PeerVerifier>,
    tolerant: Arc<PeerVerifier>,
    roots: Arc<Roots>,
    versions: Versions,
    server: OnceLock<ServerShared>,
}

struct ServerShared {
    sessions: Arc<dyn StoresServerSessions>,
    tickets: Option<Arc<dyn ProducesTickets>>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("identities", &self.identities.0.len())
            .field("roots", &self.roots.len())
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// A context with these identities (the first that suits the peer is used) and roots.
    #[must_use]
    pub fn new(
        identities: Vec<Arc<CertifiedKey>>,
        roots: Arc<Roots>,
        versions: Versions,
    ) -> Arc<Self> {
        let identities = Arc::new(Identities(identities));
        let client_identities: Arc<dyn ResolvesClientCert> = Arc::<Identities>::clone(&identities);
        let verifier = |is_strict| PeerVerifier::new(Arc::clone(&roots), is_strict, false);
        Arc::new(Self {
            identities,
            client_identities,
            strict: verifier(true),
            tolerant: verifier(false),
            roots,
            versions,
            server: OnceLock::new(),
        })
    }

    pub(crate) fn roots(&self) -> &Arc<Roots> {
        &self.roots
    }

    /// What checks a client's servers.
    pub(crate) fn server_verifier(&self, is_strict: bool) -> &Arc<PeerVerifier> {
        if is_strict {
            &self.strict
        } else {
            &self.tolerant
        }
    }

    /// What one client connection is made with.
    pub(crate) fn client_config(
        &self,
        verifier: Arc<PeerVerifier>,
        sessions: Option<Arc<Sessions>>,
    ) -> Result<ClientConfig, Failure> {
        let builder = self.builder(ClientConfig::builder_with_provider)?;
        let mut config = builder
            .dangerous() // Rustls' word for any verifier but its own.
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::clone(&self.client_identities));
        config.resumption =
            sessions.map_or_else(Resumption::disabled, |sessions| Resumption::store(sessions));
        Ok(config)
    }

    /// What one server connection is made with. `verifier`: clients are asked for a certificate.
    pub(crate) fn server_config(
        &self,
        verifier: Option<Arc<PeerVerifier>>,
    ) -> Result<ServerConfig, Failure> {
        let builder = self.builder(ServerConfig::builder_with_provider)?;
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let identities: Arc<dyn ResolvesServerCert> = Arc::<Identities>::clone(&self.identities);
        let mut config = builder.with_cert_resolver(identities);
        let shared = self.server.get_or_init(ServerShared::new);
        config.session_storage = Arc::clone(&shared.sessions);
        match &shared.tickets {
            Some(tickets) => config.ticketer = Arc::clone(tickets),
            // Without random numbers for the key there are no tickets; sessions still work.
            None => config.send_tls13_tickets = 0,
        }
        Ok(config)
    }

    fn builder<S: ConfigSide>(
        &self,
        start: fn(Arc<rustls::crypto::CryptoProvider>) -> ConfigBuilder<S, rustls::WantsVersions>,
    ) -> Result<ConfigBuilder<S, WantsVerifier>, Failure> {
        start(Arc::clone(provider()))
            .with_protocol_versions(self.versions.list())
            .map_err(|error| Failure::of_connection(&error, false))
    }
}

impl ServerShared {
    fn new() -> Self {
        match rustls::crypto::aws_lc_rs::Ticketer::new() {
            Ok(tickets) => Self {
                sessions: ServerSessionMemoryCache::new(SERVER_SESSIONS),
                tickets: Some(tickets),
            },
            Err(_) => Self {
                sessions: Arc::new(NoServerSessionStorage {}),
                tickets: None,
            },
        }
    }
}

/// Certificates with their keys.
#[derive(Debug)]
struct Identities(Vec<Arc<CertifiedKey>>);

impl Identities {
    /// The first whose key can sign in a way that the peer understands.
    fn suited(&self, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0
            .iter()
            .find(|identity| identity.key.choose_scheme(schemes).is_some())
            .cloned()
    }
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.suited(hello.signature_schemes())
    }
}

impl ResolvesClientCert for Identities {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        // As OpenSSL does, without regard to the hints: the server says whether it likes it.
        self.suited(schemes)
    }

    fn has_certs(&self) -> bool {
        !self.0.is_empty()
    }
}
