//! Events on their way from the I/O thread to JavaScript, and the one threadsafe function that
//! says that there are some.
//!
//! The function carries no data: what is queued in one when the environment ends is never freed,
//! and one call per event would cost more than the event. It is called only when JavaScript is
//! not already on its way (`awake`).
//!
//! | awake | I/O thread emits | I/O thread is about to park | JavaScript drains |
//! | --- | --- | --- | --- |
//! | no | queues; the 32nd, or 512 KiB, calls the function, awake | calls the function, awake | – |
//! | yes | only queues | waits a moment for JavaScript | goes on until the queue is empty, then not awake, then looks once more |

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use napi::bindgen_prelude::{Function, check_status};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Result, Status, sys};

use crate::core::event::{Event, EventSink};
use crate::core::lock;

type Wake = ThreadsafeFunction<u32, (), u32, Status, false, true, 0>;

#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    /// Events that are not part of a flood.
    hurried: usize,
    /// Bytes that the events bring.
    bytes: usize,
}

/// The queue of one environment.
pub struct Mailbox {
    queue: Mutex<Queue>,
    /// Events in the queue, to look at without the lock.
    len: AtomicUsize,
    /// JavaScript has been called, or is draining, and will look at the queue again.
    awake: AtomicBool,
    /// JavaScript is awake, but only waits for the next event.
    is_waiting: AtomicBool,
    /// The I/O thread, while it is held back.
    held: Mutex<Option<Thread>>,
    is_held: AtomicBool,
    wake: Wake,
}

/// So many events wake JavaScript while the I/O thread goes on; fewer wait for the end of its turn.
const WAKE_AT: usize = 32;

/// The same in bytes: JavaScript works on these while the I/O thread reads the next ones. If it were woken only when
/// all is read that may be ahead (`core::flow`), each would wait while the other works.
const WAKE_AT_BYTES: usize = 512 * 1024;

/// So many bytes make a batch, for the same reason: what JavaScript is done with may be read again.
pub(super) const BATCH_BYTES: usize = 256 * 1024;

/// How long a sleeping JavaScript is let sleep while nothing but a flood comes in: the shortest sleep
/// there is, on Linux some 55 µs with its timer slack. Waking up costs as much as taking a quarter of
/// a megabyte, and what comes meanwhile is read in larger pieces; longer rests made the flood slower.
const FLOOD_REST: Duration = Duration::from_micros(1);

/// The longest time that the I/O thread is held back while JavaScript is busy.
const LONGEST_HOLD: Duration = Duration::from_micros(200);

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl EventSink for Mailbox {
    fn emit(&self, event: Event) {
        let is_flood = matches!(
            event,
            Event::Data { flood: true, .. } | Event::Messages { flood: true, .. }
        );
        let is_enough = {
            let mut queue = lock(&self.queue);
            queue.bytes += event.bytes();
            queue.events.push_back(event);
            queue.hurried += usize::from(!is_flood);
            let len = queue.events.len();
            self.len.store(len, Ordering::Release);
            len >= WAKE_AT || queue.bytes >= WAKE_AT_BYTES
        };
        // Otherwise `about_to_park` wakes: JavaScript is to find all that one turn has brought.
        if is_enough {
            self.wake();
        }
    }

    fn about_to_park(&self) {
        if self.len.load(Ordering::SeqCst) == 0 {
            return;
        }
        if !self.awake.load(Ordering::SeqCst) && lock(&self.queue).hurried == 0 {
            thread::sleep(FLOOD_REST);
        }
        if self.wake() {
            return;
        }
        let is_busy = self.awake.load(Ordering::SeqCst) && !self.is_waiting.load(Ordering::SeqCst);
        if !is_busy {
            return;
        }
        *lock(&self.held) = Some(thread::current());
        self.is_held.store(true, Ordering::SeqCst);
        if self.len.load(Ordering::SeqCst) > 0 {
            thread::park_timeout(LONGEST_HOLD);
        }
        self.is_held.store(false, Ordering::SeqCst);
    }
}

