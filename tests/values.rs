//! The decoder of value streams: whatever the cuts of the stream and the size of the window, the same hello and
//! the same frames.

use proptest::prelude::*;
use socket::core::codec::assembly::SMALL;
use socket::core::codec::hello::{Hello, Stranger};
use socket::core::codec::run::entries;
use socket::core::codec::values::{Format, ValueCodec, ValueDecoder};
use socket::core::codec::{Decode, Fault, Outcome};

const MAX: u32 = 1024 * 1024;
const HELLO: [u8; 12] = [0xd5, 0x44, 0x53, 0x4b, 1, 1, 0, 0, 0x04, 0, 0, 0];
const JSON_HELLO: [u8; 12] = [0xd5, 0x44, 0x53, 0x4b, 1, 3, 0, 0, 0x04, 0, 0, 0];

/// What an owner sees.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Hello(Hello),
    Stranger(Stranger),
    Frame(Vec<u8>),
    Fault(Fault),
}

fn hello() -> Seen {
    Seen::Hello(Hello {
        refused: false,
        max_message: 64 * 1024 * 1024,
    })
}

fn codec(format: Format) -> ValueCodec {
    ValueCodec {
        format,
        max_message: MAX,
        max_depth: 16,
    }
}

/// Runs the decoder as a receiver does, which stops at what is fatal.
struct Run {
    decoder: ValueDecoder,
    format: Format,
    window: usize,
    /// What belongs to a large frame is read to where it stays.
    direct: bool,
    seen: Vec<Seen>,
    is_dead: bool,
}

impl Run {
    fn of<'a>(
        format: Format,
        reads: impl IntoIterator<Item = &'a [u8]>,
        window: usize,
        direct: bool,
    ) -> Vec<Seen> {
        let mut run = Self {
            decoder: ValueDecoder::new(codec(format)),
            format,
            window,
            direct,
            seen: Vec::new(),
            is_dead: false,
        };
        for mut input in reads {
            while !input.is_empty() && !run.is_dead {
                run.read(&mut input);
            }
        }
        if let Some(last) = run.decoder.finish() {
            run.see(last);
        }
        run.seen
    }

    fn read(&mut self, input: &mut &[u8]) {
        if self.direct
            && let Some((memory, most)) = self.decoder.large_mut()
        {
            let bytes = take(input, most);
            memory.extend_from_slice(bytes);
            let outcome = self.decoder.advance_large(bytes.len());
            self.see(outcome);
        } else {
            self.round(input, self.window);
        }
        while self.decoder.is_pending() && !self.is_dead {
            // The windows of one stream differ.
            self.round(&mut &[][..], self.window - self.window / 3);
        }
    }

    fn round(&mut self, input: &mut &[u8], size: usize) {
        let mut window = vec![0xaa; size];
        let begun = self.decoder.begin(&mut window[..size / 4 * 3]);
        let bytes = take(input, size / 4 * 3 - begun);
        let filled = begun + bytes.len();
        window[begun..filled].copy_from_slice(bytes);
        let (len, outcome) = self.decoder.decode(&mut window, filled, &mut Vec::new());
        if len > 0 {
            self.see_run(&window[..len]);
        }
        assert!(
            outcome != Outcome::Full || len > 0,
            "an empty window is never full"
        );
        self.see(outcome);
    }

    fn see_run(&mut self, run: &[u8]) {
        let mut at = 0;
        for entry in entries(run) {
            let len = usize::try_from(if entry < 0 { !entry } else { entry }).expect("a length");
            let frame = &run[at + 4..at + 4 + len];
            let header = u32::try_from(len).expect("a length").to_be_bytes();
            assert_eq!(
                run[at..at + 4],
                header,
                "the header is still in front of it"
            );
            let is_marked = self.format == Format::Json && !frame.is_ascii();
            assert_eq!(entry < 0, is_marked);
            self.seen.push(Seen::Frame(frame.to_vec()));
            at += 4 + len;
        }
    }

    fn see(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Used | Outcome::Full => {}
            Outcome::Message(frame) => {
                assert!(frame.len() > SMALL);
                self.seen.push(Seen::Frame(frame));
            }
            Outcome::Hello(hello) => self.seen.push(Seen::Hello(hello)),
            Outcome::Stranger(stranger) => {
                self.seen.push(Seen::Stranger(stranger));
                self.is_dead = true;
            }
            Outcome::Fault(fault) => {
                self.seen.push(Seen::Fault(fault));
                self.is_dead |= fault.is_fatal();
            }
        }
    }
}

