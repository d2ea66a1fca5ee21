//! The state machine that takes the bytes of a stream and gives messages.
//!
//! It works in the memory where the bytes are received: they stay where they are, and the owner is told
//! where each message is ([`run`](crate::core::codec::run)), in rounds, see [`Decode`].
//!
//! | between two rounds it keeps | until | at most |
//! | --- | --- | --- |
//! | framed: the beginning of a small message, with its header | the message is whole | [`SMALL`] and a header |
//! | framed: the beginning of a large message | the message is whole | the codec's `max_message` |
//! | raw numbers, raw text: the beginning of a number, of a character | it is whole | 7, 3 bytes |
//! | raw JSON: the beginning of a text | it is whole | the codec's `max_message`, and one window |
//! | what found no room, or comes behind something to be told first | the next round | one window |
//!
//! Memory grows with what has come, never with what a header promises.

use std::ops::Range;

use crate::core::codec::assembly::{Large, Rest, SMALL};
use crate::core::codec::json::{Piece, Splitter};
use crate::core::codec::length::{self, Header, LONGEST_HEADER};
use crate::core::codec::number::NumberType;
use crate::core::codec::run::{self, LONG, write_entries};
use crate::core::codec::text::incomplete_tail;
use crate::core::codec::{Decode, Fault, MessageCodec, Outcome, ValueType, small};

/// Takes the bytes of one stream and gives messages.
#[derive(Debug)]
pub struct Decoder {
    codec: MessageCodec,
    rest: Rest,
    /// Something can be given without reading.
    is_pending: bool,
    large: Option<Large>,
    /// To be told before anything else.
    fault: Option<Fault>,
    /// Raw JSON, with a text that is whole and found no room.
    json: Option<(Splitter, Option<Range<usize>>)>,
    /// Something fatal has come.
    is_dead: bool,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new(codec: MessageCodec) -> Self {
        let is_raw_json = !codec.framed && codec.value == ValueType::Json;
        Self {
            codec,
            rest: Rest::default(),
            is_pending: false,
            large: None,
            fault: None,
            json: is_raw_json.then(|| (Splitter::default(), None)),
            is_dead: false,
        }
    }

    /// The large message has come before it was read to where it stays.
    fn decode_large(&mut self, bytes: &[u8]) -> Outcome {
        let used = self.large.as_mut().map_or(0, |large| large.take(bytes));
        self.rest.keep(&bytes[used..]);
        self.advance_large(0)
    }

    fn decode_frames(
        &mut self,
        window: &mut [u8],
        filled: usize,
        entries: &mut Vec<i32>,
    ) -> (usize, Outcome) {
        let most = run::room(window.len(), filled);
        // Numbers move to the front, over the headers: then they are aligned.
        let (mut at, mut end) = (0, 0);
        let outcome = loop {
            let bytes = &window[at..filled];
            let Ok(Header { len, payload }) = length::parse(bytes) else {
                break Outcome::Used;
            };
            // A frame of numbers may take two.
            if entries.len() + 2 > most {
                break Outcome::Full;
            }
            if payload > self.codec.max_message {
                break Outcome::Fault(Fault::TooLong(payload));
            }
            let from = at + len;
            let to = from + payload as usize;
            if to > filled {
                if payload as usize > SMALL {
                    self.large = Some(Large::new(&window[from..filled], to - filled));
                    at = filled;
                }
                break Outcome::Used;
            }
            at = to;
            if let ValueType::Numbers(number) = self.codec.value {
                take_numbers(number, window, from..to, &mut end, entries);
            } else {
                let long = if len == LONGEST_HEADER { LONG } else { 0 };
                entries.push(payload.cast_signed() | long);
                end = to;
            }
        };
        self.rest.keep(&window[at..filled]);
        if matches!(self.codec.value, ValueType::Text | ValueType::Json) {
            mark_other_than_ascii(&window[..end], entries);
        }
        (end, outcome)
    }

    /// All whole numbers of one read are one message.
    fn decode_numbers(
        &mut self,
        number: NumberType,
        window: &mut [u8],
        filled: usize,
        entries: &mut Vec<i32>,
    ) -> (usize, Outcome) {
        let count = filled / number.size();
        let end = count * number.size();
        self.rest.keep(&window[end..filled]);
        if count > 0 {
            number.to_native(&mut window[..end]);
            entries.push(small(count).cast_signed());
        }
        (end, Outcome::Used)
    }

    /// All whole characters of one read are one message.
    fn decode_text(
        &mut self,
        window: &[u8],
        filled: usize,
        entries: &mut Vec<i32>,
    ) -> (usize, Outcome) {
        let end = filled - incomplete_tail(&window[..filled]);
        self.rest.keep(&window[end..filled]);
        push_payload(ValueType::Text, &window[..end], entries);
        (end, Outcome::Used)
    }

