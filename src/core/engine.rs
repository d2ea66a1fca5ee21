//! The engine: one current-thread runtime on which every task of one owner runs, and the I/O
//! thread that turns it (or lets the owner turn it, see [`crate::core::crank`]).
//!
//! One thread per owner, on purpose: nothing is shared between two JavaScript environments, and
//! more threads for one were no faster (the owner's own thread is the narrow place).

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::Socket;
use tokio::runtime::Handle;

use crate::core::chunks::ChunkPool;
use crate::core::connect;
use crate::core::crank::Crank;
use crate::core::datagram;
use crate::core::datagram::options::DatagramOptions;
use crate::core::datagram::receive::Scratch;
use crate::core::datagram::socket::DatagramSocket;
use crate::core::datagram::udp::Udp;
use crate::core::driver;
use crate::core::error::{Error, Syscall};
use crate::core::event::{Event, EventSink, HandleId};
use crate::core::listener::{self, Acceptor, Admission, ListenTls, Listener};
use crate::core::lock;
use crate::core::options::{ConnectOptions, ListenOptions, StreamOptions};
use crate::core::stream::Stream;
use crate::core::tls::client::ClientOptions;
use crate::core::tls::failure::Failure;
use crate::core::tls::server::Server;
use crate::core::transport::tls::{Common, Counted, Tls};
use crate::core::transport::{Transport, domain_of, prepare};

/// What the tasks of one engine share.
pub(crate) struct Shared {
    pub(crate) chunks: Arc<ChunkPool>,
    /// Memory for decoders to work with. Only the thread that turns the runtime locks it, so it never
    /// waits.
    pub(crate) entries: Mutex<Vec<i32>>,
    /// Memory to receive datagrams to. The same holds for it.
    pub(crate) scratch: Mutex<Scratch>,
    sink: Arc<dyn EventSink>,
    ids: Mutex<Ids>,
    /// Nobody listens any more: the engine is being taken down.
    stopped: AtomicBool,
    tls: Arc<Common>,
}

#[derive(Default)]
struct Ids {
    free: Vec<HandleId>,
    next: HandleId,
}

impl Shared {
    pub(crate) fn emit(&self, event: Event) {
        if !self.stopped.load(Ordering::Acquire) {
            self.sink.emit(event);
        }
    }

    /// TLS over `transport`, as a server. `early`: bytes of the peer that were read before.
    pub(crate) fn tls_server(
        &self,
        transport: Arc<Transport>,
        server: &Arc<Server>,
        early: Vec<u8>,
    ) -> Arc<Transport> {
        let tls = Tls::server(transport, server, early, Counted::new(&self.tls));
        Arc::new(Transport::Tls(Box::new(tls)))
    }

    pub(crate) fn new_id(&self) -> HandleId {
        let mut ids = lock(&self.ids);
        ids.free.pop().unwrap_or_else(|| {
            let id = ids.next;
            ids.next += 1;
            id
        })
    }
}

/// A stream that is connected, and what the owner's thread writes to and asks for addresses.
pub type OpenStream = (Arc<Stream>, Arc<Transport>);

/// A UDP socket, and what the owner's thread sends with.
pub type OpenDatagram = (Arc<DatagramSocket>, Arc<Udp>);

/// An I/O thread and the way to give it work.
pub struct Engine {
    shared: Arc<Shared>,
    /// `None` once stopped.
    running: Option<(Arc<Crank>, JoinHandle<()>)>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts an I/O thread that tells `sink` what happens.
    ///
    /// # Errors
    /// The system gives no thread, or no descriptor for the runtime.
    pub fn start(sink: Arc<dyn EventSink>) -> io::Result<Self> {
        let crank = Crank::new(Arc::clone(&sink))?;
        let for_thread = Arc::clone(&crank);
        let thread = thread::Builder::new()
            .name("socket-io".into())
            .spawn(move || for_thread.run_io_thread())?;
        Ok(Self {
            shared: Arc::new(Shared {
                chunks: Arc::default(),
                entries: Mutex::default(),
                scratch: Mutex::default(),
                sink,
                ids: Mutex::default(),
                stopped: AtomicBool::new(false),
                tls: Arc::default(),
            }),
            running: Some((crank, thread)),
        })
    }

