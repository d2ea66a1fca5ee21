//! Datagrams: UDP sockets that are bound and never connected.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`options`] | what the caller wants of a socket, as plain data |
//! | [`udp`] | the descriptor: bind, groups, one call of the system to receive or to send many |
//! | [`drops`] | how many datagrams the system has dropped |
//! | [`run`] | datagrams and their addresses as one piece of memory (pure) |
//! | [`parcels`] | what is to be sent, and to whom (pure) |
//! | [`receive`] | from the descriptor to runs |
//! | [`socket`] | the handle: what the owner's thread may do |
//! | [`driver`] | the task that drives one socket |
//!
//! Received datagrams go to the owner as runs, [`Event::Datagrams`](crate::core::event::Event::Datagrams), in the shared
//! chunks. What the owner does not take in time stays with the system, which drops what it has no room for.

pub(crate) mod driver;
pub mod drops;
pub mod options;
pub mod parcels;
pub(crate) mod receive;
pub mod run;
pub mod socket;
pub mod udp;
