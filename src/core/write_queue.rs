//! The writing half of one stream: order, window, and the end.
//!
//! Pure: no I/O, no locks. The owner's thread adds, the I/O thread takes.
//!
//! Who sends: while the queue is empty the owner's thread sends straight to the system; from the
//! first byte that the system does not take until the queue is empty again only the I/O thread
//! sends. Only the owner adds to the queue, so an owner that finds it empty, or with room, may rely on that. What
//! goes through TLS is always queued, and always sent by the I/O thread.
//!
//! | state | `push` | `end` | queue runs empty | a send fails |
//! | --- | --- | --- | --- | --- |
//! | open | takes up to the window | ending, or ended if the queue is empty | open | failed |
//! | ending | refused | ending | ended, once the FIN is sent | failed |
//! | ended | refused | ended | – | – |
//! | failed | refused | failed | – | – |

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

/// Bytes of one stream that the engine keeps for the I/O thread to send. A longer write is handed
/// over in pieces of this size, so one write of a gigabyte never costs a second gigabyte. Not less than the slab that
/// messages leave from (`LOG` in `lib/outbox.js`), which relies on an empty queue taking all of it.
pub const WRITE_WINDOW: usize = 1024 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Ending,
    Ended,
    Failed,
}

/// Bytes that wait for the system to take them, and the FIN after them.
///
/// Idle streams are many, and each has one: hence the box.
#[derive(Debug, Default)]
pub struct WriteQueue {
    #[allow(
        clippy::box_collection,
        reason = "a queue by itself is 32 bytes, for all the streams that have nothing in theirs"
    )]
    pieces: Option<Box<VecDeque<Bytes>>>,
    /// At most [`WRITE_WINDOW`].
    len: u32,
    /// After so many bytes more the owner wants to be told; 0: never.
    watched: u32,
    state: State,
}

/// What is to be told of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// It is empty.
    Emptied,
    /// What [`WriteQueue::watch`] asked for has come.
    Passed,
    /// Nothing.
    On,
}

/// What the I/O thread has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes, then say how many were taken.
    Send(Bytes),
    /// Send the FIN.
    Finish,
    /// Nothing.
    Rest,
}

impl WriteQueue {
    /// Whether bytes may still be written.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether the owner's thread may send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// How many bytes it would take.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.is_open() {
            WRITE_WINDOW - self.len()
        } else {
            0
        }
    }

    /// Takes a copy of as much of `bytes` as it has room for, and says how much that was.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.room());
        if taken > 0 {
            self.push_piece(Bytes::copy_from_slice(&bytes[..taken]));
        }
        taken
    }

    /// Takes `piece`, or nothing of it. Says whether it did.
    pub fn push_piece(&mut self, piece: Bytes) -> bool {
        let has_room = piece.len() <= self.room();
        if has_room && !piece.is_empty() {
            self.len += below_window(piece.len());
            self.pieces.get_or_insert_default().push_back(piece);
        }
        has_room
    }

    /// Has [`Advance::Passed`] told when no more than `left` bytes of what is queued now are left, unless
    /// [`Advance::Emptied`] says more. Answers how many are queued; if not more, nothing follows.
    /// Instead of an earlier call's.
    pub fn watch(&mut self, left: usize) -> usize {
        self.watched = below_window(self.len().saturating_sub(left));
        self.len()
    }

    /// Ends the half after what is queued. Answers whether nothing is, so that the FIN can go now.
    pub fn end(&mut self) -> bool {
        if self.state == State::Open && self.is_empty() {
            self.state = State::Ended;
        }
        self.end_later();
        self.state == State::Ended
    }

    /// The same, but it is for the I/O thread to send the FIN in any case.
    pub fn end_later(&mut self) {
        if self.state == State::Open {
            self.state = State::Ending;
        }
    }

    /// What to do next.
    #[must_use]
    pub fn step(&self) -> Step {
        let first = self.pieces.as_ref().and_then(|pieces| pieces.front());
        match (first, self.state) {
            (Some(piece), _) => Step::Send(piece.clone()),
            (None, State::Ending) => Step::Finish,
            (None, _) => Step::Rest,
        }
    }

    /// The system took `len` bytes of the piece that [`WriteQueue::step`] gave.
    pub fn advance(&mut self, len: usize) -> Advance {
        let Some(pieces) = &mut self.pieces else {
            return Advance::Emptied;
        };
        if let Some(piece) = pieces.front_mut() {
            debug_assert!(len <= piece.len());
            piece.advance(len);
            if piece.is_empty() {
                pieces.pop_front();
            }
        }
        let len = below_window(len);
        self.len -= len;
        let is_watched = self.watched > 0;
        self.watched = self.watched.saturating_sub(len);
        if self.is_empty() {
            // An idle stream keeps no buffer.
            self.pieces = None;
            self.watched = 0;
            Advance::Emptied
        } else if is_watched && self.watched == 0 {
            Advance::Passed
        } else {
            Advance::On
        }
    }

    /// The FIN is sent.
    pub fn finished(&mut self) {
        self.state = State::Ended;
    }

    /// A send failed: what is queued will never go out. It counts on, for it was not sent either.
    pub fn fail(&mut self) {
        self.state = State::Failed;
        self.pieces = None;
    }
}

