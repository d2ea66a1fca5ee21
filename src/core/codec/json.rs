//! Where one JSON text ends and the next begins, in a raw stream of them.
//!
//! A scanner counts brackets and looks at each byte once, so that a text of many megabytes in many
//! pieces does not cost the square of its length. What it finds whole is then read by `serde_json`,
//! which decides whether it is JSON.
//!
//! | state | left at |
//! | --- | --- |
//! | between texts | the first byte that is no white space |
//! | in an object, array or string | its closing bracket or quote |
//! | in a number, `true`, `false` or `null` | white space, the beginning of the next text, or the end of what has come if that is whole (`12` may be the beginning of `123`, but there is no way to know) |

use std::ops::Range;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    Nested {
        depth: u32,
        in_string: bool,
        escaped: bool,
    },
    Scalar,
}

/// Takes bytes and gives texts.
#[derive(Debug, Default)]
pub struct Splitter {
    bytes: Vec<u8>,
    /// Where the current text begins.
    start: usize,
    /// Up to where it has been looked at.
    scanned: usize,
    state: State,
}

/// What comes next in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A text that `serde_json` takes, see [`Splitter::bytes`].
    Text(Range<usize>),
    /// So many bytes that it does not take.
    NotJson(usize),
}

impl Splitter {
    /// Adds what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes that a [`Piece::Text`] is in, until the next call of [`Splitter::push`] or
    /// [`Splitter::next_piece`].
    #[must_use]
    pub fn bytes(&self, piece: Range<usize>) -> &[u8] {
        &self.bytes[piece]
    }

    /// Bytes of the text that has begun.
    #[must_use]
    pub fn pending(&self) -> usize {
        match self.state {
            State::Between => 0,
            State::Nested { .. } | State::Scalar => self.bytes.len() - self.start,
        }
    }

    /// What comes next; `None` until more has come.
    pub fn next_piece(&mut self) -> Option<Piece> {
        let end = self.next_end();
        let Some(end) = end else {
            self.compact();
            return None;
        };
        let text = self.start..end;
        self.start = end;
        self.scanned = end;
        self.state = State::Between;
        Some(match verdict(&self.bytes[text.clone()]) {
            Verdict::Whole => Piece::Text(text),
            Verdict::Begun | Verdict::NotJson => Piece::NotJson(text.len()),
        })
    }

    /// The end of the current text, if it has come.
    fn next_end(&mut self) -> Option<usize> {
        if self.state == State::Between {
            let rest = &self.bytes[self.scanned..];
            let first = rest.iter().position(|byte| !is_space(*byte));
            self.scanned += first.unwrap_or(rest.len());
            self.start = self.scanned;
            self.state = match self.bytes.get(self.start)? {
                b'{' | b'[' | b'"' => State::Nested {
                    depth: 0,
                    in_string: false,
                    escaped: false,
                },
                _ => State::Scalar,
            };
        }
        match self.state {
            State::Between => None,
            State::Nested { .. } => self.end_of_nested(),
            State::Scalar => self.end_of_scalar(),
        }
    }

    fn end_of_nested(&mut self) -> Option<usize> {
        let State::Nested {
            mut depth,
            mut in_string,
            mut escaped,
        } = self.state
        else {
            return None;
        };
        let rest = &self.bytes[self.scanned..];
        for (at, byte) in rest.iter().enumerate() {
            if in_string {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => in_string = false,
                    _ => {}
                }
                if in_string || depth > 0 {
                    continue;
                }
            } else {
                match byte {
                    b'"' => in_string = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                if in_string || depth > 0 {
                    continue;
                }
            }
            return Some(self.scanned + at + 1);
        }
        self.scanned = self.bytes.len();
        self.state = State::Nested {
            depth,
            in_string,
            escaped,
        };
        None
    }

    fn end_of_scalar(&mut self) -> Option<usize> {
        let rest = &self.bytes[self.scanned..];
        let end = rest
            .iter()
            .position(|byte| is_space(*byte) || matches!(byte, b'{' | b'[' | b'"'));
        if let Some(end) = end {
            return Some(self.scanned + end);
        }
        let begun = &self.bytes[self.start..];
        let is_whole = match verdict(begun) {
            Verdict::Whole => true,
            Verdict::Begun => false,
            Verdict::NotJson => !may_become_number(begun),
        };
        is_whole.then_some(self.bytes.len())
    }

    /// Forgets what is behind the current text.
    fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        if self.bytes.is_empty() {
            // An idle stream keeps no buffer.
            self.bytes = Vec::new();
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// `-`, `1.` and `1e` are no numbers, and `serde_json` does not say that they may become some.
fn may_become_number(begun: &[u8]) -> bool {
    // So short that looking at it again with the next bytes costs nothing.
    const LONGEST: usize = 32;
    let is_of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    begun.len() <= LONGEST && begun.iter().all(is_of_number)
}

enum Verdict {
    Whole,
    Begun,
    NotJson,
}

fn verdict(text: &[u8]) -> Verdict {
    let mut texts = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    match texts.next() {
        Some(Ok(_)) if texts.byte_offset() == text.len() => Verdict::Whole,
        Some(Err(error)) if error.is_eof() => Verdict::Begun,
        _ => Verdict::NotJson,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut found = Vec::new();
        for bytes in pieces {
            splitter.push(bytes);
            while let Some(piece) = splitter.next_piece() {
                found.push(match piece {
                    Piece::Text(range) => {
                        String::from_utf8_lossy(splitter.bytes(range)).into_owned()
                    }
                    Piece::NotJson(len) => format!("! {len}"),
                });
            }
        }
        found
    }

    #[test]
    fn texts_in_one_piece() {
        let bytes: &[u8] = b" {\"a\":[1,\"}\"]}[]\"x\\\"y\" 12 true\nnull[1] ";
        assert_eq!(
            split([bytes]),
            [
                "{\"a\":[1,\"}\"]}",
                "[]",
                "\"x\\\"y\"",
                "12",
                "true",
                "null",
                "[1]"
            ]
        );
    }

    #[test]
    fn a_scalar_ends_with_the_piece_if_it_is_whole() {
        assert_eq!(split([&b"12"[..], b"3"]), ["12", "3"]);
        assert_eq!(split([&b"tr"[..], b"ue"]), ["true"]);
        assert_eq!(split([&b"-"[..], b"1.", b"5e", b"3"]), ["-1.5e3"]);
    }

    #[test]
    fn what_is_no_json_is_passed_over() {
        assert_eq!(split([&b"{a} [1] }x "[..]]), ["! 3", "[1]", "! 2"]);
        assert_eq!(split([&b"[1,] 5 "[..]]), ["! 4", "5"]);
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert_eq!(split([deep.as_bytes()]).len(), 1);
    }

    proptest! {
        /// However the stream is cut, the same texts come out. Only nested ones: of scalars the cut
        /// decides.
        #[test]
        fn cuts_do_not_matter(
            texts in prop::collection::vec("[a\\[\\]{}\",: é]{0,20}", 0..10),
            cuts in prop::collection::vec(1usize..9, 1..40),
        ) {
            let texts: Vec<_> = texts.iter().map(|text| serde_json::json!([text, {"k": text}]).to_string()).collect();
            let stream = texts.concat();
            let mut rest = stream.as_bytes();
            let mut cuts = cuts.iter().cycle();
            let pieces = std::iter::from_fn(|| {
                let (piece, after) = rest.split_at((*cuts.next()?).min(rest.len()));
                rest = after;
                (!piece.is_empty()).then_some(piece)
            });
            prop_assert_eq!(split(pieces), texts);
        }
    }
}
