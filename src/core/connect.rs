//! One attempt to connect.

use std::future::poll_fn;
use std::io;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::core::endpoint::Endpoint;
use crate::core::error::{Error, Syscall};
use crate::core::options::ConnectOptions;
#[cfg(windows)]
use crate::core::transport::pipe;
use crate::core::transport::{Transport, prepare};

/// A socket that is bound to `options.local`; `None` where the system is to choose.
pub(crate) fn bind(options: &ConnectOptions) -> Result<Option<Socket>, Error> {
    let Some(local) = &options.local else {
        return Ok(None);
    };
    let bound = || {
        if local.to_sock_addr()?.domain() != options.remote.to_sock_addr()?.domain() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        bind_to(local)
    };
    bound()
        .map(Some)
        .map_err(|error| Error::new(Syscall::Bind, &error))
}

/// Whether a connection may come from `local`, which is not kept: somebody else may have it a moment
/// later. For who has to know before it is known where to connect to.
///
/// # Errors
/// It cannot be had.
pub fn check_local(local: &Endpoint) -> Result<(), Error> {
    bind_to(local)
        .map(drop)
        .map_err(|error| Error::new(Syscall::Bind, &error))
}

fn bind_to(local: &Endpoint) -> io::Result<Socket> {
    let address = local.to_sock_addr()?;
    let socket = new_socket(address.domain())?;
    // As libuv does it: a port whose last connection still lingers may be bound again.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address)?;
    Ok(socket)
}

/// Connects `bound`, or a new socket.
///
/// Cancel safety: dropping the future closes the socket and so ends the attempt.
pub(crate) async fn connect(
    options: &ConnectOptions,
    bound: Option<Socket>,
) -> Result<Transport, Error> {
    let failed = |error: &io::Error| Error::new(Syscall::Connect, error);
    #[cfg(windows)]
    if let Endpoint::Pipe(name) = &options.remote {
        return pipe::connect(name)
            .await
            .map(Transport::Pipe)
            .map_err(|error| failed(&error));
    }
    let remote = options
        .remote
        .to_sock_addr()
        .map_err(|error| failed(&error))?;
    let domain = remote.domain();
    let socket = match bound {
        Some(socket) => socket,
        None => new_socket(domain).map_err(|error| failed(&error))?,
    };
    prepare(&socket, domain, &options.stream.socket);
    let in_progress = match socket.connect(&remote) {
        Ok(()) => false,
        Err(error) if is_in_progress(&error) => true,
        // Over loopback the answer may be there before the call is over.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            return Err(Error::new(Syscall::Handshake, &error));
        }
        Err(error) => return Err(failed(&error)),
    };
    let transport = Transport::from_socket(socket, domain, remote.as_socket())
        .map_err(|error| failed(&error))?;
    if in_progress {
        handshake(&transport)
            .await
            .map_err(|error| Error::new(Syscall::Handshake, &error))?;
    }
    transport.apply(&options.stream);
    Ok(transport)
}

/// A non-blocking stream socket of the family `domain`, not inherited by child processes.
pub(crate) fn new_socket(domain: Domain) -> io::Result<Socket> {
    let protocol = (domain != Domain::UNIX).then_some(Protocol::TCP);
    // Where the system can, the socket is made non-blocking by the call that makes it.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    return Socket::new(domain, Type::STREAM.nonblocking(), protocol);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    {
        let socket = Socket::new(domain, Type::STREAM, protocol)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
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
        Transport::Tcp(stream, _) => SockRef::from(stream).take_error()?,
        #[cfg(unix)]
        Transport::Unix(stream) => SockRef::from(stream).take_error()?,
        // Is open as soon as it is there.
        #[cfg(windows)]
        Transport::Pipe(_) => None,
        Transport::Tls(_) => None, // It is put over sockets that are connected.
    };
    error.map_or(Ok(()), Err)
}
