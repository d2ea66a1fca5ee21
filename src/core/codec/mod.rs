//! From the bytes of a stream to messages (pure: no I/O, no locks).
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`length`] | the header in front of a framed message |
//! | [`number`] | number types: sizes, byte order |
//! | [`text`] | where a piece of UTF-8 may be cut |
//! | [`json`] | where one JSON text ends and the next begins |
//! | [`run`] | how messages lie in a chunk when the owner gets them |
//! | [`assembly`] | what is kept of messages that are not whole |
//! | [`decoder`] | the state machine over all of them |
//! | [`hello`] | what a value stream begins with |
//! | [`json_frame`] | whether a frame is one JSON text |
//! | [`values`] | the state machine of a value stream |
//!
//! A stream of messages ([`decoder`]) either is *framed*, every message behind a header that says how long
//! it is, or *raw*: the bytes of the values and nothing else. What the bytes are is not on the wire; both ends
//! know. A stream of values ([`values`]) begins with a hello that says it, and then is framed in its own way.

use std::fmt;

pub mod assembly;
pub mod decoder;
pub mod hello;
pub mod json;
pub mod json_frame;
pub mod length;
pub mod number;
pub mod run;
pub mod text;
pub mod values;

use hello::{Hello, Stranger};
use number::NumberType;

/// What the bytes of one stream mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Messages; there is nothing else on the wire.
    Messages(MessageCodec),
    /// A hello, then values.
    Values(values::ValueCodec),
}

impl Codec {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn decoder(self) -> Box<dyn Decode> {
        match self {
            Self::Messages(codec) => Box::new(decoder::Decoder::new(codec)),
            Self::Values(codec) => Box::new(values::ValueDecoder::new(codec)),
        }
    }
}

/// Takes the bytes of one stream and gives messages, in the memory where the bytes are received.
///
/// A round is: [`Decode::begin`] puts what is left of the last round at the beginning of a window, more is
/// read behind it unless something is [pending](Decode::is_pending), [`Decode::decode`] finds the messages.
pub trait Decode: fmt::Debug + Send {
    /// Whether the next round may give something without anything being read.
    fn is_pending(&self) -> bool;

    /// Puts what is left of the last round at the beginning of `window`, as far as there is room, and answers
    /// how much that is. Without something pending it is at most [`assembly::SMALL`] and a header.
    fn begin(&mut self, window: &mut [u8]) -> usize;

    /// Finds the messages in `window[..filled]` and answers the length of their run, which begins where the
    /// window does. `entries` is memory to work with.
    ///
    /// Behind what is filled, the window has room for the integers of two messages at least.
    fn decode(
        &mut self,
        window: &mut [u8],
        filled: usize,
        entries: &mut Vec<i32>,
    ) -> (usize, Outcome);

    /// Where the next bytes may be read to directly, because they belong to a large message, and how many at
    /// most; then comes [`Decode::advance_large`] instead of a round.
    fn large_mut(&mut self) -> Option<(&mut Vec<u8>, usize)>;

    /// So many bytes were read to where [`Decode::large_mut`] said. Answers [`Outcome::Used`] until the message
    /// is whole.
    fn advance_large(&mut self, len: usize) -> Outcome;

    /// The stream is at its end, and nothing is pending: what is left to tell, a [`Outcome::Message`] or an
    /// [`Outcome::Fault`].
    fn finish(&mut self) -> Option<Outcome>;
}

/// How a round ended. Messages of its run come first.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is in the run, or kept for later.
    Used,
    /// There was no more room.
    Full,
    /// A large message.
    Message(Vec<u8>),
    /// The peer's hello.
    Hello(Hello),
    /// Something else where a hello should be. Nothing after it is looked at.
    Stranger(Stranger),
    /// No message.
    Fault(Fault),
}

/// What the bytes of a stream of messages mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageCodec {
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
    /// A hello of that version of the protocol. Nothing after it is looked at.
    OtherVersion(u32),
    /// A hello that announces values in that other codec. Nothing after it is looked at.
    OtherCodec(u32),
    /// A frame of so many bytes is no JSON. Nothing after it is looked at.
    BadFrame(u32),
    /// A frame of JSON of so many bytes has more levels than are allowed. Nothing after it is looked at.
    TooDeep(u32),
}

impl Fault {
    /// What a fault counts among the bytes that are on their way to the owner, so that a stream of
    /// nothing but faults does not pile up.
    pub const WEIGHT: usize = 64;

    /// Nothing that comes after it makes sense.
    #[must_use]
    pub fn is_fatal(self) -> bool {
        match self {
            Self::TooLong(_)
            | Self::OtherVersion(_)
            | Self::OtherCodec(_)
            | Self::BadFrame(_)
            | Self::TooDeep(_) => true,
            Self::TooFew(_) | Self::Over(_) | Self::Truncated(_) | Self::NotJson(_) => false,
        }
    }
}

/// A length that a `u32` holds: the longest message is one.
fn small(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
