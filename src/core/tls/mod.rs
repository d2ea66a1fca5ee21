//! TLS: whom we are, whom we trust, and what to tell of a handshake. The records themselves are in
//! [`crate::core::transport::tls`], the handshake's place in a stream's life in [`crate::core::secure`].
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`context`] | identities, roots and versions that connections share, as a client or as a server |
//! | [`identity`] | certificates with their private keys, out of PEM, DER and PKCS#12 |
//! | [`roots`] | the certificates that a chain must end at |
//! | [`verify`] | the check of a peer's chain |
//! | [`client`] | what one client wants of its connection |
//! | [`server`] | which context answers which name |
//! | [`sessions`] | tickets for resumption on the client's side |
//! | [`info`] | what was agreed |
//! | [`failure`] | why it failed, with the codes that Node has for it |

use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;

pub mod client;
pub mod context;
pub mod failure;
pub mod identity;
pub mod info;
pub mod roots;
pub mod server;
pub mod sessions;
pub mod verify;

/// The one implementation of cryptography (see decision 7).
pub(crate) fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}
