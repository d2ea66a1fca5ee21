//! The decoder: whatever the cuts of the stream and the size of the window, the same messages.

use proptest::prelude::*;
use socket::core::codec::assembly::SMALL;
use socket::core::codec::decoder::Decoder;
use socket::core::codec::number::NumberType;
use socket::core::codec::run::{LONG, OVER, entries};
use socket::core::codec::{Decode, Fault, MessageCodec, Outcome, ValueType};

const MAX: u32 = 1024 * 1024;

/// What an owner sees.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Message(Vec<u8>),
    Fault(Fault),
}

fn codec(framed: bool, value: ValueType) -> MessageCodec {
    MessageCodec {
        framed,
        value,
        max_message: MAX,
    }
}

/// Runs the decoder as a receiver does. `window` is the size of each window; what is read is cut further where
/// it does not fit.
fn decode<'a>(
    codec: MessageCodec,
    reads: impl IntoIterator<Item = &'a [u8]>,
    window: usize,
    direct: bool,
) -> Vec<Seen> {
    let mut decoder = Decoder::new(codec);
    let mut seen = Vec::new();
    for mut input in reads {
        while !input.is_empty() {
            round(codec, &mut decoder, &mut input, window, direct, &mut seen);
        }
    }
    match decoder.finish() {
        Some(Outcome::Message(message)) => seen.push(Seen::Message(message)),
        Some(Outcome::Fault(fault)) => seen.push(Seen::Fault(fault)),
        None => {}
        Some(other) => panic!("{other:?} at the end"),
    }
    seen
}

/// One read, and as many rounds as it takes until nothing is pending.
fn round(
    codec: MessageCodec,
    decoder: &mut Decoder,
    input: &mut &[u8],
    window: usize,
    direct: bool,
    seen: &mut Vec<Seen>,
) {
    if direct && let Some((memory, most)) = decoder.large_mut() {
        let bytes = take(input, most);
        memory.extend_from_slice(bytes);
        if let Outcome::Message(message) = decoder.advance_large(bytes.len()) {
            seen.push(Seen::Message(message));
        }
    } else if decoder.large_mut().is_some() {
        // Byte by byte, as from a slow peer.
        let (memory, _) = decoder.large_mut().expect("it is there");
        memory.extend_from_slice(take(input, 1));
        if let Outcome::Message(message) = decoder.advance_large(1) {
            seen.push(Seen::Message(message));
        }
    } else {
        decode_window(codec, decoder, input, window, seen);
    }
    while decoder.is_pending() {
        let mut nothing = &[][..];
        // The windows of one stream differ.
        decode_window(codec, decoder, &mut nothing, window - window / 3, seen);
    }
}

fn take<'a>(input: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (bytes, rest) = input.split_at(len.min(input.len()));
    *input = rest;
    bytes
}

fn decode_window(
    codec: MessageCodec,
    decoder: &mut Decoder,
    input: &mut &[u8],
    size: usize,
    seen: &mut Vec<Seen>,
) {
    let mut window = vec![0xaa; size];
    let begun = decoder.begin(&mut window[..size / 4 * 3]);
    let bytes = take(input, size / 4 * 3 - begun);
    let filled = begun + bytes.len();
    window[begun..filled].copy_from_slice(bytes);
    let (len, outcome) = decoder.decode(&mut window, filled, &mut Vec::new());
    if len > 0 {
        see(codec, &window[..len], seen);
    }
    match outcome {
        Outcome::Used => {}
        Outcome::Full => assert!(len > 0, "an empty window is never full"),
        Outcome::Message(message) => {
            assert!(message.len() > SMALL - 8);
            seen.push(Seen::Message(message));
        }
        Outcome::Fault(fault) => seen.push(Seen::Fault(fault)),
        other => panic!("{other:?} in a stream of messages"),
    }
}

