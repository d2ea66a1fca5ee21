//! Where a piece of UTF-8 may be cut.

/// The most bytes that [`incomplete_tail`] answers.
pub const LONGEST_TAIL: usize = 3;

/// How many bytes at the end of `bytes` are the beginning of a character whose other bytes are still
/// to come. 0 where the end is no such beginning, which includes bytes that are no UTF-8 at all: they
/// do not get better by waiting.
#[must_use]
pub fn incomplete_tail(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(LONGEST_TAIL);
    let tail = &bytes[last..];
    for (back, byte) in tail.iter().rev().enumerate() {
        let len = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return 0,
        };
        let have = back + 1;
        let begun = &tail[tail.len() - have..];
        // Two or three bytes that cannot be continued are wrong now.
        let is_open = std::str::from_utf8(begun).is_err_and(|error| error.error_len().is_none());
        return if have < len && is_open { have } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_not_whole_yet_is_left_for_later() {
        for text in ["é", "€", "😀"] {
            let bytes = text.as_bytes();
            for cut in 1..bytes.len() {
                assert_eq!(incomplete_tail(&bytes[..cut]), cut, "{text} cut at {cut}");
                let mut longer = b"abc".to_vec();
                longer.extend_from_slice(&bytes[..cut]);
                assert_eq!(incomplete_tail(&longer), cut);
            }
            assert_eq!(incomplete_tail(bytes), 0);
        }
        assert_eq!(incomplete_tail(b""), 0);
        assert_eq!(incomplete_tail(b"abc"), 0);
    }

    #[test]
    fn what_is_no_utf8_is_not_waited_for() {
        for bytes in [
            &b"\x80"[..],
            b"\xbf\xbf\xbf\xbf",
            b"\xc0",
            b"\xf5",
            b"\xff",
            b"a\xe0\x80",
            b"\xed\xa0",
            b"\xf4\x90",
        ] {
            assert_eq!(incomplete_tail(bytes), 0, "{bytes:x?}");
        }
    }
}
