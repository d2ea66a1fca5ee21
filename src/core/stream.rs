//! The handle of a stream: what the owner's thread may do with one connection.
//!
//! It sets flags, sends, and wakes the driver (`core/driver.rs`), which does the rest.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Waker};
use std::time::Instant;

use crate::core::codec::Codec;
use crate::core::error::{Error, Syscall};
use crate::core::event::HandleId;
use crate::core::flow::{FIRST_AHEAD, more_ahead};
use crate::core::lock;
use crate::core::options::StreamOptions;
use crate::core::proxy::Proxied;
use crate::core::transport::Transport;
use crate::core::transport::tls::{Answer, Tls};
use crate::core::write_pieces::PIECE;
use crate::core::write_queue::WriteQueue;

/// The owner wants bytes.
const READING: u8 = 1;
/// The owner is done with the stream.
pub(super) const CLOSE: u8 = 1 << 1;
/// The close is a reset.
pub(super) const RESET: u8 = 1 << 2;
/// The write queue has something for the driver.
pub(super) const WRITING: u8 = 1 << 3;
/// The driver stopped reading because too much is on its way to the owner.
const PARKED: u8 = 1 << 4;

/// TLS is to take the stream over.
pub(super) const UPGRADE: u8 = 1 << 5;

/// In place of a time: it is not measured, because measuring costs every read and every write a look at the clock.
const UNWATCHED: u64 = u64::MAX;

/// What times are measured from: one for all, as each would have to keep its own.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// One connection, or one attempt at it, as the owner's thread sees it.
///
/// There may be a hundred thousand of them, most of them idle: what few need is behind a box.
#[derive(Debug)]
pub struct Stream {
    id: HandleId,
    /// See [`StreamOptions::copied`].
    copied: bool,
    /// Which of the constants above hold. One atomic, so that the driver learns of all with one look.
    flags: AtomicU8,
    /// Bytes on their way to the owner.
    undelivered: AtomicU32,
    /// How many there may be, see [`crate::core::flow::more_ahead`].
    ahead: AtomicU32,
    /// All bytes that were ever received, less those that the owner had used when it closed the stream.
    unused: AtomicI64,
    /// When bytes were last received or sent, in milliseconds; [`UNWATCHED`] if nobody asks.
    moved: AtomicU64,
    pub(super) writes: Mutex<WriteQueue>,
    driver: Mutex<ForDriver>,
    special: Option<Box<Special>>,
}

/// What the owner's thread leaves for the driver.
#[derive(Debug, Default)]
struct ForDriver {
    waker: Option<Waker>,
    /// With [`UPGRADE`]: the transport to go on with. `None`: stop reading, and say so.
    upgrade: Option<Arc<Transport>>,
}

/// What most streams do not have.
#[derive(Debug)]
struct Special {
    /// What the received bytes mean, if that is for the engine to know.
    codec: Option<Codec>,
    /// The ends of the connection by its PROXY header.
    proxied: Option<Proxied>,
}

// A field more would be 8 bytes of every idle connection: is it for all of them?
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
const _: () = assert!(size_of::<Stream>() <= 104 && size_of::<Transport>() <= 48);

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Bytes that need not be written again: with the system or in the queue. Fewer than given
    /// where the queue's window is full; [`Event::Written`](crate::core::event::Event::Written) then says when to go on.
    pub accepted: usize,
    /// Bytes in the queue. Not 0: [`Event::Written`](crate::core::event::Event::Written) follows when they are with the system.
    pub queued: usize,
}

/// What became of the wish to end the writing half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The FIN is sent.
    Now,
    /// [`Event::Finished`](crate::core::event::Event::Finished) follows when the queue is sent, and the FIN.
    Later,
}

impl Stream {
    pub(crate) fn new(id: HandleId, options: &StreamOptions) -> Arc<Self> {
        Self::proxied_by(id, options, None)
    }