fn see(codec: MessageCodec, run: &[u8], seen: &mut Vec<Seen>) {
    let mut at = 0;
    for entry in entries(run) {
        if entry < 0 && matches!(codec.value, ValueType::Numbers(_)) {
            let bytes = u32::try_from(!entry & !OVER).expect("a length");
            let is_over = !entry & OVER != 0;
            seen.push(Seen::Fault(if is_over {
                Fault::Over(bytes)
            } else {
                Fault::TooFew(bytes)
            }));
            continue;
        }
        let is_ascii = entry >= 0;
        let entry = if is_ascii { entry } else { !entry };
        let is_long = entry & LONG != 0;
        let count = usize::try_from(entry & !LONG).expect("a length");
        let len = count * size(codec.value);
        if codec.framed && !matches!(codec.value, ValueType::Numbers(_)) {
            at += if is_long { 5 } else { 1 };
        }
        let payload = &run[at..at + len];
        seen.push(Seen::Message(payload.to_vec()));
        if codec.value == ValueType::Text || codec.value == ValueType::Json {
            assert_eq!(is_ascii, payload.is_ascii());
        }
        at += len;
    }
}

fn size(value: ValueType) -> usize {
    match value {
        ValueType::Numbers(number) => number.size(),
        _ => 1,
    }
}

fn whole(codec: MessageCodec, bytes: &[u8]) -> Vec<Seen> {
    decode(codec, [bytes], 64 * 1024, false)
}

fn frame(payload: &[u8], long: bool) -> Vec<u8> {
    let mut frame = match u8::try_from(payload.len()) {
        Ok(len) if len < 255 && !long => vec![len],
        _ => {
            let mut header = vec![255];
            let len = u32::try_from(payload.len()).expect("a short payload");
            header.extend_from_slice(&len.to_be_bytes());
            header
        }
    };
    frame.extend_from_slice(payload);
    frame
}

