//! Receiving for streams whose bytes are messages: what is read is decoded at once, on the thread that
//! turns the runtime, and only whole messages go to the owner.
//!
//! Bytes are read to the desk (one per engine), decoded from there into a shared chunk, and what belongs to
//! a message that is not whole yet stays with the decoder. A large message is read straight to where it
//! stays.

use std::io;
use std::mem;
use std::task::{Context, Poll};

use crate::core::chunks::SHARED_WINDOW;
use crate::core::codec::decoder::{Decoder, Outcome};
use crate::core::codec::run::RunWriter;
use crate::core::codec::{Codec, Fault};
use crate::core::engine::Shared;
use crate::core::event::Event;
use crate::core::lock;
use crate::core::receive::{READS_PER_TURN, fit};
use crate::core::stream::Stream;
use crate::core::transport::Transport;

/// The most that one read may take. A run has a little more than the bytes of its messages; like this, what
/// one read brings mostly fits into one window.
const DESK: usize = SHARED_WINDOW - SHARED_WINDOW / 8;

/// Memory to work with, for all streams of one engine.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    bytes: Vec<u8>,
    entries: Vec<i32>,
}

/// Receives for one stream.
#[derive(Debug)]
pub(crate) struct MessageReceiver {
    decoder: Decoder,
    /// Read, and not decoded for want of memory to decode to.
    waiting: Vec<u8>,
    /// Whether the decoder may have more to give without any input.
    is_pending: bool,
    /// The peer ended its half, reading failed or nothing that comes makes sense any more.
    ended: bool,
}

/// One successful read.
struct Read {
    len: usize,
    /// The most it could have been.
    window: usize,
    /// It went to where it stays.
    is_direct: bool,
}

impl MessageReceiver {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            decoder: Decoder::new(codec),
            waiting: Vec::new(),
            is_pending: false,
            ended: false,
        }
    }

    /// See [`Receiver::poll`](crate::core::receive::Receiver::poll).
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        engine: &Shared,
        stream: &Stream,
        transport: &Transport,
    ) -> io::Result<()> {
        let desk = &mut *lock(&engine.desk);
        for _ in 0..READS_PER_TURN {
            if self.ended || !stream.may_read() {
                return Ok(());
            }
            if self.is_pending {
                let waiting = mem::take(&mut self.waiting);
                if !self.decode(cx, engine, stream, &waiting, &mut desk.entries) {
                    return Ok(());
                }
                continue;
            }
            match transport.poll_read_ready(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready.inspect_err(|_| self.ended = true)?,
            }
            let Read {
                len,
                window,
                is_direct,
            } = match self.read(transport, &mut desk.bytes) {
                Ok(read) => read,
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => continue,
                    _ => {
                        self.ended = true;
                        return Err(error);
                    }
                },
            };
            if len == 0 {
                self.end(engine, stream);
                return Ok(());
            }
            if len < window {
                transport.clear_read_ready();
            }
            let input = if is_direct { &[] } else { &desk.bytes[..len] };
            if !self.decode(cx, engine, stream, input, &mut desk.entries) {
                return Ok(());
            }
        }
        // There may be more, and nobody else will say so.
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Reads once: to the desk, or to the large message that has begun.
    fn read(&mut self, transport: &Transport, desk: &mut Vec<u8>) -> io::Result<Read> {
        if let Some((message, window)) = self.decoder.large_mut() {
            let len = transport.try_read_to_end_of(message, window)?;
            self.decoder.advance_large(len);
            return Ok(Read {
                len,
                window,
                is_direct: true,
            });
        }
        desk.resize(DESK, 0);
        Ok(Read {
            len: transport.try_read(desk)?,
            window: desk.len(),
            is_direct: false,
        })
    }

    /// Decodes `input` and tells the owner. Answers whether all of it was; if not, the task is woken when
    /// it can go on.
    fn decode(
        &mut self,
        cx: &Context<'_>,
        engine: &Shared,
        stream: &Stream,
        mut input: &[u8],
        entries: &mut Vec<i32>,
    ) -> bool {
        loop {
            let mut outcome = Outcome::Used;
            let decoder = &mut self.decoder;
            let result = engine.chunks.with_shared(cx.waker(), |window| {
                let mut run = RunWriter::new(window, entries);
                outcome = decoder.decode(&mut input, &mut run);
                Ok::<_, ()>(run.finish())
            });
            let Some(Ok((chunk, offset, len))) = result else {
                self.waiting = input.to_vec();
                self.is_pending = true;
                return false;
            };
            let id = stream.id();
            if len > 0 {
                stream.add_undelivered(len);
                engine.emit(Event::Messages {
                    id,
                    chunk,
                    offset: fit(offset),
                    len: fit(len),
                });
            }
            match outcome {
                Outcome::Used => {
                    self.is_pending = false;
                    return true;
                }
                Outcome::Full => {}
                other => self.tell(engine, stream, other),
            }
        }
    }

    fn tell(&mut self, engine: &Shared, stream: &Stream, outcome: Outcome) {
        let id = stream.id();
        match outcome {
            Outcome::Message(bytes) => {
                stream.add_undelivered(bytes.len());
                engine.emit(Event::Message { id, bytes });
            }
            Outcome::Fault(fault) => {
                stream.add_undelivered(Fault::WEIGHT);
                engine.emit(Event::Fault { id, fault });
                self.ended |= fault.is_fatal();
            }
            Outcome::Used | Outcome::Full => {}
        }
    }

    fn end(&mut self, engine: &Shared, stream: &Stream) {
        self.ended = true;
        if let Some(last) = self.decoder.finish() {
            self.tell(engine, stream, last);
        }
        engine.emit(Event::End { id: stream.id() });
    }
}
