//! The bytes that travel, and the opening of connections that are known to work.

use crate::Result;
use crate::args::Args;
use crate::report::STALL;
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

pub(crate) const MESSAGE: usize = 64;
pub(crate) const BLOCK: usize = 64 * 1024;

/// Connections opened before the first of them must have answered. Below the smallest usual
/// backlog, so a slow server never makes the kernel drop a SYN (which would cost a second each).
const WAVE: usize = 100;

/// Message `sequence` of connection `connection`. Each differs from each other one in every word,
/// so a message that is lost, doubled, moved or given to another connection is noticed.
pub(crate) fn message(connection: usize, sequence: u64) -> [u8; MESSAGE] {
    let seed = ((connection as u64) << 40 ^ sequence).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut bytes = [0; MESSAGE];
    for (word, chunk) in (1u64..).zip(bytes.chunks_exact_mut(8)) {
        chunk.copy_from_slice(&seed.wrapping_mul(2 * word + 1).to_le_bytes());
    }
    bytes
}

/// The block that bulk transfers repeat; `bench/programs/source-server.js` writes the same one. Its
/// rows of 256 bytes differ, so a shifted stream is noticed.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low byte is what is wanted"
)]
pub(crate) fn block() -> Vec<u8> {
    (0..BLOCK).map(|i| (i * 31 + (i >> 8)) as u8).collect()
}

/// Makes closing send RST: the port is free at once, where FIN would leave it in `TIME_WAIT` for a
/// minute.
pub(crate) fn reset_on_close<'s, S>(stream: &'s S) -> Result<()>
where
    SockRef<'s>: From<&'s S>,
{
    Ok(SockRef::from(stream).set_linger(Some(Duration::ZERO))?)
}

/// A connection to the server, over TCP or over a Unix socket. The latter comes in the type of the
/// former: reading, writing, shutting down and time limits are the same calls for both, and the rest
/// of this program does the same with both.
pub(crate) fn open(args: &Args) -> Result<TcpStream> {
    let failed = |error| format!("cannot connect: {error}");
    let stream = if let Some(path) = &args.path {
        OwnedFd::from(UnixStream::connect(path).map_err(failed)?).into()
    } else {
        let stream = TcpStream::connect_timeout(&args.address, STALL).map_err(failed)?;
        stream.set_nodelay(true)?;
        stream
    };
    stream.set_read_timeout(Some(STALL))?;
    stream.set_write_timeout(Some(STALL))?;
    Ok(stream)
}

/// Opens connections to an echo server and sends message 0 over each and back, so all of them are
/// accepted and in use.
pub(crate) fn open_used(args: &Args, count: usize) -> Result<Vec<TcpStream>> {
    let mut streams: Vec<TcpStream> = Vec::with_capacity(count);
    while streams.len() < count {
        let first = streams.len();
        for id in first..count.min(first + WAVE) {
            let mut stream = open(args)?;
            reset_on_close(&stream)?;
            stream.write_all(&message(id, 0))?;
            streams.push(stream);
        }
        for (id, stream) in streams.iter_mut().enumerate().skip(first) {
            let mut reply = [0; MESSAGE];
            stream
                .read_exact(&mut reply)
                .map_err(|error| format!("connection {id} has no first reply: {error}"))?;
            if reply != message(id, 0) {
                return Err(format!("the first reply on connection {id} is wrong").into());
            }
        }
    }
    Ok(streams)
}
