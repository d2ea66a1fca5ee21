//! The engine: plain Rust on tokio, without Node-API and without `unsafe`.
//!
//! Read it in this order:
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`error`] | a failed system call in libuv's numbers |
//! | [`endpoint`] | where a socket is or wants to be |
//! | [`options`] | what the caller wants of a socket, as plain data |
//! | [`event`] | what the engine tells its owner, and the trait it tells it through |
//! | [`transport`] | one open descriptor: TCP, a Unix socket or a named pipe |
//! | [`chunks`] | the memory that reads go into, and who may write where |
//! | [`flow`] | how much of one stream may be read ahead, and into which kind of chunk (pure) |
//! | [`write_queue`] | the writing half of one stream: order, window, FIN (pure) |
//! | `write_pieces` | memory for what TLS has to encrypt |
//! | [`stream`] | the handle of a stream |
//! | [`driver`] | the task that drives a stream |
//! | [`codec`] | from the bytes of a stream to messages (pure) |
//! | [`receive`] | the seam behind which bytes are taken from a descriptor |
//! | [`receive_messages`] | the same for streams whose bytes are messages |
//! | [`connect`] | one attempt to connect |
//! | [`tls`] | identities, roots, checks and outcomes of TLS; its records are a transport |
//! | [`secure`] | the handshake's place in a stream's life |
//! | [`listener`] | the accept loop |
//! | [`proxy`] | the header of the PROXY protocol (pure) |
//! | [`pending`] | accepted connections whose PROXY header has not come yet |
//! | [`closing`] | a close that the owner waits for |
//! | [`datagram`] | UDP sockets |
//! | [`crank`] | which thread turns the runtime |
//! | [`picture`] | encodings of images that are sent as messages (pure) |
//! | [`engine`] | all of it, and the I/O thread |
//! | [`hot_wait`] | when it pays to wait a moment for the next event (pure) |
//!
//! Threads: the *owner's thread* (JavaScript's) calls the methods of [`engine::Engine`],
//! [`stream::Stream`], [`listener::Listener`] and [`datagram::socket::DatagramSocket`]; the *I/O
//! thread* runs the tasks. They meet in atomics and short locks; neither ever waits for the other, but
//! for the close of the latter two and the end of the engine.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod chunks;
pub(crate) mod closing;
pub mod codec;
pub mod connect;
pub(crate) mod crank;
pub mod datagram;
pub(crate) mod driver;
pub mod endpoint;
pub mod engine;
pub mod error;
pub mod event;
pub mod flow;
pub mod hot_wait;
pub mod listener;
pub mod options;
pub mod pending;
pub mod picture;
pub mod proxy;
pub mod receive;
pub(crate) mod receive_messages;
pub(crate) mod secure;
pub mod stream;
pub mod tls;
pub mod transport;
pub(crate) mod write_pieces;
pub mod write_queue;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks without the poison: a panic of one task is reported by that task's own end, and the state
/// behind each of the engine's locks is consistent between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
