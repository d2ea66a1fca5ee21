//! The PROXY protocol's header (v1 and v2), from the bytes as they come: what a proxy says, before a
//! connection's own bytes, of the connection that it passes on. Pure: no socket is touched here.
//!
//! A stream has no ends of packets, so the danger is to read on into what belongs to the connection.
//! [`HeaderReader::wanted`] therefore never asks for more than is certain to belong to the header. That
//! takes 3 reads for a v2 header and about 7 for a v1 line, and in return there are never bytes left
//! over that somebody would have to give back.
//!
//! The crate `ppp` takes a complete header apart. What it is not asked is whether a header is complete
//! (it takes `…80 ` for wrong rather than for unfinished), and what the protocol wants ignored.

use std::net::{IpAddr, SocketAddr};

use ppp::{PartialResult, v1, v2};

use crate::core::endpoint::Endpoint;

/// The longest v1 line, by the protocol: with its CR and LF.
pub const LONGEST_V1: usize = 107;

/// The longest v2 header that is taken, in bytes. The protocol allows 64 KiB; the addresses need 232
/// at most, and what is customary behind them (TLS details, names of cloud end points) a few hundred.
pub const LONGEST_V2: usize = 4096;

/// The shortest header: `PROXY UNKNOWN\r\n`. A v2 header is at least [`V2_FIXED`] long.
const SHORTEST: usize = 15;

/// What every v2 header begins with: signature, version and command, family and transport, length.
const V2_FIXED: usize = 16;
/// The place of version and command in it.
const V2_COMMAND: usize = 12;
/// Version 2, command LOCAL.
const V2_LOCAL: u8 = 0x20;

const V1_SIGNATURE: &[u8] = b"PROXY ";
const V2_SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The two ends of a connection that a proxy passes on, as they would be without the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxied {
    /// The client: what `getpeername` would answer.
    pub source: Endpoint,
    /// Where the client connected to: what `getsockname` would answer.
    pub destination: Endpoint,
}

/// What a complete header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// The connection is the proxy's own, or from somewhere that it cannot tell: the addresses of the
    /// socket hold. (v1 `UNKNOWN`, v2 `LOCAL`, an unspecified family or transport.)
    Local,
    /// The connection is passed on.
    Proxied(Proxied),
}

/// The bytes are no PROXY header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A header that is being received.
#[derive(Debug, Default)]
pub struct HeaderReader {
    /// Never more than [`LONGEST_V2`].
    bytes: Vec<u8>,
}

impl HeaderReader {
    /// How many bytes are certain to belong to the header still: at least 1, and no more than may be
    /// given to [`HeaderReader::push`].
    #[must_use]
    pub fn wanted(&self) -> usize {
        let len = self.bytes.len();
        if len < SHORTEST {
            SHORTEST - len
        } else if self.bytes.starts_with(V1_SIGNATURE) {
            shortest_rest_of_line(&self.bytes).min(LONGEST_V1 - len)
        } else {
            self.v2_len().unwrap_or(V2_FIXED) - len
        }
    }

    /// Takes the next bytes, at most as many as [`HeaderReader::wanted`]. Answers the header when it is
    /// complete.
    ///
    /// # Errors
    /// What came so far is not the beginning of a header, or of one that is too long.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Header>, Malformed> {
        self.bytes.extend_from_slice(bytes);
        let header = self.bytes.as_slice();
        if begins(header, V1_SIGNATURE) {
            return line(header);
        }
        if !begins(header, V2_SIGNATURE) {
            return Err(Malformed);
        }
        let Some(len) = self.v2_len() else {
            return Ok(None);
        };
        // The family, the addresses and whatever else comes with LOCAL are to be ignored.
        let is_local = header[V2_COMMAND] == V2_LOCAL;
        if len > LONGEST_V2 || !is_local && !is_promising(&header[..V2_FIXED]) {
            return Err(Malformed);
        }
        if header.len() < len {
            return Ok(None);
        }
        if is_local {
            return Ok(Some(Header::Local));
        }
        let header = v2::Header::try_from(header).map_err(|_| Malformed)?;
        Ok(Some(said_by_v2(&header)))
    }

    /// The length of the whole v2 header, once that is known.
    fn v2_len(&self) -> Option<usize> {
        let [.., high, low] = *self.bytes.first_chunk::<V2_FIXED>()?;
        Some(V2_FIXED + usize::from(u16::from_be_bytes([high, low])))
    }
}

