//! The allocator of the addon: the system's, with memory of some pages aligned to cache lines.
//!
//! The C library copies more than a few kilobytes with one instruction, which some processors (AMD Zen 4, for one) do
//! some thirty times slower where the two addresses are 1 to 15 bytes apart modulo 4096. Memory of the system is aligned to
//! 16 bytes, and what comes out of a TLS record lies 5 or 13 bytes behind its beginning: whether copying it was slow was a matter
//! of luck, for as long as a connection lived. Between addresses of which one is aligned to 64 bytes and the other one 5
//! or 13 behind such a one it never is. Decision 16 has the numbers, and why it is not another allocator.

use std::alloc::{GlobalAlloc, Layout, System};

/// A cache line.
const LINE: usize = 64;

/// What is shorter is not copied that way; what is longer has pages of its own, where all begins at the same place.
const ALIGNED: std::ops::Range<usize> = 4096..128 * 1024;

struct Aligned;

/// What the system is asked for in place of `layout`. It depends on nothing else, so that memory goes back as it came.
fn aligned(layout: Layout) -> Layout {
    if ALIGNED.contains(&layout.size()) {
        layout.align_to(LINE).unwrap_or(layout)
    } else {
        layout
    }
}

// SAFETY: each call goes to the system's allocator, which keeps the contract; memory is given back with the layout that it
// was asked for with, because `aligned` gives the same for the same layout. The alignment is never less than asked for.
unsafe impl GlobalAlloc for Aligned {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, that the size is not 0, holds for the aligned layout as well.
        unsafe { System.alloc(aligned(layout)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(aligned(layout)) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: it was asked for with that layout.
        unsafe { System.dealloc(memory, aligned(layout)) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !ALIGNED.contains(&layout.size()) && !ALIGNED.contains(&size) {
            // SAFETY: it was asked for with `layout`, and the new one would not be another either.
            return unsafe { System.realloc(memory, layout, size) };
        }
        // SAFETY: the caller promises that `size` is not 0 and, rounded up to the alignment, not too long. The two are not
        // the same memory, and both have as many bytes as are copied. The old one is given back once.
        unsafe {
            let larger = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !larger.is_null() {
                memory.copy_to_nonoverlapping(larger, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            larger
        }
    }
}

#[global_allocator]
static ALLOCATOR: Aligned = Aligned;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_some_pages_is_aligned_however_it_came_about() {
        let mut bytes: Vec<u8> = (0..100).collect();
        for size in [5000, 20_000, 127 * 1024, 300_000, 50_000, 4096] {
            bytes.resize(size, 1);
            bytes.shrink_to_fit();
            if ALIGNED.contains(&bytes.capacity()) {
                assert_eq!(bytes.as_ptr().addr() % LINE, 0, "{size} bytes");
            }
            assert!(bytes.iter().take(100).copied().eq(0..100));
        }
        let zeroed = vec![0_u8; 10_000];
        assert_eq!(zeroed.as_ptr().addr() % LINE, 0);
    }
}
