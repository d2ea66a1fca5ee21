//! The task that drives one UDP socket, on whichever thread turns the runtime.
//!
//! It alone receives, alone sends while datagrams are queued, and lets the descriptor go.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::core::datagram::receive::DatagramReceiver;
use crate::core::datagram::socket::DatagramSocket;
use crate::core::datagram::udp::{Udp, has_no_buffers};
use crate::core::engine::Shared;
use crate::core::error::{Error, Syscall};
use crate::core::event::Event;
use crate::core::lock;

/// The pause after the system had no buffer for a datagram: it does not say when it has one again.
const PAUSE: Duration = Duration::from_millis(1);

/// Datagrams sent before other tasks get their turn.
const SENDS_PER_TURN: usize = 64;

/// Drives a socket until it is closed.
pub(crate) async fn run(engine: Arc<Shared>, socket: Arc<DatagramSocket>, udp: Arc<Udp>) {
    let mut driver = Driver {
        engine,
        socket,
        udp: Some(udp),
        receiver: DatagramReceiver::default(),
        pause: None,
    };
    poll_fn(|cx| {
        // A panic is a bug, but one socket's bug: it must not take the others along.
        catch_unwind(AssertUnwindSafe(|| driver.poll(cx))).unwrap_or_else(|_| {
            driver.fail(Syscall::Receive, &io::ErrorKind::Other.into());
            Poll::Ready(())
        })
    })
    .await;
}

struct Driver {
    engine: Arc<Shared>,
    socket: Arc<DatagramSocket>,
    /// Always there, until it is let go at the end.
    udp: Option<Arc<Udp>>,
    receiver: DatagramReceiver,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Driver {
    /// Goes on until nothing can be done; ready when the socket is to be closed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.socket.closing.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(udp) = self.udp.clone() else {
            return Poll::Ready(());
        };
        if self.socket.is_writing() {
            self.poll_send(cx, &udp);
        }
        self.receiver.poll(cx, &self.engine, &self.socket, &udp);
        Poll::Pending
    }

    /// Sends what is queued, until nothing is or the system takes no more.
    fn poll_send(&mut self, cx: &mut Context<'_>, udp: &Udp) {
        for _ in 0..SENDS_PER_TURN {
            if let Some(pause) = &mut self.pause {
                if pause.as_mut().poll(cx).is_pending() {
                    return;
                }
                self.pause = None;
            }
            let Some((to, payload)) = lock(&self.socket.queue).front() else {
                self.socket.written();
                if lock(&self.socket.queue).is_empty() {
                    return;
                }
                continue;
            };
            match udp.poll_send(cx, to, &payload) {
                Poll::Pending => return,
                Poll::Ready(Err(error)) if has_no_buffers(&error) => {
                    self.pause = Some(Box::pin(sleep(PAUSE)));
                    continue;
                }
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.socket.add_refused(to);
                    self.fail(Syscall::Send, &error);
                }
            }
            if lock(&self.socket.queue).pop() {
                let id = self.socket.id();
                self.engine.emit(Event::Written { id });
            }
        }
        // There is more, and nobody else will say so.
        cx.waker().wake_by_ref();
    }

    fn fail(&self, syscall: Syscall, source: &io::Error) {
        let id = self.socket.id();
        let error = Error::new(syscall, source);
        self.engine.emit(Event::Failed { id, error });
    }
}

/// However the task ends, the descriptor goes first, and then whoever waits is told.
impl Drop for Driver {
    fn drop(&mut self) {
        self.udp = None;
        self.socket.closing.done();
        let id = self.socket.id();
        self.engine.emit(Event::Closed { id });
    }
}
