//! One connection's TLS on its way: the handshake's stages, then records.
//!
//! | stage | left when | becomes |
//! | --- | --- | --- |
//! | `Hello` | a client's first message is complete | `Named` |
//! | `Named` | a context is chosen | `Open` |
//! | `Open` | the handshake, then records | |

use std::cell::RefCell;
use std::io::{self, IoSlice, Read, Write};
use std::mem;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use rustls::server::{Accepted, Acceptor};
use rustls::{Connection, ServerConnection};

use crate::core::tls::client::Client;
use crate::core::tls::context::Context;
use crate::core::tls::failure::Failure;
use crate::core::tls::server::Server;
use crate::core::tls::verify::{self, PeerVerifier};
use crate::core::transport::Transport;

/// Ciphertext taken from the socket at once.
const WIRE_READ: usize = 64 * 1024;

/// Reads of ciphertext for one of plaintext: records that give none (tickets, key updates) must not keep the others
/// from their turn. More than the largest window of a reader needs.
const MOST_READS: usize = 8;

/// Ciphertext kept to be sent: enough for one system call to be worth it.
pub(super) const SEND_LIMIT: usize = 128 * 1024;

thread_local! {
    /// Where ciphertext is read to. Of the thread and not of the connection: ten thousand quiet
    /// connections should not hold a buffer each. Nothing stays in it between two calls.
    static WIRE: RefCell<Vec<u8>> = RefCell::new(vec![0; WIRE_READ]);
}

pub(super) enum Stage {
    Hello(Box<Acceptor>),
    Named(Box<Accepted>),
    Open(Box<Connection>),
    Over,
}

pub(super) struct Machine {
    pub(super) stage: Stage,
    pub(super) server: Option<Arc<Server>>,
    pub(super) client: Option<Client>,
    pub(super) verifier: Option<Arc<PeerVerifier>>,
    /// Ciphertext that was read and not processed.
    pub(super) pending: Vec<u8>,
    /// The last read from the socket took all that there was.
    pub(super) is_drained: bool,
    /// Plaintext, or the end, is waiting.
    pub(super) has_more: bool,
    /// What went wrong behind plaintext that is to be read first.
    failure: Option<io::Error>,
    /// Plaintext that is encrypted and not yet with the system.
    pub(super) owed: usize,
    pub(super) said_goodbye: bool,
}

fn failure_of(error: &rustls::Error, is_first: bool) -> Failure {
    // What was wrong with the peer's certificate is known better here.
    let certificate = match error {
        rustls::Error::InvalidCertificate(_) => verify::take_last_failure(),
        _ => None,
    };
    certificate.unwrap_or_else(|| Failure::of_connection(error, is_first))
}

/// Where plaintext goes.
pub(super) struct Plain<'a> {
    pub(super) buffer: &'a mut [u8],
    pub(super) filled: usize,
}

impl Plain<'_> {
    /// During the handshake nobody reads.
    const fn nowhere() -> Self {
        Self {
            buffer: &mut [],
            filled: 0,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.filled == self.buffer.len()
    }
}

impl Machine {
    pub(super) fn new(stage: Stage, early: Vec<u8>) -> Self {
        Self {
            stage,
            server: None,
            client: None,
            verifier: None,
            pending: early,
            is_drained: false,
            has_more: false,
            failure: None,
            owed: 0,
            said_goodbye: false,
        }
    }

    pub(super) fn owner_chooses(&self) -> bool {
        self.server
            .as_ref()
            .is_some_and(|server| server.options.owner_chooses)
    }

    /// A server goes on with `context`, or with the one for `name`.
    pub(super) fn answer_with(
        &mut self,
        context: Option<Arc<Context>>,
        name: Option<&str>,
        inner: &Transport,
    ) -> io::Result<()> {
        let (Stage::Named(accepted), Some(server)) =
            (mem::replace(&mut self.stage, Stage::Over), &self.server)
        else {
            return Err(Failure::REFUSED.into());
        };
        let context = context.unwrap_or_else(|| server.context_for(name));
        let (config, verifier) = server.config(&context)?;
        match accepted.into_connection(Arc::new(config)) {
            Ok(connection) => {
                let mut connection: ServerConnection = connection;
                connection.set_buffer_limit(Some(SEND_LIMIT));
                self.verifier = verifier;
                self.stage = Stage::Open(Box::new(connection.into()));
                Ok(())
            }
            Err((error, mut alert)) => {
                let _ = alert.write_all(&mut Wire(inner));
                Err(Failure::of_connection(&error, false).into())
            }
        }
    }