/// Cuts `bytes` at the distances given, over and over.
fn cut<'a>(bytes: &'a [u8], cuts: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    cuts.iter().cycle().map_while(move |len| {
        let (piece, after) = rest.split_at((*len).min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn messages(seen: &[Seen]) -> Vec<u8> {
    seen.iter()
        .flat_map(|seen| match seen {
            Seen::Message(message) => message.clone(),
            Seen::Fault(fault) => panic!("{fault:?}"),
        })
        .collect()
}

const INTS: ValueType = ValueType::Numbers(NumberType::Bits32);

#[test]
fn bytes_over_and_bytes_missing() {
    let ints = codec(true, INTS);
    let seven = Seen::Message(7i32.to_ne_bytes().to_vec());
    assert_eq!(
        whole(ints, &[6, 0, 0, 0, 7, 0, 1, 4, 0, 0, 0, 7]),
        [seven.clone(), Seen::Fault(Fault::Over(2)), seven.clone()]
    );
    assert_eq!(
        whole(ints, &[2, 0, 1, 4, 0, 0, 0, 7]),
        [Seen::Fault(Fault::TooFew(2)), seven]
    );
    assert_eq!(whole(ints, &[0]), [Seen::Message(vec![])]);
    assert_eq!(whole(ints, &[4, 0, 0]), [Seen::Fault(Fault::Truncated(2))]);
    assert_eq!(
        whole(ints, &[255, 0, 0]),
        [Seen::Fault(Fault::Truncated(2))]
    );
    assert_eq!(
        whole(codec(false, INTS), &[0, 0, 0, 1, 0]),
        [
            Seen::Message(1i32.to_ne_bytes().to_vec()),
            Seen::Fault(Fault::TooFew(1))
        ]
    );
}

#[test]
fn large_numbers_with_bytes_over() {
    let ints = codec(true, INTS);
    let mut payload = 9i32.to_be_bytes().repeat(SMALL);
    payload.push(1);
    let seen = whole(ints, &frame(&payload, false));
    assert_eq!(
        seen,
        [
            Seen::Message(9i32.to_ne_bytes().repeat(SMALL)),
            Seen::Fault(Fault::Over(1))
        ]
    );
}

#[test]
fn a_promise_costs_nothing_and_one_too_large_is_the_end() {
    let texts = codec(true, ValueType::Text);
    let mut decoder = Decoder::new(texts);
    let mut input = &[255, 0, 15, 255, 255, b'a'][..];
    let mut seen = Vec::new();
    round(texts, &mut decoder, &mut input, 64 * 1024, true, &mut seen);
    assert_eq!(seen, []);
    let (memory, _) = decoder.large_mut().expect("a large message has begun");
    assert!(memory.capacity() < 256 * 1024);

    let over = (MAX + 1).to_be_bytes();
    let mut stream = vec![1, b'a', 255];
    stream.extend_from_slice(&over);
    stream.extend_from_slice(&[1, b'b']);
    assert_eq!(
        whole(texts, &stream),
        [
            Seen::Message(b"a".to_vec()),
            Seen::Fault(Fault::TooLong(MAX + 1))
        ]
    );
}

#[test]
fn a_raw_json_text_without_end_is_the_end() {
    let texts = codec(false, ValueType::Json);
    let mut stream = b"[1]\"".to_vec();
    stream.resize(MAX as usize + 8, b'a');
    let reads = stream.chunks(40_000);
    let seen = decode(texts, reads, 64 * 1024, false);
    assert_eq!(seen[0], Seen::Message(b"[1]".to_vec()));
    assert!(matches!(seen[1], Seen::Fault(Fault::TooLong(_))));
    assert_eq!(seen.len(), 2);
}

/// What was begun before one window, and what comes with it, may be more than it has room for.
#[test]
fn raw_json_texts_that_together_do_not_fit() {
    let texts = codec(false, ValueType::Json);
    for len in 10..20 {
        let large = format!("\"{}\"", "a".repeat(SMALL - 100));
        let small = format!("\"{}\"", "b".repeat(len));
        let stream = large + &small.repeat(5_000);
        let (begun, rest) = stream.as_bytes().split_at(SMALL - 200);
        let seen = decode(texts, [begun, rest], 64 * 1024, false);
        assert_eq!(seen.len(), 5_001);
        assert_eq!(messages(&seen), stream.as_bytes());
    }
}

fn any_value() -> impl Strategy<Value = ValueType> {
    prop_oneof![
        Just(ValueType::Bytes),
        Just(ValueType::Text),
        Just(ValueType::Numbers(NumberType::Bits8)),
        Just(ValueType::Numbers(NumberType::Bits16)),
        Just(ValueType::Numbers(NumberType::Bits32)),
        Just(ValueType::Numbers(NumberType::Bits64)),
    ]
}

proptest! {
    #[test]
    fn frames_arrive_whole_and_in_order(
        value in any_value(),
        payloads in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..400), any::<bool>()), 0..30),
        large in prop::option::of((0usize..30, SMALL..3 * SMALL)),
        cuts in prop::collection::vec(1usize..700, 1..30),
        window in 3 * SMALL..6 * SMALL,
        direct in any::<bool>(),
    ) {
        let size = size(value);
        let mut payloads: Vec<_> = payloads
            .into_iter()
            .map(|(mut payload, long)| {
                payload.truncate(payload.len() / size * size);
                (payload, long)
            })
            .collect();
        if let Some((at, len)) = large {
            let payload: Vec<u8> = (0..len / 8 * 8).map(|i| u8::try_from(i % 251).expect("small")).collect();
            payloads.insert(at.min(payloads.len()), (payload, true));
        }
        let stream: Vec<u8> = payloads.iter().flat_map(|(payload, long)| frame(payload, *long)).collect();
        let expected: Vec<_> = payloads
            .into_iter()
            .map(|(mut payload, _)| {
                if let ValueType::Numbers(number) = value {
                    number.to_native(&mut payload);
                }
                Seen::Message(payload)
            })
            .collect();
        prop_assert_eq!(decode(codec(true, value), cut(&stream, &cuts), window, direct), expected);
    }

    #[test]
    fn raw_numbers_and_text_lose_nothing(
        numbers in prop::collection::vec(any::<u32>(), 0..5000),
        text in "[aé€😀]{0,2000}",
        cuts in prop::collection::vec(1usize..900, 1..30),
        window in 100usize..3000,
    ) {
        let stream: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        let native: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let seen = decode(codec(false, INTS), cut(&stream, &cuts), window, false);
        prop_assert_eq!(messages(&seen), native);

        let seen = decode(codec(false, ValueType::Text), cut(text.as_bytes(), &cuts), window, false);
        for seen in &seen {
            let Seen::Message(message) = seen else { panic!("{seen:?}") };
            prop_assert!(std::str::from_utf8(message).is_ok());
        }
        prop_assert_eq!(messages(&seen), text.as_bytes());
    }

    /// Any bytes at all: no panic, and memory within bounds.
    #[test]
    fn any_bytes_are_taken(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        value in any_value(),
        framed in any::<bool>(),
        json in any::<bool>(),
        cuts in prop::collection::vec(1usize..900, 1..10),
    ) {
        let value = if json { ValueType::Json } else { value };
        decode(codec(framed, value), cut(&bytes, &cuts), 2 * SMALL, true);
    }
}
