//! The hello that a value stream begins with, in both directions.
//!
//! ```text
//! offset  0            4        5      6      7  8
//!         D5 44 53 4B  version  codec  flags  0  longest message that is taken, big-endian
//! ```
//!
//! It is looked at byte by byte: whoever speaks something else is found out with the first byte that is
//! wrong, however few have come. No text protocol has that first byte.

/// Bytes of a hello.
pub const LEN: usize = 12;

const MAGIC: [u8; 4] = [0xd5, b'D', b'S', b'K'];
const VERSION: u8 = 1;
/// The flag by which the peer says that it does not want the connection.
const REFUSED: u8 = 1;

const VERSION_AT: usize = 4;
const CODEC_AT: usize = 5;

/// How many bytes of a stranger are told: enough to see who it is.
pub const SHOWN: usize = 8;

/// A hello of the right version and codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The peer does not want the connection.
    pub refused: bool,
    /// The longest message that the peer takes, in bytes.
    pub max_message: u32,
}

/// What came in place of a hello: its first bytes, as far as they had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stranger {
    /// The bytes, then zeros.
    pub start: [u8; SHOWN],
    /// How many they are.
    pub len: u8,
}

/// What the beginning of a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// So far, it may become a hello.
    Begun,
    /// A hello, to be found in the first [`LEN`] bytes.
    Hello(Hello),
    /// A hello of another version. What follows may be anything.
    OtherVersion(u8),
    /// A hello that announces another codec.
    OtherCodec(u8),
    /// No hello.
    Stranger(Stranger),
}

/// Looks at the first bytes of a stream. `codec` is the number of the one that is wanted.
///
/// Flags that are not known, and the byte behind them, are for later versions, and passed over.
#[must_use]
pub fn parse(bytes: &[u8], codec: u8) -> Parsed {
    if bytes.iter().zip(&MAGIC).any(|(byte, magic)| byte != magic) {
        let mut stranger = Stranger::default();
        for (to, from) in stranger.start.iter_mut().zip(bytes) {
            *to = *from;
            stranger.len += 1;
        }
        return Parsed::Stranger(stranger);
    }
    if let Some(version) = bytes.get(VERSION_AT)
        && *version != VERSION
    {
        return Parsed::OtherVersion(*version);
    }
    if let Some(other) = bytes.get(CODEC_AT)
        && *other != codec
    {
        return Parsed::OtherCodec(*other);
    }
    match *bytes {
        [_, _, _, _, _, _, flags, _, a, b, c, d, ..] => Parsed::Hello(Hello {
            refused: flags & REFUSED != 0,
            max_message: u32::from_be_bytes([a, b, c, d]),
        }),
        _ => Parsed::Begun,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CBOR: u8 = 1;
    const GOOD: [u8; LEN] = [0xd5, 0x44, 0x53, 0x4b, 1, CBOR, 0, 0, 0, 1, 0, 2];

    fn with(at: usize, byte: u8) -> [u8; LEN] {
        let mut bytes = GOOD;
        bytes[at] = byte;
        bytes
    }

    #[test]
    fn a_hello_is_one_when_it_is_whole() {
        for len in 0..LEN {
            assert_eq!(parse(&GOOD[..len], CBOR), Parsed::Begun);
        }
        let hello = |refused| {
            Parsed::Hello(Hello {
                refused,
                max_message: 0x1_0002,
            })
        };
        assert_eq!(parse(&GOOD, CBOR), hello(false));
        assert_eq!(parse(&[&GOOD[..], b"more"].concat(), CBOR), hello(false));
        assert_eq!(parse(&with(6, 1), CBOR), hello(true));
        // What a later version may say there.
        assert_eq!(parse(&with(6, 0xfe), CBOR), hello(false));
        assert_eq!(parse(&with(7, 0xff), CBOR), hello(false));
    }

    #[test]
    fn the_first_wrong_byte_is_enough() {
        for at in 0..MAGIC.len() {
            let bytes = with(at, b'G');
            for len in at + 1..=LEN {
                let Parsed::Stranger(stranger) = parse(&bytes[..len], CBOR) else {
                    panic!("{at} is wrong");
                };
                let shown = len.min(SHOWN);
                assert_eq!(usize::from(stranger.len), shown);
                assert_eq!(stranger.start[..shown], bytes[..shown]);
            }
            if at > 0 {
                assert_eq!(parse(&bytes[..at], CBOR), Parsed::Begun);
            }
        }
        for len in 5..=LEN {
            assert_eq!(parse(&with(4, 2)[..len], CBOR), Parsed::OtherVersion(2));
        }
        for len in 6..=LEN {
            assert_eq!(parse(&with(5, 9)[..len], CBOR), Parsed::OtherCodec(9));
        }
    }
}
