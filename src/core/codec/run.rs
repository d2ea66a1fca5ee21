//! How messages lie in a chunk when the owner gets them: many in one piece, so that it costs the owner
//! a step in a loop to take the next one.
//!
//! ```text
//! payload payload payload … | padding | i32 i32 i32 … | i32
//! one behind the other        to 4      one each        how many
//! ```
//!
//! The integers are in the machine's byte order. One is the length of its message: in numbers for
//! [`ValueType::Numbers`], in bytes otherwise; and for text that is not all ASCII, the bitwise
//! complement of it (a negative number). The payloads start at a multiple of 8, so numbers are aligned.
//!
//! [`ValueType::Numbers`]: crate::core::codec::ValueType::Numbers

/// Bytes of one integer.
const INT: usize = size_of::<i32>();

/// Writes one run into a piece of memory.
#[derive(Debug)]
pub struct RunWriter<'a> {
    window: &'a mut [u8],
    used: usize,
    entries: &'a mut Vec<i32>,
}

impl<'a> RunWriter<'a> {
    /// A run in `window`. `entries` is memory to work with; what is in it is thrown away.
    pub fn new(window: &'a mut [u8], entries: &'a mut Vec<i32>) -> Self {
        entries.clear();
        Self {
            window,
            used: 0,
            entries,
        }
    }

    /// The longest payload there is room for.
    #[must_use]
    pub fn room(&self) -> usize {
        // Three more than the integers need, for the padding.
        let table = (self.entries.len() + 2) * INT + (INT - 1);
        self.window.len().saturating_sub(self.used + table)
    }

    /// Adds a message: `entry` is its integer, and the answer the place for its `len` bytes, which is
    /// at most [`RunWriter::room`].
    pub fn push(&mut self, entry: i32, len: usize) -> &mut [u8] {
        debug_assert!(len <= self.room());
        self.entries.push(entry);
        let at = self.used;
        self.used += len;
        &mut self.window[at..at + len]
    }

    /// Ends the run and answers its length in bytes; 0 if there is no message in it.
    ///
    /// # Panics
    /// With two billion messages.
    #[must_use]
    pub fn finish(self) -> usize {
        if self.entries.is_empty() {
            return 0;
        }
        let count =
            i32::try_from(self.entries.len()).expect("fewer messages than bytes in a chunk");
        let mut at = self.used.next_multiple_of(INT);
        for value in self.entries.iter().chain([&count]) {
            self.window[at..at + INT].copy_from_slice(&value.to_ne_bytes());
            at += INT;
        }
        at
    }
}

/// What the owner reads: the integers and the payloads' bytes of the run `bytes`.
///
/// # Panics
/// `bytes` is no run.
#[must_use]
pub fn entries(bytes: &[u8]) -> Vec<i32> {
    let (ints, rest) = bytes.as_chunks::<INT>();
    assert!(rest.is_empty(), "a run ends with its integers");
    let ints: Vec<i32> = ints.iter().copied().map(i32::from_ne_bytes).collect();
    let (count, before) = ints.split_last().expect("a run has a count");
    let count = usize::try_from(*count).expect("a count");
    before[before.len() - count..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_then_integers_then_their_count() {
        let mut window = [0xaa; 64];
        let mut memory = vec![7];
        let mut run = RunWriter::new(&mut window, &mut memory);
        run.push(3, 3).copy_from_slice(b"abc");
        run.push(!2, 2).copy_from_slice(b"de");
        let len = run.finish();
        assert_eq!(len, 8 + 3 * INT);
        assert_eq!(&window[..5], b"abcde");
        assert_eq!(entries(&window[..len]), [3, !2]);
    }

    #[test]
    fn the_room_is_what_fits() {
        let mut memory = Vec::new();
        for size in 0..64 {
            let mut window = vec![0; size];
            let mut run = RunWriter::new(&mut window, &mut memory);
            let mut pushed = 0;
            while run.room() > 0 {
                let len = run.room().min(5);
                run.push(0, len);
                pushed += 1;
            }
            let len = run.finish();
            assert!(len <= size);
            assert_eq!(len > 0, pushed > 0);
        }
    }
}
