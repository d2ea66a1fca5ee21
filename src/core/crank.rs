//! Who turns the runtime: the I/O thread, or for a while the owner's thread itself.
//!
//! Normally the I/O thread does, and the owner is told. But an owner that is busy with many small
//! events asks for the next ones all the time anyway, and then each hand-over between two threads
//! costs more than the read it saves. Such an owner takes the crank: it turns the runtime once
//! whenever it would look for events, on its own thread, and no thread has to be woken for
//! anything. It gives the crank back when it has nothing to do, or when there is much to read.
//!
//! The same tasks run the same way in both cases; they never know which thread it is.
//!
//! | holder | the crank is turned by | becomes | when |
//! | --- | --- | --- | --- |
//! | `Io` | the I/O thread | `Free` | the owner asked for it, and the thread has let go |
//! | `Free` | nobody | `Owner` | the owner turns it for the first time |
//! | | | `Io` | the owner gives it back, or has done nothing with it for [`PATIENCE`] |
//! | `Owner` | the owner, between its other work | `Io` | as above |
//! | `Turning` | the owner, right now | `Owner` | the turn is over |

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::core::event::EventSink;
use crate::core::lock;

/// How long the I/O thread lets an owner keep the crank without turning it: an owner that computes
/// for long must not stop the I/O of everybody else.
pub(crate) const PATIENCE: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Io,
    Free,
    Owner,
    Turning,
}

#[derive(Debug)]
struct State {
    holder: Holder,
    /// The owner wants the crank.
    asked: bool,
    /// Turns of the owner, to see whether it makes use of the crank.
    turns: u64,
}

/// The runtime of one engine, and who turns it.
pub(crate) struct Crank {
    runtime: Runtime,
    state: Mutex<State>,
    /// Makes the I/O thread let go.
    let_go: Notify,
    stopped: AtomicBool,
    io_thread: OnceLock<Thread>,
}

impl Crank {
    pub(crate) fn new(sink: Arc<dyn EventSink>) -> io::Result<Arc<Self>> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .on_thread_park(move || sink.about_to_park())
            .build()?;
        Ok(Arc::new(Self {
            runtime,
            state: Mutex::new(State {
                holder: Holder::Io,
                asked: false,
                turns: 0,
            }),
            let_go: Notify::new(),
            stopped: AtomicBool::new(false),
            io_thread: OnceLock::new(),
        }))
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// The life of the I/O thread.
    pub(crate) fn run_io_thread(&self) {
        self.io_thread.get_or_init(thread::current);
        while !self.stopped.load(Ordering::Acquire) {
            self.runtime.block_on(self.let_go.notified());
            let is_asked = {
                let mut state = lock(&self.state);
                let is_asked = std::mem::take(&mut state.asked);
                if is_asked {
                    state.holder = Holder::Free;
                }
                is_asked
            };
            if is_asked {
                self.wait_for_crank();
            }
        }
    }

    /// Until the owner gives the crank back, or leaves it lying.
    fn wait_for_crank(&self) {
        let mut seen = lock(&self.state).turns;
        while !self.stopped.load(Ordering::Acquire) {
            thread::park_timeout(PATIENCE);
            let mut state = lock(&self.state);
            match state.holder {
                Holder::Io => return,
                Holder::Free | Holder::Owner if state.turns == seen => {
                    state.holder = Holder::Io;
                    return;
                }
                _ => seen = state.turns,
            }
        }
    }

    /// The owner would like to turn the crank itself. It can once the I/O thread has let go.
    pub(crate) fn ask(&self) {
        let mut state = lock(&self.state);
        if state.holder == Holder::Io && !state.asked {
            state.asked = true;
            self.let_go.notify_one();
        }
    }

    /// Looks for I/O, without waiting, and runs the tasks that are ready, on the owner's thread. Answers
    /// whether the owner has the crank.
    pub(crate) fn turn(&self) -> bool {
        {
            let mut state = lock(&self.state);
            if !matches!(state.holder, Holder::Free | Holder::Owner) {
                return false;
            }
            state.holder = Holder::Turning;
        }
        // The first yield looks for I/O, until the second the tasks that it woke have run.
        self.runtime.block_on(async {
            yield_now().await;
            yield_now().await;
        });
        let mut state = lock(&self.state);
        state.holder = Holder::Owner;
        state.turns = state.turns.wrapping_add(1);
        true
    }

    /// The owner has no more use for the crank.
    pub(crate) fn give_back(&self) {
        let mut state = lock(&self.state);
        state.asked = false;
        if matches!(state.holder, Holder::Free | Holder::Owner) {
            state.holder = Holder::Io;
            drop(state);
            self.unpark();
        }
    }

    /// Makes the I/O thread end, whatever it does.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.let_go.notify_one();
        self.unpark();
    }

    fn unpark(&self) {
        if let Some(thread) = self.io_thread.get() {
            thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::Event;

    struct Nobody;

    impl EventSink for Nobody {
        fn emit(&self, _event: Event) {}
    }

    fn start() -> (Arc<Crank>, thread::JoinHandle<()>) {
        let crank = Crank::new(Arc::new(Nobody)).expect("a runtime");
        let for_thread = Arc::clone(&crank);
        (crank, thread::spawn(move || for_thread.run_io_thread()))
    }

    fn take(crank: &Crank) {
        loop {
            // Again each time: on a busy machine the I/O thread has it back before we get to turn it.
            crank.ask();
            if crank.turn() {
                return;
            }
            thread::yield_now();
        }
    }

    /// The name of the thread that runs tasks now.
    fn runner(crank: &Crank, turn: bool) -> thread::ThreadId {
        let (tell, told) = std::sync::mpsc::channel();
        crank.handle().spawn(async move {
            let _ = tell.send(thread::current().id());
        });
        if turn {
            crank.turn();
        }
        told.recv_timeout(Duration::from_secs(10))
            .expect("the task runs")
    }

    #[test]
    fn tasks_run_where_the_crank_is() {
        let (crank, thread) = start();
        assert_eq!(runner(&crank, false), thread.thread().id());
        take(&crank);
        assert_eq!(runner(&crank, true), thread::current().id());
        crank.give_back();
        assert_eq!(runner(&crank, false), thread.thread().id());
        assert!(!crank.turn());
        crank.stop();
        thread.join().expect("the thread ends");
    }

    #[test]
    fn a_crank_that_lies_idle_goes_back_by_itself() {
        let (crank, thread) = start();
        take(&crank);
        assert_eq!(runner(&crank, false), thread.thread().id());
        crank.stop();
        thread.join().expect("the thread ends");
    }

    #[test]
    fn asking_and_thinking_better_of_it_leaves_nobody_waiting() {
        let (crank, thread) = start();
        for _ in 0..1_000 {
            crank.ask();
            crank.give_back();
        }
        assert_eq!(runner(&crank, false), thread.thread().id());
        crank.stop();
        thread.join().expect("the thread ends");
    }
}
