//! Contexts and servers of TLS: objects that JavaScript holds. Private keys are dropped when it has let go of
//! them and the last connection made with them is closed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{Either, Uint8Array};
use napi_derive::napi;

use crate::core::tls::context::{Context, Versions};
use crate::core::tls::failure::Failure;
use crate::core::tls::identity;
use crate::core::tls::roots::Roots;
use crate::core::tls::server::{ClientAuth, Server, ServerOptions};

/// Why something failed, in Node's words.
#[napi(object)]
#[derive(Debug)]
pub struct NativeTlsFailure {
    /// `err.code`.
    pub code: String,
    /// `err.message`.
    pub text: String,
}

impl From<&Failure> for NativeTlsFailure {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code.to_string(),
            text: failure.text.to_string(),
        }
    }
}

/// What a context is made of.
#[napi(object)]
#[allow(
    missing_debug_implementations,
    reason = "an argument; nothing prints it, and some hold secrets"
)]
pub struct NativeTlsContextOptions {
    /// Certificate chains, PEM or DER, leaf first; as many as `keys`.
    pub certs: Vec<Uint8Array>,
    /// Their private keys, PKCS#8 in DER.
    pub keys: Vec<Uint8Array>,
    /// PKCS#12 files; as many as `passphrases`.
    pub pfx: Vec<Uint8Array>,
    /// Their pass phrases.
    pub passphrases: Vec<String>,
    /// Trusted certificates, PEM or DER; absent: the operating system's.
    pub ca: Option<Vec<Uint8Array>>,
    /// `TLSv1.2` may be spoken.
    pub tls12: bool,
    /// `TLSv1.3` may be spoken.
    pub tls13: bool,
}

/// Who we are and whom we trust; for clients and servers.
#[napi]
pub struct TlsContext(pub(super) Arc<Context>);

impl fmt::Debug for TlsContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[napi]
impl TlsContext {
    /// Makes one, or says what is wrong with the options.
    #[napi(catch_unwind)]
    #[allow(
        clippy::needless_pass_by_value,
        clippy::use_self,
        reason = "napi hands an object over by value, and needs the name"
    )]
    pub fn create(options: NativeTlsContextOptions) -> Either<TlsContext, NativeTlsFailure> {
        match context(&options) {
            Ok(context) => Either::A(Self(context)),
            Err(failure) => Either::B((&failure).into()),
        }
    }

    /// How many certificates the operating system trusts, as far as we know.
    #[napi(catch_unwind)]
    pub fn system_roots() -> u32 {
        u32::try_from(Roots::of_system().len()).unwrap_or(u32::MAX)
    }
}

fn context(options: &NativeTlsContextOptions) -> Result<Arc<Context>, Failure> {
    let roots = match &options.ca {
        Some(files) => Roots::given(&files.iter().map(|file| file.to_vec()).collect::<Vec<_>>())?,
        None => Roots::of_system(),
    };
    let mut identities = Vec::new();
    for (cert, key) in options.certs.iter().zip(&options.keys) {
        identities.push(identity::from_parts(cert, key.to_vec(), &roots)?);
    }
    for (file, pass_phrase) in options.pfx.iter().zip(&options.passphrases) {
        identities.push(identity::from_pkcs12(file, pass_phrase, &roots)?);
    }
    let versions = match (options.tls12, options.tls13) {
        (true, false) => Versions::Only12,
        (false, true) => Versions::Only13,
        _ => Versions::Both,
    };
    Ok(Context::new(identities, roots, versions))
}

/// How a server answers.
#[napi(object)]
#[allow(
    missing_debug_implementations,
    reason = "an argument; nothing prints it, and some hold secrets"
)]
pub struct NativeTlsServerOptions {
    /// Protocols, best first, each with its length in a byte before it.
    pub alpn: Option<Uint8Array>,
    /// Whether clients show a certificate.
    pub client_auth: TlsClientAuth,
    /// JavaScript chooses the context of each connection, see `EventKind.Named`.
    pub owner_chooses: bool,
    /// The most a handshake may take, in milliseconds; 0 is for ever.
    pub timeout: u32,
}

/// Whether clients show a certificate.
#[napi]
#[derive(Debug, PartialEq, Eq)]
pub enum TlsClientAuth {
    /// They are not asked.
    None,
    /// They are asked; any certificate, or none, will do.
    Tolerant,
    /// They are asked; a good one or none will do.
    Requested,
    /// They are asked, and only a good one will do.
    Required,
}

/// A server's contexts and options.
#[napi]
pub struct TlsServer(pub(super) Arc<Server>);

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[napi]
impl TlsServer {
    /// A server that answers with `context`.
    #[napi(constructor, catch_unwind)]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "napi hands an object over by value"
    )]
    pub fn new(context: &TlsContext, options: NativeTlsServerOptions) -> Self {
        let options = ServerOptions {
            alpn: protocols(options.alpn.as_deref()),
            client_auth: match options.client_auth {
                TlsClientAuth::None => ClientAuth::None,
                TlsClientAuth::Tolerant => ClientAuth::Tolerant,
                TlsClientAuth::Requested => ClientAuth::Requested,
                TlsClientAuth::Required => ClientAuth::Required,
            },
            owner_chooses: options.owner_chooses,
            timeout: timeout(options.timeout),
        };
        Self(Server::new(Arc::clone(&context.0), options))
    }

    /// Answers with `context` from now on.
    #[napi(catch_unwind)]
    pub fn set_context(&self, context: &TlsContext) {
        self.0.set_context(Arc::clone(&context.0));
    }

    /// Answers with `context` those who ask for `name`, which may begin with `*.`.
    #[napi(catch_unwind)]
    pub fn add_context(&self, name: String, context: &TlsContext) {
        self.0.add_context(name, Arc::clone(&context.0));
    }

    pub(super) fn get(&self) -> Arc<Server> {
        Arc::clone(&self.0)
    }
}

pub(super) fn timeout(milliseconds: u32) -> Option<Duration> {
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds.into()))
}

/// Names of protocols, each with its length in a byte before it, as they are on the wire. JavaScript has
/// checked them.
pub(super) fn protocols(wire: Option<&[u8]>) -> Vec<Vec<u8>> {
    let mut rest = wire.unwrap_or_default();
    let mut names = Vec::new();
    while let Some((len, tail)) = rest.split_first() {
        let Some((name, tail)) = tail.split_at_checked(usize::from(*len)) else {
            break;
        };
        names.push(name.to_vec());
        rest = tail;
    }
    names
}
