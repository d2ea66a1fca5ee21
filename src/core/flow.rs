//! How much of one stream may be read ahead, and into which kind of chunk.
//!
//! Pure: no I/O, no locks. One [`ReadFlow`] belongs to the receiver of one stream.

use crate::core::chunks::{OWN_WINDOW, SHARED_WINDOW};

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

/// A read into an own chunk that gives less than this ends the use of own chunks: the flood is
/// over, and a view of few bytes would keep a whole chunk in memory.
const TRICKLE: usize = 32 * 1024;

/// Which chunk the next read of a stream goes to.
///
/// | state | a read fills its window | a read gives less than [`TRICKLE`] |
/// | --- | --- | --- |
/// | shared | own | shared |
/// | own | own | shared |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadFlow {
    own: bool,
    /// The last read filled its window.
    full: bool,
    /// Reads in a row that went to an own chunk.
    streak: u32,
}

/// Reads in a row into own chunks that make a flood: a megabyte or so.
const FLOOD: u32 = 8;

impl ReadFlow {
    /// Whether the next read wants a chunk that serves this stream alone.
    #[must_use]
    pub fn wants_own(self) -> bool {
        self.own
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
        if self.own { OWN_WINDOW } else { SHARED_WINDOW }
    }

    /// Learns from a read that gave `len` bytes of at most `window`.
    pub fn record(&mut self, len: usize, window: usize) {
        self.streak = if self.own {
            self.streak.saturating_add(1)
        } else {
            0
        };
        self.full = len == window;
        if self.full {
            self.own = true;
        } else if len < TRICKLE {
            self.own = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_earns_own_chunks_and_a_trickle_ends_them() {
        let mut flow = ReadFlow::default();
        flow.record(100, SHARED_WINDOW);
        assert!(!flow.wants_own());
        flow.record(SHARED_WINDOW, SHARED_WINDOW);
        assert!(flow.wants_own());
        assert_eq!(flow.window(), OWN_WINDOW);
        flow.record(TRICKLE, OWN_WINDOW);
        assert!(flow.wants_own());
        flow.record(TRICKLE - 1, OWN_WINDOW);
        assert!(!flow.wants_own());
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
        assert!(!flow.wants_own());
    }
}
