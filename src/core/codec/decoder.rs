//! The state machine that takes the bytes of a stream and gives messages.
//!
//! | between two calls it holds | until | at most |
//! | --- | --- | --- |
//! | framed: the beginning of a small message, with its header | the message is whole | [`SMALL`] and a header |
//! | framed: the beginning of a large message | the message is whole | the codec's `max_message` |
//! | raw numbers, raw text: the beginning of a number, of a character | it is whole | 7, 3 bytes |
//! | raw JSON: the beginning of a text | it is whole | the codec's `max_message`, and one read |
//!
//! Memory grows with what has come, never with what a header promises.

use std::mem;

use crate::core::codec::json::{Piece, Splitter};
use crate::core::codec::length::{self, Header};
use crate::core::codec::number::NumberType;
use crate::core::codec::run::RunWriter;
use crate::core::codec::text::{LONGEST_TAIL, incomplete_tail};
use crate::core::codec::{Codec, Fault, ValueType};

/// A longer message does not go into a run but is given by itself.
pub const SMALL: usize = 16 * 1024;

/// A large message's memory grows by at least this much.
const GROWTH: usize = 64 * 1024;

/// Why [`Decoder::decode`] came back.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that has come is in the run, or kept for later.
    Used,
    /// The window is full; there is more.
    Full,
    /// A large message, behind those in the run; there may be more.
    Message(Vec<u8>),
    /// No message, behind those in the run; there may be more.
    Fault(Fault),
}

/// What is kept between two calls.
#[derive(Debug)]
enum Kept {
    /// Framed, or raw numbers or text: a beginning.
    Begun(Vec<u8>),
    /// Framed: a large message, and how many bytes are missing.
    Large(Vec<u8>, usize),
    /// Raw JSON, with a text that is whole and found no room yet.
    Json(Splitter, Option<std::ops::Range<usize>>),
    /// Something fatal has come.
    Nothing,
}

