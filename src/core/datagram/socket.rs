//! The handle of a UDP socket: what the owner's thread may do with it.
//!
//! | open | by |
//! | --- | --- |
//! | receiving or not | `read_start`, `read_stop` |
//! | nothing queued: the owner's thread sends | the driver, when the system has taken all |
//! | something queued: the driver sends | `send`, where the system takes no more |
//!
//! It is closed by `close` alone, and for good.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::core::closing::Closing;
use crate::core::datagram::parcels::{Parcel, ParcelQueue};
use crate::core::datagram::udp::{Udp, must_wait};
use crate::core::event::HandleId;
use crate::core::lock;

/// The owner wants datagrams.
const READING: u8 = 1;
/// Something is queued for the driver.
const WRITING: u8 = 1 << 1;
/// The driver stopped receiving because too much is on its way to the owner.
const PARKED: u8 = 1 << 2;

/// Bytes of one socket that may be on their way to the owner, with what is around the payloads. The system keeps
/// what comes beyond that, in a buffer that is usually smaller, and drops what comes beyond that in turn.
pub const AHEAD: usize = 512 * 1024;

/// A bound UDP socket as the owner's thread sees it.
#[derive(Debug)]
pub struct DatagramSocket {
    id: HandleId,
    /// Which of the constants above hold.
    flags: AtomicU8,
    /// Bytes on their way to the owner.
    undelivered: AtomicUsize,
    pub(super) queue: Mutex<ParcelQueue>,
    /// Where datagrams were to go that the system refused later on, in the order of their events.
    refused: Mutex<VecDeque<SocketAddr>>,
    pub(super) closing: Closing,
}

/// What became of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// How many of the datagrams need not be sent again: they are with the system or in the queue.
    pub taken: usize,
    /// Bytes in the queue. Not 0: [`Event::Written`](crate::core::event::Event::Written) follows when they are
    /// with the system.
    pub queued: usize,
}

impl DatagramSocket {
    pub(crate) fn new(id: HandleId) -> Arc<Self> {
        Arc::new(Self {
            id,
            flags: AtomicU8::new(READING),
            undelivered: AtomicUsize::new(0),
            queue: Mutex::default(),
            refused: Mutex::default(),
            closing: Closing::default(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> HandleId {
        self.id
    }

    /// Sends the datagrams of `list`, whose payloads are side by side. What the system has no room for is queued.
    ///
    /// # Errors
    /// The system refuses the one behind those that [`Sent`] counts; it and those behind it are not sent.
    /// `udp` is this socket's own.
    pub fn send(&self, udp: &Udp, payloads: &[u8], list: &[Parcel]) -> (Sent, io::Result<()>) {
        // Only this thread adds to the queue, so it stays empty meanwhile.
        let is_empty = lock(&self.queue).is_empty();
        let (taken, stopped) = if is_empty {
            udp.send(payloads, list)
        } else {
            (0, Some(io::ErrorKind::WouldBlock.into()))
        };
        let queued = match stopped {
            None => return (Sent { taken, queued: 0 }, Ok(())),
            Some(error) if !must_wait(&error) => {
                let queued = lock(&self.queue).len();
                return (Sent { taken, queued }, Err(error));
            }
            Some(_) => {
                let at = list[..taken].iter().map(|parcel| parcel.len).sum();
                let mut queue = lock(&self.queue);
                queue.push(&payloads[at..], &list[taken..]);
                queue.len()
            }
        };
        self.set(WRITING);
        self.closing.wake();
        let taken = list.len();
        (Sent { taken, queued }, Ok(()))
    }

    /// Bytes that wait for the system.
    #[must_use]
    pub fn queued(&self) -> usize {
        lock(&self.queue).len()
    }

    /// Where the datagram was to go that the next [`Event::Failed`](crate::core::event::Event::Failed) of a send is about.
    pub fn take_refused(&self) -> Option<SocketAddr> {
        lock(&self.refused).pop_front()
    }

    pub(super) fn add_refused(&self, to: SocketAddr) {
        lock(&self.refused).push_back(to);
    }

    /// Receives, or goes on.
    pub fn read_start(&self) {
        self.set(READING);
        self.closing.wake();
    }

    /// Stops receiving. What is on its way still arrives; what comes from now on stays with the system.
    pub fn read_stop(&self) {
        self.clear(READING);
    }

    /// Closes the socket, and returns when the address is free. What is queued is dropped.
    /// [`Event::Closed`](crate::core::event::Event::Closed) follows.
    pub fn close(&self) {
        self.closing.close();
    }

    /// The owner is done with `len` bytes that were on their way to it.
    pub fn consumed(&self, len: usize) {
        self.undelivered.fetch_sub(len, Ordering::SeqCst);
        if self.has(PARKED) {
            self.clear(PARKED);
            self.closing.wake();
        }
    }

    pub(super) fn add_undelivered(&self, len: usize) {
        self.undelivered.fetch_add(len, Ordering::SeqCst);
    }

    /// Whether the driver may receive now. If too much is on its way, the owner's next
    /// [`DatagramSocket::consumed`] wakes the driver.
    pub(super) fn may_read(&self) -> bool {
        if !self.has(READING) {
            return false;
        }
        let has_room = || self.undelivered.load(Ordering::SeqCst) < AHEAD;
        if has_room() {
            return true;
        }
        self.set(PARKED);
        // Looked at again after the flag is up: the owner counts down first and looks at the flag then, so
        // either we see its count or it sees our flag.
        has_room()
    }

    /// Whether there may be something to send. The driver looks at the queue once more after it took the flag
    /// down: the owner adds first and puts the flag up then.
    pub(super) fn is_writing(&self) -> bool {
        self.has(WRITING)
    }

    pub(super) fn written(&self) {
        self.clear(WRITING);
    }

    fn set(&self, flags: u8) {
        self.flags.fetch_or(flags, Ordering::SeqCst);
    }

    fn clear(&self, flags: u8) {
        self.flags.fetch_and(!flags, Ordering::SeqCst);
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.load(Ordering::SeqCst) & flag != 0
    }
}