fn take<'a>(input: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (bytes, rest) = input.split_at(len.min(input.len()));
    *input = rest;
    bytes
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("a length");
    [&len.to_be_bytes()[..], payload].concat()
}

fn whole(format: Format, bytes: &[u8]) -> Vec<Seen> {
    Run::of(format, [bytes], 64 * 1024, false)
}

fn after_hello(format: Format, bytes: &[u8]) -> Vec<Seen> {
    let hello = match format {
        Format::Cbor => HELLO,
        Format::Json => JSON_HELLO,
    };
    let seen = whole(format, &[&hello[..], bytes].concat());
    seen[1..].to_vec()
}

#[test]
fn a_stranger_is_found_out_at_its_first_wrong_byte() {
    let stranger = |bytes: &[u8]| {
        let mut start = [0; 8];
        let len = bytes.len().min(8);
        start[..len].copy_from_slice(&bytes[..len]);
        let len = u8::try_from(len).expect("at most 8");
        Seen::Stranger(Stranger { start, len })
    };
    let http = b"GET / HTTP/1.1\r\n\r\n";
    assert_eq!(whole(Format::Cbor, http), [stranger(http)]);
    assert_eq!(whole(Format::Cbor, b"G"), [stranger(b"G")]);
    assert_eq!(
        Run::of(Format::Cbor, [&HELLO[..3], b"X", b"more"], 1024, false),
        [stranger(b"\xd5DSX")]
    );
}

#[test]
fn other_versions_and_codecs_are_told_as_soon_as_they_are_known() {
    let mut bytes = HELLO;
    bytes[4] = 2;
    let version = [Seen::Fault(Fault::OtherVersion(2))];
    assert_eq!(whole(Format::Cbor, &bytes[..5]), version);
    assert_eq!(whole(Format::Cbor, &bytes), version);
    assert_eq!(
        whole(Format::Json, &HELLO),
        [Seen::Fault(Fault::OtherCodec(1))]
    );
    bytes = HELLO;
    bytes[6] = 1;
    let Seen::Hello(refusal) = whole(Format::Cbor, &bytes)[0] else {
        panic!("it is a hello");
    };
    assert!(refusal.refused);
}

#[test]
fn empty_frames_are_passed_over() {
    let nothing = frame(b"");
    let bytes = [
        &nothing[..],
        &frame(b"a"),
        &nothing,
        &nothing,
        &frame(b"bc"),
        &nothing,
    ]
    .concat();
    assert_eq!(
        after_hello(Format::Cbor, &bytes),
        [Seen::Frame(b"a".to_vec()), Seen::Frame(b"bc".to_vec())]
    );
    assert_eq!(after_hello(Format::Cbor, &nothing.repeat(100_000)), []);
}

#[test]
fn what_is_too_long_is_refused_by_its_header() {
    for len in [MAX + 1, u32::MAX] {
        let bytes = [&frame(b"a")[..], &len.to_be_bytes(), b"never looked at"].concat();
        assert_eq!(
            after_hello(Format::Cbor, &bytes),
            [Seen::Frame(b"a".to_vec()), Seen::Fault(Fault::TooLong(len))]
        );
    }
}

#[test]
fn memory_grows_with_what_has_come() {
    let mut decoder = ValueDecoder::new(ValueCodec {
        max_message: u32::MAX,
        ..codec(Format::Cbor)
    });
    let mut window = vec![0; 4096];
    window[..12].copy_from_slice(&HELLO);
    window[12..16].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
    assert!(matches!(
        decoder.decode(&mut window, 16, &mut Vec::new()),
        (0, Outcome::Hello(_))
    ));
    let begun = decoder.begin(&mut window);
    assert_eq!(
        decoder.decode(&mut window, begun, &mut Vec::new()),
        (0, Outcome::Used)
    );
    let (memory, most) = decoder.large_mut().expect("it is large");
    assert!(memory.capacity() <= 64 * 1024 && most <= 64 * 1024);
}

#[test]
fn the_end_inside_of_a_frame_says_how_much_is_missing() {
    let fault = |bytes: &[u8]| after_hello(Format::Cbor, bytes).pop();
    let missing = |len| Some(Seen::Fault(Fault::Truncated(len)));
    assert_eq!(fault(&frame(b"abc")), Some(Seen::Frame(b"abc".to_vec())));
    assert_eq!(fault(&frame(b"abc")[..3]), missing(1));
    assert_eq!(fault(&frame(b"abc")[..5]), missing(2));
    assert_eq!(fault(&frame(&vec![0; 100_000])[..50_004]), missing(50_000));
    // Who has not said hello has not begun.
    assert_eq!(whole(Format::Cbor, &HELLO[..5]), []);
    assert_eq!(whole(Format::Cbor, &[]), []);
}

