//! The modes without a clock of their own: they do their work until stdin closes.

use crate::Result;
use crate::args::Args;
use crate::message::open_used;
use crate::report::{emit, float};
use mio::net::{TcpListener, TcpStream};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;

const STDIN: Token = Token(usize::MAX - 1);
const LISTENER: Token = Token(usize::MAX - 2);

/// Opens connections, uses each once, and holds them.
pub(crate) fn idle(args: &Args) -> Result<()> {
    let streams = open_used(args, args.connections)?;
    emit("ready", &[("connections", float(streams.len() as u64))])?;
    // Whatever is written to stdin, only its end matters.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    drop(streams);
    Ok(())
}

/// Accepts, and closes when the other side has closed.
pub(crate) fn listen(args: &Args) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut guests = Guests {
        listener: bind(args)?,
        streams: Vec::new(),
        free: Vec::new(),
        accepted: 0,
    };
    poll.registry()
        .register(&mut guests.listener, LISTENER, Interest::READABLE)?;
    let stdin = std::io::stdin();
    poll.registry()
        .register(&mut SourceFd(&stdin.as_raw_fd()), STDIN, Interest::READABLE)
        .map_err(|error| format!("stdin must be a pipe: {error}"))?;
    emit(
        "listening",
        &[("port", f64::from(guests.listener.local_addr()?.port()))],
    )?;

    let mut events = Events::with_capacity(1024);
    loop {
        if let Err(error) = poll.poll(&mut events, None)
            && error.kind() != ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        let mut last = false;
        for event in &events {
            match event.token() {
                STDIN => last = true,
                LISTENER => guests.accept(poll.registry())?,
                Token(slot) => guests.serve(slot),
            }
        }
        if last {
            // What the kernel has connected by now counts, whichever event it reported first.
            guests.accept(poll.registry())?;
            return emit("result", &[("accepted", float(guests.accepted))]);
        }
    }
}

struct Guests {
    listener: TcpListener,
    streams: Vec<Option<TcpStream>>,
    free: Vec<usize>,
    accepted: u64,
}

impl Guests {
    fn accept(&mut self, registry: &Registry) -> Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(format!("accepting: {error}").into()),
            };
            self.accepted += 1;
            let slot = self.free.pop().unwrap_or(self.streams.len());
            registry.register(&mut stream, Token(slot), Interest::READABLE)?;
            if slot == self.streams.len() {
                self.streams.push(Some(stream));
            } else {
                self.streams[slot] = Some(stream);
            }
        }
    }

    fn serve(&mut self, slot: usize) {
        if self.streams[slot].as_mut().is_some_and(is_over) {
            self.streams[slot] = None;
            self.free.push(slot);
        }
    }
}

fn bind(args: &Args) -> Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&args.address.into())?;
    socket.listen(4096)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

fn is_over(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 64];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}
