//! The state machine of a value stream: a [`hello`], then frames.
//!
//! ```text
//! length, 4 bytes, big-endian | so many bytes: one value
//! ```
//!
//! A length of 0 says nothing but that the peer is alive, and is passed over.
//!
//! | state | left at |
//! | --- | --- |
//! | greeting | the peer's hello; anything else is fatal |
//! | between frames | a header whose frame is whole, or is large and begins |
//! | in a large frame | its last byte |
//! | dead | – |
//!
//! Between two rounds it keeps the beginning of a hello (at most 11 bytes), of a small frame ([`SMALL`] and a
//! header), or of a large one (at most `max_message`): what has come, never what a header promises.

use crate::core::codec::assembly::{Large, Rest, SMALL};
use crate::core::codec::hello::{self, Parsed};
use crate::core::codec::json_frame::{self, Problem};
use crate::core::codec::run::{self, write_entries};
use crate::core::codec::{Decode, Fault, Outcome, small};

/// Bytes in front of a frame.
const HEADER: usize = size_of::<u32>();

/// What a value stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueCodec {
    /// What the frames are.
    pub format: Format,
    /// The longest frame that is taken, in bytes. A longer one is a [`Fault::TooLong`].
    pub max_message: u32,
    /// Levels that JSON may have. (Of CBOR the owner counts them when it makes values.)
    pub max_depth: u32,
}

/// What the frames of a value stream are, by the numbers that a hello has for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Format {
    /// CBOR: for the owner to read.
    Cbor = 1,
    /// One JSON text each, which is checked here.
    Json = 3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Greeting,
    Frames,
    Dead,
}

/// Takes the bytes of a value stream and gives its hello and its frames.
#[derive(Debug)]
pub struct ValueDecoder {
    codec: ValueCodec,
    state: State,
    rest: Rest,
    /// Something can be given without reading.
    is_pending: bool,
    large: Option<Large>,
}

impl ValueDecoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new(codec: ValueCodec) -> Self {
        Self {
            codec,
            state: State::Greeting,
            rest: Rest::default(),
            is_pending: false,
            large: None,
        }
    }

    fn greet(&mut self, bytes: &[u8]) -> Outcome {
        match hello::parse(bytes, self.codec.format as u8) {
            Parsed::Begun => {
                self.rest.keep(bytes);
                Outcome::Used
            }
            Parsed::Hello(hello) => {
                self.rest.keep(&bytes[hello::LEN..]);
                self.state = State::Frames;
                Outcome::Hello(hello)
            }
            Parsed::OtherVersion(version) => Outcome::Fault(Fault::OtherVersion(version.into())),
            Parsed::OtherCodec(codec) => Outcome::Fault(Fault::OtherCodec(codec.into())),
            Parsed::Stranger(stranger) => Outcome::Stranger(stranger),
        }
    }

    fn decode_frames(
        &mut self,
        window: &mut [u8],
        filled: usize,
        entries: &mut Vec<i32>,
    ) -> (usize, Outcome) {
        let most = run::room(window.len(), filled);
        // Frames move to the front where empty ones are passed over.
        let (mut at, mut end) = (0, 0);
        let outcome = loop {
            let Some(header) = window[at..filled].first_chunk::<HEADER>() else {
                break Outcome::Used;
            };
            let len = u32::from_be_bytes(*header);
            if len == 0 {
                at += HEADER;
                continue;
            }
            if len > self.codec.max_message {
                break Outcome::Fault(Fault::TooLong(len));
            }
            if entries.len() >= most {
                break Outcome::Full;
            }
            let from = at + HEADER;
            let to = from + len as usize;
            if to > filled {
                if len as usize > SMALL {
                    self.large = Some(Large::new(&window[from..filled], to - filled));
                    at = filled;
                }
                break Outcome::Used;
            }
            let frame = &window[from..to];
            if let Err(fault) = self.check(frame) {
                break Outcome::Fault(fault);
            }
            let is_other_than_ascii = self.codec.format == Format::Json && !frame.is_ascii();
            let len = len.cast_signed();
            entries.push(if is_other_than_ascii { !len } else { len });
            if end < at {
                window.copy_within(at..to, end);
            }
            end += to - at;
            at = to;
        };
        self.rest.keep(&window[at..filled]);
        (end, outcome)
    }

    /// The large frame has come before it was read to where it stays.
    fn decode_large(&mut self, bytes: &[u8]) -> Outcome {
        let used = self.large.as_mut().map_or(0, |large| large.take(bytes));
        self.rest.keep(&bytes[used..]);
        self.advance_large(0)
    }

    fn check(&self, frame: &[u8]) -> Result<(), Fault> {
        if self.codec.format != Format::Json {
            return Ok(());
        }
        json_frame::check(frame, self.codec.max_depth).map_err(|problem| match problem {
            Problem::NotJson => Fault::BadFrame(small(frame.len())),
            Problem::TooDeep => Fault::TooDeep(small(frame.len())),
        })
    }
}

impl Decode for ValueDecoder {
    fn is_pending(&self) -> bool {
        self.is_pending
    }

    fn begin(&mut self, window: &mut [u8]) -> usize {
        self.rest.begin(window)
    }

    fn decode(
        &mut self,
        window: &mut [u8],
        filled: usize,
        entries: &mut Vec<i32>,
    ) -> (usize, Outcome) {
        entries.clear();
        let (end, outcome) = match self.state {
            State::Dead => (0, Outcome::Used),
            State::Greeting => (0, self.greet(&window[..filled])),
            State::Frames if self.large.is_some() => (0, self.decode_large(&window[..filled])),
            State::Frames => self.decode_frames(window, filled, entries),
        };
        if matches!(outcome, Outcome::Fault(_) | Outcome::Stranger(_)) {
            self.state = State::Dead;
        }
        if self.state == State::Dead {
            self.rest = Rest::default();
        }
        // What has no frame in it now may have one with what is behind it.
        self.is_pending = self.state != State::Dead && outcome != Outcome::Used;
        self.is_pending |= self.rest.take_cut();
        (write_entries(window, end, entries), outcome)
    }

    fn large_mut(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        self.large.as_mut().map(Large::room)
    }

    fn advance_large(&mut self, len: usize) -> Outcome {
        let Some(frame) = Large::advance(&mut self.large, len) else {
            return Outcome::Used;
        };
        match self.check(&frame) {
            Ok(()) => Outcome::Message(frame),
            Err(fault) => {
                self.state = State::Dead;
                Outcome::Fault(fault)
            }
        }
    }

    fn finish(&mut self) -> Option<Outcome> {
        let rest = self.rest.take();
        if self.state != State::Frames {
            // That nobody has said hello is for the owner to see.
            return None;
        }
        let missing = match (&self.large, rest.first_chunk::<HEADER>()) {
            (Some(large), _) => large.missing(),
            (None, Some(header)) => u32::from_be_bytes(*header) as usize + HEADER - rest.len(),
            (None, None) if rest.is_empty() => return None,
            (None, None) => HEADER - rest.len(),
        };
        self.state = State::Dead;
        Some(Outcome::Fault(Fault::Truncated(small(missing))))
    }
}