    /// Takes in more of the peer's handshake.
    pub(super) fn poll_more(
        &mut self,
        cx: &mut Task<'_>,
        inner: &Transport,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.pending.is_empty() {
                return Poll::Ready(self.feed(&mut Plain::nowhere()));
            }
            self.is_drained = false;
            ready!(inner.poll_read_ready(cx))?;
            match self.read_wire(inner, &mut Plain::nowhere()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Whether a read gives something without the socket: plaintext, the end, or what went wrong.
    pub(super) fn is_ready(&self) -> bool {
        self.has_more || self.failure.is_some() || !self.pending.is_empty()
    }

    /// Reads plaintext until `plain` is full or there is no more. What goes wrong behind some of it is told by the
    /// next call.
    ///
    /// # Errors
    /// `WouldBlock`: nothing is there, or for now it was enough; it is [ready](Self::is_ready) or the socket is, if
    /// there is more. Otherwise what the system or the protocol says.
    pub(super) fn read(&mut self, inner: &Transport, plain: &mut Plain<'_>) -> io::Result<()> {
        let Err(error) = self.fill(inner, plain) else {
            return Ok(());
        };
        if plain.filled == 0 {
            return Err(error);
        }
        if !matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
        ) {
            self.failure = Some(error);
        }
        Ok(())
    }

    fn fill(&mut self, inner: &Transport, plain: &mut Plain<'_>) -> io::Result<()> {
        // What waits comes first: plaintext, then what was read before.
        self.has_more = self.drain(plain)?;
        if !self.has_more {
            self.feed(plain)?;
        }
        for _ in 0..MOST_READS {
            if self.has_more || plain.is_full() {
                return Ok(());
            }
            if let Some(error) = self.failure.take() {
                return Err(error);
            }
            if mem::take(&mut self.is_drained) {
                break;
            }
            self.read_wire(inner, plain)?;
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Reads ciphertext, hands it to rustls, and keeps what that does not take.
    fn read_wire(&mut self, inner: &Transport, plain: &mut Plain<'_>) -> io::Result<()> {
        debug_assert!(self.pending.is_empty(), "what was read before comes first");
        WIRE.with_borrow_mut(|wire| {
            let len = inner.try_read(wire)?;
            if len == 0 {
                return self.cut(plain);
            }
            if len < wire.len() {
                self.is_drained = inner.clear_read_ready();
            }
            let taken = self.take_in(&wire[..len], plain)?;
            self.pending.extend_from_slice(&wire[taken..len]);
            Ok(())
        })
    }

    /// The socket's end: rustls knows whether the peer had said so.
    fn cut(&mut self, plain: &mut Plain<'_>) -> io::Result<()> {
        match &mut self.stage {
            Stage::Open(connection) if !connection.is_handshaking() => {
                connection.read_tls(&mut io::empty())?;
                self.has_more = self.drain(plain)?;
                Ok(())
            }
            _ => Err(Failure::HANDSHAKE_CUT.into()),
        }
    }

    /// Hands rustls what was kept.
    pub(super) fn feed(&mut self, plain: &mut Plain<'_>) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut kept = mem::take(&mut self.pending);
        let taken = self.take_in(&kept, plain)?;
        if taken < kept.len() {
            kept.drain(..taken);
            self.pending = kept;
        }
        Ok(())
    }

    /// Hands rustls as much of `wire` as it takes, and moves the plaintext on; says how much it was. Less
    /// than all where the plaintext has no more room, or a server has to be given a context first.
    fn take_in(&mut self, wire: &[u8], plain: &mut Plain<'_>) -> io::Result<usize> {
        let mut rest = wire;
        while !rest.is_empty() {
            match &mut self.stage {
                Stage::Hello(acceptor) => {
                    let too_long = |_| Failure::MESSAGE_TOO_LONG;
                    acceptor.read_tls(&mut rest).map_err(too_long)?;
                    // More than one read is rare, and each has to be looked at before the next.
                    break;
                }
                Stage::Open(connection) => {
                    match connection.read_tls(&mut rest) {
                        // The peer has ended: what it sends after that is not for anybody.
                        Ok(0) => rest = &[],
                        Ok(_) => {}
                        // Rustls takes no more for one of two reasons, and has no kinds for them. The plaintext is to be
                        // read first, if there is no room for it; else it is a message of the handshake's protocol that
                        // is longer than any honest one.
                        Err(_) if !connection.is_handshaking() && plain.is_full() => break,
                        Err(_) => {
                            self.failure = Some(Failure::MESSAGE_TOO_LONG.into());
                            rest = &[];
                        }
                    }
                    let is_first = connection.protocol_version().is_none();
                    if let Err(error) = connection.process_new_packets() {
                        self.failure = Some(failure_of(&error, is_first).into());
                        rest = &[];
                    }
                    if connection.is_handshaking() {
                        if let Some(error) = self.failure.take() {
                            return Err(error);
                        }
                    } else {
                        self.has_more = self.drain(plain)?;
                    }
                }
                Stage::Named(_) | Stage::Over => break,
            }
        }
        Ok(wire.len() - rest.len())
    }

    /// Moves plaintext on. Says whether there is something for the next call: more of it, or the end.
    pub(super) fn drain(&mut self, plain: &mut Plain<'_>) -> io::Result<bool> {
        let Stage::Open(connection) = &mut self.stage else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        while !plain.is_full() {
            match connection.reader().read(&mut plain.buffer[plain.filled..]) {
                // The peer said that it ended.
                Ok(0) => return Ok(true),
                Ok(len) => plain.filled += len,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(_) if plain.filled > 0 => return Ok(true),
                // The only other one: the socket ended, and the peer had not said so.
                Err(_) => return Err(Failure::TRUNCATED.into()),
            }
        }
        Ok(true)
    }

    pub(super) fn poll_flush(
        &mut self,
        cx: &mut Task<'_>,
        inner: &Transport,
    ) -> Poll<io::Result<()>> {
        let Stage::Open(connection) = &mut self.stage else {
            return Poll::Ready(Ok(()));
        };
        while connection.wants_write() {
            ready!(inner.poll_write_ready(cx))?;
            match connection.write_tls(&mut Wire(inner)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn say_goodbye(&mut self) {
        if let Stage::Open(connection) = &mut self.stage
            && !connection.is_handshaking()
            && !mem::replace(&mut self.said_goodbye, true)
        {
            connection.send_close_notify();
        }
    }
}

/// The socket, as rustls writes to it.
pub(super) struct Wire<'a>(pub(super) &'a Transport);

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
