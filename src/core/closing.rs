//! A close that the owner waits for: the address of a listener or of a datagram socket is free when it returns.
//!
//! The owner's thread asks and waits, the task that holds the descriptor lets it go and says so. The same lock
//! keeps the task's waker, so that a wake-up never comes too early.

use std::sync::{Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::core::lock;

/// One handle's close, and the waker of its task.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    state: Mutex<State>,
    /// Signalled when `state.closed` is set.
    closed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waker: Option<Waker>,
    close: bool,
    closed: bool,
}

impl Closing {
    /// Asks for the close and waits until the descriptor is gone. Somebody has to turn the runtime meanwhile;
    /// tasks never wait themselves, so this is over within the work of one turn.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.close = true;
        if let Some(waker) = &state.waker {
            waker.wake_by_ref();
        }
        while !state.closed {
            state = self
                .closed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Wakes the task.
    pub(crate) fn wake(&self) {
        if let Some(waker) = &lock(&self.state).waker {
            waker.wake_by_ref();
        }
    }

    /// Ready when the close is asked for; otherwise the task is woken then.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.close {
            return Poll::Ready(());
        }
        if !state
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// The descriptor is gone, whether or not anybody asked for that.
    pub(crate) fn done(&self) {
        lock(&self.state).closed = true;
        self.closed.notify_all();
    }
}
