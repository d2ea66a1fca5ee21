//! What one client wants of its connection.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

use crate::core::tls::context::Context;
use crate::core::tls::failure::Failure;
use crate::core::tls::sessions::{SessionMemory, Sessions};
use crate::core::tls::verify::PeerVerifier;

/// One client's wishes.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Who we are and whom we trust.
    pub context: Arc<Context>,
    /// Where sessions are resumed from and kept. `None`: nowhere.
    pub sessions: Option<SessionMemory>,
    /// The host that the certificate must be for: a name or a literal address.
    pub host: String,
    /// Tell the server that name (SNI). Addresses are never told.
    pub send_name: bool,
    /// Protocols to offer, best first.
    pub alpn: Vec<Vec<u8>>,
    /// Fail where the certificate chain is bad. Otherwise the handshake goes on and the owner is told.
    pub is_strict: bool,
    /// The owner has its own check of the certificate's names: wait for it before anything is sent.
    pub owner_checks: bool,
    /// The most the handshake may take. `None`: for ever.
    pub timeout: Option<Duration>,
}

/// A client's side of a handshake.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) verifier: Arc<PeerVerifier>,
    pub(crate) sessions: Option<Arc<Sessions>>,
    /// `None` for a host that can be in no certificate.
    name: Option<ServerName<'static>>,
    owner_checks: bool,
}

impl ClientOptions {
    pub(crate) fn start(&self) -> Result<(ClientConnection, Client), Failure> {
        let name = ServerName::try_from(self.host.clone()).ok();
        let verifier = Arc::clone(self.context.server_verifier(self.is_strict));
        // Sessions are remembered by name.
        let sessions = self
            .sessions
            .as_ref()
            .filter(|_| name.is_some())
            .map(Sessions::new);
        let mut config = self
            .context
            .client_config(Arc::clone(&verifier), sessions.clone())?;
        config.alpn_protocols.clone_from(&self.alpn);
        config.enable_sni = self.send_name && name.is_some();
        // Only the key of the sessions and the SNI extension, and there is neither.
        let nameless = ServerName::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let connection = ClientConnection::new(Arc::new(config), name.clone().unwrap_or(nameless))
            .map_err(|error| Failure::of_connection(&error, false))?;
        let client = Client {
            verifier,
            sessions,
            name,
            owner_checks: self.owner_checks,
        };
        Ok((connection, client))
    }
}

impl Client {
    /// Whether the owner has to look at the certificate before anything is sent. Where it is for our
    /// host by the rules that rustls and Node share, the owner need not.
    pub(crate) fn needs_owner(&self, chain: &[CertificateDer<'_>]) -> bool {
        self.owner_checks || !self.is_for_host(chain)
    }

    fn is_for_host(&self, chain: &[CertificateDer<'_>]) -> bool {
        let (Some(leaf), Some(name)) = (chain.first(), &self.name) else {
            return false;
        };
        EndEntityCert::try_from(leaf)
            .is_ok_and(|leaf| leaf.verify_is_valid_for_subject_name(name).is_ok())
    }
}
