//! Where a socket is, or wants to be.

#[cfg(windows)]
use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
#[cfg(unix)]
use std::path::PathBuf;

use socket2::SockAddr;

/// An address of one of the transports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A Unix socket: a path, or on Linux an abstract name (a NUL byte, then the name). Empty where a
    /// socket has no name.
    #[cfg(unix)]
    Unix(PathBuf),
    /// A Windows named pipe: `\\\\.\\pipe\\name`. Empty for one end of a connection.
    #[cfg(windows)]
    Pipe(OsString),
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

    /// The endpoint as the system calls take it.
    ///
    /// # Errors
    /// `InvalidInput` for a path that is longer than a socket address can hold. It is never
    /// truncated: a socket under another name than the one asked for is worse than none. The same
    /// for a named pipe, which is not a socket.
    pub fn to_sock_addr(&self) -> io::Result<SockAddr> {
        match self {
            Self::Tcp(address) => Ok(SockAddr::from(*address)),
            #[cfg(unix)]
            Self::Unix(path) => SockAddr::unix(path),
            #[cfg(windows)]
            Self::Pipe(_) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// The endpoint that a system call answered.
    ///
    /// # Errors
    /// `InvalidInput` for an address of a family that is not known here.
    pub fn from_sock_addr(address: &SockAddr) -> io::Result<Self> {
        if let Some(ip) = address.as_socket() {
            return Ok(Self::Tcp(ip));
        }
        #[cfg(unix)]
        if address.is_unix() {
            return Ok(Self::Unix(unix_name(address)));
        }
        Err(io::ErrorKind::InvalidInput.into())
    }
}

#[cfg(unix)]
fn unix_name(address: &SockAddr) -> PathBuf {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    if let Some(path) = address.as_pathname() {
        return path.into();
    }
    let name = address
        .as_abstract_namespace()
        .map(|name| [b"\0", name].concat());
    OsString::from_vec(name.unwrap_or_default()).into()
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

    #[cfg(target_os = "linux")]
    #[test]
    fn an_endpoint_survives_the_way_through_a_socket_address() {
        for name in ["/tmp/socket", "\0abstract\0name", "\0"] {
            let endpoint = Endpoint::Unix(PathBuf::from(name));
            let address = endpoint.to_sock_addr().expect("it fits");
            assert_eq!(Endpoint::from_sock_addr(&address).expect("known"), endpoint);
        }
        let endpoint = Endpoint::tcp("::1", 80, 0).expect("a literal");
        let address = endpoint.to_sock_addr().expect("it fits");
        assert_eq!(Endpoint::from_sock_addr(&address).expect("known"), endpoint);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_does_not_fit_is_refused_and_not_truncated() {
        let long = Endpoint::Unix(PathBuf::from("x".repeat(200)));
        assert!(long.to_sock_addr().is_err());
    }
}
