//! The task that drives one stream, on whichever thread turns the runtime.
//!
//! It alone reads, alone sends while bytes are queued, and alone lets the descriptor go.
//!
//! | stage | left when | by |
//! | --- | --- | --- |
//! | connecting | the attempt ends | `Connected`, or `ConnectFailed` and `Closed` |
//! | securing (TLS alone) | the handshake ends | `Secured`, or `TlsFailed` |
//! | open | `close` or `reset` is asked for | `Closed` |
//!
//! `close` and `reset` end each stage, at once, and what is queued is dropped, but for what waits for TLS and the system
//! takes at once; who wants all sent ends the stream first and closes after [`Event::Finished`].

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use socket2::Socket;
use tokio::task::coop::unconstrained;

use crate::core::connect;
use crate::core::engine::Shared;
use crate::core::error::{Error, Syscall};
use crate::core::event::Event;
use crate::core::lock;
use crate::core::options::ConnectOptions;
use crate::core::receive::Receiver;
use crate::core::secure::Secure;
use crate::core::stream::{CLOSE, RESET, Stream, UPGRADE, WRITING};
use crate::core::tls::failure::failure_in;
use crate::core::transport::Transport;
use crate::core::transport::tls::Tls;
use crate::core::write_queue::{Advance, Step};

/// The life of a stream that starts with an attempt to connect.
pub(crate) async fn run_connect(
    engine: Arc<Shared>,
    stream: Arc<Stream>,
    options: ConnectOptions,
    bound: Option<Socket>,
) {
    let mut attempt = Box::pin(connect::connect(&options, bound));
    // `None`: closed before the attempt ended.
    let outcome = poll_fn(|cx| {
        stream.register(cx);
        if stream.has(CLOSE) {
            return Poll::Ready(None);
        }
        attempt.as_mut().poll(cx).map(Some)
    })
    .await;
    drop(attempt);
    let id = stream.id();
    match outcome {
        Some(Ok(transport)) => {
            let transport = Arc::new(transport);
            engine.emit(Event::Connected {
                id,
                transport: Arc::clone(&transport),
            });
            run_open(engine, stream, transport).await;
        }
        Some(Err(error)) => {
            engine.emit(Event::ConnectFailed { id, error });
            engine.emit(Event::Closed { id });
        }
        None => engine.emit(Event::Closed { id }),
    }
}

/// The life of an open stream.
///
/// Not an `async fn`: its future would have room for the arguments twice, and idle streams are many.
pub(crate) fn run_open(
    engine: Arc<Shared>,
    stream: Arc<Stream>,
    transport: Arc<Transport>,
) -> impl Future<Output = ()> {
    let driver = Driver {
        receiver: Receiver::new(&stream),
        securing: transport.tls().map(Secure::new),
        is_broken: false,
        engine,
        stream,
        transport,
    };
    let mut task = Task(Some(driver));
    async move {
        poll_fn(|cx| {
            let Some(driver) = &mut task.0 else {
                return Poll::Ready(());
            };
            // A panic is a bug, but one connection's bug: it must not take the others along.
            catch_unwind(AssertUnwindSafe(|| driver.poll(cx))).unwrap_or_else(|_| {
                driver.fail(Syscall::Read, &io::ErrorKind::Other.into());
                Poll::Ready(())
            })
        })
        .await;
        // However much the task has done in its turn: all that the system takes is to go out.
        unconstrained(poll_fn(|_| {
            if let Some(driver) = task.0.take() {
                driver.finish();
            }
            Poll::Ready(())
        }))
        .await;
    }
}

/// What a task has; `None` once it is over.
struct Task(Option<Driver>);

impl Drop for Task {
    /// The runtime goes, with the process or its owner: what was written is sent, as it is without TLS. That we end
    /// is not said: the owner has not said it either.
    fn drop(&mut self) {
        if let Some(driver) = self.0.take() {
            driver.send_rest();
        }
    }
}

/// The task of one open stream.
struct Driver {
    engine: Arc<Shared>,
    stream: Arc<Stream>,
    transport: Arc<Transport>,
    receiver: Receiver,
    /// The handshake under way.
    securing: Option<Secure>,
    /// The handshake failed: nothing goes in or out any more.
    is_broken: bool,
}

