//! Memory for what waits to be encrypted.
//!
//! Taken on the owner's thread and given back by the thread that turns the runtime, many thousand times a second.
//! Without a pool the allocator gives such memory back to the system each time and gets it again page by page,
//! which took three times as long as the copy itself.

use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::core::lock;

/// Bytes in one piece, at most: four TLS records, which leave in one system call.
pub(crate) const PIECE: usize = 64 * 1024;

/// Pieces kept for the next ones: 1 MiB of each engine that has used TLS.
const KEPT: usize = 16;

/// Shorter ones are the allocator's affair: a piece would cost more than twice their memory.
const POOLED_FROM: usize = PIECE / 2;

/// Where the bytes begin. Records begin at a cache line, and what is encrypted 5 or 13 bytes behind that: copied from
/// here it is never at a distance that some processors copy slowly at (decision 16).
const LEAD: usize = 32;

/// The pieces of one engine that nobody uses.
#[derive(Default)]
pub(crate) struct PiecePool {
    free: Mutex<Vec<Vec<u8>>>,
}

impl fmt::Debug for PiecePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PiecePool").finish_non_exhaustive()
    }
}

impl PiecePool {
    /// A copy of `bytes`, which are no more than a piece.
    pub(crate) fn copy(self: &Arc<Self>, bytes: &[u8]) -> Bytes {
        if bytes.len() < POOLED_FROM {
            return Bytes::copy_from_slice(bytes);
        }
        let mut memory = lock(&self.free)
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(LEAD + PIECE));
        memory.resize(LEAD, 0);
        memory.extend_from_slice(bytes);
        let pool = Arc::clone(self);
        Bytes::from_owner(Piece { memory, pool })
    }
}

/// Goes back to its pool when nobody needs it any more.
struct Piece {
    memory: Vec<u8>,
    pool: Arc<PiecePool>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.memory[LEAD..]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut memory = std::mem::take(&mut self.memory);
        memory.clear();
        let mut free = lock(&self.pool.free);
        if free.len() < KEPT {
            free.push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_no_more_is_kept_than_the_pool_may() {
        let pool = Arc::new(PiecePool::default());
        let long = vec![1; PIECE];
        let first = pool.copy(&long);
        let place = first.as_ptr();
        assert_eq!(first, long);
        drop(first);
        let again = pool.copy(&long[..POOLED_FROM]);
        assert_eq!((again.as_ptr(), again.len()), (place, POOLED_FROM));
        drop(again);
        let many: Vec<_> = (0..2 * KEPT).map(|_| pool.copy(&long)).collect();
        drop(many);
        assert_eq!(lock(&pool.free).len(), KEPT);
        drop(pool.copy(b"short"));
        assert_eq!(lock(&pool.free).len(), KEPT);
    }
}
