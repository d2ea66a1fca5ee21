//! An owner of an engine, as the JavaScript side is one: takes events from a queue, copies out what
//! was received, gives memory when it is wanted.

#![allow(dead_code, reason = "each file of tests uses some of it")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use socket::core::chunks::{Chunk, ChunkMemory, PIECE};
use socket::core::datagram::options::DatagramOptions;
use socket::core::endpoint::Endpoint;
use socket::core::engine::{Engine, OpenDatagram};
use socket::core::error::Error;
use socket::core::event::{ChunkId, DropReason, Event, EventSink, HandleId};
use socket::core::listener::Listener;
use socket::core::options::{ConnectOptions, ListenOptions, SocketOptions, StreamOptions};
use socket::core::stream::Stream;
use socket::core::tls::server::Server;
use socket::core::transport::Transport;

/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(10);
const CHUNK: usize = 256 * 1024;

struct Queue(Mutex<Sender<Event>>);

impl EventSink for Queue {
    fn emit(&self, event: Event) {
        // Fails when the test has ended.
        let _ = self.0.lock().expect("not poisoned").send(event);
    }
}

/// Plain memory. What is in it is for the tests of JavaScript to see: here it is counted.
#[derive(Debug)]
struct Memory(Vec<u8>);

impl ChunkMemory for Memory {
    fn size(&self) -> usize {
        self.0.len()
    }

    fn part_mut(&mut self, offset: usize, len: usize) -> &mut [u8] {
        &mut self.0[offset..offset + len]
    }
}

/// One event, without the handles that go with it.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    Connected,
    ConnectFailed(Error),
    Accepted(HandleId),
    Dropped(DropReason),
    Data(usize),
    Datagrams(u32),
    End,
    Written,
    Finished,
    Failed(Error),
    Named,
    Secured(bool),
    TlsFailed,
    Session,
    Quiet,
    Closed,
}

pub(crate) struct Owner {
    pub(crate) engine: Engine,
    events: Receiver<Event>,
    pub(crate) streams: HashMap<HandleId, (Arc<Stream>, Option<Arc<Transport>>)>,
    pub(crate) datagrams: HashMap<HandleId, OpenDatagram>,
    outstanding: HashMap<ChunkId, Arc<AtomicUsize>>,
    /// What was told of a handle before somebody asked.
    told: Vec<(HandleId, Told)>,
    chunks: u32,
    /// Bytes received by each handle, and used up (credit given back) unless `is_lazy`.
    pub(crate) received: HashMap<HandleId, usize>,
    /// Does not take bytes: they stay on their way.
    pub(crate) is_lazy: bool,
    /// Streams that it makes have `StreamOptions::copied`.
    pub(crate) is_copying: bool,
}

impl Owner {
    pub(crate) fn new() -> Self {
        let (sender, events) = channel();
        let engine = Engine::start(Arc::new(Queue(Mutex::new(sender)))).expect("an I/O thread");
        let mut owner = Self {
            engine,
            events,
            streams: HashMap::new(),
            datagrams: HashMap::new(),
            outstanding: HashMap::new(),
            told: Vec::new(),
            chunks: 0,
            received: HashMap::new(),
            is_lazy: false,
            is_copying: false,
        };
        owner.supply();
        owner
    }

    pub(crate) fn bind(&mut self, options: &DatagramOptions) -> Result<HandleId, Error> {
        let open = self.engine.bind_datagram(options)?;
        let id = open.0.id();
        self.datagrams.insert(id, open);
        Ok(id)
    }

    pub(crate) fn listen(&self, local: &str) -> Result<Arc<Listener>, Error> {
        self.listen_proxied(local, None)
    }

    pub(crate) fn listen_proxied(
        &self,
        local: &str,
        proxy_timeout: Option<Duration>,
    ) -> Result<Arc<Listener>, Error> {
        self.listen_as(local, SocketOptions::default(), proxy_timeout, None)
    }

    pub(crate) fn listen_with(
        &self,
        local: &str,
        socket: SocketOptions,
    ) -> Result<Arc<Listener>, Error> {
        self.listen_as(local, socket, None, None)
    }

    pub(crate) fn listen_secure(
        &self,
        local: &str,
        tls: Arc<Server>,
        proxy_timeout: Option<Duration>,
    ) -> Result<Arc<Listener>, Error> {
        self.listen_as(local, SocketOptions::default(), proxy_timeout, Some(tls))
    }

    fn listen_as(
        &self,
        local: &str,
        socket: SocketOptions,
        proxy_timeout: Option<Duration>,
        tls: Option<Arc<Server>>,
    ) -> Result<Arc<Listener>, Error> {
        let address: std::net::SocketAddr = local.parse().expect("a literal address");
        let options = ListenOptions {
            local: Endpoint::Tcp(address),
            backlog: 1024,
            ipv6_only: false,
            reuse_address: true,
            reuse_port: false,
            proxy_timeout,
            stream: reading(socket),
        };
        self.engine.listen(&options, tls)
    }

    pub(crate) fn connect(&mut self, remote: std::net::SocketAddr) -> HandleId {
        self.connect_with(remote, SocketOptions::default())
    }

    pub(crate) fn connect_with(
        &mut self,
        remote: std::net::SocketAddr,
        socket: SocketOptions,
    ) -> HandleId {
        self.connect_to(Endpoint::Tcp(remote), socket)
    }