impl Driver {
    /// Goes on until nothing can be done; ready when the stream is to be closed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.register(cx);
        if self.stream.has(CLOSE) {
            return Poll::Ready(());
        }
        if self.stream.has(UPGRADE) {
            self.upgrade();
        }
        if !self.is_secure(cx) {
            return Poll::Pending;
        }
        if self.stream.has(WRITING) {
            self.poll_write(cx);
        }
        if self.stream.has(UPGRADE) {
            return Poll::Pending; // Meanwhile; it has woken us.
        }
        if let Err(error) = self
            .receiver
            .poll(cx, &self.engine, &self.stream, &self.transport)
        {
            self.fail(Syscall::Read, &error);
        }
        self.poll_tls(cx);
        Poll::Pending
    }

    /// What TLS makes of having read.
    fn poll_tls(&mut self, cx: &mut Context<'_>) {
        let Some(tls) = self.transport.tls() else {
            return;
        };
        if let Poll::Ready(Err(error)) = tls.poll_flush(cx) {
            self.fail(Syscall::Write, &error);
        }
        self.tell_session();
    }

    fn tell_session(&self) {
        if self.transport.tls().is_some_and(Tls::take_new_session) {
            let id = self.stream.id();
            self.engine.emit(Event::Session { id });
        }
    }

    fn upgrade(&mut self) {
        let Some(transport) = self.stream.take_upgrade() else {
            let id = self.stream.id();
            self.engine.emit(Event::Quiet { id });
            return;
        };
        self.securing = transport.tls().map(Secure::new);
        self.transport = transport;
        self.receiver = Receiver::new(&self.stream);
    }

    /// Whether bytes may flow: always, or after the handshake.
    fn is_secure(&mut self, cx: &mut Context<'_>) -> bool {
        let (Some(securing), Some(tls)) = (&mut self.securing, self.transport.tls()) else {
            return !self.is_broken;
        };
        match securing.poll(cx, &self.engine, self.stream.id(), tls) {
            Poll::Pending => false,
            Poll::Ready(Ok(())) => {
                self.securing = None;
                self.tell_session();
                true
            }
            Poll::Ready(Err(error)) => {
                self.securing = None;
                self.is_broken = true;
                // The alert that says why.
                let _ = tls.poll_flush(cx);
                self.fail(Syscall::Read, &error);
                false
            }
        }
    }

    /// Sends what is queued, until the queue is empty or the system takes no more.
    fn poll_write(&mut self, cx: &mut Context<'_>) {
        loop {
            let step = lock(&self.stream.writes).step();
            // Looked at behind the queue, to which the owner adds behind it: what is for TLS never goes out without.
            if self.stream.has(UPGRADE) {
                return;
            }
            match step {
                Step::Send(piece) => match self.transport.poll_write(cx, &piece) {
                    Poll::Pending => return,
                    Poll::Ready(Ok(len)) => {
                        self.stream.has_moved();
                        let id = self.stream.id();
                        let advance = lock(&self.stream.writes).advance(len);
                        match advance {
                            Advance::Emptied => self.engine.emit(Event::Written { id }),
                            Advance::Passed => self.engine.emit(Event::Passed { id }),
                            Advance::On => {}
                        }
                    }
                    Poll::Ready(Err(error)) => {
                        lock(&self.stream.writes).fail();
                        self.fail(Syscall::Write, &error);
                    }
                },
                Step::Finish => {
                    let Poll::Ready(result) = self.transport.poll_finish(cx) else {
                        return;
                    };
                    lock(&self.stream.writes).finished();
                    match result {
                        Ok(()) => {
                            let id = self.stream.id();
                            self.engine.emit(Event::Finished { id });
                        }
                        Err(error) => self.fail(Syscall::Shutdown, &error),
                    }
                }
                Step::Rest => {
                    self.stream.clear(WRITING);
                    // The owner adds first and puts the flag up then; what it added before we took
                    // the flag down is seen by this second look.
                    if lock(&self.stream.writes).step() == Step::Rest {
                        return;
                    }
                    self.stream.set(WRITING);
                }
            }
        }
    }

    fn fail(&self, syscall: Syscall, source: &io::Error) {
        let id = self.stream.id();
        if let (Some(tls), Some(failure)) = (self.transport.tls(), failure_in(source)) {
            tls.note(failure);
            self.engine.emit(Event::TlsFailed { id });
            return;
        }
        let error = Error::new(syscall, source);
        self.engine.emit(Event::Failed { id, error });
    }

    /// Sends what waits for TLS, as far as the system takes it now.
    fn send_rest(&self) {
        if self.transport.tls().is_none() || self.securing.is_some() || self.is_broken {
            return;
        }
        let mut writes = lock(&self.stream.writes);
        let mut cx = Context::from_waker(Waker::noop());
        while let Step::Send(piece) = writes.step() {
            match self.transport.poll_write(&mut cx, &piece) {
                Poll::Ready(Ok(len)) => writes.advance(len),
                _ => return,
            };
        }
    }

    /// Lets the descriptor go, then says so.
    fn finish(self) {
        if self.stream.has(RESET) || self.stream.has_unused() {
            // Where this fails the connection is gone already.
            let _ = self.transport.reset_on_close();
        } else if let Some(tls) = self.transport.tls() {
            // Without TLS the owner's thread has sent it already, as far as the system took it.
            self.send_rest();
            tls.part();
        }
        drop(self.transport);
        let id = self.stream.id();
        self.engine.emit(Event::Closed { id });
    }
}
