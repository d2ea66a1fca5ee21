//! Requests and replies: keeps a fixed number of 64-byte messages under way and checks every byte
//! that comes back.

use crate::args::Args;
use crate::histogram::Histogram;
use crate::message::{MESSAGE, message, open_used};
use crate::report::{STALL, Tick, Window, emit, float};
use crate::{Error, Result};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

struct Connection {
    stream: TcpStream,
    sent: u64,
    received: u64,
    /// The start of a message whose end has not arrived yet.
    part: Vec<u8>,
    /// What the kernel did not take.
    unsent: Vec<u8>,
    /// When each message under way left, oldest first.
    departures: VecDeque<Instant>,
}

struct Load {
    connections: Vec<Connection>,
    /// With a fixed total under way: connections without a message, longest idle first.
    resting: Option<VecDeque<usize>>,
    latency: Histogram,
    messages: u64,
    /// Sent and not answered yet.
    under_way: usize,
    /// The window is over: what is under way must still come back, and nothing new is sent.
    ending: bool,
    buffer: Vec<u8>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut load = Load::open(args, &poll)?;
    load.start(args)?;

    let mut events = Events::with_capacity(1024);
    let mut window = Window::new(args.warmup, args.seconds);
    let mut progress = (Instant::now(), 0);
    loop {
        if let Err(error) = poll.poll(&mut events, Some(Duration::from_millis(100)))
            && error.kind() != ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        let now = Instant::now();
        match window.tick(now)? {
            Tick::Begin => {
                load.latency.clear();
                load.messages = 0;
                progress.1 = 0;
            }
            Tick::End if !load.ending => {
                load.report(window.elapsed(now))?;
                load.ending = true;
            }
            Tick::End if load.under_way == 0 => return emit("done", &[]),
            Tick::Go | Tick::End => {}
        }
        for event in &events {
            load.serve(event)?;
        }
        if load.messages != progress.1 {
            progress = (now, load.messages);
        } else if now.duration_since(progress.0) > STALL {
            return Err(format!(
                "no reply for {} s, {} messages are under way",
                STALL.as_secs(),
                load.under_way
            )
            .into());
        }
    }
}

impl Load {
    fn open(args: &Args, poll: &Poll) -> Result<Self> {
        let mut connections = Vec::with_capacity(args.connections);
        for (id, stream) in open_used(args, args.connections)?.into_iter().enumerate() {
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(
                &mut stream,
                Token(id),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            connections.push(Connection {
                stream,
                sent: 1,
                received: 1,
                part: Vec::with_capacity(MESSAGE),
                unsent: Vec::new(),
                departures: VecDeque::with_capacity(args.depth),
            });
        }
        Ok(Self {
            connections,
            resting: args
                .outstanding
                .map(|_| VecDeque::with_capacity(args.connections)),
            latency: Histogram::new(),
            messages: 0,
            under_way: 0,
            ending: false,
            buffer: vec![0; 256 * 1024],
        })
    }

    fn start(&mut self, args: &Args) -> Result<()> {
        if let Some(resting) = &mut self.resting {
            resting.extend(0..args.connections);
            for _ in 0..args.outstanding.unwrap_or(1) {
                self.send_on_longest_idle()?;
            }
            return Ok(());
        }
        for id in 0..args.connections {
            self.connections[id].send(id, args.depth)?;
            self.under_way += args.depth;
        }
        Ok(())
    }

    fn send_on_longest_idle(&mut self) -> Result<()> {
        if let Some(id) = self.resting.as_mut().and_then(VecDeque::pop_front) {
            self.connections[id].send(id, 1)?;
            self.under_way += 1;
        }
        Ok(())
    }

    fn serve(&mut self, event: &Event) -> Result<()> {
        let id = event.token().0;
        if event.is_writable() {
            self.connections[id].flush(id)?;
        }
        if !event.is_readable() {
            return Ok(());
        }
        loop {
            let connection = &mut self.connections[id];
            let length = match connection.stream.read(&mut self.buffer) {
                Ok(0) => return Err(format!("connection {id} was closed by the server").into()),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(id, "reading", &error)),
            };
            let replies = connection.check(id, &self.buffer[..length], &mut self.latency)?;
            self.messages += replies as u64;
            self.under_way -= replies;
            if self.ending {
                // Nothing follows.
            } else if let Some(resting) = &mut self.resting {
                for _ in 0..replies {
                    resting.push_back(id);
                }
                for _ in 0..replies {
                    self.send_on_longest_idle()?;
                }
            } else if replies > 0 {
                connection.send(id, replies)?;
                self.under_way += replies;
            }
            // A short read emptied the socket; what comes later raises a new edge (epoll(7),
            // question 9), and so does a close. Saves one system call per wake-up.
            if length < self.buffer.len() && !event.is_read_closed() {
                return Ok(());
            }
        }
    }

