//! The class `Engine`: one environment's engine, its start, its drain and its end.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{
    BufferSlice, Either, Function, Int32Array, Uint8Array, Unknown, check_status,
};
use napi::{Env, JsValue, Result, Status, sys};
use napi_derive::napi;

use crate::binding::chunks::Lent;
use crate::binding::encode::{MESSAGE_INDEX, as_int, encode};
use crate::binding::mailbox::{BATCH_BYTES, Mailbox};
use crate::binding::options::NativeDropped;
use crate::binding::registry::{Entry, Registry};
use crate::binding::shared::{Cell, PIECES, Sends, Shared};
use crate::core::chunks::{SHARED_WINDOW, SMALLEST_SHARED};
use crate::core::codec::Fault;
use crate::core::datagram::parcels::Parcel;
use crate::core::engine::Engine as CoreEngine;
use crate::core::error::errno;
use crate::core::event::{ChunkId, Dropped, Event, HandleId};
use crate::core::hot_wait::{self, Busy, Habit, Turner};

/// The native engine of one JavaScript environment.
///
/// `events` is an array that both sides share: a header (see [`Cell`]), then five
/// integers per event (see [`EventKind`](super::encode::EventKind)), as many as there is room for.
/// `slab` is where JavaScript puts small writes together, and `sends` says which of them to send.
#[napi]
pub struct Engine {
    /// Shared with the environment's cleanup hook, which ends it.
    pub(super) state: Rc<RefCell<State>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// Everything of one environment. It never leaves the environment's thread.
pub(super) struct State {
    pub(super) core: CoreEngine,
    pub(super) registry: Registry,
    pub(super) shared: Shared,
    pub(super) slab: Uint8Array,
    pub(super) sends: Sends,
    /// Kept, so that sending needs no new memory.
    pub(super) parcels: Vec<Parcel>,
    mailbox: Arc<Mailbox>,
    lent: Lent,
    /// Taken from the mailbox, not yet in the array.
    taken: VecDeque<Event>,
    /// What JavaScript has of the last batch, and gives back by draining again.
    batch: Batch,
    hot: Habit,
    /// Looking for a reply before giving way to whoever is to send it.
    at_once: Habit,
    busy: Busy,
}

#[derive(Default)]
struct Batch {
    data: Vec<(HandleId, usize, ChunkId)>,
    /// Bytes that are in no chunk.
    others: Vec<(HandleId, usize)>,
    /// Large messages, for [`Engine::take_message`].
    messages: Vec<Vec<u8>>,
    /// Listeners whose connections were accepted or dropped.
    accepted: Vec<HandleId>,
    /// In the order of their events.
    dropped: VecDeque<Box<Dropped>>,
    closed: Vec<HandleId>,
    chunks_done: Vec<ChunkId>,
}

/// Starts the I/O thread, or answers an errno: it takes descriptors and memory. `onWake` is called when there are events
/// and JavaScript is not draining; it is expected to call [`Engine::drainer`]'s function until that gives 0.
#[napi(catch_unwind)]
#[allow(
    clippy::needless_pass_by_value,
    reason = "napi hands a function over by value"
)]
pub fn start_engine(
    env: Env,
    shared: Int32Array,
    slab: Uint8Array,
    sends: Int32Array,
    on_wake: Function<'_, u32, ()>,
) -> Result<Either<Engine, i32>> {
    let shared = Shared::new(shared)
        .ok_or_else(|| napi::Error::new(Status::InvalidArg, "no room for an event"))?;
    let mailbox = Arc::new(Mailbox::new(&on_wake)?);
    let sink = Arc::clone(&mailbox);
    let core = match CoreEngine::start(sink) {
        Ok(core) => core,
        Err(error) => return Ok(Either::B(errno(&error))),
    };
    let state = Rc::new(RefCell::new(State {
        core,
        registry: Registry::default(),
        shared,
        slab,
        sends: Sends::new(sends),
        parcels: Vec::new(),
        mailbox,
        lent: Lent::default(),
        taken: VecDeque::new(),
        batch: Batch::default(),
        hot: Habit::default(),
        at_once: Habit::default(),
        busy: Busy::default(),
    }));
    // Hooks run last-registered-first: the thread is joined before the threadsafe function,
    // which is older, is taken down, and before JavaScript's memory goes. Everything native
    // goes here and not in a finalizer: those do not run for every environment.
    env.add_env_cleanup_hook(Rc::clone(&state), |state| state.borrow_mut().end())?;
    Ok(Either::A(Engine { state }))
}

