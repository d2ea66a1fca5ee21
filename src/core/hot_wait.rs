//! When it pays to wait a moment for the next event instead of going to sleep.
//!
//! With one request and one reply in flight, the answer to what was just written is often there
//! before the thread would have gone to sleep and been woken again. Where it is not (a peer
//! behind a real network), each wait is lost time, so waiting has to earn its keep.

use std::time::Duration;

/// The longest wait. Twice the cost of a sleep and a wake-up between threads on the machines
/// measured; a longer one would only burn the CPU that the other side needs.
pub const LONGEST: Duration = Duration::from_micros(20);

/// Score at which a habit is given up. Eight misses in a row from a fresh start.
const GIVE_UP: i32 = -8;
/// The score does not grow beyond this, so that a change of weather is noticed within a few tries.
const BEST: i32 = 8;
/// After giving up, one chance in this many is tried again.
const RETRY_EVERY: u32 = 256;

/// Something that pays only where it mostly succeeds, and how it went lately: the wait itself, or looking
/// for the reply before the first yield of the CPU. That finds it where the other side answers while
/// `send` is not over; where it does not, it costs a look.
#[derive(Debug, Default)]
pub struct Habit {
    /// Hits add one, misses take two: it goes on only while two of three are hits.
    score: i32,
    /// Chances passed over since it was given up.
    passed: u32,
}

impl Habit {
    /// Whether to do it this time.
    pub fn should_try(&mut self) -> bool {
        if self.score > GIVE_UP {
            return true;
        }
        self.passed += 1;
        if self.passed < RETRY_EVERY {
            return false;
        }
        self.passed = 0;
        true
    }

    /// How it ended: with an event (`true`) or with nothing.
    pub fn record(&mut self, hit: bool) {
        let change = if hit { 1 } else { -2 };
        self.score = (self.score + change).clamp(GIVE_UP, BEST);
    }
}

/// Batches in a row, without a sleep in between, that make an owner busy.
const BUSY_AFTER: u32 = 4;

/// Bytes per event from which on reading is work worth a thread of its own.
const BULK: usize = 8 * 1024;

/// Who should turn the runtime (see [`crate::core::crank`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turner {
    /// The I/O thread.
    Io,
    /// The owner.
    Owner,
    /// Whoever does.
    Any,
}

/// Watches the batches that an owner takes.
#[derive(Debug, Default)]
pub struct Busy {
    batches: u32,
}

impl Busy {
    /// The owner took a batch of so many events with so many bytes in all.
    pub fn record(&mut self, events: usize, bytes: usize) -> Turner {
        if bytes / events.max(1) >= BULK {
            self.batches = 0;
            return Turner::Io;
        }
        self.batches = self.batches.saturating_add(1);
        if self.batches >= BUSY_AFTER {
            Turner::Owner
        } else {
            Turner::Any
        }
    }

    /// The owner found nothing to do and went to sleep.
    pub fn slept(&mut self) {
        self.batches = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_owner_turns_the_runtime_itself() {
        let mut busy = Busy::default();
        let turners: Vec<_> = (0..5).map(|_| busy.record(10, 640)).collect();
        assert_eq!(turners[..3], [Turner::Any; 3]);
        assert_eq!(turners[3..], [Turner::Owner; 2]);
        busy.slept();
        assert_eq!(busy.record(10, 640), Turner::Any);
    }

    #[test]
    fn bulk_is_for_the_io_thread() {
        let mut busy = Busy::default();
        for _ in 0..10 {
            assert_eq!(busy.record(4, 4 * BULK), Turner::Io);
        }
    }

    #[test]
    fn hits_keep_it_on() {
        let mut wait = Habit::default();
        for _ in 0..1_000 {
            assert!(wait.should_try());
            wait.record(true);
        }
    }

    #[test]
    fn misses_switch_it_off_but_for_a_rare_try() {
        let mut wait = Habit::default();
        let mut tried = 0;
        for _ in 0..10_000 {
            if wait.should_try() {
                tried += 1;
                wait.record(false);
            }
        }
        assert!((10_000 / 256..60).contains(&tried), "{tried} tries");
    }

    #[test]
    fn it_comes_back_when_hits_come_back() {
        let mut wait = Habit::default();
        for _ in 0..100 {
            wait.record(false);
        }
        let mut on = 0;
        for _ in 0..10_000 {
            if wait.should_try() {
                on += 1;
                wait.record(true);
            }
        }
        assert!(on > 9_000, "{on} waits");
    }
}
