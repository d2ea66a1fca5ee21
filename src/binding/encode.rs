//! An event as five integers: handle, kind, and three that depend on the kind.

use napi_derive::napi;

use crate::core::codec::Fault;
use crate::core::error::Error;
use crate::core::event::Event;

/// Integers per event.
pub const WIDTH: usize = 5;

/// What the second integer of an event means. The other three are 0 where nothing is said.
#[napi]
#[derive(Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The attempt to connect succeeded.
    Connected,
    /// The attempt to connect failed: system call, errno.
    ConnectFailed,
    /// A listener's new connection: the stream's number.
    Accepted,
    /// A listener dropped a connection: the reason. `takeDropped()` says which.
    Dropped,
    /// The system is short of something: system call, errno.
    AcceptPaused,
    /// Bytes to be copied out: chunk, offset, length.
    Data,
    /// Bytes that may be kept as a view: chunk, offset, length. The engine is done with the chunk.
    OwnData,
    /// Messages in one piece, see `core::codec::run`, or datagrams, see `core::datagram::run`: chunk,
    /// offset, length.
    Messages,
    /// A large message: its number in the batch, length.
    Message,
    /// The peer of a value stream says hello: whether it refuses the connection, the longest message it takes.
    Hello,
    /// The peer of a value stream says something else: how many bytes are told, and these, four and four.
    Stranger,
    /// Something that is no message: what (see [`FaultKind`]), bytes.
    Fault,
    /// The peer ended its half.
    End,
    /// The write queue ran empty.
    Written,
    /// The write queue has become as short as was asked for.
    Passed,
    /// Our half is ended.
    Finished,
    /// Something failed: system call, errno.
    Failed,
    /// The last event of the handle.
    Closed,
    /// A TLS client has said what it wants: a context is to be chosen.
    Named,
    /// The TLS handshake is over: whether the peer's certificate is to be looked at.
    Secured,
    /// TLS failed.
    TlsFailed,
    /// A TLS session was remembered.
    Session,
    /// Reading has stopped for TLS to take over.
    Quiet,
}

/// What [`EventKind::Fault`] is about. The last integer of such an event counts bytes, where nothing else is said.
#[napi]
#[derive(Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A message has so many bytes, more than are allowed. Nothing comes after it.
    TooLong,
    /// There are so many, fewer than one number has.
    TooFew,
    /// So many are over, behind the last whole number.
    Over,
    /// So many are missing at the end of the stream.
    Truncated,
    /// So many are no JSON.
    NotJson,
    /// The peer speaks that version of the protocol of value streams. Nothing comes after it.
    OtherVersion,
    /// The peer's values come in that codec. Nothing comes after it.
    OtherCodec,
    /// A frame of so many is no JSON. Nothing comes after it.
    BadFrame,
    /// A frame of JSON of so many is too deep. Nothing comes after it.
    TooDeep,
}

/// Which integer of [`EventKind::Message`] is its number in the batch: it is for the batch to say.
pub const MESSAGE_INDEX: usize = 2;

/// A count as one of the integers.
///
/// # Panics
/// Two billion and more are not counted here.
#[must_use]
pub fn as_int(count: usize) -> i32 {
    i32::try_from(count).expect("a small count")
}

/// The five integers of `event`.
///
/// They are JavaScript's 32-bit integers; numbers, offsets and lengths are far below 2³¹, but for
/// what a fault counts and the longest message of a hello: those are to be read as unsigned.
#[must_use]
pub fn encode(event: &Event) -> [i32; WIDTH] {
    let row = |id: u32, kind: EventKind, rest: [i32; 3]| {
        [id.cast_signed(), kind as i32, rest[0], rest[1], rest[2]]
    };
    let failed = |error: &Error| [error.syscall as i32, error.errno, 0];
    match event {
        Event::Connected { id, .. } => row(*id, EventKind::Connected, [0; 3]),
        Event::ConnectFailed { id, error } => row(*id, EventKind::ConnectFailed, failed(error)),
        Event::Accepted {
            listener, stream, ..
        } => row(
            *listener,
            EventKind::Accepted,
            [stream.id().cast_signed(), 0, 0],
        ),
        Event::Dropped { listener, dropped } => {
            row(*listener, EventKind::Dropped, [dropped.reason as i32, 0, 0])
        }
        Event::AcceptPaused { listener, error } => {
            row(*listener, EventKind::AcceptPaused, failed(error))
        }
        Event::Data {
            id,
            chunk,
            offset,
            len,
            own,
            ..
        } => {
            let kind = if *own {
                EventKind::OwnData
            } else {
                EventKind::Data
            };
            let place = [chunk.cast_signed(), offset.cast_signed(), len.cast_signed()];
            row(*id, kind, place)
        }
        Event::Messages {
            id,
            chunk,
            offset,
            len,
            ..
        }
        | Event::Datagrams {
            id,
            chunk,
            offset,
            len,
            ..
        } => row(
            *id,
            EventKind::Messages,
            [*chunk, *offset, *len].map(u32::cast_signed),
        ),
        Event::Message { id, bytes } => row(*id, EventKind::Message, [0, as_int(bytes.len()), 0]),
        Event::Hello { id, hello } => {
            let what = [hello.refused.into(), hello.max_message.cast_signed(), 0];
            row(*id, EventKind::Hello, what)
        }
        Event::Stranger { id, stranger } => {
            let (ints, _) = stranger.start.as_chunks::<4>();
            let [first, second] = [0, 1].map(|at| i32::from_be_bytes(ints[at]));
            let what = [stranger.len.into(), first, second];
            row(*id, EventKind::Stranger, what)
        }
        Event::Fault { id, fault } => {
            let (kind, bytes) = match *fault {
                Fault::TooLong(bytes) => (FaultKind::TooLong, bytes),
                Fault::TooFew(bytes) => (FaultKind::TooFew, bytes),
                Fault::Over(bytes) => (FaultKind::Over, bytes),
                Fault::Truncated(bytes) => (FaultKind::Truncated, bytes),
                Fault::NotJson(bytes) => (FaultKind::NotJson, bytes),
                Fault::OtherVersion(version) => (FaultKind::OtherVersion, version),
                Fault::OtherCodec(codec) => (FaultKind::OtherCodec, codec),
                Fault::BadFrame(bytes) => (FaultKind::BadFrame, bytes),
                Fault::TooDeep(bytes) => (FaultKind::TooDeep, bytes),
            };
            row(*id, EventKind::Fault, [kind as i32, bytes.cast_signed(), 0])
        }
        Event::End { id } => row(*id, EventKind::End, [0; 3]),
        Event::Written { id } => row(*id, EventKind::Written, [0; 3]),
        Event::Passed { id } => row(*id, EventKind::Passed, [0; 3]),
        Event::Finished { id } => row(*id, EventKind::Finished, [0; 3]),
        Event::Failed { id, error } => row(*id, EventKind::Failed, failed(error)),
        Event::Named { id } => row(*id, EventKind::Named, [0; 3]),
        Event::Secured { id, needs_owner } => {
            row(*id, EventKind::Secured, [i32::from(*needs_owner), 0, 0])
        }
        Event::TlsFailed { id } => row(*id, EventKind::TlsFailed, [0; 3]),
        Event::Session { id } => row(*id, EventKind::Session, [0; 3]),
        Event::Quiet { id } => row(*id, EventKind::Quiet, [0; 3]),
        Event::Closed { id } => row(*id, EventKind::Closed, [0; 3]),
    }
}
