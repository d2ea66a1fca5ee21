//! The memory that reads go into, and who may write where.
//!
//! The owner gives memory; the engine fills it and tells where (see [`crate::core::event::Event::Data`]).
//! There are three kinds of chunk:
//!
//! | kind | serves | its bytes | comes back |
//! | --- | --- | --- | --- |
//! | shared | every stream, small reads | are copied out by the owner before its next batch | yes, when all of it is copied out |
//! | own | one read of a stream with much to read | stay in the owner's hands as a view | never |
//! | piece | the same, where less comes at once | the same; of a stream whose bytes are to be in memory of exactly their size, what does not fill it is copied out | never |
//!
//! So the memory behind a view never held, and never will hold, bytes of another stream; and what an
//! own chunk's memory held before it was lent is wiped, because a view shows all of it. The engine is
//! done with an own chunk before the owner hears of it: whatever a program does with the buffer that
//! it is given (detach it, transfer it), the engine never writes to it again. A shared chunk is
//! never in a program's hands. It is only ever written behind its cursor's place, and the cursor goes
//! back to the start only when nothing of the chunk is outstanding, so the owner may read what it was
//! told of while the engine writes further on.

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

use crate::core::event::ChunkId;
use crate::core::lock;

/// The most a single read may take from a shared chunk. It is also what must be free in one before
/// a read starts: a stream that fills all of it has more to say and gets chunks of its own.
pub const SHARED_WINDOW: usize = 64 * 1024;

/// The smallest shared chunk there may be: the most that may be asked to be free in one.
pub const SMALLEST_SHARED: usize = 2 * SHARED_WINDOW;

/// The most a single read may take into an own chunk, and the size of one: large enough to make the
/// cost of a read per byte vanish, small enough that the first bytes are on their way before the last
/// have come, and that little is wasted where a read brings less.
pub const OWN_WINDOW: usize = 256 * 1024;

/// The size of a piece.
pub const PIECE: usize = SHARED_WINDOW;

/// Pieces that wait for a stream to need one: as much as one stream may have on the way.
pub const MAX_PIECES_READY: usize = 16;

/// Every read begins at a multiple of this, so that numbers in it are aligned.
pub const ALIGNMENT: usize = 8;

/// Shared chunks an engine may have. Together they bound what all streams that read little can
/// have on the way to an owner that is busy.
pub const MAX_SHARED: usize = 4;

/// Own chunks that wait for a stream to need one. They bound what streams that read much can have
/// on the way between two of the owner's batches.
pub const MAX_OWN_READY: usize = 8;

/// Memory lent by the owner.
pub trait ChunkMemory: Send + Debug {
    /// Its size in bytes: at least [`SHARED_WINDOW`], of a shared chunk [`SMALLEST_SHARED`].
    fn size(&self) -> usize;
    /// The part of it that a read may fill.
    ///
    /// # Panics
    /// Where the part is not inside of the memory.
    fn part_mut(&mut self, offset: usize, len: usize) -> &mut [u8];
}

/// One piece of memory with the place where the next read goes.
#[derive(Debug)]
pub struct Chunk {
    id: ChunkId,
    memory: Box<dyn ChunkMemory>,
    cursor: usize,
    outstanding: Arc<AtomicUsize>,
}

impl Chunk {
    /// A chunk over `memory`. `outstanding` counts the reads that the owner has not done with; it
    /// is the owner who counts down.
    #[must_use]
    pub fn new(id: ChunkId, memory: Box<dyn ChunkMemory>, outstanding: Arc<AtomicUsize>) -> Self {
        Self {
            id,
            memory,
            cursor: 0,
            outstanding,
        }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> ChunkId {
        self.id
    }

    /// Bytes that are still free.
    #[must_use]
    pub fn spare(&self) -> usize {
        self.memory.size() - self.cursor
    }

    /// Where the next read goes: at most `window` bytes.
    pub fn window_mut(&mut self, window: usize) -> &mut [u8] {
        let len = window.min(self.spare());
        self.memory.part_mut(self.cursor, len)
    }

    /// Marks `len` bytes as filled and outstanding, and gives the offset they are at.
    pub fn fill(&mut self, len: usize) -> usize {
        debug_assert!(len <= self.spare());
        let offset = self.cursor;
        self.cursor = (offset + len)
            .next_multiple_of(ALIGNMENT)
            .min(self.memory.size());
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        offset
    }

    /// Zeroes what is not filled.
    pub fn wipe_rest(&mut self) {
        let rest = self.spare();
        self.memory.part_mut(self.cursor, rest).fill(0);
    }

    fn is_settled(&self) -> bool {
        // Acquire: the owner's last look at the bytes comes before our next write.
        self.outstanding.load(Ordering::Acquire) == 0
    }

    /// Starts over where nothing is outstanding, so that a chunk that is kept up with stays in the
    /// CPU's cache.
    fn rewind_if_settled(&mut self) -> bool {
        let settled = self.is_settled();
        if settled {
            self.cursor = 0;
        }
        settled
    }
}

/// What the owner is asked to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Shared chunks.
    pub shared: usize,
    /// Own chunks.
    pub own: usize,
    /// Pieces.
    pub pieces: usize,
}