    /// A stream whose ends are where a PROXY header says.
    pub(crate) fn proxied_by(
        id: HandleId,
        options: &StreamOptions,
        proxied: Option<Proxied>,
    ) -> Arc<Self> {
        let codec = options.codec;
        let is_special = codec.is_some() || proxied.is_some();
        Arc::new(Self {
            id,
            copied: options.copied,
            flags: AtomicU8::new(if options.read_at_once { READING } else { 0 }),
            undelivered: AtomicU32::new(0),
            ahead: AtomicU32::new(counted(FIRST_AHEAD)),
            unused: AtomicI64::new(0),
            moved: AtomicU64::new(UNWATCHED),
            writes: Mutex::default(),
            driver: Mutex::default(),
            special: is_special.then(|| Box::new(Special { codec, proxied })),
        })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> HandleId {
        self.id
    }

    pub(super) fn codec(&self) -> Option<Codec> {
        self.special.as_ref()?.codec
    }

    /// See [`StreamOptions::copied`].
    pub(super) fn is_copied(&self) -> bool {
        self.copied
    }

    /// The ends of the connection by its PROXY header. `None`: those of the transport.
    #[must_use]
    pub fn proxied(&self) -> Option<&Proxied> {
        self.special.as_ref()?.proxied.as_ref()
    }

    /// Starts to read, or goes on.
    pub fn read_start(&self) {
        if !self.set(READING) {
            self.wake();
        }
    }

    /// Stops reading. Events that are on their way still arrive.
    pub fn read_stop(&self) {
        self.clear(READING);
        self.ahead.store(counted(FIRST_AHEAD), Ordering::SeqCst);
    }

    /// Stops reading for TLS to take over: what was received before belongs to the handshake.
    /// [`Event::Quiet`](crate::core::event::Event::Quiet) follows the last of it.
    pub fn quiesce(&self) {
        self.read_stop();
        self.upgrade(None);
    }

    /// Goes on with `transport`, which is TLS over what the stream had.
    pub(super) fn secure(&self, transport: Arc<Transport>) {
        self.upgrade(Some(transport));
    }

    /// Answers a question of the handshake of `transport`, which is this stream's own.
    pub fn answer(&self, transport: &Transport, answer: Answer) {
        if let Some(tls) = transport.tls() {
            tls.give_answer(answer);
            self.wake();
        }
    }

    fn upgrade(&self, transport: Option<Arc<Transport>>) {
        {
            let mut driver = lock(&self.driver);
            driver.upgrade = transport;
            self.set(UPGRADE);
        }
        self.wake();
    }

    /// The transport to go on with; `None` if reading is to stop, for what comes next.
    pub(super) fn take_upgrade(&self) -> Option<Arc<Transport>> {
        let mut driver = lock(&self.driver);
        // Under the lock, as it is put up: nothing else says that there is an upgrade.
        self.clear(UPGRADE);
        mem::take(&mut driver.upgrade)
    }

    /// Writes: straight to the system where nothing is queued; what it does not take is copied
    /// into the queue, as far as the window goes. What TLS has to encrypt is always queued: that is
    /// not for the owner's thread. `transport` is this stream's own.
    ///
    /// # Errors
    /// What the system says; `EPIPE` after the half was ended or a write failed.
    pub fn write(&self, transport: &Transport, bytes: &[u8]) -> Result<Accepted, Error> {
        let (is_open, is_empty) = {
            let writes = lock(&self.writes);
            (writes.is_open(), writes.is_empty())
        };
        if !is_open {
            return Err(Error::new(
                Syscall::Write,
                &io::ErrorKind::BrokenPipe.into(),
            ));
        }
        self.has_moved();
        if let Some(tls) = transport.tls() {
            return Ok(self.queue_for(tls, bytes));
        }
        // Not under the lock: only this thread adds to the queue, so it stays empty meanwhile.
        let sent = if is_empty { send(transport, bytes)? } else { 0 };
        if sent == bytes.len() {
            return Ok(Accepted {
                accepted: sent,
                queued: 0,
            });
        }
        let (taken, queued) = {
            let mut writes = lock(&self.writes);
            let taken = writes.push(&bytes[sent..]);
            (taken, writes.len())
        };
        self.set(WRITING);
        self.wake();
        Ok(Accepted {
            accepted: sent + taken,
            queued,
        })
    }

    /// Queues `bytes` in pieces, as far as the window goes: the first is being encrypted while the next is copied.
    fn queue_for(&self, tls: &Tls, bytes: &[u8]) -> Accepted {
        let (room, mut queued) = {
            let writes = lock(&self.writes);
            (writes.room(), writes.len())
        };
        let mut accepted = 0;
        for part in bytes[..bytes.len().min(room)].chunks(PIECE) {
            // Not under the lock: only this thread adds to the queue, so there is room until it fails.
            let piece = tls.pieces().copy(part);
            let mut writes = lock(&self.writes);
            if !writes.push_piece(piece) {
                break;
            }
            queued = writes.len();
            drop(writes);
            accepted += part.len();
            self.set(WRITING);
            self.wake();
        }
        Accepted { accepted, queued }
    }

    /// Bytes that the system has not taken yet.
    #[must_use]
    pub fn queued(&self) -> usize {
        lock(&self.writes).len()
    }

    /// Has [`Event::Passed`](crate::core::event::Event::Passed) told when no more than `left` bytes of what is queued now are
    /// left, unless [`Event::Written`](crate::core::event::Event::Written) says more. Answers how many are queued; if not more,
    /// nothing follows. Instead of an earlier call's.
    pub fn watch_queue(&self, left: usize) -> usize {
        lock(&self.writes).watch(left)
    }

    /// Ends the writing half, after what is queued. `transport` is this stream's own.
    ///
    /// # Errors
    /// What the system says.
    pub fn end(&self, transport: &Transport) -> Result<Ended, Error> {
        let is_now = {
            let mut writes = lock(&self.writes);
            if transport.tls().is_some() {
                writes.end_later();
                false
            } else {
                writes.end()
            }
        };
        if is_now {
            transport
                .shutdown_write()
                .map_err(|error| Error::new(Syscall::Shutdown, &error))?;
            // The end of a named pipe is for the driver to bring about.
            #[cfg(windows)]
            self.wake();
            return Ok(Ended::Now);
        }
        self.set(WRITING);
        self.wake();
        Ok(Ended::Later)
    }

    /// Closes the stream, or ends the attempt to connect. [`Event::Closed`](crate::core::event::Event::Closed) follows.
    ///
    /// `used` is how many of the received bytes the owner has made use of. If there are others, the
    /// peer gets a reset, as the system itself sends one for bytes that nobody has read: that they
    /// were read ahead is our affair, and no reason to tell the peer that all is well.
    pub fn close(&self, used: u64) {
        let used = i64::try_from(used).unwrap_or(i64::MAX);
        self.unused.fetch_sub(used, Ordering::SeqCst);
        self.set(CLOSE);
        self.wake();
    }

    /// Whether the owner is done with it.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.has(CLOSE)
    }

