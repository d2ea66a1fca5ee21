//! What JavaScript may do with a stream's TLS.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{BufferSlice, Uint8Array};
use napi_derive::napi;

use crate::binding::env::Engine;
use crate::binding::tls_context::{NativeTlsFailure, TlsContext, TlsServer, protocols, timeout};
use crate::core::event::HandleId;
use crate::core::tls::client::ClientOptions;
use crate::core::tls::failure::Failure;
use crate::core::tls::info::Authorization;
use crate::core::tls::sessions::SessionMemory;
use crate::core::transport::tls::{Answer, Tls};

/// Sessions of one server, which a later connection to it may resume.
#[napi]
#[derive(Debug, Default)]
pub struct TlsSessions(SessionMemory);

#[napi]
impl TlsSessions {
    /// Nothing is remembered yet.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }
}

/// What a client wants.
#[napi(object)]
#[allow(
    missing_debug_implementations,
    reason = "an argument; nothing prints it, and some hold secrets"
)]
pub struct NativeTlsClientOptions {
    /// The host that the certificate must be for: a name or a literal address.
    pub host: String,
    /// Tell the server that name (SNI).
    pub send_name: bool,
    /// Protocols to offer, best first, each with its length in a byte before it.
    pub alpn: Option<Uint8Array>,
    /// Fail where the certificate chain is bad.
    pub is_strict: bool,
    /// JavaScript always looks at the certificate before anything flows.
    pub owner_checks: bool,
    /// The most the handshake may take, in milliseconds; 0 is for ever.
    pub timeout: u32,
}

/// What was agreed.
#[napi(object)]
#[derive(Debug)]
pub struct NativeTlsInfo {
    /// `'TLSv1.2'` or `'TLSv1.3'`.
    pub protocol: String,
    /// The cipher suite in OpenSSL's words.
    pub cipher: String,
    /// The same in the words of the RFCs.
    pub standard_cipher: String,
    /// How keys were agreed on; empty where they were not.
    pub group: String,
    /// The protocol that was chosen.
    pub alpn: Option<String>,
    /// The name that the client asked for (on a server).
    pub server_name: Option<String>,
    /// Both sides remembered each other.
    pub is_resumed: bool,
    /// The peer's certificates.
    pub certificates: u32,
    /// The peer's chain was checked, and is good.
    pub is_authorized: bool,
    /// What is wrong with it.
    pub failure: Option<NativeTlsFailure>,
}

/// What a client asked for.
#[napi(object)]
#[derive(Debug)]
pub struct NativeTlsHello {
    /// The host that it wants.
    pub server_name: Option<String>,
    /// The protocols that it offers.
    pub alpn: Vec<String>,
}

#[napi]
impl Engine {
    /// Stops reading for TLS to take a stream over. `EventKind.Quiet` follows what was received.
    #[napi(catch_unwind)]
    pub fn quiesce(&self, id: u32) {
        if let Some(stream) = self.state.borrow().registry.stream(id) {
            stream.quiesce();
        }
    }

