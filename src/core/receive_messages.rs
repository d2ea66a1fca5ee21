//! Receiving for streams whose bytes are messages: what is read is decoded at once, on the thread that
//! turns the runtime, and only whole messages go to the owner.
//!
//! Bytes are read into a shared chunk and decoded where they are. What belongs to a message that is not whole
//! yet stays with the decoder and goes to the beginning of the next window. A large message is read straight to
//! where it stays.

use std::io;
use std::task::{Context, Poll};

use crate::core::chunks::SHARED_WINDOW;
use crate::core::codec::{Codec, Decode, Fault, Outcome};
use crate::core::engine::Shared;
use crate::core::event::{ChunkId, Event};
use crate::core::lock;
use crate::core::receive::{READS_PER_TURN, fit};
use crate::core::stream::Stream;
use crate::core::transport::Transport;

/// The window while every read fills it: the fewer reads and the fewer words to the owner, the better.
const FLOOD_WINDOW: usize = 4 * SHARED_WINDOW;

/// The most that one read brings of a large message.
const LARGE_WINDOW: usize = 256 * 1024;

/// Reads in a row that filled their windows and so make a flood.
const FLOOD: u32 = 4;

/// How much of a window is filled with what is read: the rest is for one integer for each message. Where they are
/// so small that it is not enough, it takes another round.
fn filled(window: usize) -> usize {
    window / 4 * 3
}

/// Receives for one stream.
#[derive(Debug)]
pub(crate) struct MessageReceiver {
    decoder: Box<dyn Decode>,
    /// Reads in a row that filled their windows.
    streak: u32,
    /// The peer ended its half, reading failed or nothing that comes makes sense any more.
    ended: bool,
}

/// What one round brought.
struct Round {
    /// Bytes read, and how many it could have been.
    read: usize,
    window: usize,
    run: Option<(ChunkId, u32, u32)>,
    outcome: Outcome,
}

impl MessageReceiver {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            decoder: codec.decoder(),
            streak: 0,
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
        for _ in 0..READS_PER_TURN {
            if self.ended || !stream.may_read() {
                return Ok(());
            }
            let is_pending = self.decoder.is_pending();
            if !is_pending {
                match transport.poll_read_ready(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(ready) => ready.inspect_err(|_| self.ended = true)?,
                }
            }
            let round = match self.round(cx, engine, transport, is_pending) {
                None => return Ok(()),
                Some(Ok(round)) => round,
                Some(Err(error)) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => continue,
                    _ => {
                        self.ended = true;
                        return Err(error);
                    }
                },
            };
            if !is_pending && round.read == 0 {
                self.end(engine, stream);
                return Ok(());
            }
            if !is_pending {
                stream.has_moved();
                if round.read < round.window {
                    self.streak = 0;
                    transport.clear_read_ready();
                } else {
                    self.streak = self.streak.saturating_add(1);
                }
            }
            self.tell(engine, stream, round);
        }
        // There may be more, and nobody else will say so.
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Reads once, unless something is pending, and decodes. `None`: there is no memory to read to now; the task
    /// is woken when there is.
    fn round(
        &mut self,
        cx: &Context<'_>,
        engine: &Shared,
        transport: &Transport,
        is_pending: bool,
    ) -> Option<io::Result<Round>> {
        if !is_pending && let Some((message, rest)) = self.decoder.large_mut() {
            let window = rest.min(LARGE_WINDOW);
            return Some(transport.try_read_to_end_of(message, window).map(|read| {
                let outcome = self.decoder.advance_large(read);
                Round {
                    read,
                    window,
                    run: None,
                    outcome,
                }
            }));
        }
        let entries = &mut *lock(&engine.entries);
        let (mut read, mut room) = (0, 0);
        let mut outcome = Outcome::Used;
        let decoder = &mut self.decoder;
        let most = if self.streak > 0 {
            FLOOD_WINDOW
        } else {
            SHARED_WINDOW
        };
        let result = engine
            .chunks
            .with_shared(cx.waker(), SHARED_WINDOW, most, |window| {
                let filled = filled(window.len());
                let begun = decoder.begin(&mut window[..filled]);
                if !is_pending {
                    room = filled - begun;
                    read = transport.try_read(&mut window[begun..filled])?;
                    if read == 0 {
                        return Ok(0);
                    }
                }
                let (run, ended) = decoder.decode(window, begun + read, entries);
                outcome = ended;
                Ok(run)
            })?;
        Some(result.map(|(chunk, offset, len)| Round {
            read,
            window: room,
            run: (len > 0).then(|| (chunk, fit(offset), fit(len))),
            outcome,
        }))
    }

    fn tell(&mut self, engine: &Shared, stream: &Stream, round: Round) {
        let id = stream.id();
        if let Some((chunk, offset, len)) = round.run {
            stream.add_undelivered(len as usize);
            engine.emit(Event::Messages {
                id,
                chunk,
                offset,
                len,
                flood: self.streak >= FLOOD,
            });
        }
        match round.outcome {
            Outcome::Message(bytes) => {
                stream.add_undelivered(bytes.len());
                engine.emit(Event::Message { id, bytes });
            }
            Outcome::Fault(fault) => {
                stream.add_undelivered(Fault::WEIGHT);
                engine.emit(Event::Fault { id, fault });
                self.ended |= fault.is_fatal();
            }
            Outcome::Hello(hello) => engine.emit(Event::Hello { id, hello }),
            Outcome::Stranger(stranger) => {
                engine.emit(Event::Stranger { id, stranger });
                self.ended = true;
            }
            Outcome::Used | Outcome::Full => {}
        }
    }

    fn end(&mut self, engine: &Shared, stream: &Stream) {
        self.ended = true;
        if let Some(outcome) = self.decoder.finish() {
            let last = Round {
                read: 0,
                window: 0,
                run: None,
                outcome,
            };
            self.tell(engine, stream, last);
        }
        engine.emit(Event::End { id: stream.id() });
    }
}
