//! From the bytes of a stream to messages (pure: no I/O, no locks).
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`length`] | the header in front of a framed message |
//! | [`number`] | number types: sizes, byte order |
//! | [`text`] | where a piece of UTF-8 may be cut |
//! | [`json`] | where one JSON text ends and the next begins |
//! | [`run`] | how messages lie in a chunk when the owner gets them |
//! | [`decoder`] | the state machine over all of them |
//!
//! A stream either is *framed*, every message behind a header that says how long it is, or *raw*: the
//! bytes of the values and nothing else. What the bytes are is not on the wire; both ends know.

pub mod decoder;
pub mod json;
pub mod length;
pub mod number;
pub mod run;
pub mod text;

use number::NumberType;

/// What the bytes of one stream mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codec {
    /// Whether every message has a header with its length. Otherwise the stream is raw.
    pub framed: bool,
    /// What a message is made of.
    pub value: ValueType,
    /// The longest message that is taken, in bytes. A longer one is a [`Fault::TooLong`].
    pub max_message: u32,
}

/// What a message is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Bytes, as they are.
    Bytes,
    /// UTF-8. What is not valid is for the owner to replace.
    Text,
    /// One JSON text. In a raw stream texts follow each other, with white space where they would run
    /// into each other.
    Json,
    /// Numbers, one behind the other, big-endian.
    Numbers(NumberType),
}

/// Something in the stream that is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A message of so many bytes is announced, or has come already, which is more than the codec allows.
    /// Nothing after it is looked at.
    TooLong(u32),
    /// So many bytes where a number should be: fewer than one number has.
    TooFew(u32),
    /// So many bytes over, behind the last whole number of a frame. Its numbers came before.
    Over(u32),
    /// The stream ended in the middle of a message: at least so many bytes are missing.
    Truncated(u32),
    /// So many bytes that are no JSON. The stream goes on behind them.
    NotJson(u32),
}

impl Fault {
    /// What a fault counts among the bytes that are on their way to the owner, so that a stream of
    /// nothing but faults does not pile up.
    pub const WEIGHT: usize = 64;

    /// Nothing that comes after it makes sense.
    #[must_use]
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::TooLong(_))
    }
}
