//! TCP sockets.

use std::io;
use std::net::SocketAddr;

use socket2::Socket;
use tokio::net::TcpStream;

pub(super) fn from_socket(socket: Socket) -> io::Result<TcpStream> {
    TcpStream::from_std(socket.into())
}

/// Whom a socket that was told to connect to `target` talks to; `None` where only the system knows:
/// it takes the unspecified address for its own.
pub(super) fn peer_of(target: SocketAddr) -> Option<SocketAddr> {
    let ip = target.ip().to_canonical();
    (!ip.is_unspecified()).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unspecified_address_is_nobodys() {
        let peer = |text: &str| peer_of(text.parse().expect("an address"));
        for text in ["0.0.0.0:80", "[::]:80", "[::ffff:0.0.0.0]:80"] {
            assert_eq!(peer(text), None);
        }
        assert!(peer("127.0.0.1:80").is_some());
        assert!(peer("[::1]:80").is_some());
    }
}
