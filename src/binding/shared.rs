//! The arrays of integers that this module and JavaScript both read and write.

use std::fmt;

use napi::bindgen_prelude::Int32Array;

use crate::binding::encode::WIDTH;

/// Integers before the first event.
const HEADER: usize = 4;

/// Of [`Cell::WantedOwn`]: where the number of pieces begins.
pub const PIECES: usize = 16;

/// A cell of the header.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub enum Cell {
    /// Shared chunks that JavaScript should add.
    WantedShared = 0,
    /// Own chunks that JavaScript should add; from bit [`PIECES`] on, how many of 64 KiB.
    WantedOwn = 1,
    /// Bytes in the queue after the last write.
    Queued = 2,
    /// Datagrams taken by the last send of some.
    Sent = 3,
}

/// The array: a header, then as many events as there is room for.
pub struct Shared(Int32Array);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.0.len()).finish()
    }
}

impl Shared {
    /// `None` where there is not even room for one event.
    pub fn new(array: Int32Array) -> Option<Self> {
        (array.len() >= HEADER + WIDTH).then_some(Self(array))
    }

    /// Events there is room for.
    pub fn room(&self) -> usize {
        (self.0.len() - HEADER) / WIDTH
    }

    /// Sets a cell of the header.
    pub fn set(&mut self, cell: Cell, value: usize) {
        self.cells_mut()[cell as usize] = i32::try_from(value).unwrap_or(i32::MAX);
    }

    /// Sets an event; `index` is less than [`Shared::room`].
    pub fn set_event(&mut self, index: usize, row: [i32; WIDTH]) {
        let at = HEADER + index * WIDTH;
        self.cells_mut()[at..at + WIDTH].copy_from_slice(&row);
    }

    fn cells_mut(&mut self) -> &mut [i32] {
        cells_mut(&mut self.0)
    }
}

/// Integers per send: in, the handle, the place in the slab and the length; out, the same handle and
/// place, then bytes accepted or an errno, then bytes queued.
const SEND_WIDTH: usize = 4;

/// Sends that JavaScript has put together, for one call.
pub struct Sends(Int32Array);

impl fmt::Debug for Sends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sends").field(&self.0.len()).finish()
    }
}

impl Sends {
    /// Rows of sends.
    pub fn new(array: Int32Array) -> Self {
        Self(array)
    }

    /// Calls `send(id, at, len)` for the first `count` rows, and notes its answers: bytes accepted or
    /// an errno, and bytes queued.
    pub fn each(&mut self, count: usize, mut send: impl FnMut(u32, usize, usize) -> (i32, i32)) {
        let (rows, _) = cells_mut(&mut self.0).as_chunks_mut::<SEND_WIDTH>();
        for [id, at, result, queued] in rows.iter_mut().take(count) {
            let [at, len] = [*at, *result].map(|value| usize::try_from(value).unwrap_or(0));
            (*result, *queued) = send(id.cast_unsigned(), at, len);
        }
    }
}

fn cells_mut(array: &mut Int32Array) -> &mut [i32] {
    // SAFETY: the reference in the `Int32Array` keeps the memory alive, and the slice does not
    // outlive the call from JavaScript that we are in, so JavaScript does not run meanwhile. No
    // other thread has the array.
    unsafe { array.as_mut() }
}