    /// The splitter has memory of its own; texts come back to the window.
    fn decode_json(
        &mut self,
        window: &mut [u8],
        filled: usize,
        entries: &mut Vec<i32>,
    ) -> (usize, Outcome) {
        self.rest.keep(&[]);
        let max = self.codec.max_message as usize;
        let Some((splitter, ready)) = &mut self.json else {
            return (0, Outcome::Used);
        };
        splitter.push(&window[..filled]);
        let mut end = 0;
        let outcome = loop {
            let next = ready.take().map(Piece::Text);
            let text = match next.or_else(|| splitter.next_piece()) {
                Some(Piece::Text(text)) if text.len() <= max => text,
                Some(Piece::Text(text)) => break Outcome::Fault(Fault::TooLong(small(text.len()))),
                Some(Piece::NotJson(len)) => break Outcome::Fault(Fault::NotJson(small(len))),
                None if splitter.pending() > max => {
                    break Outcome::Fault(Fault::TooLong(small(splitter.pending())));
                }
                None => break Outcome::Used,
            };
            if text.len() > SMALL {
                break Outcome::Message(splitter.bytes(text).to_vec());
            }
            let to = end + text.len();
            if run::room(window.len(), to) <= entries.len() {
                *ready = Some(text);
                break Outcome::Full;
            }
            let payload = splitter.bytes(text);
            window[end..to].copy_from_slice(payload);
            push_payload(ValueType::Json, payload, entries);
            end = to;
        };
        (end, outcome)
    }
}

impl Decode for Decoder {
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
        let (end, outcome) = if self.is_dead {
            self.rest = Rest::default();
            (0, Outcome::Used)
        } else if let Some(fault) = self.fault.take() {
            self.rest.keep(&window[..filled]);
            (0, Outcome::Fault(fault))
        } else if self.large.is_some() {
            (0, self.decode_large(&window[..filled]))
        } else if self.codec.framed {
            self.decode_frames(window, filled, entries)
        } else {
            match self.codec.value {
                ValueType::Json => self.decode_json(window, filled, entries),
                ValueType::Numbers(number) => self.decode_numbers(number, window, filled, entries),
                ValueType::Text => self.decode_text(window, filled, entries),
                ValueType::Bytes => {
                    self.rest.keep(&[]);
                    push_payload(ValueType::Bytes, &window[..filled], entries);
                    (filled, Outcome::Used)
                }
            }
        };
        // What has no message in it now may have one with what is behind it.
        self.is_pending = outcome != Outcome::Used || self.rest.take_cut();
        if let Outcome::Fault(fault) = outcome {
            self.is_dead = fault.is_fatal();
        }
        (write_entries(window, end, entries), outcome)
    }

    fn large_mut(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        self.large.as_mut().map(Large::room)
    }

    fn advance_large(&mut self, len: usize) -> Outcome {
        let Some(mut message) = Large::advance(&mut self.large, len) else {
            return Outcome::Used;
        };
        if let ValueType::Numbers(number) = self.codec.value {
            let over = message.len() % number.size();
            if over > 0 {
                message.truncate(message.len() - over);
                self.fault = Some(Fault::Over(small(over)));
                self.is_pending = true;
            }
            number.to_native(&mut message);
        }
        Outcome::Message(message)
    }

    fn finish(&mut self) -> Option<Outcome> {
        let rest = self.rest.take();
        let fault = if self.is_dead {
            return None;
        } else if let Some(large) = &self.large {
            Fault::Truncated(small(large.missing()))
        } else if let Some((splitter, _)) = &self.json {
            match splitter.pending() {
                0 => return None,
                len => Fault::NotJson(small(len)),
            }
        } else if rest.is_empty() {
            return None;
        } else if self.codec.framed {
            Fault::Truncated(match length::parse(&rest) {
                Err(missing) => small(missing),
                Ok(Header { len, payload }) => payload - small(rest.len() - len),
            })
        } else if let ValueType::Numbers(_) = self.codec.value {
            Fault::TooFew(small(rest.len()))
        } else {
            return Some(Outcome::Message(rest));
        };
        self.is_dead = true;
        Some(Outcome::Fault(fault))
    }
}

/// Moves the numbers of one frame to `end` and goes past them. Bytes that make no number are told of among the
/// integers: a round for each fault would let a peer that sends nothing else cost far more than it sends.
fn take_numbers(
    number: NumberType,
    window: &mut [u8],
    payload: Range<usize>,
    end: &mut usize,
    entries: &mut Vec<i32>,
) {
    let count = payload.len() / number.size();
    let over = payload.len() % number.size();
    if count > 0 || over == 0 {
        let from = *end;
        *end += count * number.size();
        window.copy_within(payload.start..payload.end - over, from);
        number.to_native(&mut window[from..*end]);
        entries.push(small(count).cast_signed());
    }
    if over > 0 {
        let kind = if count == 0 { 0 } else { run::OVER };
        entries.push(!(small(over).cast_signed() | kind));
    }
}

fn push_payload(value: ValueType, payload: &[u8], entries: &mut Vec<i32>) {
    if payload.is_empty() {
        return;
    }
    let len = small(payload.len()).cast_signed();
    let is_plain = value == ValueType::Bytes || payload.is_ascii();
    entries.push(if is_plain { len } else { !len });
}

/// Complements the integers of framed messages that are not all ASCII.
fn mark_other_than_ascii(frames: &[u8], entries: &mut [i32]) {
    // The headers as well: those of short messages are. Looking at all in one go is ten times as fast.
    if frames.is_ascii() {
        return;
    }
    let mut at = 0;
    for entry in entries {
        let header = if *entry & LONG == 0 {
            1
        } else {
            LONGEST_HEADER
        };
        let len = usize::try_from(*entry & !LONG).unwrap_or(0);
        at += header + len;
        if !frames[at - len..at].is_ascii() {
            *entry = !*entry;
        }
    }
}
