//! One open, connected descriptor, whatever it is made of.
//!
//! Both threads hold it: the I/O thread waits for readiness and reads, the owner's thread sends and
//! asks for addresses. That is sound because every call here is one system call on a shared
//! reference, and because only one side at a time sends (see [`crate::core::write_queue`]). The
//! descriptor is closed when the last of them lets go.

pub mod peer;
#[cfg(windows)]
pub(crate) mod pipe;
pub(crate) mod tcp;
pub mod tls;
#[cfg(unix)]
mod unix;

#[cfg(windows)]
use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BufMut;
use socket2::{Domain, SockRef, Socket, TcpKeepalive};
#[cfg(windows)]
use tokio::io::Interest;
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::core::endpoint::Endpoint;
use crate::core::options::{KeepAlive, SocketOptions, StreamOptions};
use crate::core::transport::peer::Peer;
pub use crate::core::transport::tcp::TcpSocket;
use crate::core::transport::tls::Tls;

/// A connected socket, registered with the I/O thread's runtime.
#[derive(Debug)]
pub enum Transport {
    /// TCP over IPv4 or IPv6, and whom it is connected to.
    Tcp(TcpSocket, Peer),
    /// A Unix stream socket.
    #[cfg(unix)]
    Unix(UnixStream),
    /// One end of a Windows named pipe.
    #[cfg(windows)]
    Pipe(pipe::Pipe),
    /// TLS over one of the others.
    Tls(Box<Tls>),
}

/// The same call on whichever stream it is, and another one on TLS.
macro_rules! each {
    ($self:ident, $stream:ident => $call:expr, $tls:ident => $other:expr) => {
        match $self {
            Transport::Tcp($stream, _) => $call,
            #[cfg(unix)]
            Transport::Unix($stream) => $call,
            #[cfg(windows)]
            Transport::Pipe($stream) => $call,
            Transport::Tls($tls) => $other,
        }
    };
}

