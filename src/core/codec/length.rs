//! The header of a framed message.
//!
//! ```text
//! length 0..=254:  [ length ]                  payload
//! length >= 255:   [ ff ] [ length, 4 bytes ]  payload
//! ```
//!
//! The long form is big-endian and may carry a small length as well. The length counts the bytes of
//! the payload.

/// The first byte of the long form.
const LONG: u8 = 0xff;

/// Bytes of the long form.
pub const LONGEST_HEADER: usize = 5;

/// A header, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the header itself.
    pub len: usize,
    /// Bytes of the payload behind it.
    pub payload: u32,
}

/// The header at the beginning of `bytes`; `Err` is how many bytes of it are missing, as far as can
/// be known.
///
/// # Errors
/// `bytes` ends before the header does.
pub fn parse(bytes: &[u8]) -> Result<Header, usize> {
    match *bytes {
        [] => Err(1),
        [LONG, a, b, c, d, ..] => Ok(Header {
            len: LONGEST_HEADER,
            payload: u32::from_be_bytes([a, b, c, d]),
        }),
        [LONG, ..] => Err(LONGEST_HEADER - bytes.len()),
        [length, ..] => Ok(Header {
            len: 1,
            payload: length.into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_their_border() {
        assert_eq!(parse(&[0]), Ok(Header { len: 1, payload: 0 }));
        assert_eq!(
            parse(&[254, 9]),
            Ok(Header {
                len: 1,
                payload: 254
            })
        );
        assert_eq!(
            parse(&[255, 0, 0, 0, 255]),
            Ok(Header {
                len: 5,
                payload: 255
            })
        );
        assert_eq!(
            parse(&[255, 0, 0, 0, 3, b'a']),
            Ok(Header { len: 5, payload: 3 })
        );
        assert_eq!(
            parse(&[255, 255, 255, 255, 255]),
            Ok(Header {
                len: 5,
                payload: u32::MAX
            })
        );
    }

    #[test]
    fn a_header_in_parts_says_what_is_missing() {
        assert_eq!(parse(&[]), Err(1));
        assert_eq!(parse(&[255]), Err(4));
        assert_eq!(parse(&[255, 0, 0, 0]), Err(1));
    }
}
