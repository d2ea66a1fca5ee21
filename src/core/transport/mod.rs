//! One open, connected descriptor, whatever it is made of.
//!
//! Both threads hold it: the I/O thread waits for readiness and reads, the owner's thread sends and
//! asks for addresses. That is sound because every call here is one system call on a shared
//! reference, and because only one side at a time sends (see [`crate::core::write_queue`]). The
//! descriptor is closed when the last of them lets go.

mod tcp;
pub mod tls;
#[cfg(unix)]
mod unix;

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive};
use tokio::io::Interest;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::core::options::{KeepAlive, StreamOptions};
use crate::core::transport::tls::Tls;

/// A connected socket, registered with the I/O thread's runtime.
#[derive(Debug)]
pub enum Transport {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpStream),
    /// A Unix stream socket.
    #[cfg(unix)]
    Unix(UnixStream),
    /// TLS over one of the others.
    Tls(Box<Tls>),
}

/// The same call on whichever stream it is, and another one on TLS.
macro_rules! each {
    ($self:ident, $stream:ident => $call:expr, $tls:ident => $other:expr) => {
        match $self {
            Transport::Tcp($stream) => $call,
            #[cfg(unix)]
            Transport::Unix($stream) => $call,
            Transport::Tls($tls) => $other,
        }
    };
}

impl Transport {
    /// Takes over a connected (or connecting) non-blocking socket of the address family `domain`.
    ///
    /// # Errors
    /// The socket cannot be registered, or is of no kind known here.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn from_socket(socket: Socket, domain: Domain) -> io::Result<Self> {
        if domain == Domain::IPV4 || domain == Domain::IPV6 {
            return tcp::from_socket(socket).map(Self::Tcp);
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

    /// Forgets that the socket was readable, after a read that did not fill its buffer: the system
    /// tells of anything newer, and the read that would only say "would block" is saved.
    ///
    /// Nothing to do for TLS: what its reads leave has nothing to do with what they gave.
    pub fn clear_read_ready(&self) {
        let empty = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = each!(self, stream => stream.try_io(Interest::READABLE, empty), _tls => Ok(()));
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
            Self::Tls(_) => Err(io::ErrorKind::WouldBlock.into()),
            _ => self.socket().send_with_flags(bytes, FLAGS),
        }
    }

    /// Ends our half: the peer reads what was written and then the end.
    ///
    /// # Errors
    /// What the system says.
    pub fn shutdown_write(&self) -> io::Result<()> {
        self.socket().shutdown(Shutdown::Write)
    }

    /// Makes the close of the descriptor a reset instead of an orderly end.
    ///
    /// # Errors
    /// What the system says.
    pub fn reset_on_close(&self) -> io::Result<()> {
        self.socket().set_linger(Some(Duration::ZERO))
    }

    /// Switches Nagle's algorithm off (or on again). Nothing to do on a Unix socket.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_no_delay(&self, on: bool) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(on),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
            Self::Tls(tls) => tls.inner().set_no_delay(on),
        }
    }

    /// Switches keep-alive probes on with the numbers given, or off. Nothing to do on a Unix socket.
    ///
    /// # Errors
    /// What the system says, about a number out of range for instance.
    pub fn set_keep_alive(&self, keep_alive: Option<&KeepAlive>) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                let socket = SockRef::from(stream);
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
            }
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
            Self::Tls(tls) => tls.inner().set_keep_alive(keep_alive),
        }
    }

    /// Sets the type of service (IPv4) or traffic class (IPv6) of outgoing packets. Nothing to do on
    /// a Unix socket.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_type_of_service(&self, value: u8) -> io::Result<()> {
        match self {
            Self::Tcp(stream) if stream.local_addr()?.is_ipv4() => {
                SockRef::from(stream).set_tos_v4(value.into())
            }
            #[cfg(unix)]
            Self::Tcp(stream) => SockRef::from(stream).set_tclass_v6(value.into()),
            #[cfg(windows)]
            Self::Tcp(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
            Self::Tls(tls) => tls.inner().set_type_of_service(value),
        }
    }

    /// The type of service or traffic class; 0 for a Unix socket.
    ///
    /// # Errors
    /// What the system says.
    pub fn type_of_service(&self) -> io::Result<u32> {
        match self {
            Self::Tcp(stream) if stream.local_addr()?.is_ipv4() => SockRef::from(stream).tos_v4(),
            #[cfg(unix)]
            Self::Tcp(stream) => SockRef::from(stream).tclass_v6(),
            #[cfg(windows)]
            Self::Tcp(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(unix)]
            Self::Unix(_) => Ok(0),
            Self::Tls(tls) => tls.inner().type_of_service(),
        }
    }

    /// The address of our end.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SockAddr> {
        self.socket().local_addr()
    }

    /// The address of the peer.
    ///
    /// # Errors
    /// `NotConnected` where there is none (any more).
    pub fn peer_addr(&self) -> io::Result<SockAddr> {
        self.socket().peer_addr()
    }

    fn socket(&self) -> SockRef<'_> {
        each!(self, stream => SockRef::from(stream), tls => tls.inner().socket())
    }
}

/// The address family of a socket that somebody else made.
pub(crate) fn domain_of(socket: &Socket) -> io::Result<Domain> {
    Ok(socket.local_addr()?.domain())
}
