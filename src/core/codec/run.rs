//! How messages lie in a chunk when the owner gets them: many in one piece, so that it costs the owner
//! a step in a loop to take the next one.
//!
//! ```text
//! message message message … | padding | i32 i32 i32 … | i32
//! one behind the other        to 4      one each        how many
//! ```
//!
//! The integers are in the machine's byte order. What is in front of them depends on the codec:
//!
//! | codec | a message | its integer |
//! | --- | --- | --- |
//! | numbers | the numbers, in the machine's byte order, without header; the first at a multiple of 8 | how many numbers |
//! | framed bytes, text, JSON | header and payload, as they came | bytes of the payload, and [`LONG`] if the header has five bytes |
//! | raw bytes, text, JSON | the payload | its bytes |
//! | values | header of four bytes and payload, as they came; empty ones are left out | bytes of the payload |
//!
//! Of text and JSON that is not all ASCII the integer is the bitwise complement, a negative number.
//! Among framed numbers a negative integer is no message but the complement of how many bytes make no
//! number: fewer than one has, in a frame of their own; or, with [`OVER`], behind the numbers before it.

/// Marks bytes that are over behind the last whole number of a frame.
pub const OVER: i32 = 8;

/// Marks a header of five bytes.
pub const LONG: i32 = 1 << 30;

/// Bytes of one integer.
pub const INT: usize = size_of::<i32>();

/// For how many messages there is room, in a window of `window` bytes, behind messages that end at `end`.
#[must_use]
pub fn room(window: usize, end: usize) -> usize {
    let ints = window.saturating_sub(end.next_multiple_of(INT)) / INT;
    ints.saturating_sub(1)
}

/// Writes the integers behind messages that end at `end`, and answers the length of the run; 0 if
/// there are no messages.
///
/// # Panics
/// There is no room.
#[must_use]
pub fn write_entries(window: &mut [u8], end: usize, entries: &[i32]) -> usize {
    if entries.is_empty() {
        return 0;
    }
    let count = i32::try_from(entries.len()).expect("fewer messages than bytes in a chunk");
    let from = end.next_multiple_of(INT);
    let to = from + (entries.len() + 1) * INT;
    let (ints, _) = window[from..to].as_chunks_mut::<INT>();
    for (int, value) in ints.iter_mut().zip(entries.iter().chain([&count])) {
        *int = value.to_ne_bytes();
    }
    to
}

/// What the owner reads: the integers of the run `bytes`.
///
/// # Panics
/// `bytes` is no run.
#[must_use]
pub fn entries(bytes: &[u8]) -> Vec<i32> {
    let (ints, rest) = bytes.as_chunks::<INT>();
    assert!(rest.is_empty(), "a run ends with its integers");
    let ints: Vec<i32> = ints.iter().copied().map(i32::from_ne_bytes).collect();
    let (count, before) = ints.split_last().expect("a run has a count");
    let count = usize::try_from(*count).expect("a count");
    before[before.len() - count..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_then_integers_then_their_count() {
        let mut window = *b"abcde...................";
        assert_eq!(room(24, 5), 3);
        let len = write_entries(&mut window, 5, &[3, !2]);
        assert_eq!(len, 8 + 3 * INT);
        assert_eq!(&window[..5], b"abcde");
        assert_eq!(entries(&window[..len]), [3, !2]);
    }

    #[test]
    fn the_room_is_what_fits() {
        for end in 0..40 {
            for count in 1..8 {
                let needed = write_entries(&mut [0; 128], end, &vec![0; count]);
                assert_eq!(room(needed, end), count);
                assert_eq!(room(needed - 1, end), count - 1);
            }
        }
    }

    #[test]
    fn no_message_is_no_run() {
        assert_eq!(write_entries(&mut [], 0, &[]), 0);
    }
}