#[napi]
impl Engine {
    /// The function that gives the next events and takes back what its last call gave: JavaScript is done with those
    /// bytes and handles. It answers how many events are in the array. On 0 JavaScript is called again
    /// when there are more, and must not drain before; on anything else it must drain again.
    ///
    /// `wait`: replies to what was just written may be on their way, so a short wait may save going
    /// to sleep. Whether to really wait is decided by how well that went before.
    ///
    /// It and [`flusher`](Self::flusher) are no methods, because those look up at each call whether they are called
    /// on an object of their class: 5 to 10 % of a round trip.
    #[napi(catch_unwind, ts_return_type = "(wait: boolean) => number")]
    pub fn drainer<'env>(&self, env: &'env Env) -> Result<Function<'env, bool, u32>> {
        let state = Rc::clone(&self.state);
        env.create_function_from_closure("drain", move |call| {
            let wait = call.get(0)?;
            Ok(state.borrow_mut().drain(wait))
        })
    }

    /// The two ends of the connection that the next `Dropped` of this batch is about.
    #[napi(catch_unwind)]
    pub fn take_dropped(&self) -> NativeDropped {
        let dropped = self.state.borrow_mut().batch.dropped.pop_front();
        NativeDropped::new(dropped.as_deref())
    }

    /// Lends memory for reads and answers its number. `own`: for one read, whose bytes a program may
    /// then have, at least 64 KiB; otherwise for all handles, at least 128 KiB. Until the engine says what it has
    /// read there, nothing but this module may have the memory.
    #[napi(catch_unwind)]
    pub fn add_chunk(&self, memory: Uint8Array, own: bool) -> Result<u32> {
        let least = if own { SHARED_WINDOW } else { SMALLEST_SHARED };
        if memory.len() < least {
            return Err(napi::Error::new(Status::InvalidArg, "a chunk is too small"));
        }
        let state = &mut *self.state.borrow_mut();
        let chunk = state.lent.add(memory);
        let id = chunk.id();
        let core = &state.core;
        if own {
            core.chunks().add_own(chunk);
        } else {
            core.chunks().add_shared(chunk);
        }
        Ok(id)
    }

    /// The bytes of a large message of the last batch, by its number there, in memory of their own. Only
    /// once.
    #[napi(catch_unwind)]
    pub fn take_message<'env>(&self, env: &'env Env, index: u32) -> Result<BufferSlice<'env>> {
        let state = &mut *self.state.borrow_mut();
        let message = state.batch.messages.get_mut(index as usize);
        BufferSlice::copy_from(env, message.map(std::mem::take).unwrap_or_default())
    }

    /// Makes the environment stay alive for events, or not.
    #[napi(catch_unwind)]
    pub fn set_ref(&self, env: Env, on: bool) -> Result<()> {
        self.state.borrow().mailbox.set_ref(&env, on)
    }

    /// Has an exception of a listener take the way of every uncaught one: `uncaughtException`, or
    /// the end of the process.
    #[napi]
    #[allow(
        clippy::unused_self,
        reason = "a method, so that JavaScript has one object to call"
    )]
    pub fn fatal_exception(&self, env: Env, error: Unknown<'_>) -> Result<()> {
        // No borrow is held here: the handlers that this runs may call any other method.
        // SAFETY: `error` is a live value of `env`, and this is its thread.
        check_status!(unsafe { sys::napi_fatal_exception(env.raw(), error.raw()) })
    }
}

impl State {
    /// The environment ends: no event comes any more, and every descriptor is closed.
    fn end(&mut self) {
        self.core.stop();
        self.registry = Registry::default();
        // Events hold descriptors as well.
        self.mailbox.clear();
        self.taken.clear();
    }

    /// See [`Engine::drainer`].
    fn drain(&mut self, wait: bool) -> u32 {
        self.settle();
        if self.taken.is_empty() {
            self.take();
        } else {
            // There may be room again for what it waits to read.
            self.mailbox.release();
        }
        while self.taken.is_empty() {
            let found = if wait && self.hot.should_try() {
                self.wait()
            } else {
                let _ = self.core.turn();
                !self.mailbox.is_empty()
            };
            if found || !self.sleep() {
                self.take();
            } else {
                return 0;
            }
        }
        self.deliver()
    }

    /// Takes what there is, and decides who is to bring the next.
    fn take(&mut self) {
        let bytes = self.mailbox.take(&mut self.taken);
        if self.taken.is_empty() {
            return;
        }
        // Each datagram is an event of its own for JavaScript.
        let events = self.taken.iter().map(|event| match event {
            Event::Datagrams { count, .. } => *count as usize,
            _ => 1,
        });
        match self.busy.record(events.sum(), bytes) {
            Turner::Owner => self.core.ask_crank(),
            Turner::Io => self.core.give_back_crank(),
            Turner::Any => {}
        }
    }