impl Mailbox {
    /// A mailbox that calls `on_wake` when there is something in it. It does not keep the
    /// environment alive.
    pub(super) fn new(on_wake: &Function<'_, u32, ()>) -> Result<Self> {
        let wake = on_wake
            .build_threadsafe_function::<u32>()
            .weak::<true>()
            .callee_handled::<false>()
            .max_queue_size::<0>()
            .build()?;
        Ok(Self {
            queue: Mutex::default(),
            len: AtomicUsize::new(0),
            awake: AtomicBool::new(false),
            is_waiting: AtomicBool::new(false),
            held: Mutex::default(),
            is_held: AtomicBool::new(false),
            wake,
        })
    }

    /// Calls JavaScript if nobody has. Answers whether this did.
    fn wake(&self) -> bool {
        let is_first = !self.awake.swap(true, Ordering::SeqCst);
        if is_first {
            // Fails only while the environment ends, and then nobody wants the events.
            self.wake.call(0, ThreadsafeFunctionCallMode::NonBlocking);
        }
        is_first
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.len.load(Ordering::Acquire) == 0
    }

    /// Moves everything into `taken`, which is empty. Answers how many bytes were received.
    pub(super) fn take(&self, taken: &mut VecDeque<Event>) -> usize {
        debug_assert!(taken.is_empty());
        let mut queue = lock(&self.queue);
        std::mem::swap(&mut queue.events, taken);
        queue.hurried = 0;
        let bytes = std::mem::take(&mut queue.bytes);
        self.len.store(0, Ordering::SeqCst);
        drop(queue);
        self.release();
        bytes
    }

    /// The I/O thread is not held back any more.
    pub(super) fn release(&self) {
        if self.is_held.swap(false, Ordering::SeqCst)
            && let Some(thread) = lock(&self.held).as_ref()
        {
            thread.unpark();
        }
    }

    /// Throws everything away: nobody drains any more.
    pub(super) fn clear(&self) {
        lock(&self.queue).events.clear();
    }

    /// Waits up to `longest` for an event, and says whether there is one. `turn` makes events, if it
    /// is for this thread to do so.
    pub(super) fn wait(&self, longest: Duration, turn: impl Fn()) -> bool {
        let start = Instant::now();
        self.is_waiting.store(true, Ordering::SeqCst);
        let hit = loop {
            // Yielding, not spinning: where the other side shares the CPU, it is its turn. And first of
            // all: what was just sent has hardly been answered yet.
            thread::yield_now();
            turn();
            if self.len.load(Ordering::Acquire) > 0 {
                break true;
            }
            if start.elapsed() >= longest {
                break false;
            }
        };
        self.is_waiting.store(false, Ordering::SeqCst);
        hit
    }

    /// JavaScript goes to sleep. Answers whether it may: `false` where an event came meanwhile.
    pub(super) fn sleep(&self) -> bool {
        self.awake.store(false, Ordering::SeqCst);
        if self.len.load(Ordering::SeqCst) == 0 {
            return true;
        }
        // There is something. Whoever puts the flag up looks after it: we, or the I/O thread, which
        // has then called us.
        self.awake.swap(true, Ordering::SeqCst)
    }

    /// Makes the environment stay alive for events, or not. Only on its own thread, and only from
    /// the one place that counts handles (`lib/engine.js`): these are switches, not counters.
    pub(super) fn set_ref(&self, env: &Env, on: bool) -> Result<()> {
        let function = self.wake.raw();
        // SAFETY: `env` is the environment that the function was made in, this is its thread
        // (napi hands out an `Env` nowhere else), and the function lives as long as `self.wake`.
        let status = unsafe {
            if on {
                sys::napi_ref_threadsafe_function(env.raw(), function)
            } else {
                sys::napi_unref_threadsafe_function(env.raw(), function)
            }
        };
        check_status!(status)
    }
}
