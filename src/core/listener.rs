//! The accept loop, and the handle that stops it.

use std::future::poll_fn;
use std::io;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket};
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::time::sleep;

use crate::core::closing::Closing;
use crate::core::connect::new_socket;
use crate::core::driver;
use crate::core::endpoint::Endpoint;
use crate::core::engine::Shared;
use crate::core::error::{Error, Syscall};
use crate::core::event::{Event, HandleId};
use crate::core::options::{ListenOptions, StreamOptions};
use crate::core::pending::{Pending, await_header};
use crate::core::proxy::Header;
use crate::core::stream::Stream;
use crate::core::tls::server::Server;
#[cfg(windows)]
use crate::core::transport::pipe::PipeListener;
use crate::core::transport::tcp::TcpListener;
use crate::core::transport::tls::Counted;
use crate::core::transport::{Transport, domain_of, prepare};

/// Connections that may be on their way to the owner. Further ones stay in the kernel's backlog,
/// so an owner that is busy is not buried under descriptors it has not seen.
pub const ACCEPT_AHEAD: usize = 512;

/// Connections accepted before other tasks get their turn.
const ACCEPTS_PER_TURN: usize = 32;

/// The first pause after the system ran short of descriptors or memory; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// The longest pause: what is short comes back without a word, so somebody has to look.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A listening socket as the owner's thread sees it.
#[derive(Debug)]
pub struct Listener {
    id: HandleId,
    local: Endpoint,
    /// Connections on their way to the owner.
    undelivered: AtomicUsize,
    /// The owner wants no more connections for now.
    paused: AtomicBool,
    pending: Pending,
    closing: Closing,
}

/// A socket that listens, not yet driven.
#[derive(Debug)]
pub(crate) enum Acceptor {
    Tcp(TcpListener),
    /// With the path to remove at the end, if it is one.
    #[cfg(unix)]
    Unix(UnixListener, Option<PathBuf>),
    #[cfg(windows)]
    Pipe(PipeListener),
}