/// Takes the bytes of one stream and gives messages.
#[derive(Debug)]
pub struct Decoder {
    codec: Codec,
    kept: Kept,
    /// To be told before anything else.
    fault: Option<Fault>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        let kept = match codec {
            Codec {
                framed: false,
                value: ValueType::Json,
                ..
            } => Kept::Json(Splitter::default(), None),
            _ => Kept::Begun(Vec::new()),
        };
        Self {
            codec,
            kept,
            fault: None,
        }
    }

    /// Takes bytes from `input` and puts messages into `run`, until one of them is used up, or there is
    /// something to tell by itself. `input` then is what has not been used.
    ///
    /// The window of `run` has room for a message of [`SMALL`] bytes when nothing is in it.
    pub fn decode(&mut self, input: &mut &[u8], run: &mut RunWriter<'_>) -> Outcome {
        let outcome = match self.fault.take() {
            Some(fault) => Outcome::Fault(fault),
            None if matches!(self.kept, Kept::Nothing) => {
                *input = &[];
                Outcome::Used
            }
            None if self.codec.framed => self.decode_frames(input, run),
            None => match self.codec.value {
                ValueType::Json => self.decode_json(input, run),
                ValueType::Numbers(number) => self.decode_numbers(number, input, run),
                ValueType::Text => self.decode_text(input, run),
                ValueType::Bytes => give_bytes(input, run),
            },
        };
        if let Outcome::Fault(fault) = outcome
            && fault.is_fatal()
        {
            self.kept = Kept::Nothing;
        }
        outcome
    }

    /// Where the next bytes of a large message may be read to directly, and how many of them at most;
    /// [`Decoder::decode`] with no input then goes on.
    pub fn large_mut(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        match &mut self.kept {
            Kept::Large(message, missing) => {
                let growth = (*missing).min(message.len().max(GROWTH));
                message.reserve_exact(growth);
                Some((message, growth))
            }
            _ => None,
        }
    }

    /// So many bytes were read to where [`Decoder::large_mut`] said.
    pub fn advance_large(&mut self, len: usize) {
        if let Kept::Large(_, missing) = &mut self.kept {
            *missing -= len;
        }
    }

    /// The stream is at its end: what is left to tell, other than [`Outcome::Used`] and
    /// [`Outcome::Full`].
    pub fn finish(&mut self) -> Option<Outcome> {
        let fault = match &mut self.kept {
            Kept::Nothing => return None,
            Kept::Large(_, missing) => Fault::Truncated(small(*missing)),
            Kept::Json(splitter, _) => match splitter.pending() {
                0 => return None,
                len => Fault::NotJson(small(len)),
            },
            Kept::Begun(begun) if begun.is_empty() => return None,
            Kept::Begun(begun) if self.codec.framed => {
                Fault::Truncated(match length::parse(begun) {
                    Err(missing) => small(missing),
                    Ok(Header { len, payload }) => payload - small(begun.len() - len),
                })
            }
            Kept::Begun(begun) => match self.codec.value {
                ValueType::Numbers(_) => Fault::TooFew(small(begun.len())),
                _ => return Some(Outcome::Message(mem::take(begun))),
            },
        };
        self.kept = Kept::Nothing;
        Some(Outcome::Fault(fault))
    }

    fn decode_frames(&mut self, input: &mut &[u8], run: &mut RunWriter<'_>) -> Outcome {
        loop {
            if let Kept::Large(message, missing) = &mut self.kept {
                let bytes = take(input, *missing);
                message.extend_from_slice(bytes);
                *missing -= bytes.len();
                if *missing > 0 {
                    return Outcome::Used;
                }
                let message = mem::take(message);
                self.kept = Kept::Begun(Vec::new());
                return self.give_large(message);
            }
            let Kept::Begun(begun) = &mut self.kept else {
                return Outcome::Used;
            };
            // A message that came in parts is put together first.
            if !begun.is_empty() {
                while let Err(missing) = length::parse(begun) {
                    let bytes = take(input, missing);
                    if bytes.is_empty() {
                        return Outcome::Used;
                    }
                    begun.extend_from_slice(bytes);
                }
            }
            let bytes = if begun.is_empty() {
                *input
            } else {
                begun.as_slice()
            };
            let Ok(Header { len, payload }) = length::parse(bytes) else {
                begun.extend_from_slice(take(input, usize::MAX));
                return Outcome::Used;
            };
            if payload > self.codec.max_message {
                return Outcome::Fault(Fault::TooLong(payload));
            }
            let payload = payload as usize;
            if payload > SMALL {
                let mut message = Vec::new();
                if begun.is_empty() {
                    take(input, len);
                } else {
                    message.extend_from_slice(&begun[len..]);
                }
                let missing = payload - message.len();
                self.kept = Kept::Large(message, missing);
                continue;
            }
            let whole = len + payload;
            if !begun.is_empty() || input.len() < whole {
                let missing = whole - begun.len();
                begun.extend_from_slice(take(input, missing));
                if begun.len() < whole {
                    return Outcome::Used;
                }
            }
            if run.room() < payload {
                return Outcome::Full;
            }
            let fault = if begun.is_empty() {
                put(self.codec.value, &take(input, whole)[len..], run)
            } else {
                let fault = put(self.codec.value, &begun[len..], run);
                *begun = Vec::new();
                fault
            };
            if let Some(fault) = fault {
                return Outcome::Fault(fault);
            }
        }
    }

    fn give_large(&mut self, mut message: Vec<u8>) -> Outcome {
        if let ValueType::Numbers(number) = self.codec.value {
            let over = message.len() % number.size();
            if over > 0 {
                message.truncate(message.len() - over);
                self.fault = Some(Fault::Over(small(over)));
            }
            number.to_native(&mut message);
        }
        Outcome::Message(message)
    }

    /// All whole numbers of one read are one message.
    fn decode_numbers(
        &mut self,
        number: NumberType,
        input: &mut &[u8],
        run: &mut RunWriter<'_>,
    ) -> Outcome {
        let Kept::Begun(begun) = &mut self.kept else {
            return Outcome::Used;
        };
        let size = number.size();
        let have = begun.len() + input.len();
        let whole = have.min(run.room()) / size * size;
        if whole > 0 {
            let rest = take(input, whole - begun.len());
            let place = run.push(small(whole / size).cast_signed(), whole);
            place[..begun.len()].copy_from_slice(begun);
            place[begun.len()..].copy_from_slice(rest);
            number.to_native(place);
            begun.clear();
        }
        if begun.len() + input.len() >= size {
            return Outcome::Full;
        }
        begun.extend_from_slice(take(input, size));
        Outcome::Used
    }

    /// All whole characters of one read are one message.
    fn decode_text(&mut self, input: &mut &[u8], run: &mut RunWriter<'_>) -> Outcome {
        let Kept::Begun(begun) = &mut self.kept else {
            return Outcome::Used;
        };
        let room = run.room();
        let fits = begun.len() + input.len() <= room;
        if !fits && room <= LONGEST_TAIL {
            return Outcome::Full;
        }
        let mut joined;
        let bytes = if begun.is_empty() {
            take(input, room)
        } else {
            joined = mem::take(begun);
            joined.extend_from_slice(take(input, room - joined.len()));
            &joined
        };
        let (whole, tail) = bytes.split_at(bytes.len() - incomplete_tail(bytes));
        if !whole.is_empty() {
            put_bytes(self.codec.value, whole, run);
        }
        *begun = tail.to_vec();
        if fits { Outcome::Used } else { Outcome::Full }
    }

    fn decode_json(&mut self, input: &mut &[u8], run: &mut RunWriter<'_>) -> Outcome {
        let Kept::Json(splitter, ready) = &mut self.kept else {
            return Outcome::Used;
        };
        if !input.is_empty() {
            splitter.push(take(input, usize::MAX));
        }
        let max = self.codec.max_message as usize;
        loop {
            let text = match ready
                .take()
                .map(Piece::Text)
                .or_else(|| splitter.next_piece())
            {
                Some(Piece::Text(text)) if text.len() <= max => text,
                Some(Piece::Text(text)) => {
                    return Outcome::Fault(Fault::TooLong(small(text.len())));
                }
                Some(Piece::NotJson(len)) => return Outcome::Fault(Fault::NotJson(small(len))),
                None if splitter.pending() > max => {
                    return Outcome::Fault(Fault::TooLong(small(splitter.pending())));
                }
                None => return Outcome::Used,
            };
            if text.len() > SMALL {
                return Outcome::Message(splitter.bytes(text).to_vec());
            }
            if run.room() < text.len() {
                *ready = Some(text);
                return Outcome::Full;
            }
            put_bytes(ValueType::Json, splitter.bytes(text), run);
        }
    }
}