    /// Waits a moment for a reply to what was written, and says whether there is one.
    fn wait(&mut self) -> bool {
        let look = || {
            let _ = self.core.turn();
        };
        if self.at_once.should_try() {
            look();
            let hit = !self.mailbox.is_empty();
            self.at_once.record(hit);
            if hit {
                self.hot.record(true);
                return true;
            }
        }
        let hit = self.mailbox.wait(hot_wait::LONGEST, look);
        self.hot.record(hit);
        hit
    }

    /// Goes to sleep, unless something has come.
    fn sleep(&mut self) -> bool {
        if !self.mailbox.sleep() {
            return false;
        }
        self.busy.slept();
        // The I/O thread takes over, and what it finds wakes JavaScript.
        self.core.give_back_crank();
        self.tell_wanted();
        true
    }

    /// Takes back what JavaScript had of the last batch.
    fn settle(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let core = &self.core;
        for (id, len, chunk) in self.batch.data.drain(..) {
            self.lent.consumed(chunk);
            self.registry.consumed(id, len);
        }
        for (id, len) in self.batch.others.drain(..) {
            self.registry.consumed(id, len);
        }
        self.batch.messages.clear();
        self.batch.dropped.clear();
        for id in self.batch.accepted.drain(..) {
            if let Some(listener) = self.registry.listener(id) {
                listener.consumed();
            }
        }
        for id in self.batch.closed.drain(..) {
            self.registry.remove(id);
            core.release_id(id);
        }
        for chunk in self.batch.chunks_done.drain(..) {
            self.lent.remove(chunk);
        }
        core.chunks().settle();
    }

    /// Puts events into the array, as far as there is room for them and they make a batch.
    fn deliver(&mut self) -> u32 {
        let count = self.next_batch();
        for (index, event) in self.taken.drain(..count).enumerate() {
            let mut row = encode(&event);
            match event {
                Event::Messages { id, chunk, len, .. }
                | Event::Datagrams { id, chunk, len, .. } => {
                    self.batch.data.push((id, len as usize, chunk));
                }
                Event::Message { id, bytes } => {
                    row[MESSAGE_INDEX] = as_int(self.batch.messages.len());
                    self.batch.others.push((id, bytes.len()));
                    self.batch.messages.push(bytes);
                }
                Event::Fault { id, .. } => self.batch.others.push((id, Fault::WEIGHT)),
                Event::Connected { id, transport } => self.registry.connected(id, transport),
                Event::Accepted {
                    listener,
                    stream,
                    transport,
                } => {
                    let id = stream.id();
                    self.registry
                        .insert(id, Entry::Stream(stream, Some(transport)));
                    self.batch.accepted.push(listener);
                }
                Event::Dropped { listener, dropped } => {
                    self.batch.dropped.push_back(dropped);
                    self.batch.accepted.push(listener);
                }
                Event::Data {
                    id,
                    chunk,
                    len,
                    own,
                    ..
                } => {
                    self.batch.data.push((id, len as usize, chunk));
                    if own {
                        self.batch.chunks_done.push(chunk);
                    }
                }
                Event::Closed { id } => self.batch.closed.push(id),
                Event::ConnectFailed { .. }
                | Event::AcceptPaused { .. }
                | Event::Hello { .. }
                | Event::Stranger { .. }
                | Event::End { .. }
                | Event::Written { .. }
                | Event::Passed { .. }
                | Event::Finished { .. }
                | Event::Failed { .. }
                | Event::Named { .. }
                | Event::Secured { .. }
                | Event::TlsFailed { .. }
                | Event::Session { .. }
                | Event::Quiet { .. } => {}
            }
            self.shared.set_event(index, row);
        }
        self.tell_wanted();
        u32::try_from(count).expect("the array holds fewer events than 4 G")
    }

    /// How many of the events that were taken make the next batch.
    fn next_batch(&self) -> usize {
        let mut bytes = 0;
        let is_within = |event: &&Event| {
            let is_within = bytes < BATCH_BYTES;
            bytes += event.bytes();
            is_within
        };
        let room = self.shared.room();
        self.taken.iter().take(room).take_while(is_within).count()
    }

    fn tell_wanted(&mut self) {
        let wanted = self.core.chunks().wanted();
        self.shared.set(Cell::WantedShared, wanted.shared);
        self.shared
            .set(Cell::WantedOwn, wanted.own | (wanted.pieces << PIECES));
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.data.is_empty()
            && self.others.is_empty()
            && self.accepted.is_empty()
            && self.closed.is_empty()
            && self.chunks_done.is_empty()
    }
}
