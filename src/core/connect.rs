//! One attempt to connect.

use std::future::poll_fn;
use std::io;

use socket2::{Protocol, SockRef, Socket, Type};

use crate::core::endpoint::Endpoint;
use crate::core::error::{Error, Syscall};
use crate::core::options::ConnectOptions;
use crate::core::transport::Transport;

/// Makes a socket, binds it where a local endpoint is asked for, and connects it.
///
/// Cancel safety: dropping the future closes the socket and so ends the attempt.
pub(crate) async fn connect(options: &ConnectOptions) -> Result<Transport, Error> {
    let failed = |error: &io::Error| Error::new(Syscall::Connect, error);
    let remote = options
        .remote
        .to_sock_addr()
        .map_err(|error| failed(&error))?;
    let socket = new_socket(&options.remote).map_err(|error| failed(&error))?;
    if let Some(local) = &options.local {
        bind(&socket, local).map_err(|error| Error::new(Syscall::Bind, &error))?;
    }
    let in_progress = match socket.connect(&remote) {
        Ok(()) => false,
        Err(error) if is_in_progress(&error) => true,
        Err(error) => return Err(failed(&error)),
    };
    let transport =
        Transport::from_socket(socket, options.remote.domain()).map_err(|error| failed(&error))?;
    if in_progress {
        handshake(&transport)
            .await
            .map_err(|error| failed(&error))?;
    }
    transport.apply(&options.stream);
    Ok(transport)
}

/// A non-blocking stream socket of the family of `endpoint`, not inherited by child processes.
pub(crate) fn new_socket(endpoint: &Endpoint) -> io::Result<Socket> {
    let protocol = match endpoint {
        Endpoint::Tcp(_) => Some(Protocol::TCP),
        #[cfg(unix)]
        Endpoint::Unix(_) => None,
    };
    // Where the system can, the socket is made non-blocking by the call that makes it.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    return Socket::new(endpoint.domain(), Type::STREAM.nonblocking(), protocol);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    {
        let socket = Socket::new(endpoint.domain(), Type::STREAM, protocol)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

fn bind(socket: &Socket, local: &Endpoint) -> io::Result<()> {
    // As libuv does it: a port whose last connection still lingers may be bound again.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&local.to_sock_addr()?)
}

fn is_in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(libc::EINPROGRESS);
    #[cfg(windows)]
    return error.kind() == io::ErrorKind::WouldBlock;
}

/// Waits for the end of the handshake: the socket becomes writable, and its pending error tells how
/// it went.
async fn handshake(transport: &Transport) -> io::Result<()> {
    poll_fn(|cx| transport.poll_write_ready(cx)).await?;
    let error = match transport {
        Transport::Tcp(stream) => SockRef::from(stream).take_error()?,
        #[cfg(unix)]
        Transport::Unix(stream) => SockRef::from(stream).take_error()?,
        Transport::Tls(_) => None, // It is put over sockets that are connected.
    };
    error.map_or(Ok(()), Err)
}
