//! Datagrams and their addresses as one piece of memory. Pure.
//!
//! A run is a row of datagrams, each of them at a multiple of 4 bytes:
//!
//! | integers of 32 bits, in the machine's order | |
//! | --- | --- |
//! | 1 | bytes of the payload; with [`ADDRESSED`] the source follows, otherwise it is that of the one before |
//! | 2 (IPv4) or 6 (IPv6), if [`ADDRESSED`] | the source, see [`put_address`] |
//!
//! and then the payload. The first of a run is always [`ADDRESSED`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// An address follows the length.
pub const ADDRESSED: u32 = 1 << 31;

/// Of an address' first integer, whose lower half is the port: it is one of IPv6.
pub const IPV6: u32 = 1 << 16;

/// The most that one datagram takes beside its payload.
pub const MOST_AROUND: usize = 4 * (1 + 6) + 3;

/// An address as integers: the port, and [`IPV6`]; then IPv4's address as one number, or the four parts of
/// IPv6's and its scope.
pub fn put_address(address: SocketAddr, mut put: impl FnMut(u32)) {
    let port = u32::from(address.port());
    match address {
        SocketAddr::V4(v4) => {
            put(port);
            put(u32::from(*v4.ip()));
        }
        SocketAddr::V6(v6) => {
            put(port | IPV6);
            for part in v6.ip().octets().as_chunks::<4>().0 {
                put(u32::from_be_bytes(*part));
            }
            put(v6.scope_id());
        }
    }
}

/// The reverse of [`put_address`]; `None` where `next` ends too early.
pub fn take_address(mut next: impl FnMut() -> Option<u32>) -> Option<SocketAddr> {
    let first = next()?;
    let port = u16::try_from(first & 0xffff).ok()?;
    if first & IPV6 == 0 {
        let ip = Ipv4Addr::from(next()?);
        return Some(SocketAddr::V4(SocketAddrV4::new(ip, port)));
    }
    let mut octets = [0; 16];
    for part in octets.as_chunks_mut::<4>().0 {
        *part = next()?.to_be_bytes();
    }
    let ip = Ipv6Addr::from(octets);
    Some(SocketAddr::V6(SocketAddrV6::new(ip, port, 0, next()?)))
}

/// The address without what is of no interest to anybody: the flow, and that an IPv6 socket has IPv4's
/// addresses as some of IPv6's.
#[must_use]
pub fn plain(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(v6) => match v6.ip().to_canonical() {
            IpAddr::V4(ip) => SocketAddr::V4(SocketAddrV4::new(ip, v6.port())),
            IpAddr::V6(ip) => SocketAddr::V6(SocketAddrV6::new(ip, v6.port(), 0, v6.scope_id())),
        },
    }
}

/// Writes a run.
#[derive(Debug)]
pub struct RunWriter<'a> {
    memory: &'a mut [u8],
    len: usize,
    count: u32,
    source: Option<SocketAddr>,
}

impl<'a> RunWriter<'a> {
    /// An empty run in `memory`, which is aligned for integers.
    pub fn new(memory: &'a mut [u8]) -> Self {
        Self {
            memory,
            len: 0,
            count: 0,
            source: None,
        }
    }

    /// Bytes written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Datagrams written.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a datagram, unless there may be too little room.
    #[must_use]
    pub fn push(&mut self, source: SocketAddr, payload: &[u8]) -> bool {
        if self.memory.len() - self.len < MOST_AROUND + payload.len() {
            return false;
        }
        // No datagram has 2^31 bytes.
        let len = u32::try_from(payload.len()).unwrap_or(0);
        if self.source == Some(source) {
            self.put(len);
        } else {
            self.put(len | ADDRESSED);
            put_address(plain(source), |value| self.put(value));
            self.source = Some(source);
        }
        self.memory[self.len..self.len + payload.len()].copy_from_slice(payload);
        self.len = (self.len + payload.len()).next_multiple_of(4);
        self.count += 1;
        true
    }

    fn put(&mut self, value: u32) {
        self.memory[self.len..self.len + 4].copy_from_slice(&value.to_ne_bytes());
        self.len += 4;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a run back.
    fn read(run: &[u8]) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut at = 0;
        let mut source = None;
        let mut datagrams = Vec::new();
        let next = |at: &mut usize| {
            let bytes = run[*at..*at + 4].try_into().expect("four bytes");
            *at += 4;
            u32::from_ne_bytes(bytes)
        };
        while at < run.len() {
            let first = next(&mut at);
            if first & ADDRESSED != 0 {
                source = take_address(|| Some(next(&mut at)));
            }
            let len = (first & !ADDRESSED) as usize;
            let payload = run[at..at + len].to_vec();
            datagrams.push((source.expect("the first has one"), payload));
            at = (at + len).next_multiple_of(4);
        }
        datagrams
    }

    #[test]
    fn a_source_is_written_once() {
        let source = "127.0.0.1:7".parse().expect("an address");
        let mut memory = vec![0; 1000];
        let mut run = RunWriter::new(&mut memory);
        assert!(run.push(source, b"abcd"));
        assert_eq!(run.len(), 16);
        assert!(run.push(source, b""));
        assert!(run.push(source, b"e"));
        assert_eq!((run.len(), run.count()), (28, 3));
    }

    #[test]
    fn what_may_not_fit_is_refused() {
        let source = "[::1]:7".parse().expect("an address");
        let mut memory = vec![0; MOST_AROUND + 4];
        let mut run = RunWriter::new(&mut memory);
        assert!(!run.push(source, b"12345"));
        assert!(run.is_empty());
        assert!(run.push(source, b"1234"));
    }

    #[test]
    fn addresses_of_ipv4_are_told_as_such() {
        let mapped = "[::ffff:192.168.1.2]:7".parse().expect("an address");
        assert_eq!(plain(mapped), "192.168.1.2:7".parse().expect("an address"));
        let scoped = "[fe80::1%3]:7".parse().expect("an address");
        assert_eq!(plain(scoped), scoped);
    }

    fn any_address() -> impl Strategy<Value = SocketAddr> {
        (any::<bool>(), any::<[u8; 16]>(), any::<u16>(), any::<u32>()).prop_map(
            |(is_v4, octets, port, scope)| {
                if is_v4 {
                    let [a, b, c, d, ..] = octets;
                    SocketAddr::from(([a, b, c, d], port))
                } else {
                    SocketAddr::V6(SocketAddrV6::new(octets.into(), port, 0, scope))
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            sources in prop::collection::vec(any_address(), 1..4),
            datagrams in prop::collection::vec((0usize..3, prop::collection::vec(any::<u8>(), 0..60)), 0..20),
        ) {
            let mut memory = vec![0; 4096];
            let mut run = RunWriter::new(&mut memory);
            let mut expected = Vec::new();
            for (source, payload) in datagrams {
                let source = sources[source % sources.len()];
                prop_assert!(run.push(source, &payload));
                expected.push((plain(source), payload));
            }
            let len = run.len();
            prop_assert_eq!(read(&memory[..len]), expected);
        }
    }
}
