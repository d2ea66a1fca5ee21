//! What is to be sent, and to whom. Pure.
//!
//! Payloads lie side by side, and beside them a list says how long each is and where it goes. So those of one
//! size to one destination can be given to the system as one piece (see [`super::udp::Udp::send`]).

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::core::datagram::run::{ADDRESSED, take_address};

/// One datagram to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Where it goes.
    pub to: SocketAddr,
    /// Bytes of its payload.
    pub len: usize,
}

/// The list in `integers`: for each datagram its length, with [`ADDRESSED`] followed by where it goes (see
/// [`put_address`](super::run::put_address)), otherwise it goes where the one before goes. It ends where it makes no sense.
pub fn read_list(integers: impl IntoIterator<Item = u32>) -> impl Iterator<Item = Parcel> {
    let mut integers = integers.into_iter();
    let mut to = None;
    std::iter::from_fn(move || {
        let first = integers.next()?;
        if first & ADDRESSED != 0 {
            to = take_address(|| integers.next());
        }
        Some(Parcel {
            to: to?,
            len: (first & !ADDRESSED) as usize,
        })
    })
}

/// Datagrams that wait for the system to take them.
#[derive(Debug, Default)]
pub struct ParcelQueue {
    waiting: VecDeque<(SocketAddr, Bytes)>,
    len: usize,
}

impl ParcelQueue {
    /// Whether nothing waits, so that the owner's thread may send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Takes a copy of `payloads`, which are those of `list`.
    pub fn push(&mut self, payloads: &[u8], list: &[Parcel]) {
        let mut all = Bytes::copy_from_slice(payloads);
        for parcel in list {
            let payload = all.split_to(parcel.len.min(all.len()));
            self.len += payload.len();
            self.waiting.push_back((parcel.to, payload));
        }
    }

    /// What is next.
    #[must_use]
    pub fn front(&self) -> Option<(SocketAddr, Bytes)> {
        self.waiting.front().cloned()
    }

    /// The next one is with the system, or never will be. Answers whether nothing waits any more.
    pub fn pop(&mut self) -> bool {
        if let Some((_, payload)) = self.waiting.pop_front() {
            self.len -= payload.len();
        }
        if self.waiting.is_empty() {
            // An idle socket keeps no buffer.
            self.waiting = VecDeque::new();
        }
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::datagram::run::put_address;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_list_is_read_back() {
        let [one, other] = [address("127.0.0.1:1"), address("[fe80::1%2]:3")];
        let mut integers = vec![5 | ADDRESSED];
        put_address(one, |value| integers.push(value));
        integers.extend([0, 7 | ADDRESSED]);
        put_address(other, |value| integers.push(value));
        let parcels: Vec<_> = read_list(integers)
            .map(|Parcel { to, len }| (to, len))
            .collect();
        assert_eq!(parcels, [(one, 5), (one, 0), (other, 7)]);
    }

    #[test]
    fn a_list_ends_where_it_makes_no_sense() {
        assert_eq!(read_list([5]).count(), 0);
        assert_eq!(read_list([5 | ADDRESSED, 80]).count(), 0);
        assert_eq!(read_list([5 | ADDRESSED, 80, 1, 2 | ADDRESSED]).count(), 1);
    }

    #[test]
    fn what_waits_goes_out_in_order() {
        let to = address("127.0.0.1:1");
        let mut queue = ParcelQueue::default();
        let list = [3, 0, 2].map(|len| Parcel { to, len });
        queue.push(b"abcde", &list);
        assert_eq!(queue.len(), 5);
        let mut sent = Vec::new();
        while let Some((_, payload)) = queue.front() {
            sent.push(payload);
            let is_empty = queue.pop();
            assert_eq!(is_empty, sent.len() == 3);
        }
        assert_eq!(sent, [&b"abc"[..], b"", b"de"]);
        assert_eq!(queue.len(), 0);
    }
}