/// Chunks that serve one read each.
#[derive(Debug, Default)]
struct Fresh {
    ready: Vec<Chunk>,
    /// Asked for and not given yet.
    wanted: usize,
}

impl Fresh {
    /// One of them. A stream that reads much will be back, so that there should be `most`.
    fn take(&mut self, most: usize) -> Option<Chunk> {
        let chunk = self.ready.pop();
        self.wanted = most - self.ready.len();
        chunk
    }

    fn add(&mut self, chunk: Chunk) {
        self.wanted = self.wanted.saturating_sub(1);
        self.ready.push(chunk);
    }
}

#[derive(Debug, Default)]
struct Supply {
    /// Shared chunks with nothing outstanding.
    free: Vec<Chunk>,
    /// Full shared chunks that the owner still reads.
    retired: Vec<Chunk>,
    /// All shared chunks there are.
    shared_total: usize,
    own: Fresh,
    pieces: Fresh,
    /// Whether a read found no shared chunk since the owner last looked.
    starved: bool,
    /// Tasks that wait for a shared chunk.
    waiting: Vec<Waker>,
}

/// All chunks of one engine.
#[derive(Debug, Default)]
pub struct ChunkPool {
    /// The shared chunk in use. Only the I/O thread locks it, so it never waits.
    current: Mutex<Option<Chunk>>,
    supply: Mutex<Supply>,
}

