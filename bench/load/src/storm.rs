//! Many connections at once to a server that is standing still: how fast does it work through them?
//!
//! Opening a connection costs the kernel, on this side, about as much as accepting it costs the
//! server, so a steady flow of connections soon measures the opener. Here the opening is done
//! before the clock starts: `bench/rows/connections.js` stops the server (SIGSTOP), says `fill`,
//! and the kernel completes all connections into the backlog. At `go` the server goes on, and the
//! clock runs until it has closed the last one. Meanwhile this side only watches.

use crate::Result;
use crate::args::Args;
use crate::message::{open, reset_on_close};
use crate::report::{STALL, emit, float};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read};
use std::time::Instant;

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    while hears("fill")? {
        let mut streams = Vec::with_capacity(args.connections);
        for id in 0..args.connections {
            let stream = open(args)?;
            reset_on_close(&stream)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry()
                .register(&mut stream, Token(id), Interest::READABLE)?;
            streams.push(stream);
        }
        emit("full", &[])?;
        if !hears("go")? {
            break;
        }
        let seconds = watch(&mut poll, &mut events, streams.len())?;
        for stream in &mut streams {
            if stream.read(&mut [0])? != 0 {
                return Err("the server sent something".into());
            }
        }
        drop(streams);
        emit(
            "served",
            &[
                ("connections", float(args.connections as u64)),
                ("seconds", seconds),
            ],
        )?;
    }
    Ok(())
}

/// Waits until the server has closed all connections.
fn watch(poll: &mut Poll, events: &mut Events, count: usize) -> Result<f64> {
    let begin = Instant::now();
    let mut closed = vec![false; count];
    let mut left = count;
    while left > 0 {
        if let Err(error) = poll.poll(events, Some(STALL))
            && error.kind() != ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        if events.is_empty() && begin.elapsed() >= STALL {
            return Err(format!("{left} of {count} connections were not served").into());
        }
        for event in &*events {
            let Token(id) = event.token();
            if event.is_read_closed() && !std::mem::replace(&mut closed[id], true) {
                left -= 1;
            }
        }
    }
    Ok(begin.elapsed().as_secs_f64())
}

/// The next word of the harness; false when it has hung up.
fn hears(word: &str) -> Result<bool> {
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        return Ok(false);
    }
    if line.trim() == word {
        Ok(true)
    } else {
        Err(format!("expected {word:?}, got {line:?}").into())
    }
}