    pub(crate) fn connect_to(&mut self, remote: Endpoint, socket: SocketOptions) -> HandleId {
        let stream = self.engine.connect(ConnectOptions {
            remote,
            local: None,
            stream: StreamOptions {
                copied: self.is_copying,
                ..reading(socket)
            },
        });
        let stream = stream.expect("nothing to bind");
        let id = stream.id();
        self.streams.insert(id, (stream, None));
        id
    }

    /// A connected stream.
    pub(crate) fn connected(&mut self, remote: std::net::SocketAddr) -> HandleId {
        let id = self.connect(remote);
        assert_eq!(self.next(id), Told::Connected);
        id
    }

    pub(crate) fn stream(&self, id: HandleId) -> (&Stream, &Transport) {
        let (stream, transport) = &self.streams[&id];
        (stream, transport.as_ref().expect("it is connected"))
    }

    pub(crate) fn close(&mut self, id: HandleId) {
        let used = self.received.get(&id).copied().unwrap_or(0) as u64;
        let (stream, transport) = self.streams.get_mut(&id).expect("a stream");
        *transport = None;
        stream.close(used);
    }

    /// What happens next to `id`.
    pub(crate) fn next(&mut self, id: HandleId) -> Told {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(told) = self.take_told(id) {
                return told;
            }
            let left = end.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).expect("an event in time");
            self.take(event);
        }
    }

    /// What was told of `id` already.
    pub(crate) fn take_told(&mut self, id: HandleId) -> Option<Told> {
        let at = self.told.iter().position(|(of, _)| *of == id)?;
        Some(self.told.remove(at).1)
    }

    /// Takes events for a while, to see what does not come.
    pub(crate) fn settle(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(event) = self
            .events
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.take(event);
        }
    }

    fn take(&mut self, event: Event) {
        let (id, told) = match event {
            Event::Connected { id, transport } => {
                if let Some(entry) = self.streams.get_mut(&id) {
                    entry.1 = Some(transport);
                }
                (id, Told::Connected)
            }
            Event::ConnectFailed { id, error } => (id, Told::ConnectFailed(error)),
            Event::Accepted {
                listener,
                stream,
                transport,
            } => {
                let id = stream.id();
                self.streams.insert(id, (stream, Some(transport)));
                (listener, Told::Accepted(id))
            }
            Event::Dropped { listener, dropped } => (listener, Told::Dropped(dropped.reason)),
            Event::Data { id, chunk, len, .. } => {
                let len = len as usize;
                *self.received.entry(id).or_default() += len;
                if !self.is_lazy {
                    self.outstanding[&chunk].fetch_sub(1, Ordering::Release);
                    self.streams[&id].0.consumed(len);
                    self.engine.chunks().settle();
                }
                (id, Told::Data(len))
            }
            Event::Datagrams {
                id,
                chunk,
                len,
                count,
                ..
            } => {
                if !self.is_lazy {
                    self.outstanding[&chunk].fetch_sub(1, Ordering::Release);
                    if let Some((socket, _)) = self.datagrams.get(&id) {
                        socket.consumed(len as usize);
                    }
                    self.engine.chunks().settle();
                }
                (id, Told::Datagrams(count))
            }
            Event::Passed { .. } => unreachable!("no test has asked for it"),
            Event::Messages { .. }
            | Event::Message { .. }
            | Event::Fault { .. }
            | Event::Hello { .. }
            | Event::Stranger { .. } => {
                unreachable!("no stream of these tests has a codec")
            }
            Event::End { id } => (id, Told::End),
            Event::Written { id } => (id, Told::Written),
            Event::Finished { id } => (id, Told::Finished),
            Event::Failed { id, error } => (id, Told::Failed(error)),
            Event::Named { id } => (id, Told::Named),
            Event::Secured { id, needs_owner } => (id, Told::Secured(needs_owner)),
            Event::TlsFailed { id } => (id, Told::TlsFailed),
            Event::Session { id } => (id, Told::Session),
            Event::Quiet { id } => (id, Told::Quiet),
            Event::Closed { id } => (id, Told::Closed),
            Event::AcceptPaused { .. } => return,
        };
        self.told.push((id, told));
        self.supply();
    }

    fn supply(&mut self) {
        let wanted = self.engine.chunks().wanted();
        for _ in 0..wanted.shared {
            let chunk = self.chunk(CHUNK);
            self.engine.chunks().add_shared(chunk);
        }
        for _ in 0..wanted.own {
            let chunk = self.chunk(CHUNK);
            self.engine.chunks().add_own(chunk);
        }
        for _ in 0..wanted.pieces {
            let chunk = self.chunk(PIECE);
            self.engine.chunks().add_own(chunk);
        }
    }

    fn chunk(&mut self, size: usize) -> Chunk {
        let outstanding = Arc::new(AtomicUsize::new(0));
        let id = self.chunks;
        self.chunks += 1;
        self.outstanding.insert(id, Arc::clone(&outstanding));
        Chunk::new(id, Box::new(Memory(vec![0; size])), outstanding)
    }
}

fn reading(socket: SocketOptions) -> StreamOptions {
    StreamOptions {
        socket,
        read_at_once: true,
        ..StreamOptions::default()
    }
}

pub(crate) fn address_of(listener: &Listener) -> std::net::SocketAddr {
    let Endpoint::Tcp(address) = listener.local_addr() else {
        panic!("a TCP listener has a TCP address");
    };
    *address
}