    /// Not kept as a field: a handle holds descriptors of the runtime, which end with [`Engine::stop`].
    ///
    /// # Panics
    /// After [`Engine::stop`].
    fn runtime(&self) -> &Handle {
        let (crank, _) = self
            .running
            .as_ref()
            .expect("the engine is not used after its end");
        crank.handle()
    }

    /// The chunks that reads go into.
    #[must_use]
    pub fn chunks(&self) -> &Arc<ChunkPool> {
        &self.shared.chunks
    }

    /// Starts an attempt to connect. Where a local endpoint is asked for, it is bound before this
    /// returns.
    ///
    /// # Errors
    /// The local endpoint cannot be had.
    ///
    /// # Panics
    /// After [`Engine::stop`], like everything that starts something.
    pub fn connect(&self, options: ConnectOptions) -> Result<Arc<Stream>, Error> {
        let bound = connect::bind(&options)?;
        let stream = Stream::new(self.shared.new_id(), &options.stream);
        let task = driver::run_connect(
            Arc::clone(&self.shared),
            Arc::clone(&stream),
            options,
            bound,
        );
        self.runtime().spawn(task);
        Ok(stream)
    }

    /// Takes over a connected socket that somebody else made.
    ///
    /// # Errors
    /// It is none, or cannot be registered.
    pub fn adopt(&self, socket: Socket, options: &StreamOptions) -> Result<OpenStream, Error> {
        let failed = |error: io::Error| Error::new(Syscall::Read, &error);
        socket.set_nonblocking(true).map_err(failed)?;
        let domain = domain_of(&socket).map_err(failed)?;
        let _inside = self.runtime().enter();
        prepare(&socket, domain, &options.socket);
        let peer = socket.peer_addr().ok().and_then(|peer| peer.as_socket());
        let transport = Arc::new(Transport::from_socket(socket, domain, peer).map_err(failed)?);
        transport.apply(options);
        let stream = Stream::new(self.shared.new_id(), options);
        self.runtime().spawn(driver::run_open(
            Arc::clone(&self.shared),
            Arc::clone(&stream),
            Arc::clone(&transport),
        ));
        Ok((stream, transport))
    }

    /// Two streams that are connected with each other: what one writes the other reads.
    ///
    /// # Errors
    /// What the system says.
    pub fn pair(&self, options: &StreamOptions) -> Result<[OpenStream; 2], Error> {
        let failed = |error: io::Error| Error::new(Syscall::Connect, &error);
        let (one, other) = socket_pair().map_err(failed)?;
        Ok([self.adopt(one, options)?, self.adopt(other, options)?])
    }

    /// Binds and listens, before it returns, and starts to accept. `tls`: every connection begins
    /// with a handshake.
    ///
    /// # Errors
    /// What the system says, about an address in use for instance.
    pub fn listen(
        &self,
        options: &ListenOptions,
        tls: Option<Arc<Server>>,
    ) -> Result<Arc<Listener>, Error> {
        let acceptor = {
            let _inside = self.runtime().enter();
            Acceptor::bind(options)?
        };
        self.accept(acceptor, options.stream, options.proxy_timeout, tls)
    }

    /// Listens on a bound socket that somebody else made, and starts to accept. `proxy_timeout` is as
    /// in [`ListenOptions`].
    ///
    /// # Errors
    /// It cannot listen.
    pub fn listen_on(
        &self,
        socket: Socket,
        backlog: i32,
        options: StreamOptions,
        proxy_timeout: Option<Duration>,
        tls: Option<Arc<Server>>,
    ) -> Result<Arc<Listener>, Error> {
        let acceptor = {
            let _inside = self.runtime().enter();
            Acceptor::from_socket(socket, backlog, &options)?
        };
        self.accept(acceptor, options, proxy_timeout, tls)
    }

    fn accept(
        &self,
        acceptor: Acceptor,
        options: StreamOptions,
        proxy_timeout: Option<Duration>,
        tls: Option<Arc<Server>>,
    ) -> Result<Arc<Listener>, Error> {
        let admission = Admission {
            options,
            proxy_timeout,
            tls: tls.map(|server| ListenTls {
                server,
                _counted: self.count_tls(),
            }),
        };
        let local = acceptor
            .local_addr()
            .map_err(|error| Error::new(Syscall::Listen, &error))?;
        let listener = Listener::new(self.shared.new_id(), local);
        self.runtime().spawn(listener::run(
            Arc::clone(&self.shared),
            Arc::clone(&listener),
            acceptor,
            admission,
        ));
        Ok(listener)
    }

