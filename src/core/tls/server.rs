//! How a server answers: which context for which name, and whether clients show a certificate.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;

use crate::core::lock;
use crate::core::tls::context::Context;
use crate::core::tls::failure::Failure;
use crate::core::tls::verify::PeerVerifier;

/// Whether clients are asked for a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// No.
    #[default]
    None,
    /// Yes. None is as good as a good one; of a bad one the owner is told.
    Tolerant,
    /// Yes. None is as good as a good one; a bad one is refused.
    Requested,
    /// Yes, and only those with a good one get in.
    Required,
}

/// What does not change in the life of a server.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// Protocols that are spoken, best first.
    pub alpn: Vec<Vec<u8>>,
    /// Whether clients show a certificate.
    pub client_auth: ClientAuth,
    /// The owner chooses the context of each connection when it has seen the name.
    pub owner_chooses: bool,
    /// The most a handshake may take.
    pub timeout: Option<Duration>,
}

/// A server's contexts. Connections that have begun keep the one they began with.
#[derive(Debug)]
pub struct Server {
    pub(crate) options: ServerOptions,
    contexts: Mutex<Contexts>,
}

#[derive(Debug)]
struct Contexts {
    default: Arc<Context>,
    /// Names in lower case, a leading `*.` for one label of any kind; the last that fits is taken.
    named: Vec<(String, Arc<Context>)>,
}

impl Server {
    /// A server that answers with `context`.
    #[must_use]
    pub fn new(context: Arc<Context>, options: ServerOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            contexts: Mutex::new(Contexts {
                default: context,
                named: Vec::new(),
            }),
        })
    }

    /// Answers with `context` from now on.
    pub fn set_context(&self, context: Arc<Context>) {
        lock(&self.contexts).default = context;
    }

    /// Answers with `context` where a client asks for `name`, which may begin with `*.`.
    pub fn add_context(&self, mut name: String, context: Arc<Context>) {
        name.make_ascii_lowercase();
        lock(&self.contexts).named.push((name, context));
    }

    pub(crate) fn context_for(&self, name: Option<&str>) -> Arc<Context> {
        let contexts = lock(&self.contexts);
        let found = name.map(str::to_ascii_lowercase).and_then(|name| {
            let fits = |(pattern, _): &&(String, Arc<Context>)| is_match(pattern, &name);
            contexts.named.iter().rev().find(fits)
        });
        Arc::clone(found.map_or(&contexts.default, |(_, context)| context))
    }

    pub(crate) fn config(
        &self,
        context: &Context,
    ) -> Result<(ServerConfig, Option<Arc<PeerVerifier>>), Failure> {
        let verifier = |is_strict, is_required| {
            PeerVerifier::new(Arc::clone(context.roots()), is_strict, is_required)
        };
        let verifier = match self.options.client_auth {
            ClientAuth::None => None,
            ClientAuth::Tolerant => Some(verifier(false, false)),
            ClientAuth::Requested => Some(verifier(true, false)),
            ClientAuth::Required => Some(verifier(true, true)),
        };
        let mut config = context.server_config(verifier.clone())?;
        config.alpn_protocols.clone_from(&self.options.alpn);
        Ok((config, verifier))
    }
}

fn is_match(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => name
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_label() {
        assert!(is_match("*.example.com", "a.example.com"));
        assert!(!is_match("*.example.com", "example.com"));
        assert!(!is_match("*.example.com", "a.b.example.com"));
        assert!(!is_match("*.example.com", ".example.com"));
        assert!(is_match("example.com", "example.com"));
    }
}