/// What one read brought is one message.
fn give_bytes(input: &mut &[u8], run: &mut RunWriter<'_>) -> Outcome {
    let bytes = take(input, run.room());
    if !bytes.is_empty() {
        put_bytes(ValueType::Bytes, bytes, run);
    }
    if input.is_empty() {
        Outcome::Used
    } else {
        Outcome::Full
    }
}

/// Puts the message `payload` into the run, which has room for it.
fn put(value: ValueType, payload: &[u8], run: &mut RunWriter<'_>) -> Option<Fault> {
    let ValueType::Numbers(number) = value else {
        put_bytes(value, payload, run);
        return None;
    };
    let count = payload.len() / number.size();
    let over = payload.len() % number.size();
    if count == 0 && over > 0 {
        return Some(Fault::TooFew(small(over)));
    }
    let numbers = &payload[..payload.len() - over];
    let place = run.push(small(count).cast_signed(), numbers.len());
    place.copy_from_slice(numbers);
    number.to_native(place);
    (over > 0).then(|| Fault::Over(small(over)))
}

fn put_bytes(value: ValueType, bytes: &[u8], run: &mut RunWriter<'_>) {
    let len = small(bytes.len()).cast_signed();
    let is_plain = value == ValueType::Bytes || bytes.is_ascii();
    let entry = if is_plain { len } else { !len };
    run.push(entry, bytes.len()).copy_from_slice(bytes);
}

/// Takes up to `len` bytes off the beginning of `input`.
fn take<'a>(input: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (bytes, rest) = input.split_at(len.min(input.len()));
    *input = rest;
    bytes
}

/// A length that a `u32` holds: `max_message` is one.
fn small(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
