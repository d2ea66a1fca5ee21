//! The allocator of the addon: the system's, with memory of some pages aligned to cache lines.
//!
//! The C library copies more than a few kilobytes with one instruction, which some processors (AMD Zen 4, for one) do
//! some thirty times slower where the destination is 1 to 15 bytes ahead of the source modulo 4096. Memory of the system is
//! aligned to 16 bytes, and what comes out of a TLS record lies 5 or 13 bytes behind its beginning: whether copying it was slow
//! was a matter of luck, for as long as a connection lived. To an address that is aligned to 64 bytes, from one that is 5 or
//! 13 behind such a one, it never is. Decision 16 has the numbers, and why it is not another allocator.

use std::alloc::{GlobalAlloc, Layout, System};

/// A cache line.
const LINE: usize = 64;

/// What is shorter is not copied that way; what is longer is mostly mapped, and then all begins at the same place of a page.
const ALIGNED: std::ops::Range<usize> = 4096..128 * 1024;

struct Aligned;

/// What the system is asked for instead, if memory of this layout is to be aligned here: one line more. Not by its own
/// aligned allocation, which leaves holes that it does not use again.
fn widened(layout: Layout) -> Option<Layout> {
    if !ALIGNED.contains(&layout.size()) || layout.align() > LINE {
        return None;
    }
    let align = layout.align().max(align_of::<*mut u8>());
    Layout::from_size_align(layout.size() + LINE, align).ok()
}

/// The first line in `memory`, which is of a widened layout, with the address of `memory` in front of it.
///
/// # Safety
/// `memory` has a line more than is needed behind what this returns, and is aligned to a pointer.
#[allow(
    clippy::cast_ptr_alignment,
    reason = "what is cast is aligned to a line"
)]
unsafe fn line_in(memory: *mut u8) -> *mut u8 {
    let ahead = LINE - memory.addr() % LINE;
    // SAFETY: 8 to 64 bytes ahead, as addresses are multiples of a pointer's size: within the line that is more, and with room for
    // a pointer in front.
    unsafe {
        let line = memory.add(ahead);
        line.cast::<*mut u8>().sub(1).write(memory);
        line
    }
}

/// Memory of `layout` from `allocate`, which is asked for a line more where it is to be aligned.
///
/// # Safety
/// `allocate` gives memory of the layout that it is asked for, or none.
unsafe fn placed(layout: Layout, allocate: impl FnOnce(Layout) -> *mut u8) -> *mut u8 {
    let Some(widened) = widened(layout) else {
        return allocate(layout);
    };
    let memory = allocate(widened);
    if memory.is_null() {
        return memory;
    }
    // SAFETY: it is of a widened layout, which is aligned to a pointer and a line longer.
    unsafe { line_in(memory) }
}

// SAFETY: each call goes to the system's allocator, which keeps the contract. `widened` gives the same for the same layout, so
// that memory goes back as it came; the alignment is never less than asked for, and the size neither.
unsafe impl GlobalAlloc for Aligned {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, that the size is not 0, holds for the wider one as well.
        unsafe { placed(layout, |layout| System.alloc(layout)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above; what is written to it is in front of what the caller gets.
        unsafe { placed(layout, |layout| System.alloc_zeroed(layout)) }
    }

    #[allow(
        clippy::cast_ptr_alignment,
        reason = "what is cast is aligned to a line"
    )]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: it is of `alloc` or `alloc_zeroed` with that layout, so it has its address in front where it was widened.
        unsafe {
            match widened(layout) {
                None => System.dealloc(memory, layout),
                Some(widened) => System.dealloc(memory.cast::<*mut u8>().sub(1).read(), widened),
            }
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `size` is not 0 and, rounded up to the alignment, not too long. Where neither is
        // widened, it is the system's own. Else the two are not the same memory, and both have as many bytes as are copied. The
        // old one is given back once.
        unsafe {
            let new = Layout::from_size_align_unchecked(size, layout.align());
            if widened(layout).is_none() && widened(new).is_none() {
                return System.realloc(memory, layout, size);
            }
            let moved = self.alloc(new);
            if !moved.is_null() {
                memory.copy_to_nonoverlapping(moved, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            moved
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
        assert!(zeroed.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn larger_alignments_are_the_systems_affair() {
        let layout = Layout::from_size_align(8192, 4096).expect("a layout");
        // SAFETY: the size is not 0, and it goes back with its layout.
        unsafe {
            let memory = std::alloc::alloc(layout);
            assert_eq!(memory.addr() % 4096, 0);
            std::alloc::dealloc(memory, layout);
        }
    }
}
