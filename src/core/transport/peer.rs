//! Whom a TCP socket is connected to.

use std::net::{SocketAddr, SocketAddrV4};

/// Whom a socket is connected to. It is remembered because the system does not tell any more once the
/// connection is reset, which is when people want to know; and kept small, because every connection
/// has one.
#[derive(Debug)]
pub enum Peer {
    /// Only the system knows.
    Unknown,
    /// An IPv4 address.
    V4(SocketAddrV4),
    /// An IPv4 address as a socket for both families sees it.
    Mapped(SocketAddrV4),
    /// An IPv6 address, with its scope.
    V6(Box<SocketAddr>),
}

impl Peer {
    /// Whom a socket that was told to connect to `target` talks to: the system takes the unspecified
    /// address for its own.
    pub(super) fn of_target(target: SocketAddr) -> Self {
        if target.ip().to_canonical().is_unspecified() {
            Self::Unknown
        } else {
            target.into()
        }
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Unknown => None,
            Self::V4(v4) => Some(SocketAddr::V4(*v4)),
            Self::Mapped(v4) => Some((v4.ip().to_ipv6_mapped(), v4.port()).into()),
            Self::V6(address) => Some(**address),
        }
    }
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::V4(v4),
            SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
                Some(ip) => Self::Mapped(SocketAddrV4::new(ip, v6.port())),
                None => Self::V6(Box::new(address)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_unspecified_address_is_nobodys() {
        for text in ["0.0.0.0:80", "[::]:80", "[::ffff:0.0.0.0]:80"] {
            assert_eq!(Peer::of_target(address(text)).address(), None);
        }
    }

    #[test]
    fn an_address_is_remembered_as_it_was() {
        for text in [
            "127.0.0.1:80",
            "[::1]:80",
            "[::ffff:127.0.0.1]:80",
            "[fe80::1%7]:80",
        ] {
            let peer = Peer::of_target(address(text));
            assert_eq!(peer.address(), Some(address(text)), "{text}");
        }
    }
}
