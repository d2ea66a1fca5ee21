//! From the descriptor to runs.
//!
//! One call of the system fills many buffers, each as large as the largest datagram there is. Those are the engine's
//! own, and only what came is copied side by side into the chunks that the owner has lent: for the small datagrams
//! that are usual this is next to nothing beside the call, and the chunks hold hundreds of them instead of sixteen.
//!
//! What the system hands over in one buffer is a _piece_: a datagram, or several of one length that it has joined.

use std::array;
use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::task::Context;

use quinn_udp::{BATCH_SIZE, RecvMeta};

use crate::core::chunks::SMALLEST_SHARED;
use crate::core::datagram::run::{MOST_AROUND, RunWriter};
use crate::core::datagram::socket::DatagramSocket;
use crate::core::datagram::udp::Udp;
use crate::core::engine::Shared;
use crate::core::error::{Error, Syscall};
use crate::core::event::Event;
use crate::core::lock;
use crate::core::receive::{READS_PER_TURN, fit};

/// A buffer has room for any datagram.
const LARGEST: usize = 65_536;

/// From one buffer to the next: a little more, so that the beginnings of all of them do not compete for the same
/// lines of the CPU's cache.
const STRIDE: usize = LARGEST + 1600;

/// Room for a run, and for any single datagram.
const WINDOW: usize = SMALLEST_SHARED;
const _: () = assert!(WINDOW > LARGEST + MOST_AROUND);

/// The buffers, which serve all sockets of an engine: 2 MiB of address space, of which datagrams of usual sizes
/// touch a page each.
#[derive(Debug, Default)]
pub(crate) struct Scratch(Vec<u8>);

/// Receives for one socket.
#[derive(Debug, Default)]
pub(crate) struct DatagramReceiver {
    /// What was received and did not fit into the run. Less than one batch, and only when pieces become larger.
    rest: VecDeque<(SocketAddr, Vec<u8>)>,
    /// What the largest piece of the last batch takes in a run, in bytes.
    largest: usize,
}

impl DatagramReceiver {
    /// Receives what there is, within what may be ahead, and tells the owner. On return the task is woken when
    /// there is more to do.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        engine: &Shared,
        socket: &DatagramSocket,
        udp: &Udp,
    ) {
        for _ in 0..READS_PER_TURN {
            if !socket.may_read() {
                return;
            }
            if self.rest.is_empty() && udp.poll_readable(cx).is_pending() {
                return;
            }
            let mut count = 0;
            let read = |window: &mut [u8]| {
                let mut run = RunWriter::new(window);
                if self.rest.is_empty() {
                    self.receive(&mut lock(&engine.scratch), udp, &mut run)?;
                } else {
                    self.take_rest(&mut run);
                }
                count = run.count();
                Ok(run.len())
            };
            match engine.chunks.with_shared(cx.waker(), WINDOW, WINDOW, read) {
                None => return,
                Some(Ok((chunk, offset, len))) => {
                    socket.add_undelivered(len);
                    engine.emit(Event::Datagrams {
                        id: socket.id(),
                        chunk,
                        offset: fit(offset),
                        len: fit(len),
                        count,
                    });
                }
                Some(Err(error)) => {
                    if let Some(error) = concern(&error) {
                        let id = socket.id();
                        engine.emit(Event::Failed { id, error });
                        udp.clear_readable();
                    }
                }
            }
        }
        // There may be more, and nobody else will say so.
        cx.waker().wake_by_ref();
    }

    /// Receives one batch into `run`.
    fn receive(
        &mut self,
        scratch: &mut Scratch,
        udp: &Udp,
        run: &mut RunWriter<'_>,
    ) -> io::Result<()> {
        if scratch.0.is_empty() {
            scratch.0 = vec![0; BATCH_SIZE * STRIDE];
        }
        // As many as are likely to fit.
        let count = (WINDOW / self.largest.max(MOST_AROUND)).clamp(1, BATCH_SIZE);
        let mut places = scratch.0.chunks_exact_mut(STRIDE);
        let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] = array::from_fn(|_| {
            let place = places.next().expect("one for each of the batch");
            IoSliceMut::new(&mut place[..LARGEST])
        });
        let mut about = [RecvMeta::default(); BATCH_SIZE];
        let received = udp.receive(&mut buffers[..count], &mut about)?;
        if received < count {
            udp.clear_readable();
        }
        self.largest = 0;
        for (buffer, about) in buffers.iter().zip(&about[..received]) {
            let piece = &buffer[..about.len];
            let mut datagrams = 0;
            for payload in datagrams_of(piece, about.stride) {
                datagrams += 1;
                // Once one did not fit, those behind it wait as well.
                if !self.rest.is_empty() || !run.push(about.addr, payload) {
                    self.rest.push_back((about.addr, payload.to_vec()));
                }
            }
            self.largest = self.largest.max(piece.len() + datagrams * MOST_AROUND);
        }
        Ok(())
    }

    fn take_rest(&mut self, run: &mut RunWriter<'_>) {
        while let Some((source, payload)) = self.rest.front() {
            if !run.push(*source, payload) {
                return;
            }
            self.rest.pop_front();
        }
    }
}

/// The datagrams of a piece. An empty one is a datagram as well.
fn datagrams_of(piece: &[u8], stride: usize) -> impl Iterator<Item = &[u8]> {
    let empty = piece.is_empty().then_some(piece);
    empty.into_iter().chain(piece.chunks(stride.max(1)))
}

/// What of a failed receive is to be told: not that there is nothing, nor that some datagram that was sent earlier
/// found nobody (Windows says so, even of sockets that are not connected).
fn concern(error: &io::Error) -> Option<Error> {
    match error.kind() {
        io::ErrorKind::WouldBlock
        | io::ErrorKind::Interrupted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionRefused => None,
        _ => Some(Error::new(Syscall::Receive, error)),
    }
}
