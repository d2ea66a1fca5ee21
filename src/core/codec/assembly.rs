//! What a decoder keeps between two rounds of messages that are not whole.
//!
//! Memory grows with what has come, never with what a header promises.

use std::mem;

/// A longer message that is not all in the window is put together by itself.
pub const SMALL: usize = 16 * 1024;

/// A large message's memory grows by at least this much.
const GROWTH: usize = 64 * 1024;

/// Bytes for the beginning of the next window.
#[derive(Debug, Default)]
pub(super) struct Rest {
    bytes: Vec<u8>,
    /// How many of them are in this round's window.
    begun: usize,
    /// There was not room for all of them.
    is_cut: bool,
}

impl Rest {
    /// Puts them at the beginning of `window`, as far as there is room, and answers how many.
    pub(super) fn begin(&mut self, window: &mut [u8]) -> usize {
        self.begun = self.bytes.len().min(window.len());
        window[..self.begun].copy_from_slice(&self.bytes[..self.begun]);
        self.begun
    }

    /// Keeps `rest` for the next round, before what was not in this one's window.
    pub(super) fn keep(&mut self, rest: &[u8]) {
        let behind = &self.bytes[self.begun..];
        self.is_cut = !behind.is_empty();
        // A new one each time, of the right size: an idle stream keeps no buffer.
        self.bytes = [rest, behind].concat();
        self.begun = 0;
    }

    /// Whether the last round had not all of them in its window; once.
    pub(super) fn take_cut(&mut self) -> bool {
        mem::take(&mut self.is_cut)
    }

    /// All of them, at the end of the stream.
    pub(super) fn take(&mut self) -> Vec<u8> {
        mem::take(&mut self.bytes)
    }
}

/// A large message of which something is missing.
#[derive(Debug)]
pub(super) struct Large {
    bytes: Vec<u8>,
    missing: usize,
}

impl Large {
    pub(super) fn new(begin: &[u8], missing: usize) -> Self {
        Self {
            bytes: begin.to_vec(),
            missing,
        }
    }

    pub(super) fn missing(&self) -> usize {
        self.missing
    }

    /// Where more may be read to, and how much.
    pub(super) fn room(&mut self) -> (&mut Vec<u8>, usize) {
        let growth = self.missing.min(self.bytes.len().max(GROWTH));
        self.bytes.reserve_exact(growth);
        (&mut self.bytes, growth)
    }

    /// Copies its part of `bytes`, and answers how many those are.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let len = self.missing.min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..len]);
        self.missing -= len;
        len
    }

    /// So many bytes were read to where [`Large::room`] said. Answers the message once it is whole.
    pub(super) fn advance(large: &mut Option<Self>, len: usize) -> Option<Vec<u8>> {
        let unfinished = large.as_mut()?;
        unfinished.missing -= len;
        if unfinished.missing > 0 {
            return None;
        }
        large.take().map(|whole| whole.bytes)
    }
}