    /// Like [`Stream::close`], but the peer gets a reset instead of an orderly end.
    pub fn reset(&self) {
        self.set(CLOSE | RESET);
        self.wake();
    }

    /// The owner is done with `len` bytes that were on their way to it.
    pub fn consumed(&self, len: usize) {
        if self.has(READING) {
            let ahead = more_ahead(self.ahead(), len);
            self.ahead.store(counted(ahead), Ordering::SeqCst);
        }
        self.undelivered.fetch_sub(counted(len), Ordering::SeqCst);
        if self.flags.load(Ordering::SeqCst) & PARKED != 0 {
            self.clear(PARKED);
            self.wake();
        }
    }

    /// Bytes on their way to the owner (for its accounting and for tests).
    #[must_use]
    pub fn undelivered(&self) -> usize {
        self.undelivered.load(Ordering::SeqCst) as usize
    }

    fn ahead(&self) -> usize {
        self.ahead.load(Ordering::SeqCst) as usize
    }

    pub(crate) fn add_undelivered(&self, len: usize) {
        let len = counted(len);
        self.undelivered.fetch_add(len, Ordering::SeqCst);
        self.unused.fetch_add(len.into(), Ordering::SeqCst);
    }

    /// For how many milliseconds nothing was received and nothing was sent, parts of messages included. Measured
    /// from the first call on, which answers 0.
    pub fn idle_for(&self) -> u64 {
        let now = now();
        match self.moved.load(Ordering::Relaxed) {
            UNWATCHED => {
                self.moved.store(now, Ordering::Relaxed);
                0
            }
            moved => now.saturating_sub(moved),
        }
    }

    /// Something was received or sent.
    pub(crate) fn has_moved(&self) {
        if self.moved.load(Ordering::Relaxed) != UNWATCHED {
            self.moved.store(now(), Ordering::Relaxed);
        }
    }

    pub(super) fn has_unused(&self) -> bool {
        self.unused.load(Ordering::SeqCst) > 0
    }

    /// Whether the driver may read now. If too much is on its way, the owner's next
    /// [`Stream::consumed`] wakes the driver.
    pub(crate) fn may_read(&self) -> bool {
        if !self.has(READING) {
            return false;
        }
        if self.undelivered() < self.ahead() {
            return true;
        }
        self.set(PARKED);
        // Looked at again after the flag is up: the owner counts down first and looks at the flag
        // then, so either we see its count or it sees our flag.
        self.undelivered() < self.ahead()
    }

    /// Puts `flags` up and says whether all of them were up before.
    pub(super) fn set(&self, flags: u8) -> bool {
        self.flags.fetch_or(flags, Ordering::SeqCst) & flags == flags
    }

    pub(super) fn clear(&self, flags: u8) {
        self.flags.fetch_and(!flags, Ordering::SeqCst);
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags.load(Ordering::SeqCst) & flag != 0
    }

    fn wake(&self) {
        if let Some(waker) = &lock(&self.driver).waker {
            waker.wake_by_ref();
        }
    }

    /// Remembers whom to wake. A task keeps its waker for life, so this stores it once; flags set
    /// before that are seen by the poll that stores it.
    pub(super) fn register(&self, cx: &Context<'_>) {
        let known = &mut lock(&self.driver).waker;
        if !known
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            *known = Some(cx.waker().clone());
        }
    }
}

/// A length that is counted: of one read or one message, so it fits.
fn counted(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Milliseconds since [`EPOCH`].
fn now() -> u64 {
    u64::try_from(EPOCH.elapsed().as_millis()).unwrap_or(UNWATCHED - 1)
}

/// Sends until all is taken or the system would block; says how much was taken.
fn send(transport: &Transport, bytes: &[u8]) -> Result<usize, Error> {
    let mut sent = 0;
    while sent < bytes.len() {
        match transport.send_now(&bytes[sent..]) {
            Ok(len) => sent += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(Error::new(Syscall::Write, &error)),
        }
    }
    Ok(sent)
}