    /// Puts a client's TLS over a stream that is not reading and has nothing queued. `sessions`: where
    /// they are resumed from and kept. `early`: what was received and not used. Answers what is wrong, if
    /// something is.
    #[napi(catch_unwind)]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "napi hands an object over by value"
    )]
    pub fn secure_client(
        &self,
        id: u32,
        context: &TlsContext,
        sessions: Option<&TlsSessions>,
        options: NativeTlsClientOptions,
        early: Option<Uint8Array>,
    ) -> Option<NativeTlsFailure> {
        let options = ClientOptions {
            context: Arc::clone(&context.0),
            sessions: sessions.map(|sessions| sessions.0.clone()),
            host: options.host,
            send_name: options.send_name,
            alpn: protocols(options.alpn.as_deref()),
            is_strict: options.is_strict,
            owner_checks: options.owner_checks,
            timeout: timeout(options.timeout),
        };
        let state = &mut *self.state.borrow_mut();
        let Some((stream, transport)) = state.registry.open(id).filter(is_free) else {
            return Some((&NOT_FREE).into());
        };
        let early = early.map(|bytes| bytes.to_vec()).unwrap_or_default();
        match state.core.secure_client(stream, transport, &options, early) {
            Ok(secure) => {
                state.registry.replace(id, secure);
                None
            }
            Err(failure) => Some((&failure).into()),
        }
    }

    /// The same as a server.
    #[napi(catch_unwind)]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "napi hands an array over by value"
    )]
    pub fn secure_server(
        &self,
        id: u32,
        server: &TlsServer,
        early: Option<Uint8Array>,
    ) -> Option<NativeTlsFailure> {
        let state = &mut *self.state.borrow_mut();
        let Some((stream, transport)) = state.registry.open(id).filter(is_free) else {
            return Some((&NOT_FREE).into());
        };
        let early = early.map(|bytes| bytes.to_vec()).unwrap_or_default();
        let secure = state
            .core
            .secure_server(stream, transport, &server.0, early);
        state.registry.replace(id, secure);
        None
    }

    /// Answers `EventKind.Named`: the handshake goes on with `context`, or with the server's own.
    #[napi(catch_unwind)]
    pub fn tls_choose(&self, id: u32, context: Option<&TlsContext>) {
        let context = context.map(|context| Arc::clone(&context.0));
        self.tls_answer(id, Answer::Choose(context));
    }

    /// Answers `EventKind.Secured`: bytes may flow.
    #[napi(catch_unwind)]
    pub fn tls_accept(&self, id: u32) {
        self.tls_answer(id, Answer::Accept);
    }

    /// What the client asked for.
    #[napi(catch_unwind)]
    pub fn tls_hello(&self, id: u32) -> Option<NativeTlsHello> {
        self.with_tls(id, |tls| {
            let hello = tls.hello()?;
            Some(NativeTlsHello {
                server_name: hello.server_name.clone(),
                alpn: hello.alpn.iter().map(|name| text(name)).collect(),
            })
        })
    }

    /// What was agreed; nothing before it was.
    #[napi(catch_unwind)]
    pub fn tls_info(&self, id: u32) -> Option<NativeTlsInfo> {
        self.with_tls(id, |tls| {
            let info = tls.info()?;
            Some(NativeTlsInfo {
                protocol: info.protocol.into(),
                cipher: info.cipher.into(),
                standard_cipher: info.standard_cipher.into(),
                group: info.group.into(),
                alpn: info.alpn.as_deref().map(text),
                server_name: info.server_name.clone(),
                is_resumed: info.is_resumed,
                certificates: u32::try_from(info.peer_chain.len()).unwrap_or(u32::MAX),
                is_authorized: info.authorization == Authorization::Good,
                failure: match &info.authorization {
                    Authorization::Bad(failure) => Some(failure.into()),
                    _ => None,
                },
            })
        })
    }

    /// The peer's certificates in DER, its own at 0.
    #[napi(catch_unwind)]
    pub fn tls_peer_certificate<'env>(
        &self,
        env: &'env Env,
        id: u32,
        index: u32,
    ) -> napi::Result<Option<BufferSlice<'env>>> {
        let found = self.with_tls(id, |tls| {
            tls.info()?.peer_chain.get(index as usize).cloned()
        });
        found
            .map(|der| BufferSlice::copy_from(env, der))
            .transpose()
    }

    /// Why TLS failed, if it did.
    #[napi(catch_unwind)]
    pub fn tls_failure(&self, id: u32) -> Option<NativeTlsFailure> {
        self.with_tls(id, |tls| Some(tls.failure()?.into()))
    }

    fn with_tls<T>(&self, id: HandleId, call: impl FnOnce(&Tls) -> Option<T>) -> Option<T> {
        let state = self.state.borrow();
        let (_, transport) = state.registry.open(id)?;
        call(transport.tls()?)
    }

    fn tls_answer(&self, id: HandleId, answer: Answer) {
        if let Some((stream, transport)) = self.state.borrow().registry.open(id) {
            stream.answer(transport, answer);
        }
    }
}

/// What TLS cannot take over.
const NOT_FREE: Failure = Failure::new("EBUSY", "the stream is closed, or has bytes to send");

/// What is queued would be encrypted, although it was written to be sent as it is.
fn is_free(
    open: &(
        &Arc<crate::core::stream::Stream>,
        &Arc<crate::core::transport::Transport>,
    ),
) -> bool {
    open.0.queued() == 0
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