    /// Binds a UDP socket, before it returns, and starts to receive.
    ///
    /// # Errors
    /// What the system says, about an address in use for instance.
    pub fn bind_datagram(&self, options: &DatagramOptions) -> Result<OpenDatagram, Error> {
        let udp = {
            let _inside = self.runtime().enter();
            Arc::new(Udp::bind(options)?)
        };
        let socket = DatagramSocket::new(self.shared.new_id());
        self.runtime().spawn(datagram::driver::run(
            Arc::clone(&self.shared),
            Arc::clone(&socket),
            Arc::clone(&udp),
        ));
        Ok((socket, udp))
    }

    /// Puts a client's TLS over an open stream and starts the handshake; answers the stream's transport
    /// from then on. Nothing of the stream may be queued, and it must not be reading: where it was,
    /// [`Stream::quiesce`] comes first, and `early` is what was received and not used.
    ///
    /// # Errors
    /// The options do not fit together.
    pub fn secure_client(
        &self,
        stream: &Stream,
        transport: &Arc<Transport>,
        options: &ClientOptions,
        early: Vec<u8>,
    ) -> Result<Arc<Transport>, Failure> {
        let tls = Tls::client(Arc::clone(transport), options, early, self.count_tls())?;
        let secure = Arc::new(Transport::Tls(Box::new(tls)));
        stream.secure(Arc::clone(&secure));
        Ok(secure)
    }

    /// The same as a server.
    pub fn secure_server(
        &self,
        stream: &Stream,
        transport: &Arc<Transport>,
        server: &Arc<Server>,
        early: Vec<u8>,
    ) -> Arc<Transport> {
        // It counts before the crank is given back, so that it is not asked for again meanwhile.
        let secure = self.shared.tls_server(Arc::clone(transport), server, early);
        self.give_back_crank();
        stream.secure(Arc::clone(&secure));
        secure
    }

    /// Counts TLS that is about to be, and makes sure that the owner's thread has nothing to do with it.
    fn count_tls(&self) -> Counted {
        let counted = Counted::new(&self.shared.tls);
        self.give_back_crank();
        counted
    }

    /// The owner has taken a handle's [`Event::Closed`]: its number may name another one.
    pub fn release_id(&self, id: HandleId) {
        lock(&self.shared.ids).free.push(id);
    }

    /// The owner is busy, and would rather turn the runtime itself than be told. Not while there is
    /// TLS: its cryptography is not for the owner's thread (decision 10).
    pub fn ask_crank(&self) {
        if self.shared.tls.is_used() {
            return;
        }
        if let Some((crank, _)) = &self.running {
            crank.ask();
        }
    }

    /// If the owner has the crank: looks for I/O, without waiting, and runs what is ready. Events are
    /// emitted on the owner's own thread meanwhile. Answers whether it has.
    #[must_use]
    pub fn turn(&self) -> bool {
        self.running.as_ref().is_some_and(|(crank, _)| crank.turn())
    }

    /// The I/O thread is to turn the runtime again.
    pub fn give_back_crank(&self) {
        if let Some((crank, _)) = &self.running {
            crank.give_back();
        }
    }

    /// Ends the thread and closes every descriptor. No event comes after this returns, and no
    /// chunk is written to. It takes no longer than the task that happens to run.
    pub fn stop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        if let Some((crank, thread)) = self.running.take() {
            crank.stop();
            // A panic of the thread has been reported by the thread.
            let _ = thread.join();
            // The last one: the runtime goes, and with it every task and descriptor.
            drop(crank);
        }
    }
}

#[cfg(unix)]
fn socket_pair() -> io::Result<(Socket, Socket)> {
    Socket::pair(socket2::Domain::UNIX, socket2::Type::STREAM, None)
}

/// Windows has no pairs: two ends of a connection through the loopback interface.
#[cfg(windows)]
fn socket_pair() -> io::Result<(Socket, Socket)> {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    // Somebody else may have been faster.
    loop {
        let (other, address) = listener.accept()?;
        if address == one.local_addr()? {
            return Ok((one.into(), other.into()));
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}
