//! What the engine tells its owner.

use std::sync::Arc;

use crate::core::codec::Fault;
use crate::core::codec::hello::{Hello, Stranger};
use crate::core::endpoint::Endpoint;
use crate::core::error::Error;
use crate::core::stream::Stream;
use crate::core::transport::Transport;

/// Names a stream or a listener within one engine. A number is free again only when the owner has
/// taken the handle's [`Event::Closed`], so an event never reaches another handle than its own.
pub type HandleId = u32;

/// Names a chunk within one engine.
pub type ChunkId = u32;

/// Something that happened to a handle.
///
/// Order for one stream: `Connected` or `ConnectFailed` (or `Accepted` for its listener), for TLS then
/// `Named` and `Secured`, then `Data`… `End`, with `Written`, `Finished` and `Failed` wherever they
/// happen, and `Closed` last, once. A stream with a codec has `Messages`, `Message` and `Fault` where
/// another has `Data`; before them, one of values has `Hello`.
#[derive(Debug)]
pub enum Event {
    /// An attempt to connect succeeded.
    Connected {
        /// Whose.
        id: HandleId,
        /// What the owner's thread writes to and asks for addresses.
        transport: Arc<Transport>,
    },
    /// An attempt to connect failed; `Closed` follows.
    ConnectFailed {
        /// Whose.
        id: HandleId,
        /// Which system call failed, and why.
        error: Error,
    },
    /// A listener has a new connection.
    Accepted {
        /// The listener.
        listener: HandleId,
        /// The new stream.
        stream: Arc<Stream>,
        /// What the owner's thread writes to and asks for addresses.
        transport: Arc<Transport>,
    },
    /// A listener has dropped a connection before its owner heard of it.
    Dropped {
        /// The listener.
        listener: HandleId,
        /// Which one, and why.
        dropped: Box<Dropped>,
    },
    /// The system is short of descriptors or memory; the listener accepts again after a pause.
    AcceptPaused {
        /// The listener.
        listener: HandleId,
        /// Why.
        error: Error,
    },
    /// Bytes came in.
    Data {
        /// Whose.
        id: HandleId,
        /// The chunk they are in.
        chunk: ChunkId,
        /// Where in it, in bytes.
        offset: u32,
        /// How many.
        len: u32,
        /// The chunk held this read alone and the engine is done with it: the owner may keep a view of
        /// it. Otherwise the bytes are to be copied out before the next batch.
        own: bool,
        /// They are part of a flood: there is no hurry to tell the owner.
        flood: bool,
    },
    /// Messages came in, see [`crate::core::codec::run`].
    Messages {
        /// Whose.
        id: HandleId,
        /// The chunk they are in. It serves all streams.
        chunk: ChunkId,
        /// Where in it, in bytes: a multiple of 8.
        offset: u32,
        /// Bytes of the run.
        len: u32,
        /// They are part of a flood: there is no hurry to tell the owner.
        flood: bool,
    },
    /// Datagrams came in, see [`crate::core::datagram::run`].
    Datagrams {
        /// Whose.
        id: HandleId,
        /// The chunk they are in. It serves all handles.
        chunk: ChunkId,
        /// Where in it, in bytes: a multiple of 8.
        offset: u32,
        /// Bytes of the run.
        len: u32,
        /// How many datagrams there are.
        count: u32,
    },
    /// A large message came in.
    Message {
        /// Whose.
        id: HandleId,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The peer of a value stream has said hello; what else comes is behind it.
    Hello {
        /// Whose.
        id: HandleId,
        /// What it said.
        hello: Hello,
    },
    /// The peer of a value stream has said something else. Nothing else comes.
    Stranger {
        /// Whose.
        id: HandleId,
        /// What it said.
        stranger: Stranger,
    },
    /// Something came in that is no message.
    Fault {
        /// Whose.
        id: HandleId,
        /// What.
        fault: Fault,
    },
    /// The peer ended its half.
    End {
        /// Whose.
        id: HandleId,
    },
    /// The queue of unsent bytes ran empty.
    Written {
        /// Whose.
        id: HandleId,
    },
    /// The queue of unsent bytes has become as short as the owner wanted to know, see
    /// [`Stream::watch_queue`](crate::core::stream::Stream::watch_queue).
    Passed {
        /// Whose.
        id: HandleId,
    },
    /// Our half is ended: all bytes and the FIN are with the system.
    Finished {
        /// Whose.
        id: HandleId,
    },
    /// Reading, writing or ending failed. The owner is expected to close the stream. A UDP socket goes on:
    /// one datagram could not be sent, see
    /// [`take_refused`](crate::core::datagram::socket::DatagramSocket::take_refused), or not be received.
    Failed {
        /// Whose.
        id: HandleId,
        /// Which system call failed, and why.
        error: Error,
    },
    /// A client of a TLS server has said what it wants, and the owner has to choose a context, see
    /// [`Tls::hello`](crate::core::transport::tls::Tls::hello).
    Named {
        /// Whose.
        id: HandleId,
    },
    /// The TLS handshake is over, see [`Tls::info`](crate::core::transport::tls::Tls::info).
    Secured {
        /// Whose.
        id: HandleId,
        /// The owner has to look at the peer's certificate: nothing flows before its answer.
        needs_owner: bool,
    },
    /// TLS failed, see [`Tls::failure`](crate::core::transport::tls::Tls::failure). The owner is
    /// expected to close the stream.
    TlsFailed {
        /// Whose.
        id: HandleId,
    },
    /// A session that can be resumed was remembered.
    Session {
        /// Whose.
        id: HandleId,
    },
    /// Reading has stopped for TLS to take over: no `Data` comes before that.
    Quiet {
        /// Whose.
        id: HandleId,
    },
    /// The last one: the descriptor is closed.
    Closed {
        /// Whose.
        id: HandleId,
    },
}

impl Event {
    /// Bytes that were received and that it brings.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Data { len, .. } | Self::Messages { len, .. } | Self::Datagrams { len, .. } => {
                *len as usize
            }
            Self::Message { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }
}

/// A connection that was dropped for the want of a PROXY header.
#[derive(Debug)]
pub struct Dropped {
    /// Why.
    pub reason: DropReason,
    /// Our end of it.
    pub local: Option<Endpoint>,
    /// The other end: the proxy's, if it was one.
    pub remote: Option<Endpoint>,
}

/// Why a connection did not get as far as to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DropReason {
    /// What came is no PROXY header, or one that is too long.
    Malformed = 0,
    /// The header was not complete in time.
    Timeout = 1,
    /// The peer ended or reset the connection before the header was complete.
    Incomplete = 2,
    /// Too many connections waited for their header, and this one had waited longest.
    Overload = 3,
    /// The listener was closed before the header was complete.
    Closed = 4,
}

/// Takes events, in order, on whichever thread turns the runtime. It must not block and must not call
/// into the engine.
pub trait EventSink: Send + Sync + 'static {
    /// Takes one event.
    fn emit(&self, event: Event);

    /// The I/O thread has nothing left to do and is about to look for more. The owner is to be told
    /// now of what was emitted. One that is still busy may hold the thread back for a moment: what
    /// comes meanwhile is then read in one go, instead of with a wake-up for each packet.
    fn about_to_park(&self) {}
}
