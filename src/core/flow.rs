//! How much of one stream may be read ahead, and into which kind of chunk.
//!
//! Pure: no I/O, no locks. One [`ReadFlow`] belongs to the receiver of one stream.

use crate::core::chunks::{OWN_WINDOW, PIECE, SHARED_WINDOW};

/// Bytes of one stream that may be on their way to the owner at first, and again after it stopped
/// reading. When they are used up the stream is not read, the kernel's window closes and the peer
/// feels it. One read's worth: of a stream that nobody reads, no more is ever taken from the kernel.
pub const FIRST_AHEAD: usize = SHARED_WINDOW;

/// What it grows to while the owner takes all that comes.
pub const MOST_AHEAD: usize = 1024 * 1024;

/// How much may be ahead after the owner took `len` bytes and wants more.
#[must_use]
pub fn more_ahead(ahead: usize, len: usize) -> usize {
    (ahead + len).min(MOST_AHEAD)
}

/// A read that gives less than this ends the use of fresh chunks: the flood is over. And a view of so few bytes would
/// keep too much memory for them, so they are copied out.
pub(crate) const TRICKLE: usize = 32 * 1024;

/// Which chunk a read goes to, see [`crate::core::chunks`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// A shared chunk.
    #[default]
    Shared,
    /// A piece.
    Piece,
    /// An own chunk.
    Own,
}

/// Which chunk the next read of a stream goes to: one that is about as large as what comes.
///
/// | place | a read fills its window | less than [`TRICKLE`] | at most [`PIECE`] | more |
/// | --- | --- | --- | --- | --- |
/// | shared | piece | shared | shared | |
/// | piece | own | shared | piece | |
/// | own | own | shared | piece | own |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadFlow {
    place: Place,
    /// The last read filled its window.
    full: bool,
    /// Reads in a row that went to a fresh chunk.
    streak: u32,
}

/// Reads in a row into fresh chunks that make a flood: a megabyte or so.
const FLOOD: u32 = 8;

impl ReadFlow {
    /// Where the next read wants to go.
    #[must_use]
    pub fn place(self) -> Place {
        self.place
    }

    /// Whether the last read filled its window.
    #[must_use]
    pub fn is_full(self) -> bool {
        self.full
    }

    /// Whether so much came lately that a fraction of a millisecond more makes no difference to
    /// anybody, while fewer and larger pieces do.
    #[must_use]
    pub fn is_flood(self) -> bool {
        self.streak >= FLOOD
    }

    /// The most the next read may take.
    #[must_use]
    pub fn window(self) -> usize {
        match self.place {
            Place::Shared => SHARED_WINDOW,
            Place::Piece => PIECE,
            Place::Own => OWN_WINDOW,
        }
    }

    /// Learns from a read that gave `len` bytes of at most `window`.
    pub fn record(&mut self, len: usize, window: usize) {
        self.streak = if self.place == Place::Shared {
            0
        } else {
            self.streak.saturating_add(1)
        };
        self.full = len == window;
        self.place = match self.place {
            Place::Shared if self.full => Place::Piece,
            Place::Piece if self.full => Place::Own,
            Place::Own if len > PIECE => Place::Own,
            Place::Piece | Place::Own if len >= TRICKLE => Place::Piece,
            _ => Place::Shared,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_windows_earn_larger_chunks_and_a_trickle_ends_them() {
        let mut flow = ReadFlow::default();
        let mut after = |len| {
            flow.record(len, flow.window());
            flow.place()
        };
        assert_eq!(after(100), Place::Shared);
        assert_eq!(after(SHARED_WINDOW), Place::Piece);
        assert_eq!(after(TRICKLE), Place::Piece);
        assert_eq!(after(PIECE), Place::Own);
        assert_eq!(after(PIECE + 1), Place::Own);
        assert_eq!(after(PIECE), Place::Piece);
        assert_eq!(after(TRICKLE - 1), Place::Shared);
        assert_eq!(after(SHARED_WINDOW), Place::Piece);
        assert_eq!(after(PIECE), Place::Own);
        assert_eq!(after(OWN_WINDOW), Place::Own);
        assert_eq!(after(1), Place::Shared);
    }

    #[test]
    fn reading_ahead_is_earned_and_bounded() {
        let mut ahead = FIRST_AHEAD;
        for _ in 0..100 {
            let before = ahead;
            ahead = more_ahead(ahead, OWN_WINDOW);
            assert!(ahead >= before);
        }
        assert_eq!(ahead, MOST_AHEAD);
        assert_eq!(more_ahead(FIRST_AHEAD, 0), FIRST_AHEAD);
    }

    #[test]
    fn a_flood_is_many_large_reads_in_a_row() {
        let mut flow = ReadFlow::default();
        for _ in 0..FLOOD {
            assert!(!flow.is_flood());
            flow.record(SHARED_WINDOW, SHARED_WINDOW);
        }
        flow.record(TRICKLE, OWN_WINDOW);
        assert!(flow.is_flood());
        flow.record(1, OWN_WINDOW);
        flow.record(SHARED_WINDOW, SHARED_WINDOW);
        assert!(!flow.is_flood());
    }

    #[test]
    fn many_middling_reads_stay_with_shared_chunks() {
        let mut flow = ReadFlow::default();
        for _ in 0..100 {
            flow.record(SHARED_WINDOW - 1, SHARED_WINDOW);
        }
        assert_eq!(flow.place(), Place::Shared);
    }
}
