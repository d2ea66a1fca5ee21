//! What a handshake agreed on.

use rustls::{CipherSuite, HandshakeKind, NamedGroup, ProtocolVersion};

use crate::core::tls::failure::Failure;

/// What a program may ask of a secure connection.
#[derive(Clone, Debug)]
pub struct Info {
    /// `TLSv1.2` or `TLSv1.3`.
    pub protocol: &'static str,
    /// The cipher suite in the words of the RFCs, for instance `TLS_AES_256_GCM_SHA384`.
    pub standard_cipher: &'static str,
    /// The same in OpenSSL's words.
    pub cipher: &'static str,
    /// How keys were agreed on, for instance `X25519`; empty for a resumed session of TLS 1.2.
    pub group: &'static str,
    /// The protocol that was chosen, if one was.
    pub alpn: Option<Vec<u8>>,
    /// The name that the client asked for, if it did.
    pub server_name: Option<String>,
    /// No certificate was sent: both sides remembered each other.
    pub is_resumed: bool,
    /// The peer's certificates, its own first, in DER.
    pub peer_chain: Vec<Vec<u8>>,
    /// What the check of them said.
    pub authorization: Authorization,
}

/// What the check of the peer's chain said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// Nothing was to be checked.
    None,
    /// It is good.
    Good,
    /// It is not; the owner wanted the connection all the same.
    Bad(Failure),
}

/// OpenSSL's name of a protocol version, which is Node's.
pub(crate) fn protocol_name(version: Option<ProtocolVersion>) -> &'static str {
    match version {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        _ => "TLSv1.3",
    }
}

/// The standard name and OpenSSL's of a suite that rustls has.
pub(crate) fn cipher_names(suite: CipherSuite) -> (&'static str, &'static str) {
    use CipherSuite as Suite;
    match suite {
        Suite::TLS13_AES_128_GCM_SHA256 => ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
        Suite::TLS13_AES_256_GCM_SHA384 => ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"),
        Suite::TLS13_CHACHA20_POLY1305_SHA256 => (
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_CHACHA20_POLY1305_SHA256",
        ),
        Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => (
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
        ),
        Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => (
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
        ),
        Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => (
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "ECDHE-ECDSA-CHACHA20-POLY1305",
        ),
        Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => (
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "ECDHE-RSA-AES128-GCM-SHA256",
        ),
        Suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => (
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "ECDHE-RSA-AES256-GCM-SHA384",
        ),
        Suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => (
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "ECDHE-RSA-CHACHA20-POLY1305",
        ),
        _ => ("", ""),
    }
}

/// OpenSSL's name of a group.
pub(crate) fn group_name(group: NamedGroup) -> &'static str {
    match group {
        NamedGroup::X25519 => "X25519",
        NamedGroup::secp256r1 => "prime256v1",
        NamedGroup::secp384r1 => "secp384r1",
        NamedGroup::X25519MLKEM768 => "X25519MLKEM768",
        _ => "",
    }
}

pub(crate) fn is_resumed(kind: Option<HandshakeKind>) -> bool {
    kind == Some(HandshakeKind::Resumed)
}