#[test]
fn frames_of_json_are_checked() {
    let json = |text: &str| after_hello(Format::Json, &frame(text.as_bytes()));
    for good in ["1", "{\"ü\":[1,2,{}]}", " \"a\" "] {
        assert_eq!(json(good), [Seen::Frame(good.as_bytes().to_vec())]);
    }
    assert_eq!(json("[1"), [Seen::Fault(Fault::BadFrame(2))]);
    assert_eq!(json("1 2"), [Seen::Fault(Fault::BadFrame(3))]);
    let deep = "[".repeat(17) + &"]".repeat(17);
    assert_eq!(json(&deep), [Seen::Fault(Fault::TooDeep(34))]);
    let large = format!("\"{}\"", "x".repeat(100_000));
    assert_eq!(json(&large), [Seen::Frame(large.clone().into_bytes())]);
    assert_eq!(
        json(&large[..100_000]),
        [Seen::Fault(Fault::BadFrame(100_000))]
    );
}

fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let payload = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..40),
        2 => prop::collection::vec(any::<u8>(), 200..3000),
        1 => (SMALL - 2..SMALL * 4).prop_map(|len| vec![7; len]),
    ];
    prop::collection::vec(payload, 0..20)
}

/// The stream in pieces of these lengths, again and again.
fn pieces<'a>(bytes: &'a [u8], cuts: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut cuts = cuts.iter().cycle();
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at((*cuts.next()?).min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

proptest! {
    /// However it is cut, the same frames come out.
    #[test]
    fn cuts_and_windows_do_not_matter(
        payloads in payloads(),
        cuts in prop::collection::vec(1usize..5000, 1..20),
        window in 40_000usize..70_000,
        direct: bool,
    ) {
        let stream = [HELLO.to_vec(), payloads.iter().flat_map(|each| frame(each)).collect()].concat();
        let expected: Vec<_> = std::iter::once(hello())
            .chain(payloads.iter().filter(|each| !each.is_empty()).cloned().map(Seen::Frame))
            .collect();
        prop_assert_eq!(Run::of(Format::Cbor, pieces(&stream, &cuts), window, direct), expected);
    }

    /// Byte by byte, and cut off anywhere.
    #[test]
    fn every_byte_may_come_alone(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..9),
        keep in 0usize..200,
    ) {
        let stream = [HELLO.to_vec(), payloads.iter().flat_map(|each| frame(each)).collect()].concat();
        let stream = &stream[..keep.min(stream.len())];
        let single = Run::of(Format::Cbor, stream.chunks(1), 1024, false);
        prop_assert_eq!(single, whole(Format::Cbor, stream));
    }

    /// Whatever comes, there is no panic, and nothing after what is fatal.
    #[test]
    fn garbage_is_survived(
        greets: bool,
        format in prop_oneof![Just(Format::Cbor), Just(Format::Json)],
        bytes in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..300),
        cuts in prop::collection::vec(1usize..50, 1..5),
    ) {
        let greeting = if format == Format::Json { JSON_HELLO } else { HELLO };
        let stream = [if greets { &greeting[..] } else { &[] }, &bytes].concat();
        let cut = Run::of(format, pieces(&stream, &cuts), 1024, true);
        let fatal = cut.iter().position(|seen| match seen {
            Seen::Fault(fault) => fault.is_fatal(),
            seen => matches!(seen, Seen::Stranger(_)),
        });
        prop_assert!(fatal.is_none_or(|at| at + 1 == cut.len()));
        if greets {
            prop_assert_eq!(cut, whole(format, &stream));
        }
    }

    /// JSON in frames, ASCII and other.
    #[test]
    fn json_comes_through(
        texts in prop::collection::vec("[a-cé😀\"\\\\]{0,200}", 0..30),
        cuts in prop::collection::vec(1usize..300, 1..20),
    ) {
        let texts: Vec<_> = texts.iter().map(|text| serde_json::json!([text]).to_string()).collect();
        let stream = [JSON_HELLO.to_vec(), texts.iter().flat_map(|text| frame(text.as_bytes())).collect()].concat();
        let expected: Vec<_> = std::iter::once(hello())
            .chain(texts.into_iter().map(|text| Seen::Frame(text.into_bytes())))
            .collect();
        prop_assert_eq!(Run::of(Format::Json, pieces(&stream, &cuts), 1024, false), expected);
    }
}
