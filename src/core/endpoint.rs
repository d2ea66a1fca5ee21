//! Where a socket is, or wants to be.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
#[cfg(unix)]
use std::path::PathBuf;

use socket2::{Domain, SockAddr};

/// An address of one of the transports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A Unix socket: a path, or on Linux an abstract name (a NUL byte, then the name).
    #[cfg(unix)]
    Unix(PathBuf),
}

impl Endpoint {
    /// The endpoint of a literal address. `scope_id` is the interface of a link-local IPv6 address
    /// and is passed over for any other; 0 is none.
    ///
    /// # Errors
    /// `InvalidInput` where `address` is not a literal IP address.
    pub fn tcp(address: &str, port: u16, scope_id: u32) -> io::Result<Self> {
        let ip: IpAddr = address
            .parse()
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(Self::Tcp(match ip {
            IpAddr::V4(v4) => SocketAddr::V4(SocketAddrV4::new(v4, port)),
            IpAddr::V6(v6) => SocketAddr::V6(SocketAddrV6::new(v6, port, 0, scope_id)),
        }))
    }

    /// The address family of sockets for this endpoint.
    #[must_use]
    pub fn domain(&self) -> Domain {
        match self {
            Self::Tcp(address) => Domain::for_address(*address),
            #[cfg(unix)]
            Self::Unix(_) => Domain::UNIX,
        }
    }

    /// The endpoint as the system calls take it.
    ///
    /// # Errors
    /// `InvalidInput` for a path that is longer than a socket address can hold. It is never
    /// truncated: a socket under another name than the one asked for is worse than none.
    pub fn to_sock_addr(&self) -> io::Result<SockAddr> {
        match self {
            Self::Tcp(address) => Ok(SockAddr::from(*address)),
            #[cfg(unix)]
            Self::Unix(path) => SockAddr::unix(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_addresses_become_endpoints() {
        let v4 = Endpoint::tcp("127.0.0.1", 80, 7).expect("a literal");
        assert_eq!(
            v4,
            Endpoint::Tcp("127.0.0.1:80".parse().expect("a literal"))
        );
        let Endpoint::Tcp(SocketAddr::V6(v6)) = Endpoint::tcp("fe80::1", 80, 7).expect("a literal")
        else {
            panic!("an IPv6 address gives an IPv6 endpoint");
        };
        assert_eq!(v6.scope_id(), 7);
    }

    #[test]
    fn names_are_refused() {
        assert!(Endpoint::tcp("localhost", 80, 0).is_err());
        assert!(Endpoint::tcp("", 80, 0).is_err());
        assert!(Endpoint::tcp("127.1", 80, 0).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_does_not_fit_is_refused_and_not_truncated() {
        let long = Endpoint::Unix(PathBuf::from("x".repeat(200)));
        assert!(long.to_sock_addr().is_err());
    }
}
