//! JavaScript's memory, as the engine sees it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use napi::bindgen_prelude::Uint8Array;

use crate::core::chunks::{Chunk, ChunkMemory};
use crate::core::event::ChunkId;

/// The chunks that JavaScript has lent, by number.
#[derive(Default)]
pub struct Lent {
    slots: Vec<Option<Slot>>,
    free: Vec<ChunkId>,
}

struct Slot {
    /// Keeps the memory alive: held until the engine is done with the chunk, or has ended.
    _memory: Uint8Array,
    outstanding: Arc<AtomicUsize>,
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent")
            .field("slots", &self.slots.len())
            .finish_non_exhaustive()
    }
}

impl Lent {
    /// Makes a chunk of `memory`.
    ///
    /// # Panics
    /// With four billion chunks.
    pub fn add(&mut self, mut memory: Uint8Array) -> Chunk {
        // SAFETY: only the pointer and the length are taken, the slice does not live on.
        let bytes = unsafe { memory.as_mut() };
        let (start, size) = (bytes.as_mut_ptr(), bytes.len());
        let outstanding = Arc::new(AtomicUsize::new(0));
        let slot = Some(Slot {
            _memory: memory,
            outstanding: Arc::clone(&outstanding),
        });
        let id = if let Some(id) = self.free.pop() {
            self.slots[id as usize] = slot;
            id
        } else {
            self.slots.push(slot);
            ChunkId::try_from(self.slots.len() - 1).expect("fewer chunks than 4 G")
        };
        Chunk::new(id, Box::new(JsMemory { start, size }), outstanding)
    }

    /// JavaScript is done with one read into the chunk.
    pub fn consumed(&self, id: ChunkId) {
        if let Some(Some(slot)) = self.slots.get(id as usize) {
            // Release: JavaScript's last look at the bytes comes before the engine's next write.
            slot.outstanding.fetch_sub(1, Ordering::Release);
        }
    }

    /// The engine is done with the chunk.
    pub fn remove(&mut self, id: ChunkId) {
        if let Some(slot) = self.slots.get_mut(id as usize)
            && slot.take().is_some()
        {
            self.free.push(id);
        }
    }
}

/// The memory of a JavaScript `ArrayBuffer` that is lent to the engine.
#[derive(Debug)]
struct JsMemory {
    start: *mut u8,
    size: usize,
}

// SAFETY: the pointer is to memory outside of JavaScript's heap that does not move. It stays valid
// for as long as the I/O thread may use it: a reference is held in `Lent` until the engine has said
// that it is done with the chunk, and the environment's cleanup hook joins the I/O thread before
// JavaScript's memory goes. Nothing can detach it meanwhile, because no program has it: a shared
// chunk is never handed out (its bytes are copied), an own chunk only when the engine is done with it.
unsafe impl Send for JsMemory {}

impl ChunkMemory for JsMemory {
    fn size(&self) -> usize {
        self.size
    }

    fn part_mut(&mut self, offset: usize, len: usize) -> &mut [u8] {
        assert!(
            offset + len <= self.size,
            "a part lies inside of its memory"
        );
        // SAFETY: the memory is valid (see `Send` above) and the part inside of it. Nobody else
        // touches the part meanwhile: JavaScript only reads parts it has been told of, the core
        // never gives such a part out before JavaScript is done with it (`core::chunks`), and this
        // is the only `JsMemory` of the buffer.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), len) }
    }
}