/// Whether `header` begins like `signature`, as far as it goes.
fn begins(header: &[u8], signature: &[u8]) -> bool {
    let len = header.len().min(signature.len());
    header[..len] == signature[..len]
}

/// Whether the rest of a v2 header can still make a good one of it.
fn is_promising(fixed: &[u8]) -> bool {
    let header = v2::Header::try_from(fixed);
    header.is_ok() || header.is_incomplete()
}

/// A v1 line as far as it has come.
fn line(line: &[u8]) -> Result<Option<Header>, Malformed> {
    if line.len() < SHORTEST {
        return Ok(None);
    }
    let is_unknown = line.starts_with(b"PROXY UNKNOWN ") || line.starts_with(b"PROXY UNKNOWN\r");
    if !is_unknown && !line.starts_with(b"PROXY TCP4 ") && !line.starts_with(b"PROXY TCP6 ") {
        return Err(Malformed);
    }
    let end = line.iter().position(|&byte| byte == b'\r');
    let end = end.unwrap_or(line.len());
    // CR and LF have to fit as well.
    if end > LONGEST_V1 - 2 {
        return Err(Malformed);
    }
    match line[end..] {
        [] | [b'\r'] => Ok(None),
        [b'\r', b'\n'] if is_unknown => Ok(Some(Header::Local)),
        // Rust's numbers may have a sign, those of the protocol may not.
        [b'\r', b'\n'] if !line.contains(&b'+') => {
            let header = v1::Header::try_from(line).map_err(|_| Malformed)?;
            Ok(Some(said_by_v1(&header)))
        }
        _ => Err(Malformed),
    }
}

/// How many bytes still come at least, if `line` becomes a good one. It has a protocol already.
fn shortest_rest_of_line(line: &[u8]) -> usize {
    const END: usize = 2;
    /// A space and one digit.
    const PORT: usize = 2;
    /// A space and `::`.
    const ADDRESS: usize = 3;

    if line.ends_with(b"\r") {
        return 1;
    }
    if line.starts_with(b"PROXY UNKNOWN") {
        return END;
    }
    // `PROXY TCP4 source destination port port`
    match line.split(|&byte| byte == b' ').count() {
        0..=3 => ADDRESS + PORT + PORT + END,
        4 => PORT + PORT + END,
        5 => PORT + END,
        _ => END,
    }
}

fn said_by_v1(header: &v1::Header<'_>) -> Header {
    match header.addresses {
        v1::Addresses::Unknown => Header::Local,
        v1::Addresses::Tcp4(ends) => v4(&ends),
        v1::Addresses::Tcp6(ends) => v6(&ends),
    }
}

fn said_by_v2(header: &v2::Header<'_>) -> Header {
    if header.protocol == v2::Protocol::Unspecified {
        return Header::Local;
    }
    match header.addresses {
        v2::Addresses::Unspecified => Header::Local,
        v2::Addresses::IPv4(ends) => v4(&ends),
        v2::Addresses::IPv6(ends) => v6(&ends),
        #[cfg(unix)]
        v2::Addresses::Unix(ends) => Header::Proxied(Proxied {
            source: path(&ends.source),
            destination: path(&ends.destination),
        }),
        // There are no such addresses here to speak of.
        #[cfg(not(unix))]
        v2::Addresses::Unix(_) => Header::Local,
    }
}

fn v4(ends: &v1::IPv4) -> Header {
    Header::Proxied(Proxied {
        source: tcp(ends.source_address, ends.source_port),
        destination: tcp(ends.destination_address, ends.destination_port),
    })
}

fn v6(ends: &v1::IPv6) -> Header {
    Header::Proxied(Proxied {
        source: tcp(ends.source_address, ends.source_port),
        destination: tcp(ends.destination_address, ends.destination_port),
    })
}

fn tcp(address: impl Into<IpAddr>, port: u16) -> Endpoint {
    Endpoint::Tcp(SocketAddr::new(address.into(), port))
}

/// A path ends with the first NUL; an abstract name begins with one, and ends where the padding
/// begins. No name at all is an empty path.
#[cfg(unix)]
fn path(field: &[u8]) -> Endpoint {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let is_abstract = field.first() == Some(&0);
    let len = if is_abstract {
        field.iter().rposition(|&byte| byte != 0).map(|at| at + 1)
    } else {
        field.iter().position(|&byte| byte == 0)
    };
    let len = len.unwrap_or(if is_abstract { 0 } else { field.len() });
    Endpoint::Unix(OsStr::from_bytes(&field[..len]).into())
}