impl ChunkPool {
    /// Reads into the shared chunk: calls `read` with a window of at most `window` bytes and at least
    /// `least`, which is [`SMALLEST_SHARED`] or less, and for the bytes it gives answers the chunk, the offset
    /// and whatever `read` said. `None` where no shared chunk has room; `waker` is woken when one has.
    pub fn with_shared<E>(
        &self,
        waker: &Waker,
        least: usize,
        window: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Option<Result<(ChunkId, usize, usize), E>> {
        let mut current = lock(&self.current);
        let has_room = |current: &mut Option<Chunk>| {
            current
                .as_mut()
                .is_some_and(|chunk| chunk.rewind_if_settled() || chunk.spare() >= least)
        };
        if !has_room(&mut current) {
            let mut supply = lock(&self.supply);
            supply.settle();
            if let Some(next) = supply.free.pop() {
                supply.retired.extend(current.replace(next));
            } else if !has_room(&mut current) {
                // Looked at again under the lock: the owner counts down first and locks then, so
                // either we see its count or it sees our waker.
                supply.starved = true;
                supply.waiting.push(waker.clone());
                return None;
            }
        }
        let chunk = current.as_mut()?;
        Some(read(chunk.window_mut(window)).map(|len| {
            let offset = if len == 0 { 0 } else { chunk.fill(len) };
            (chunk.id(), offset, len)
        }))
    }

    /// A fresh chunk for one read, or `None` until the owner has given one; then the stream goes on
    /// with shared ones.
    pub fn take_own(&self) -> Option<Chunk> {
        lock(&self.supply).own.take(MAX_OWN_READY)
    }

    /// The same of a piece.
    pub fn take_piece(&self) -> Option<Chunk> {
        lock(&self.supply).pieces.take(MAX_PIECES_READY)
    }

    /// The owner gives a shared chunk.
    pub fn add_shared(&self, chunk: Chunk) {
        let mut supply = lock(&self.supply);
        supply.shared_total += 1;
        supply.starved = false;
        supply.free.push(chunk);
        wake_all(supply);
    }

    /// The owner gives a chunk for one read: a piece, or a larger one. Or one comes back that nothing was
    /// read into.
    pub fn add_own(&self, chunk: Chunk) {
        let supply = &mut *lock(&self.supply);
        if chunk.spare() > PIECE {
            supply.own.add(chunk);
        } else {
            supply.pieces.add(chunk);
        }
    }

    /// The owner is done with a batch: streams that waited for room may find some now.
    pub fn settle(&self) {
        let supply = lock(&self.supply);
        if !supply.waiting.is_empty() {
            wake_all(supply);
        }
    }

    /// What the owner should give now.
    pub fn wanted(&self) -> Wanted {
        let supply = lock(&self.supply);
        let may_grow = supply.shared_total < MAX_SHARED;
        let starved = supply.starved && supply.free.is_empty();
        Wanted {
            shared: usize::from(may_grow && (starved || supply.shared_total == 0)),
            own: supply.own.wanted,
            pieces: supply.pieces.wanted,
        }
    }
}

impl Supply {
    fn settle(&mut self) {
        for mut chunk in self.retired.extract_if(.., |chunk| chunk.is_settled()) {
            chunk.cursor = 0;
            self.free.push(chunk);
        }
    }
}

fn wake_all(mut supply: std::sync::MutexGuard<'_, Supply>) {
    let waiting = std::mem::take(&mut supply.waiting);
    drop(supply);
    waiting.into_iter().for_each(Waker::wake);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Plain(Vec<u8>);

    impl ChunkMemory for Plain {
        fn size(&self) -> usize {
            self.0.len()
        }
        fn part_mut(&mut self, offset: usize, len: usize) -> &mut [u8] {
            &mut self.0[offset..offset + len]
        }
    }

    fn chunk(id: ChunkId) -> (Chunk, Arc<AtomicUsize>) {
        let outstanding = Arc::new(AtomicUsize::new(0));
        let memory = Box::new(Plain(vec![0; 2 * SHARED_WINDOW]));
        (
            Chunk::new(id, memory, Arc::clone(&outstanding)),
            outstanding,
        )
    }

    fn read(pool: &ChunkPool, len: usize) -> Option<(ChunkId, usize)> {
        pool.with_shared(Waker::noop(), SHARED_WINDOW, SHARED_WINDOW, |buffer| {
            assert!(buffer.len() >= SHARED_WINDOW);
            Ok::<_, ()>(len)
        })
        .map(|result| result.expect("the read succeeds"))
        .map(|(id, offset, _)| (id, offset))
    }

    #[test]
    fn outstanding_bytes_are_never_written_over() {
        let pool = ChunkPool::default();
        let (first, outstanding) = chunk(1);
        pool.add_shared(first);
        assert_eq!(read(&pool, 100), Some((1, 0)));
        assert_eq!(read(&pool, 100), Some((1, 104)));
        outstanding.fetch_sub(1, Ordering::Release);
        assert_eq!(read(&pool, SHARED_WINDOW - 100), Some((1, 208)));
        // Less than a window is left, and two reads are outstanding.
        assert_eq!(read(&pool, 1), None);
        assert_eq!(pool.wanted().shared, 1);
        outstanding.store(0, Ordering::Release);
        assert_eq!(read(&pool, 1), Some((1, 0)));
    }

    #[test]
    fn a_retired_chunk_comes_back_when_the_owner_is_done_with_it() {
        let pool = ChunkPool::default();
        let (first, of_first) = chunk(1);
        let (second, of_second) = chunk(2);
        pool.add_shared(second);
        pool.add_shared(first);
        assert_eq!(read(&pool, SHARED_WINDOW), Some((1, 0)));
        assert_eq!(read(&pool, SHARED_WINDOW), Some((1, SHARED_WINDOW)));
        assert_eq!(read(&pool, SHARED_WINDOW), Some((2, 0)));
        assert_eq!(read(&pool, SHARED_WINDOW), Some((2, SHARED_WINDOW)));
        assert_eq!(read(&pool, 1), None);
        of_first.store(0, Ordering::Release);
        pool.settle();
        assert_eq!(read(&pool, 1), Some((1, 0)));
        assert_eq!(of_second.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn the_memory_asked_for_is_bounded() {
        let pool = ChunkPool::default();
        assert_eq!(
            pool.wanted(),
            Wanted {
                shared: 1,
                ..Wanted::default()
            }
        );
        for id in 0..u32::try_from(MAX_SHARED).expect("a small number") {
            pool.add_shared(chunk(id).0);
        }
        while read(&pool, SHARED_WINDOW).is_some() {}
        assert_eq!(pool.wanted().shared, 0);
        for _ in 0..100 {
            assert!(pool.take_own().is_none());
            assert!(pool.take_piece().is_none());
        }
        assert_eq!(pool.wanted().own, MAX_OWN_READY);
        assert_eq!(pool.wanted().pieces, MAX_PIECES_READY);
    }

    #[test]
    fn a_piece_is_known_by_its_size_and_comes_back_to_its_like() {
        let pool = ChunkPool::default();
        let (own, _) = chunk(1);
        let piece = Chunk::new(2, Box::new(Plain(vec![0; PIECE])), Arc::default());
        pool.add_own(piece);
        pool.add_own(own);
        let piece = pool.take_piece().expect("there is one");
        assert_eq!(piece.id(), 2);
        assert!(pool.take_piece().is_none());
        assert_eq!(pool.wanted().pieces, MAX_PIECES_READY);
        pool.add_own(piece);
        assert_eq!(pool.wanted().pieces, MAX_PIECES_READY - 1);
        assert_eq!(pool.take_own().map(|chunk| chunk.id()), Some(1));
    }
}
