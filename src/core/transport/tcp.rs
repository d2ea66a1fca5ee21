//! TCP sockets.

use std::io;

use socket2::Socket;
use tokio::net::TcpStream;

pub(super) fn from_socket(socket: Socket) -> io::Result<TcpStream> {
    TcpStream::from_std(socket.into())
}
