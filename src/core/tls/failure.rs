//! Why TLS failed, with the codes that Node has for it: OpenSSL's words, because programs compare them.

use std::borrow::Cow;
use std::fmt;
use std::io;

use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};

/// A code and a text. Never contains anything of a key, a pass phrase or the plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What Node puts on `err.code`.
    pub code: Cow<'static, str>,
    /// What Node puts on `err.message`, and for an `ERR_SSL_…` on `err.reason`.
    pub text: Cow<'static, str>,
}

impl Failure {
    /// A failure with that code and text.
    #[must_use]
    pub const fn new(code: &'static str, text: &'static str) -> Self {
        Self {
            code: Cow::Borrowed(code),
            text: Cow::Borrowed(text),
        }
    }

    /// The peer ended the connection without saying so in TLS: what came before may not be all.
    pub const TRUNCATED: Self = Self::new(
        "ERR_SSL_UNEXPECTED_EOF_WHILE_READING",
        "unexpected eof while reading",
    );

    /// The peer went away before the handshake was over.
    pub const HANDSHAKE_CUT: Self = Self::new(
        "ECONNRESET",
        "the connection ended before the TLS handshake was over",
    );

    /// A message of the handshake's protocol is longer than any honest one.
    pub const MESSAGE_TOO_LONG: Self =
        Self::new("ERR_SSL_EXCESSIVE_MESSAGE_SIZE", "excessive message size");

    /// A client that has to show a certificate did not.
    pub const NO_CLIENT_CERTIFICATE: Self = Self::new(
        "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE",
        "peer did not return a certificate",
    );

    /// The handshake took too long.
    pub const TIMEOUT: Self = Self::new("ERR_TLS_HANDSHAKE_TIMEOUT", "TLS handshake timeout");

    /// The owner does not want the connection (its answer to a server name, or to a peer's identity).
    pub const REFUSED: Self = Self::new("ECONNRESET", "the handshake was given up");

