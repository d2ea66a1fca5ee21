//! Unix stream sockets.

use std::io;

use socket2::Socket;
use tokio::net::UnixStream;

pub(super) fn from_socket(socket: Socket) -> io::Result<UnixStream> {
    UnixStream::from_std(socket.into())
}
