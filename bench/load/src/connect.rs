//! Opens connections one after the other, a fixed number at a time, and waits for the server to
//! close each.
//!
//! The wait is what makes this measure the server: the kernel completes a connection whether or not
//! it was accepted, so one that is closed right after `connect` says nothing about who served it.

use crate::Result;
use crate::args::Args;
use crate::message::reset_on_close;
use crate::report::{STALL, Tick, Window, emit, float};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};
use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut streams = Vec::with_capacity(args.connections);
    for id in 0..args.connections {
        streams.push(Some(start(args.address, id, poll.registry())?));
    }
    let mut events = Events::with_capacity(1024);
    let mut window = Window::new(args.warmup, args.seconds);
    let (mut total, mut counted) = (0u64, 0u64);
    let mut progress = Instant::now();
    // After the window every connection under way must still be served.
    let (mut open, mut ending) = (args.connections, false);
    loop {
        if let Err(error) = poll.poll(&mut events, Some(Duration::from_millis(100)))
            && error.kind() != ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        let now = Instant::now();
        match window.tick(now)? {
            Tick::Begin => counted = 0,
            Tick::End if !ending => {
                let elapsed = window.elapsed(now);
                emit(
                    "result",
                    &[
                        ("connections", float(counted)),
                        ("seconds", elapsed),
                        ("rate", float(counted) / elapsed),
                    ],
                )?;
                ending = true;
            }
            Tick::End if open == 0 => return emit("done", &[("total", float(total))]),
            Tick::Go | Tick::End => {}
        }
        for event in &events {
            let id = event.token().0;
            let mut byte = [0; 1];
            let Some(stream) = &mut streams[id] else {
                continue;
            };
            match stream.read(&mut byte) {
                Ok(0) => {}
                Ok(_) => return Err("the server sent something".into()),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
                {
                    continue;
                }
                Err(error) => return Err(format!("a connection failed: {error}").into()),
            }
            total += 1;
            counted += 1;
            progress = now;
            if ending {
                // Closes this one, which also ends its events.
                streams[id] = None;
                open -= 1;
            } else {
                streams[id] = Some(start(args.address, id, poll.registry())?);
            }
        }
        if now.duration_since(progress) > STALL {
            return Err(format!("no connection was served for {} s", STALL.as_secs()).into());
        }
    }
}

fn start(address: SocketAddr, id: usize, registry: &Registry) -> Result<TcpStream> {
    let mut stream =
        TcpStream::connect(address).map_err(|error| format!("cannot connect: {error}"))?;
    reset_on_close(&stream)?;
    registry.register(&mut stream, Token(id), Interest::READABLE)?;
    Ok(stream)
}