impl Transport {
    /// Takes over a non-blocking socket of the address family `domain` that is connected, or is being
    /// connected to `target`.
    ///
    /// # Errors
    /// The socket cannot be registered, or is of no kind known here.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn from_socket(
        socket: Socket,
        domain: Domain,
        target: Option<SocketAddr>,
    ) -> io::Result<Self> {
        if domain == Domain::IPV4 || domain == Domain::IPV6 {
            let peer = target.map_or(Peer::Unknown, Peer::of_target);
            return TcpSocket::new(socket.into()).map(|stream| Self::Tcp(stream, peer));
        }
        #[cfg(unix)]
        if domain == Domain::UNIX {
            return unix::from_socket(socket).map(Self::Unix);
        }
        Err(io::ErrorKind::InvalidInput.into())
    }

    /// Applies `options`. What the system refuses is passed over, as Node does: a connection
    /// without keep-alive is better than none.
    pub fn apply(&self, options: &StreamOptions) {
        if options.no_delay {
            let _ = self.set_no_delay(true);
        }
        if let Some(keep_alive) = &options.keep_alive {
            let _ = self.set_keep_alive(Some(keep_alive));
        }
    }

    /// Applies `options` to a connection that a listener with the same ones has accepted.
    pub(crate) fn apply_accepted(&self, options: &StreamOptions) {
        self.apply(options);
        // TCP sockets have their listener's options of the descriptor, Unix sockets begin anew.
        #[cfg(unix)]
        if let Self::Unix(stream) = self {
            prepare(&SockRef::from(stream), Domain::UNIX, &options.socket);
        }
    }

    /// Whether it is a Unix socket or a named pipe.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tls(tls) => tls.inner().is_local(),
            _ => !matches!(self, Self::Tcp(..)),
        }
    }

    /// Waits until a read may give something. The cached answer is good until
    /// [`Transport::clear_read_ready`] or a read that would block.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => stream.poll_read_ready(cx), tls => tls.poll_read_ready(cx))
    }

    /// Reads once. `Ok(0)` is the end of the peer's half.
    ///
    /// # Errors
    /// `WouldBlock` where there is nothing; otherwise what the system says.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        each!(self, stream => stream.try_read(buffer), tls => tls.try_read(buffer))
    }

    /// Reads once, at most `most` bytes to the end of `buffer`, which may be zeroed first. `Ok(0)` is the end of the
    /// peer's half.
    ///
    /// # Errors
    /// `WouldBlock` where there is nothing; otherwise what the system says.
    pub fn try_read_to_end_of(&self, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        #[cfg(unix)]
        if let Self::Unix(stream) = self {
            return stream.try_read_buf(&mut buffer.limit(most));
        }
        let len = buffer.len();
        buffer.resize(len + most, 0);
        let result = self.try_read(&mut buffer[len..]);
        buffer.truncate(len + result.as_ref().map_or(0, |read| *read));
        result
    }

    /// Forgets that the socket was readable, after a read that did not fill its buffer, if that says that nothing is
    /// left: the system tells of anything newer, and the read that would only say "would block" is saved. Says whether.
    ///
    /// Not so with Unix sockets, where a read ends behind bytes that descriptors came with, and with TLS, whose reads
    /// have nothing to do with those of the socket.
    pub fn clear_read_ready(&self) -> bool {
        match self {
            Self::Tcp(socket, _) => socket.clear_read_ready(),
            #[cfg(unix)]
            Self::Unix(_) => false,
            #[cfg(windows)]
            Self::Pipe(pipe) => {
                let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
                let _ = pipe.try_io(Interest::READABLE, nothing);
                true
            }
            Self::Tls(_) => false,
        }
    }

    /// Waits until a write may be taken.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => stream.poll_write_ready(cx), tls => tls.inner().poll_write_ready(cx))
    }

    /// Writes once, as soon as that is possible. Ready when bytes are with the system: how many.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Self::Tls(tls) = self {
            return tls.poll_write(cx, bytes);
        }
        loop {
            std::task::ready!(self.poll_write_ready(cx))?;
            match self.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Ends our half, as soon as that is possible.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn poll_finish(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(tls) => tls.poll_finish(cx),
            _ => Poll::Ready(self.shutdown_write()),
        }
    }

    /// Its TLS, if it has that.
    #[must_use]
    pub fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Tls(tls) => Some(tls),
            _ => None,
        }
    }

    /// Writes once, from the I/O thread. Never to TLS, which only takes what it can encrypt.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; otherwise what the system says.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        each!(self, stream => stream.try_write(bytes), _tls => Err(io::ErrorKind::WouldBlock.into()))
    }

    /// The same for bytes in several places.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; otherwise what the system says.
    pub(crate) fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        each!(
            self,
            stream => stream.try_write_vectored(pieces),
            _tls => Err(io::ErrorKind::WouldBlock.into())
        )
    }

    /// Writes once from any thread, without asking the runtime for readiness. Never to TLS: the owner's
    /// thread does not encrypt, and must not send what is not.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; otherwise what the system says.
    pub fn send_now(&self, bytes: &[u8]) -> io::Result<usize> {
        // Without NOSIGNAL a peer that is gone would end the process by SIGPIPE; DONTWAIT holds
        // even where somebody else who has the descriptor made it blocking.
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        const FLAGS: i32 = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
        #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
        const FLAGS: i32 = 0;
        match self {
            Self::Tcp(stream, _) => SockRef::from(stream).send_with_flags(bytes, FLAGS),
            #[cfg(unix)]
            Self::Unix(stream) => SockRef::from(stream).send_with_flags(bytes, FLAGS),
            #[cfg(windows)]
            Self::Pipe(pipe) => pipe.try_write(bytes),
            Self::Tls(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Ends our half: the peer reads what was written and then the end.
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream, _) => SockRef::from(stream).shutdown(Shutdown::Write),
            #[cfg(unix)]
            Self::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            #[cfg(windows)]
            Self::Pipe(pipe) => {
                pipe.end();
                Ok(())
            }
            Self::Tls(tls) => tls.inner().shutdown_write(),
        }
    }

    /// Makes the close of the descriptor a reset instead of an orderly end. Nothing to do where there
    /// are no resets.
    ///
    /// # Errors
    /// What the system says.
    pub fn reset_on_close(&self) -> io::Result<()> {
        self.on_tcp(|socket| socket.set_linger(Some(Duration::ZERO)))
    }

    /// Switches Nagle's algorithm off (or on again). Nothing to do where there is none.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_no_delay(&self, on: bool) -> io::Result<()> {
        self.on_tcp(|socket| socket.set_tcp_nodelay(on))
    }

    /// Switches keep-alive probes on with the numbers given, or off. Nothing to do but for TCP.
    ///
    /// # Errors
    /// What the system says, about a number out of range for instance.
    pub fn set_keep_alive(&self, keep_alive: Option<&KeepAlive>) -> io::Result<()> {
        self.on_tcp(|socket| {
            let Some(keep_alive) = keep_alive else {
                return socket.set_keepalive(false);
            };
            let mut probes = TcpKeepalive::new();
            if let Some(delay) = keep_alive.delay {
                probes = probes.with_time(delay);
            }
            if let Some(interval) = keep_alive.interval {
                probes = probes.with_interval(interval);
            }
            if let Some(count) = keep_alive.count {
                probes = probes.with_retries(count);
            }
            socket.set_tcp_keepalive(&probes)
        })
    }

    /// Sets how long sent bytes may stay unacknowledged; zero is the system's. Nothing to do but for
    /// TCP.
    ///
    /// # Errors
    /// `Unsupported` on systems other than Linux; otherwise what the system says.
    pub fn set_user_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.on_tcp(|socket| set_user_timeout(&socket, timeout))
    }

    /// Sets the type of service (IPv4) or traffic class (IPv6) of outgoing packets. Nothing to do but
    /// for TCP.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_type_of_service(&self, value: u8) -> io::Result<()> {
        match self {
            Self::Tcp(stream, _) if stream.local_addr()?.is_ipv4() => {
                SockRef::from(stream).set_tos_v4(value.into())
            }
            #[cfg(unix)]
            Self::Tcp(stream, _) => SockRef::from(stream).set_tclass_v6(value.into()),
            #[cfg(windows)]
            Self::Tcp(..) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
            #[cfg(windows)]
            Self::Pipe(_) => Ok(()),
            Self::Tls(tls) => tls.inner().set_type_of_service(value),
        }
    }

    /// The type of service or traffic class.
    ///
    /// # Errors
    /// `Unsupported` where there is none; otherwise what the system says.
    pub fn type_of_service(&self) -> io::Result<u32> {
        match self {
            Self::Tcp(stream, _) if stream.local_addr()?.is_ipv4() => {
                SockRef::from(stream).tos_v4()
            }
            #[cfg(unix)]
            Self::Tcp(stream, _) => SockRef::from(stream).tclass_v6(),
            #[cfg(windows)]
            Self::Tcp(..) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(unix)]
            Self::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(windows)]
            Self::Pipe(_) => Err(io::ErrorKind::Unsupported.into()),
            Self::Tls(tls) => tls.inner().type_of_service(),
        }
    }

    /// The address of our end.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<Endpoint> {
        match self {
            Self::Tcp(stream, _) => stream.local_addr().map(Endpoint::Tcp),
            #[cfg(unix)]
            Self::Unix(stream) => Endpoint::from_sock_addr(&SockRef::from(stream).local_addr()?),
            #[cfg(windows)]
            Self::Pipe(_) => Ok(Endpoint::Pipe(OsString::new())),
            Self::Tls(tls) => tls.inner().local_addr(),
        }
    }

    /// The address of the peer, also when it is gone.
    ///
    /// # Errors
    /// `NotConnected` where there is none.
    pub fn peer_addr(&self) -> io::Result<Endpoint> {
        match self {
            Self::Tcp(stream, peer) => peer
                .address()
                .map_or_else(|| stream.peer_addr(), Ok)
                .map(Endpoint::Tcp),
            #[cfg(unix)]
            Self::Unix(stream) => Endpoint::from_sock_addr(&SockRef::from(stream).peer_addr()?),
            #[cfg(windows)]
            Self::Pipe(_) => Ok(Endpoint::Pipe(OsString::new())),
            Self::Tls(tls) => tls.inner().peer_addr(),
        }
    }

    fn on_tcp(&self, call: impl FnOnce(SockRef<'_>) -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::Tcp(stream, _) => call(SockRef::from(stream)),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
            #[cfg(windows)]
            Self::Pipe(_) => Ok(()),
            Self::Tls(tls) => tls.inner().on_tcp(call),
        }
    }
}

/// Sets `options` on a socket of the address family `domain` that does not connect or listen yet. What
/// the system refuses is passed over, see [`Transport::apply`].
pub(crate) fn prepare(socket: &Socket, domain: Domain, options: &SocketOptions) {
    // Sizes are taken as u32; where a usize is smaller, the system has less memory than that.
    let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
    if let Some(bytes) = options.send_buffer_size {
        let _ = socket.set_send_buffer_size(size(bytes));
    }
    if let Some(bytes) = options.recv_buffer_size {
        let _ = socket.set_recv_buffer_size(size(bytes));
    }
    if let Some(timeout) = options.user_timeout
        && (domain == Domain::IPV4 || domain == Domain::IPV6)
    {
        let _ = set_user_timeout(socket, timeout);
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_user_timeout(socket: &Socket, timeout: Duration) -> io::Result<()> {
    socket.set_tcp_user_timeout(Some(timeout))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_user_timeout(_socket: &Socket, _timeout: Duration) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The address family of a socket that somebody else made.
pub(crate) fn domain_of(socket: &Socket) -> io::Result<Domain> {
    Ok(socket.local_addr()?.domain())
}
