//! The seam behind which bytes are taken from a descriptor.
//!
//! Nothing else reads from a transport, and the driver knows no more of it than this one type: a
//! second way of receiving (on the owner's thread, say) has its place here.

use std::convert::Infallible;
use std::io;
use std::task::{Context, Poll};

use crate::core::chunks::{Chunk, SHARED_WINDOW};
use crate::core::engine::Shared;
use crate::core::event::{ChunkId, Event};
use crate::core::flow::{Place, ReadFlow, TRICKLE};
use crate::core::receive_messages::MessageReceiver;
use crate::core::stream::Stream;
use crate::core::transport::Transport;

/// Reads of one stream before the others get their turn.
pub(crate) const READS_PER_TURN: usize = 4;

/// Receives for one stream.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    /// The bytes are messages, and this receives them.
    messages: Option<Box<MessageReceiver>>,
    /// Bytes of a read that does not fill a piece are copied: no read is larger.
    copied: bool,
    flow: ReadFlow,
    /// The peer ended its half, or reading failed: there is nothing more to come.
    ended: bool,
}

/// One successful read.
struct Received {
    chunk: ChunkId,
    offset: usize,
    len: usize,
    /// The most it could have been.
    window: usize,
    own: bool,
}

impl Receiver {
    /// Receives for `stream`.
    pub(crate) fn new(stream: &Stream) -> Self {
        Self {
            messages: stream
                .codec()
                .map(|codec| Box::new(MessageReceiver::new(codec))),
            copied: stream.is_copied(),
            ..Self::default()
        }
    }

    /// Reads what there is, within what may be read, and tells the owner. On return the task is
    /// woken when there is more to do.
    ///
    /// # Errors
    /// What the system says; nothing is read afterwards.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        engine: &Shared,
        stream: &Stream,
        transport: &Transport,
    ) -> io::Result<()> {
        if let Some(messages) = &mut self.messages {
            return messages.poll(cx, engine, stream, transport);
        }
        for _ in 0..READS_PER_TURN {
            if self.ended || !stream.may_read() {
                return Ok(());
            }
            match transport.poll_read_ready(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready.inspect_err(|_| self.ended = true)?,
            }
            let received = match self.receive(cx, engine, transport) {
                None => return Ok(()),
                Some(Ok(received)) => received,
                Some(Err(error)) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => continue,
                    _ => {
                        self.ended = true;
                        return Err(error);
                    }
                },
            };
            if received.len == 0 {
                self.ended = true;
                engine.emit(Event::End { id: stream.id() });
                return Ok(());
            }
            stream.has_moved();
            if received.len < received.window {
                transport.clear_read_ready();
            }
            self.deliver(engine, stream, transport, &received);
        }
        // There may be more, and nobody else will say so.
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// Reads once. `None`: there is no memory to read into now; the task is woken when there is.
    fn receive(
        &mut self,
        cx: &Context<'_>,
        engine: &Shared,
        transport: &Transport,
    ) -> Option<io::Result<Received>> {
        if let Some(mut chunk) = self.take_fresh(engine) {
            let buffer = chunk.window_mut(self.flow.window());
            let window = buffer.len();
            let received = |chunk, offset, len, own| Received {
                chunk,
                offset,
                len,
                window,
                own,
            };
            return Some(match transport.try_read(buffer) {
                Ok(len)
                    if (1..TRICKLE).contains(&len)
                        && let Some((id, offset)) = copy(cx, engine, &mut chunk, len) =>
                {
                    engine.chunks.add_own(chunk);
                    Ok(received(id, offset, len, false))
                }
                Ok(len) if len > 0 => {
                    let offset = chunk.fill(len);
                    if !self.copied {
                        chunk.wipe_rest();
                    }
                    Ok(received(chunk.id(), offset, len, true))
                }
                nothing => {
                    let id = chunk.id();
                    engine.chunks.add_own(chunk);
                    nothing.map(|len| received(id, 0, len, true))
                }
            });
        }
        let mut window = 0;
        let read = |buffer: &mut [u8]| {
            window = buffer.len();
            transport.try_read(buffer)
        };
        let result = engine
            .chunks
            .with_shared(cx.waker(), SHARED_WINDOW, SHARED_WINDOW, read)?;
        Some(result.map(|(chunk, offset, len)| Received {
            chunk,
            offset,
            len,
            window,
            own: false,
        }))
    }

    /// A chunk for this read alone, if it is to have one.
    fn take_fresh(&self, engine: &Shared) -> Option<Chunk> {
        if self.copied {
            // Only what fills it is worth it.
            return self.flow.is_full().then(|| engine.chunks.take_piece())?;
        }
        match self.flow.place() {
            Place::Shared => None,
            Place::Piece => engine.chunks.take_piece(),
            Place::Own => engine.chunks.take_own(),
        }
    }

    fn deliver(
        &mut self,
        engine: &Shared,
        stream: &Stream,
        transport: &Transport,
        received: &Received,
    ) {
        stream.add_undelivered(received.len);
        engine.emit(Event::Data {
            id: stream.id(),
            chunk: received.chunk,
            offset: fit(received.offset),
            len: fit(received.len),
            own: received.own,
            // A local peer waits for room in the one buffer that there is: any rest is its rest too.
            flood: self.flow.is_flood() && !transport.is_local(),
        });
        self.flow.record(received.len, received.window);
    }
}

/// Copies the few bytes that a read has brought into a chunk of its own to a shared one, where there is room.
fn copy(
    cx: &Context<'_>,
    engine: &Shared,
    chunk: &mut Chunk,
    len: usize,
) -> Option<(ChunkId, usize)> {
    let bytes = chunk.window_mut(len);
    let fill = |room: &mut [u8]| {
        room[..len].copy_from_slice(bytes);
        Ok::<_, Infallible>(len)
    };
    let copied = engine
        .chunks
        .with_shared(cx.waker(), SHARED_WINDOW, SHARED_WINDOW, fill)?;
    let Ok((id, offset, _)) = copied;
    Some((id, offset))
}

/// Places and lengths in a chunk fit: a chunk is far smaller than 4 GiB.
pub(crate) fn fit(value: usize) -> u32 {
    u32::try_from(value).expect("a chunk is smaller than 4 GiB")
}
