//! Windows named pipes.
//!
//! A server is a row of *instances* under one name, each of which takes one client. While no instance
//! waits, a client finds the pipe busy, so the next one is made before a client is served, and a
//! client that comes in between tries again.
//!
//! A pipe has no half-close: the peer learns of the end when the handle is closed. So after the end of
//! our half the peer's last bytes are waited for, as long as it goes on sending, and then its half
//! counts as ended too, which makes the owner close the pipe. That is what libuv does.
//!
//! Only local clients are let in. Never run on Windows so far: written against tokio's documentation.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BufMut;
use tokio::io::Interest;
use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};
use tokio::time::{Instant, Sleep, sleep};

use crate::core::lock;

/// How long the peer may be silent after the end of our half. libuv's number.
const LAST_BYTES: Duration = Duration::from_millis(50);

/// Between two tries at a pipe whose instances are all taken.
const RETRY: Duration = Duration::from_millis(20);
/// How long it is tried. libuv's number.
const PATIENCE: Duration = Duration::from_secs(30);

const ERROR_PATH_NOT_FOUND: i32 = 3;
const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SEM_TIMEOUT: i32 = 121;
const ERROR_INVALID_NAME: i32 = 123;
const ERROR_PIPE_BUSY: i32 = 231;
const WSAEACCES: i32 = 10013;
const WSAEADDRINUSE: i32 = 10048;

/// One end of a pipe.
#[derive(Debug)]
pub struct Pipe {
    end: End,
    ours: Mutex<Half>,
}

#[derive(Debug)]
enum End {
    Client(NamedPipeClient),
    Server(NamedPipeServer),
}

/// Our half.
#[derive(Debug)]
enum Half {
    Open,
    /// Ended; the peer's last bytes are waited for. The timer starts when somebody reads.
    Ended(Option<Pin<Box<Sleep>>>),
    /// The peer has had its time: its half counts as ended.
    Over,
}

/// The same call on whichever end it is.
macro_rules! each {
    ($self:ident, $pipe:ident => $call:expr) => {
        match &$self.end {
            End::Client($pipe) => $call,
            End::Server($pipe) => $call,
        }
    };
}

impl Pipe {
    fn new(end: End) -> Self {
        Self {
            end,
            ours: Mutex::new(Half::Open),
        }
    }

    /// See [`Transport::poll_read_ready`](super::Transport::poll_read_ready).
    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(ready) = each!(self, pipe => pipe.poll_read_ready(cx)) {
            return Poll::Ready(ready);
        }
        let mut ours = lock(&self.ours);
        match &mut *ours {
            Half::Open => Poll::Pending,
            Half::Ended(timer) => {
                let timer = timer.get_or_insert_with(|| Box::pin(sleep(LAST_BYTES)));
                ready!(timer.as_mut().poll(cx));
                *ours = Half::Over;
                Poll::Ready(Ok(()))
            }
            Half::Over => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.after_read(each!(self, pipe => pipe.try_read(buffer)))
    }

    pub(super) fn try_read_buf(&self, buffer: &mut impl BufMut) -> io::Result<usize> {
        self.after_read(each!(self, pipe => pipe.try_read_buf(buffer)))
    }

    fn after_read(&self, result: io::Result<usize>) -> io::Result<usize> {
        let mut ours = lock(&self.ours);
        match (&mut *ours, &result) {
            (Half::Ended(timer), Ok(_)) => *timer = None,
            (Half::Over, Err(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            _ => {}
        }
        result
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, pipe => pipe.poll_write_ready(cx))
    }

    /// Writes what the pipe takes at once: the system writes from a copy, one at a time.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        each!(self, pipe => pipe.try_write(bytes))
    }

    /// The same for bytes in several places.
    pub(super) fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        each!(self, pipe => pipe.try_write_vectored(pieces))
    }

    pub(super) fn try_io<R>(
        &self,
        interest: Interest,
        call: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        each!(self, pipe => pipe.try_io(interest, call))
    }

    /// Nothing is written any more. The task that reads has to look again.
    pub(super) fn end(&self) {
        *lock(&self.ours) = Half::Ended(None);
    }
}

/// Connects to the pipe `name`, waiting for an instance that is free.
///
/// Cancel safety: dropping the future ends the attempt.
pub(crate) async fn connect(name: &OsStr) -> io::Result<Pipe> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ClientOptions::new().open(name) {
            Ok(client) => return Ok(Pipe::new(End::Client(client))),
            Err(error) if error.raw_os_error() != Some(ERROR_PIPE_BUSY) => return Err(error),
            Err(_) if Instant::now() >= deadline => {
                return Err(io::Error::from_raw_os_error(ERROR_SEM_TIMEOUT));
            }
            Err(_) => sleep(RETRY).await,
        }
    }
}

type Waiting = Pin<Box<dyn Future<Output = io::Result<NamedPipeServer>> + Send>>;

/// The server of one name.
pub(crate) struct PipeListener {
    name: OsString,
    /// The instance that the next client gets; `None` when it could not be made.
    next: Option<Waiting>,
}

impl fmt::Debug for PipeListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeListener")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl PipeListener {
    /// Makes the first instance. Needs to be called inside of a runtime.
    ///
    /// # Errors
    /// `WSAEADDRINUSE` where somebody else serves that name; `WSAEACCES` for one that is no pipe's.
    pub(crate) fn bind(name: &OsStr) -> io::Result<Self> {
        let first = ServerOptions::new()
            .first_pipe_instance(true)
            .create(name)
            .map_err(|error| match error.raw_os_error() {
                // The system's word for a name that is taken.
                Some(ERROR_ACCESS_DENIED) => io::Error::from_raw_os_error(WSAEADDRINUSE),
                Some(ERROR_PATH_NOT_FOUND | ERROR_INVALID_NAME) => {
                    io::Error::from_raw_os_error(WSAEACCES)
                }
                _ => error,
            })?;
        Ok(Self {
            name: name.to_owned(),
            next: Some(client_of(first)),
        })
    }

    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    pub(crate) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pipe>> {
        let next = match &mut self.next {
            Some(next) => next,
            none => none.insert(client_of(another(&self.name)?)),
        };
        let connected = ready!(next.as_mut().poll(cx));
        // Before the client is served. If it fails, that is the next call's to say: this client is
        // none the worse for it.
        self.next = another(&self.name).ok().map(client_of);
        Poll::Ready(connected.map(|server| Pipe::new(End::Server(server))))
    }
}

/// One more instance.
fn another(name: &OsStr) -> io::Result<NamedPipeServer> {
    ServerOptions::new().create(name)
}

/// Waits for the client of an instance.
fn client_of(instance: NamedPipeServer) -> Waiting {
    Box::pin(async move {
        instance.connect().await?;
        Ok(instance)
    })
}
