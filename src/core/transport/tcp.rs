//! TCP sockets with their readiness.
//!
//! The system tells once that a socket is readable (epoll's edge), so whoever stops reading has to know that nothing
//! is left. A read that does not fill its buffer says so, and saves the read that would only say "would block" – but
//! not at the mark of urgent data, where a read ends although more is behind it. Linux tells of urgent data if it is
//! asked to, which tokio's own `TcpStream` does not do.

use std::io::{self, IoSlice};
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::io::{Read, Write};
use std::net::{self, SocketAddr, TcpStream};
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::task::ready;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::Interest;
#[cfg(any(target_os = "linux", target_os = "android"))]
use tokio::io::unix::AsyncFd;

/// A connected TCP socket, registered with the I/O thread's runtime.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Debug)]
pub struct TcpSocket(AsyncFd<TcpStream>);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl TcpSocket {
    /// Takes over a non-blocking socket.
    ///
    /// # Errors
    /// It cannot be registered.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[expect(
        deprecated,
        reason = "its successor is unsafe for the sake of types that do not own their descriptor; this one does"
    )]
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        let all = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        AsyncFd::with_interest(socket, all).map(Self)
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read_ready(cx).map_ok(drop)
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_write_ready(cx).map_ok(drop)
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0
            .try_io(Interest::READABLE, |mut socket| socket.read(buffer))
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .try_io(Interest::WRITABLE, |mut socket| socket.write(bytes))
    }

    pub(super) fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_io(Interest::WRITABLE, |mut socket| {
            socket.write_vectored(pieces)
        })
    }

    /// See [`Transport::clear_read_ready`](super::Transport::clear_read_ready).
    pub(super) fn clear_read_ready(&self) -> bool {
        // Urgent data, or the end, which counts as it here.
        if self.0.try_io(Interest::PRIORITY, |_| Ok(())).is_ok() {
            return false;
        }
        let nothing = |_: &_| Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.0.try_io(Interest::READABLE, nothing);
        true
    }

    fn socket(&self) -> &TcpStream {
        self.0.get_ref()
    }
}

/// A listening TCP socket, registered with the I/O thread's runtime.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Debug)]
pub(crate) struct TcpListener(AsyncFd<net::TcpListener>);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl TcpListener {
    /// Takes over a non-blocking socket.
    ///
    /// # Errors
    /// It cannot be registered.
    ///
    /// # Panics
    /// Outside of a runtime.
    #[expect(deprecated, reason = "as above")]
    pub(crate) fn new(socket: net::TcpListener) -> io::Result<Self> {
        AsyncFd::with_interest(socket, Interest::READABLE).map(Self)
    }

    pub(crate) fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpSocket, SocketAddr)>> {
        loop {
            let _guard = ready!(self.0.poll_read_ready(cx))?;
            match self.0.try_io(Interest::READABLE, net::TcpListener::accept) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok((socket, peer)) => {
                    socket.set_nonblocking(true)?;
                    return Poll::Ready(TcpSocket::new(socket).map(|socket| (socket, peer)));
                }
            }
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }
}

/// A connected TCP socket, registered with the I/O thread's runtime.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[derive(Debug)]
pub struct TcpSocket(tokio::net::TcpStream);

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl TcpSocket {
    /// Takes over a non-blocking socket.
    ///
    /// # Errors
    /// It cannot be registered.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        tokio::net::TcpStream::from_std(socket).map(Self)
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read_ready(cx)
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_write_ready(cx)
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    pub(super) fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(pieces)
    }

    /// See [`Transport::clear_read_ready`](super::Transport::clear_read_ready).
    pub(super) fn clear_read_ready(&self) -> bool {
        // Windows tells once more of what is left, others do not, nor of urgent data.
        if cfg!(windows) {
            let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = self.0.try_io(Interest::READABLE, nothing);
        }
        cfg!(windows)
    }

    fn socket(&self) -> &tokio::net::TcpStream {
        &self.0
    }
}

/// A listening TCP socket, registered with the I/O thread's runtime.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[derive(Debug)]
pub(crate) struct TcpListener(tokio::net::TcpListener);

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl TcpListener {
    /// Takes over a non-blocking socket.
    ///
    /// # Errors
    /// It cannot be registered.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn new(socket: net::TcpListener) -> io::Result<Self> {
        tokio::net::TcpListener::from_std(socket).map(Self)
    }

    pub(crate) fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpSocket, SocketAddr)>> {
        self.0
            .poll_accept(cx)
            .map_ok(|(socket, peer)| (TcpSocket(socket), peer))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl TcpSocket {
    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    pub(super) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }
}

impl<'a> From<&'a TcpSocket> for SockRef<'a> {
    fn from(socket: &'a TcpSocket) -> Self {
        SockRef::from(socket.socket())
    }
}