/// What a queue's length is kept as.
fn below_window(len: usize) -> u32 {
    debug_assert!(len <= WRITE_WINDOW);
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_fin_waits_for_the_bytes() {
        let mut queue = WriteQueue::default();
        assert_eq!(queue.push(b"abc"), 3);
        assert!(!queue.end());
        assert_eq!(queue.push(b"late"), 0);
        assert_eq!(queue.step(), Step::Send(Bytes::from_static(b"abc")));
        assert_eq!(queue.advance(1), Advance::On);
        assert_eq!(queue.step(), Step::Send(Bytes::from_static(b"bc")));
        assert_eq!(queue.advance(2), Advance::Emptied);
        assert_eq!(queue.step(), Step::Finish);
        queue.finished();
        assert_eq!(queue.step(), Step::Rest);
        assert!(queue.end());
    }

    #[test]
    fn an_empty_queue_ends_at_once() {
        let mut queue = WriteQueue::default();
        assert!(queue.end());
        assert!(!queue.is_open());
        assert_eq!(queue.step(), Step::Rest);
    }

    #[test]
    fn after_a_failure_nothing_is_kept_and_nothing_is_taken() {
        let mut queue = WriteQueue::default();
        queue.push(b"abc");
        queue.advance(1);
        queue.fail();
        assert_eq!(queue.step(), Step::Rest);
        assert_eq!(queue.push(b"abc"), 0);
        assert!(!queue.end());
        // Who asks what was sent must not be told that all was.
        assert_eq!(queue.len(), 2);
    }

    #[test]
    fn no_more_than_the_window_is_kept() {
        let mut queue = WriteQueue::default();
        let large = vec![0; WRITE_WINDOW + 10];
        assert_eq!(queue.push(&large), WRITE_WINDOW);
        assert_eq!(queue.push(b"x"), 0);
        queue.advance(1);
        assert_eq!(queue.push(b"xy"), 1);
    }

    #[test]
    fn a_piece_is_taken_whole_or_not() {
        let mut queue = WriteQueue::default();
        assert!(queue.push_piece(Bytes::from(vec![0; WRITE_WINDOW - 1])));
        assert!(!queue.push_piece(Bytes::from_static(b"ab")));
        assert!(queue.push_piece(Bytes::from_static(b"a")));
        assert_eq!(queue.room(), 0);
        queue.fail();
        assert!(!queue.push_piece(Bytes::from_static(b"a")));
    }

    #[test]
    fn a_watched_mark_is_told_of_once_whatever_comes_behind_it() {
        let mut queue = WriteQueue::default();
        queue.push(b"abcdef");
        assert_eq!(queue.watch(6), 6);
        assert_eq!(queue.advance(1), Advance::On);
        assert_eq!(queue.watch(3), 5);
        queue.push(b"ghi");
        assert_eq!(queue.advance(1), Advance::On);
        assert_eq!(queue.advance(1), Advance::Passed);
        assert_eq!(queue.advance(1), Advance::On);
        assert_eq!(queue.watch(1), 5);
        assert_eq!(queue.watch(2), 5);
        assert_eq!(queue.advance(2), Advance::On);
        assert_eq!(queue.advance(1), Advance::Passed);
        assert_eq!(queue.advance(2), Advance::Emptied);
    }

    proptest! {
        /// However the writes and the system's appetite fall, what goes out is what came in.
        #[test]
        fn bytes_go_out_in_order_and_whole(
            writes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20),
            bites in prop::collection::vec(1usize..30, 1..50),
        ) {
            let mut queue = WriteQueue::default();
            let mut sent = Vec::new();
            let mut bites = bites.iter().cycle();
            let mut writes_left = writes.iter();
            loop {
                if let Some(write) = writes_left.next() {
                    prop_assert_eq!(queue.push(write), write.len());
                } else if queue.is_empty() {
                    break;
                }
                if let Step::Send(piece) = queue.step() {
                    let bite = piece.len().min(*bites.next().expect("endless"));
                    sent.extend_from_slice(&piece[..bite]);
                    queue.advance(bite);
                }
            }
            prop_assert_eq!(sent, writes.concat());
        }
    }
}