    fn report(&self, elapsed: f64) -> Result<()> {
        let microseconds = |per_mille| float(self.latency.per_mille(per_mille)) / 1000.0;
        emit(
            "result",
            &[
                ("messages", float(self.messages)),
                ("seconds", elapsed),
                ("rate", float(self.messages) / elapsed),
                ("p50", microseconds(500)),
                ("p99", microseconds(990)),
                ("p999", microseconds(999)),
            ],
        )
    }
}

impl Connection {
    /// Sends the next `count` messages with one write, as a client with that many requests ready
    /// would.
    fn send(&mut self, id: usize, count: usize) -> Result<()> {
        let start = self.unsent.len();
        self.unsent.reserve(count * MESSAGE);
        for _ in 0..count {
            self.unsent.extend_from_slice(&message(id, self.sent));
            self.sent += 1;
        }
        let now = Instant::now();
        self.departures.extend(std::iter::repeat_n(now, count));
        // With earlier bytes waiting, the socket's next writable edge sends all of them in order.
        if start == 0 { self.flush(id) } else { Ok(()) }
    }

    fn flush(&mut self, id: usize) -> Result<()> {
        let mut done = 0;
        while done < self.unsent.len() {
            match self.stream.write(&self.unsent[done..]) {
                Ok(length) => done += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(id, "writing", &error)),
            }
        }
        self.unsent.drain(..done);
        Ok(())
    }

    /// Compares what arrived with what was sent and says how many messages that completed.
    fn check(&mut self, id: usize, mut bytes: &[u8], latency: &mut Histogram) -> Result<usize> {
        let now = Instant::now();
        let before = self.received;
        if !self.part.is_empty() {
            let (head, rest) = bytes.split_at(bytes.len().min(MESSAGE - self.part.len()));
            self.part.extend_from_slice(head);
            bytes = rest;
            if self.part.len() == MESSAGE {
                let part = std::mem::take(&mut self.part);
                self.accept(id, &part, now, latency)?;
            }
        }
        let mut messages = bytes.chunks_exact(MESSAGE);
        for one in &mut messages {
            self.accept(id, one, now, latency)?;
        }
        self.part.extend_from_slice(messages.remainder());
        Ok(usize::try_from(self.received - before)?)
    }

    fn accept(
        &mut self,
        id: usize,
        bytes: &[u8],
        now: Instant,
        latency: &mut Histogram,
    ) -> Result<()> {
        if bytes != message(id, self.received) {
            return Err(format!(
                "reply {} on connection {id} is not what was sent",
                self.received
            )
            .into());
        }
        let departure = self
            .departures
            .pop_front()
            .ok_or_else(|| format!("connection {id} has a reply too many"))?;
        latency.record(u64::try_from(now.duration_since(departure).as_nanos()).unwrap_or(u64::MAX));
        self.received += 1;
        Ok(())
    }
}

fn failed(id: usize, doing: &str, error: &std::io::Error) -> Error {
    format!("{doing} on connection {id}: {error}").into()
}
