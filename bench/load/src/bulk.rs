//! One connection, as many bytes as go through. Blocking calls with a time limit: there is nothing
//! else to wait for, and the fewer system calls this side needs, the less it is itself the limit.

use crate::Result;
use crate::args::Args;
use crate::message::{BLOCK, block, reset_on_close};
use crate::report::{Tick, Window, emit, float};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

/// What bytes go through.
pub(crate) trait Connection: Read + Write {
    fn socket(&self) -> &TcpStream;
    /// Ends our half.
    fn finish(&mut self) -> Result<()>;
}

impl Connection for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }

    fn finish(&mut self) -> Result<()> {
        Ok(self.shutdown(Shutdown::Write)?)
    }
}

/// Sends, then closes its half and waits for the sink to have read everything.
pub(crate) fn send(args: &Args, mut stream: impl Connection) -> Result<()> {
    let block = block();
    let mut window = Window::new(args.warmup, args.seconds);
    let (mut total, mut counted) = (0, 0);
    loop {
        stream
            .write_all(&block)
            .map_err(|error| format!("writing to the sink: {error}"))?;
        total += BLOCK as u64;
        counted += BLOCK as u64;
        let now = Instant::now();
        match window.tick(now)? {
            Tick::Go => {}
            Tick::Begin => counted = 0,
            Tick::End => break report(counted, window.elapsed(now))?,
        }
    }
    stream.finish()?;
    let mut rest = [0; 64];
    match stream.read(&mut rest) {
        Ok(0) => emit("done", &[("total", float(total))]),
        Ok(_) => Err("the sink sent something".into()),
        Err(error) => Err(format!("waiting for the sink to finish: {error}").into()),
    }
}

/// Reads and compares with the block that the source repeats.
pub(crate) fn receive(args: &Args, mut stream: impl Connection) -> Result<()> {
    // The source never ends by itself, so this side leaves without a farewell.
    reset_on_close(stream.socket())?;
    let block = block();
    let mut buffer = vec![0; 4 * BLOCK];
    let mut window = Window::new(args.warmup, args.seconds);
    let (mut total, mut counted) = (0, 0);
    loop {
        let length = match stream.read(&mut buffer) {
            Ok(0) => return Err("the source closed the connection".into()),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("reading from the source: {error}").into()),
        };
        check(&buffer[..length], total, &block)?;
        total += length;
        counted += length as u64;
        let now = Instant::now();
        match window.tick(now)? {
            Tick::Go => {}
            Tick::Begin => counted = 0,
            Tick::End => return report(counted, window.elapsed(now)),
        }
    }
}

fn check(mut bytes: &[u8], mut position: usize, block: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        let offset = position % BLOCK;
        let length = bytes.len().min(BLOCK - offset);
        if bytes[..length] != block[offset..offset + length] {
            return Err(format!("wrong bytes after {position}").into());
        }
        bytes = &bytes[length..];
        position += length;
    }
    Ok(())
}

fn report(bytes: u64, elapsed: f64) -> Result<()> {
    emit(
        "result",
        &[
            ("bytes", float(bytes)),
            ("seconds", elapsed),
            ("rate", float(bytes) / elapsed),
        ],
    )
}
