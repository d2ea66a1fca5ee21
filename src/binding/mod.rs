//! Node-API: puts the engine into JavaScript's hands. Translates, never decides.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`env`] | the class `Engine`: one environment's engine, its start, drain and end |
//! | [`handles`] | what JavaScript may do with a stream or a listener |
//! | [`datagram`] | what JavaScript may do with a UDP socket |
//! | [`tls`] | what JavaScript may do with a stream's TLS |
//! | [`tls_context`] | contexts and servers of TLS |
//! | [`options`] | options and addresses as JavaScript has them |
//! | [`mailbox`] | events on their way from the I/O thread, and the one threadsafe function |
//! | [`encode`] | an event as five integers |
//! | [`shared`] | the array of integers that JavaScript reads events from |
//! | [`registry`] | handle numbers and what they name |
//! | [`picture`] | images that are sent as messages |
//! | [`chunks`] | JavaScript's memory, as the engine sees it |
//!
//! Only `mailbox`, `chunks` and `shared` contain `unsafe`, `env` for one call of Node-API, and
//! `handles` where a descriptor is adopted.
//!
//! Nothing here may be reached from two environments: each has its own `Engine`, there are no
//! statics, and everything JavaScript calls runs on that environment's thread.

#![allow(
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "the callers are JavaScript: lib/ knows what each answer means"
)]

pub mod chunks;
pub mod datagram;
pub mod encode;
pub mod env;
pub mod handles;
pub mod mailbox;
pub mod options;
pub mod picture;
pub mod registry;
pub mod shared;
pub mod tls;
pub mod tls_context;