impl Acceptor {
    /// Binds and listens. Needs to be called inside of the engine's runtime.
    pub(crate) fn bind(options: &ListenOptions) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::new(Syscall::Listen, &error);
        #[cfg(windows)]
        if let Endpoint::Pipe(name) = &options.local {
            return PipeListener::bind(name).map(Self::Pipe).map_err(failed);
        }
        let address = options.local.to_sock_addr().map_err(failed)?;
        let socket = new_socket(address.domain()).map_err(failed)?;
        if let Endpoint::Tcp(address) = options.local {
            // On Unix, a port whose last connections still linger may be listened on again; on
            // Windows the option means something else, and has to stay off.
            #[cfg(unix)]
            socket
                .set_reuse_address(options.reuse_address)
                .map_err(failed)?;
            if address.is_ipv6() {
                socket.set_only_v6(options.ipv6_only).map_err(failed)?;
            }
            if options.reuse_port {
                share_port(&socket).map_err(failed)?;
            }
        }
        socket.bind(&address).map_err(failed)?;
        Self::listen(socket, options.backlog, &options.stream)
    }

    /// Listens on a socket that somebody else has bound.
    pub(crate) fn from_socket(
        socket: Socket,
        backlog: i32,
        stream: &StreamOptions,
    ) -> Result<Self, Error> {
        socket
            .set_nonblocking(true)
            .map_err(|error| Error::new(Syscall::Listen, &error))?;
        Self::listen(socket, backlog, stream)
    }

    fn listen(socket: Socket, backlog: i32, stream: &StreamOptions) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::new(Syscall::Listen, &error);
        let domain = domain_of(&socket).map_err(failed)?;
        // Accepted TCP connections inherit them, and cost nothing more.
        prepare(&socket, domain, &stream.socket);
        socket.listen(backlog).map_err(failed)?;
        if domain == Domain::IPV4 || domain == Domain::IPV6 {
            return TcpListener::new(socket.into())
                .map(Self::Tcp)
                .map_err(failed);
        }
        #[cfg(unix)]
        if domain == Domain::UNIX {
            let address = socket.local_addr().map_err(failed)?;
            let path = address.as_pathname().map(PathBuf::from);
            let listener = UnixListener::from_std(socket.into()).map_err(failed)?;
            return Ok(Self::Unix(listener, path));
        }
        Err(failed(io::ErrorKind::InvalidInput.into()))
    }

    pub(crate) fn local_addr(&self) -> io::Result<Endpoint> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Endpoint::Tcp),
            #[cfg(unix)]
            Self::Unix(listener, _) => {
                Endpoint::from_sock_addr(&SockRef::from(listener).local_addr()?)
            }
            #[cfg(windows)]
            Self::Pipe(listener) => Ok(Endpoint::Pipe(listener.name().to_owned())),
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Transport>> {
        match self {
            Self::Tcp(listener) => listener
                .poll_accept(cx)
                .map_ok(|(stream, peer)| Transport::Tcp(stream, peer.into())),
            #[cfg(unix)]
            Self::Unix(listener, _) => listener
                .poll_accept(cx)
                .map_ok(|(stream, _)| Transport::Unix(stream)),
            #[cfg(windows)]
            Self::Pipe(listener) => listener.poll_accept(cx).map_ok(Transport::Pipe),
        }
    }

    fn close(self) {
        #[cfg(unix)]
        if let Self::Unix(_, Some(path)) = &self {
            // As libuv does it. Somebody may have removed it first.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Listener {
    pub(crate) fn new(id: HandleId, local: Endpoint) -> Arc<Self> {
        Arc::new(Self {
            id,
            local,
            undelivered: AtomicUsize::new(0),
            paused: AtomicBool::new(false),
            pending: Pending::default(),
            closing: Closing::default(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> HandleId {
        self.id
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> &Endpoint {
        &self.local
    }

    /// Accepts no more connections until [`Listener::resume`]. Those that are on their way, up to
    /// [`ACCEPT_AHEAD`], still arrive; the others wait with the system.
    pub fn pause(&self) {
        self.paused.store(true, Ordering::SeqCst);
    }

    /// Accepts again.
    pub fn resume(&self) {
        self.paused.store(false, Ordering::SeqCst);
        self.closing.wake();
    }

    /// The owner has taken one connection, or word of one that was dropped.
    pub fn consumed(&self) {
        if self.undelivered.fetch_sub(1, Ordering::SeqCst) == ACCEPT_AHEAD {
            self.closing.wake();
        }
    }

    /// Stops listening, and returns when the address is free: the caller may bind it again at once,
    /// as after libuv's close. This waits for the I/O thread, which never waits itself, so it is
    /// over within the work of one turn. [`Event::Closed`] follows.
    pub fn close(&self) {
        self.closing.close();
    }

    pub(crate) fn pending(&self) -> &Pending {
        &self.pending
    }

    pub(crate) fn add_undelivered(&self) {
        self.undelivered.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether the next connection is to wait with the system. The owner wakes the task when not.
    fn is_full(&self) -> bool {
        self.undelivered.load(Ordering::SeqCst) >= ACCEPT_AHEAD
            || self.paused.load(Ordering::SeqCst)
    }
}

/// Says that the listener is closed, however its task ends: the owner may be waiting for it.
struct ClosedGuard {
    engine: Arc<Shared>,
    listener: Arc<Listener>,
    acceptor: Option<Acceptor>,
}

impl Drop for ClosedGuard {
    fn drop(&mut self) {
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.close();
        }
        self.listener.pending.close(&self.engine, &self.listener);
        self.listener.closing.done();
        let id = self.listener.id;
        self.engine.emit(Event::Closed { id });
    }
}

/// How a listener's connections begin: the PROXY header, in the clear, then TLS.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) options: StreamOptions,
    /// As in [`ListenOptions`].
    pub(crate) proxy_timeout: Option<Duration>,
    pub(crate) tls: Option<ListenTls>,
}

/// A listener's TLS.
#[derive(Debug)]
pub(crate) struct ListenTls {
    pub(crate) server: Arc<Server>,
    /// A listener counts as TLS: its connections come when they like.
    pub(crate) _counted: Counted,
}

/// Accepts until the listener is closed.
pub(crate) async fn run(
    engine: Arc<Shared>,
    listener: Arc<Listener>,
    acceptor: Acceptor,
    admission: Admission,
) {
    let admission = Arc::new(admission);
    let mut guard = ClosedGuard {
        engine: Arc::clone(&engine),
        listener: Arc::clone(&listener),
        acceptor: Some(acceptor),
    };
    let Some(acceptor) = &mut guard.acceptor else {
        return;
    };
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = poll_fn(|cx| {
            if listener.closing.poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            poll_turn(cx, &listener, acceptor, |transport| {
                pause = FIRST_PAUSE;
                transport.apply_accepted(&admission.options);
                match admission.proxy_timeout {
                    None => admit(
                        &engine,
                        &listener,
                        Arc::new(transport),
                        Header::Local,
                        &admission,
                    ),
                    Some(limit) => {
                        await_header(&engine, &listener, transport, limit, &admission);
                    }
                }
            })
            .map(Some)
        })
        .await;
        match accepted {
            None => return,
            Some(Ok(())) => {
                tokio::task::yield_now().await;
            }
            // The connection failed before it was accepted; the next one is none the worse.
            Some(Err(error)) if concerns_one_connection(&error) => {}
            Some(Err(error)) => {
                engine.emit(Event::AcceptPaused {
                    listener: listener.id,
                    error: Error::new(Syscall::Accept, &error),
                });
                let mut over = Box::pin(sleep(pause));
                pause = (pause * 2).min(LONGEST_PAUSE);
                poll_fn(|cx| {
                    if listener.closing.poll(cx).is_ready() {
                        return Poll::Ready(());
                    }
                    over.as_mut().poll(cx)
                })
                .await;
            }
        }
    }
}

/// Accepts up to a turn's worth of connections. Ready: there may be more, or `accept` failed.
fn poll_turn(
    cx: &mut Context<'_>,
    listener: &Listener,
    acceptor: &mut Acceptor,
    mut take: impl FnMut(Transport),
) -> Poll<io::Result<()>> {
    for _ in 0..ACCEPTS_PER_TURN {
        if listener.is_full() {
            return Poll::Pending;
        }
        take(std::task::ready!(acceptor.poll_accept(cx))?);
    }
    Poll::Ready(Ok(()))
}

/// Shows a connection to the owner, and drives it.
pub(crate) fn admit(
    engine: &Arc<Shared>,
    listener: &Listener,
    transport: Arc<Transport>,
    header: Header,
    admission: &Admission,
) {
    let proxied = match header {
        Header::Local => None,
        Header::Proxied(proxied) => Some(proxied),
    };
    let transport = match &admission.tls {
        None => transport,
        // No early bytes: a PROXY header is read to its end and no further.
        Some(tls) => engine.tls_server(transport, &tls.server, Vec::new()),
    };
    let stream = Stream::proxied_by(engine.new_id(), &admission.options, proxied);
    listener.add_undelivered();
    engine.emit(Event::Accepted {
        listener: listener.id,
        stream: Arc::clone(&stream),
        transport: Arc::clone(&transport),
    });
    tokio::spawn(driver::run_open(Arc::clone(engine), stream, transport));
}

/// Lets other sockets listen on the same port, and the system spread the connections over them.
///
/// # Errors
/// `Unsupported` where the system cannot, and for no other reason.
fn share_port(socket: &Socket) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "dragonfly"))]
    let result = socket.set_reuse_port(true);
    #[cfg(target_os = "freebsd")]
    let result = socket.set_reuse_port_lb(true);
    // macOS and others know the option, but give every connection to the same socket.
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_os = "dragonfly",
        target_os = "freebsd"
    )))]
    let result = {
        let _ = socket;
        Err(io::Error::from(io::ErrorKind::Unsupported))
    };
    result.map_err(|_| io::ErrorKind::Unsupported.into())
}

/// Whether `accept` failed for the connection's own sake. After any other error, of which a want of
/// descriptors or memory is the usual one, the very next try would most likely fail the same way.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
    )
}