    /// What rustls says of a connection. `is_first` is whether nothing of the peer was understood yet:
    /// then the peer most likely does not speak TLS at all.
    #[must_use]
    pub fn of_connection(error: &Error, is_first: bool) -> Self {
        match error {
            Error::AlertReceived(alert) => Self::of_alert(*alert),
            Error::InvalidMessage(message) if is_first || is_no_tls(message) => {
                Self::new("ERR_SSL_WRONG_VERSION_NUMBER", "wrong version number")
            }
            Error::NoCertificatesPresented => Self::NO_CLIENT_CERTIFICATE,
            Error::PeerIncompatible(reason) => Self::of_incompatible(reason),
            Error::NoApplicationProtocol => {
                Self::new("ERR_SSL_NO_APPLICATION_PROTOCOL", "no application protocol")
            }
            Error::DecryptError => Self::new(
                "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
                "decryption failed or bad record mac",
            ),
            Error::PeerSentOversizedRecord => {
                Self::new("ERR_SSL_PACKET_LENGTH_TOO_LONG", "packet length too long")
            }
            Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
                Self::new("ERR_SSL_UNEXPECTED_MESSAGE", "unexpected message")
            }
            Error::InvalidMessage(_) => Self::new("ERR_SSL_BAD_RECORD_TYPE", "malformed message"),
            // What a resolver without an identity leads to, see `context`.
            Error::General(text) if text.contains("certificate") => {
                Self::new("ERR_SSL_NO_SHARED_CIPHER", "no shared cipher")
            }
            // Rustls' texts name messages and extensions of the protocol, nothing else.
            other => Self {
                code: Cow::Borrowed("ERR_SSL_PROTOCOL_ERROR"),
                text: Cow::Owned(other.to_string()),
            },
        }
    }

    fn of_incompatible(reason: &PeerIncompatible) -> Self {
        use PeerIncompatible as Reason;
        match reason {
            Reason::ServerDoesNotSupportTls12Or13
            | Reason::ServerTlsVersionIsDisabledByOurConfig
            // Clients of TLS 1.1 and older do not send them.
            | Reason::SignatureAlgorithmsExtensionRequired
            | Reason::SupportedVersionsExtensionRequired
            | Reason::Tls12NotOffered
            | Reason::Tls12NotOfferedOrEnabled => {
                Self::new("ERR_SSL_UNSUPPORTED_PROTOCOL", "unsupported protocol")
            }
            Reason::NoKxGroupsInCommon | Reason::NoEcPointFormatsInCommon => {
                Self::new("ERR_SSL_NO_SUITABLE_KEY_SHARE", "no suitable key share")
            }
            _ => Self::new("ERR_SSL_NO_SHARED_CIPHER", "no shared cipher"),
        }
    }

    /// OpenSSL's names of alerts: some got theirs with SSL 3, others with TLS 1.0 and TLS 1.3.
    fn of_alert(alert: AlertDescription) -> Self {
        use AlertDescription as Alert;
        let (code, text) = match alert {
            Alert::UnexpectedMessage => ("SSLV3_ALERT_UNEXPECTED_MESSAGE", "unexpected message"),
            Alert::BadRecordMac => ("SSLV3_ALERT_BAD_RECORD_MAC", "bad record mac"),
            Alert::HandshakeFailure => ("SSLV3_ALERT_HANDSHAKE_FAILURE", "handshake failure"),
            Alert::NoCertificate => ("SSLV3_ALERT_NO_CERTIFICATE", "no certificate"),
            Alert::BadCertificate => ("SSLV3_ALERT_BAD_CERTIFICATE", "bad certificate"),
            Alert::UnsupportedCertificate => (
                "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
                "unsupported certificate",
            ),
            Alert::CertificateRevoked => ("SSLV3_ALERT_CERTIFICATE_REVOKED", "certificate revoked"),
            Alert::CertificateExpired => ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "certificate expired"),
            Alert::CertificateUnknown => ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "certificate unknown"),
            Alert::IllegalParameter => ("SSLV3_ALERT_ILLEGAL_PARAMETER", "illegal parameter"),
            Alert::RecordOverflow => ("TLSV1_ALERT_RECORD_OVERFLOW", "record overflow"),
            Alert::UnknownCA => ("TLSV1_ALERT_UNKNOWN_CA", "unknown ca"),
            Alert::AccessDenied => ("TLSV1_ALERT_ACCESS_DENIED", "access denied"),
            Alert::DecodeError => ("TLSV1_ALERT_DECODE_ERROR", "decode error"),
            Alert::DecryptError => ("TLSV1_ALERT_DECRYPT_ERROR", "decrypt error"),
            Alert::ProtocolVersion => ("TLSV1_ALERT_PROTOCOL_VERSION", "protocol version"),
            Alert::InsufficientSecurity => {
                ("TLSV1_ALERT_INSUFFICIENT_SECURITY", "insufficient security")
            }
            Alert::InternalError => ("TLSV1_ALERT_INTERNAL_ERROR", "internal error"),
            Alert::UserCanceled => ("TLSV1_ALERT_USER_CANCELLED", "user cancelled"),
            Alert::NoRenegotiation => ("TLSV1_ALERT_NO_RENEGOTIATION", "no renegotiation"),
            Alert::UnsupportedExtension => ("TLSV1_UNSUPPORTED_EXTENSION", "unsupported extension"),
            Alert::UnrecognisedName => ("TLSV1_UNRECOGNIZED_NAME", "unrecognized name"),
            Alert::MissingExtension => ("TLSV13_ALERT_MISSING_EXTENSION", "missing extension"),
            Alert::CertificateRequired => {
                ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "certificate required")
            }
            Alert::NoApplicationProtocol => (
                "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
                "no application protocol",
            ),
            other => {
                return Self {
                    code: Cow::Borrowed("ERR_SSL_ALERT"),
                    text: Cow::Owned(format!("alert number {}", u8::from(other))),
                };
            }
        };
        let family = code.split('_').next().unwrap_or_default().to_lowercase();
        let sep = if code.contains("_ALERT_") {
            " alert"
        } else {
            ""
        };
        Self {
            code: Cow::Owned(format!("ERR_SSL_{code}")),
            text: Cow::Owned(format!("{family}{sep} {text}")),
        }
    }
}

/// Messages that no TLS record begins like.
fn is_no_tls(message: &InvalidMessage) -> bool {
    matches!(
        message,
        InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion
    )
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        Self::new(io::ErrorKind::InvalidData, failure)
    }
}

/// The failure in an error of a transport, if TLS failed and not a system call.
#[must_use]
pub fn failure_in(error: &io::Error) -> Option<&Failure> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_the_names_of_openssl() {
        let of = |alert| Failure::of_connection(&Error::AlertReceived(alert), false);
        let unknown_ca = of(AlertDescription::UnknownCA);
        assert_eq!(unknown_ca.code, "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA");
        assert_eq!(unknown_ca.text, "tlsv1 alert unknown ca");
        let required = of(AlertDescription::CertificateRequired);
        assert_eq!(required.code, "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED");
        assert_eq!(
            of(AlertDescription::UnrecognisedName).text,
            "tlsv1 unrecognized name"
        );
    }

    #[test]
    fn what_is_no_tls_is_a_wrong_version() {
        let garbage = Error::InvalidMessage(InvalidMessage::MessageTooShort);
        let code = |is_first| Failure::of_connection(&garbage, is_first).code;
        assert_eq!(code(true), "ERR_SSL_WRONG_VERSION_NUMBER");
        assert_eq!(code(false), "ERR_SSL_BAD_RECORD_TYPE");
    }
}
