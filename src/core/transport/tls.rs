//! TLS over another transport: what is read is decrypted straight into the caller's buffer, what is
//! written is encrypted and sent. Everything here runs where the runtime is turned, never on the
//! owner's thread (decision 10); the owner only looks at what was agreed.
//!
//! Readiness is a matter of its own: plaintext may be waiting while the socket has nothing, so
//! [`Tls::poll_read_ready`] answers for both, and only this file forgets the socket's readiness.
//!
//! Bounds: rustls takes handshake messages of 64 KiB in all and records of 18 KiB; of ciphertext no more
//! than 64 KiB is read ahead, and no more than 128 KiB is kept to be sent.

mod machine;

use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context as Task, Poll, Waker, ready};
use std::time::Duration;

use rustls::server::Accepted;

use crate::core::lock;
use crate::core::tls::client::ClientOptions;
use crate::core::tls::context::Context;
use crate::core::tls::failure::Failure;
use crate::core::tls::info::{self, Authorization, Info};
use crate::core::tls::server::Server;
use crate::core::tls::verify::Purpose;
use crate::core::transport::Transport;
use crate::core::transport::tls::machine::{Machine, Plain, SEND_LIMIT, Stage, Wire};
use crate::core::write_pieces::PiecePool;

/// What all TLS of one engine shares.
#[derive(Debug, Default)]
pub(crate) struct Common {
    /// Streams and listeners with TLS.
    alive: AtomicUsize,
    pieces: Arc<PiecePool>,
}

impl Common {
    /// Whether there is any TLS.
    pub(crate) fn is_used(&self) -> bool {
        self.alive.load(Ordering::SeqCst) > 0
    }
}

/// Counts itself for as long as it lives: what is TLS among an engine's handles.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Common>);

impl Counted {
    pub(crate) fn new(common: &Arc<Common>) -> Self {
        common.alive.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(common))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A transport's TLS.
pub struct Tls {
    inner: Arc<Transport>,
    machine: Mutex<Machine>,
    timeout: Option<Duration>,
    /// What a client asked for, before anything is agreed.
    hello: OnceLock<Hello>,
    info: OnceLock<Info>,
    failure: OnceLock<Failure>,
    answer: Mutex<Option<Answer>>,
    counted: Counted,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// A client's first message, as far as an owner wants to know it.
#[derive(Clone, Debug)]
pub struct Hello {
    /// The host that it wants (SNI).
    pub server_name: Option<String>,
    /// The protocols that it offers (ALPN), best first.
    pub alpn: Vec<Vec<u8>>,
}

/// What the owner says to a question of the handshake.
#[derive(Debug)]
pub enum Answer {
    /// Go on with that context; `None`: with the server's own.
    Choose(Option<Arc<Context>>),
    /// The peer is who it should be.
    Accept,
    /// It is not, or the owner has no answer.
    Refuse,
}

/// How far the handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The owner has to choose a context.
    Named,
    /// All is agreed. Does the owner have to look at the peer's certificate?
    Agreed { needs_owner: bool },
}

impl Tls {
    /// A client's side. `early`: bytes of the peer that were read before.
    ///
    /// # Errors
    /// The options do not fit together.
    pub(crate) fn client(
        inner: Arc<Transport>,
        options: &ClientOptions,
        early: Vec<u8>,
        counted: Counted,
    ) -> Result<Self, Failure> {
        let (mut connection, client) = options.start()?;
        connection.set_buffer_limit(Some(SEND_LIMIT));
        let verifier = Some(Arc::clone(&client.verifier));
        let stage = Stage::Open(Box::new(connection.into()));
        let mut machine = Machine::new(stage, early);
        machine.client = Some(client);
        machine.verifier = verifier;
        Ok(Self::new(inner, machine, options.timeout, counted))
    }

    /// A server's side.
    pub(crate) fn server(
        inner: Arc<Transport>,
        server: &Arc<Server>,
        early: Vec<u8>,
        counted: Counted,
    ) -> Self {
        let mut machine = Machine::new(Stage::Hello(Box::default()), early);
        machine.server = Some(Arc::clone(server));
        Self::new(inner, machine, server.options.timeout, counted)
    }

    fn new(
        inner: Arc<Transport>,
        machine: Machine,
        timeout: Option<Duration>,
        counted: Counted,
    ) -> Self {
        // What a handshake sends is small, and waits for an answer: Nagle's algorithm would hold the end of
        // it back until the peer's delayed acknowledgement, 40 ms later. Records are put together here.
        let _ = inner.set_no_delay(true);
        Self {
            inner,
            machine: Mutex::new(machine),
            timeout,
            hello: OnceLock::new(),
            info: OnceLock::new(),
            failure: OnceLock::new(),
            answer: Mutex::default(),
            counted,
        }
    }

    pub(crate) fn inner(&self) -> &Transport {
        &self.inner
    }

    /// Memory for what is to be sent.
    pub(crate) fn pieces(&self) -> &Arc<PiecePool> {
        &self.counted.0.pieces
    }

    /// The most that the handshake may take.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What the client asked for; `None` for a client, and before it did.
    #[must_use]
    pub fn hello(&self) -> Option<&Hello> {
        self.hello.get()
    }

    /// What was agreed, once it is.
    #[must_use]
    pub fn info(&self) -> Option<&Info> {
        self.info.get()
    }

    /// Why it failed, once it has.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.get()
    }

    /// Keeps the first failure for the owner to ask.
    pub(crate) fn note(&self, failure: &Failure) {
        let _ = self.failure.set(failure.clone());
    }

    pub(crate) fn give_answer(&self, answer: Answer) {
        *lock(&self.answer) = Some(answer);
    }

    pub(crate) fn take_answer(&self) -> Option<Answer> {
        lock(&self.answer).take()
    }

    /// Whether a session to resume was remembered since this was asked last.
    pub(crate) fn take_new_session(&self) -> bool {
        let machine = lock(&self.machine);
        let sessions = machine
            .client
            .as_ref()
            .and_then(|client| client.sessions.as_ref());
        sessions.is_some_and(|sessions| sessions.take_new())
    }

    /// Goes on with the handshake.
    pub(crate) fn poll_handshake(&self, cx: &mut Task<'_>) -> Poll<io::Result<Progress>> {
        let machine = &mut *lock(&self.machine);
        loop {
            match &mut machine.stage {
                Stage::Hello(acceptor) => match acceptor.accept() {
                    Ok(Some(accepted)) => {
                        let hello = hello_of(&accepted);
                        let chooses = machine.owner_chooses();
                        let name = hello.server_name.clone();
                        let _ = self.hello.set(hello);
                        machine.stage = Stage::Named(Box::new(accepted));
                        if chooses {
                            return Poll::Ready(Ok(Progress::Named));
                        }
                        machine.answer_with(None, name.as_deref(), &self.inner)?;
                    }
                    Ok(None) => ready!(machine.poll_more(cx, &self.inner))?,
                    Err((error, mut alert)) => {
                        machine.stage = Stage::Over;
                        // The peer may be gone; it fails in any case.
                        let _ = alert.write_all(&mut Wire(&self.inner));
                        return Poll::Ready(Err(Failure::of_connection(&error, true).into()));
                    }
                },
                Stage::Named(_) => match self.take_answer() {
                    None => return Poll::Pending,
                    Some(Answer::Choose(context)) => {
                        let name = self.hello().and_then(|hello| hello.server_name.clone());
                        machine.answer_with(context, name.as_deref(), &self.inner)?;
                    }
                    Some(_) => return Poll::Ready(Err(Failure::REFUSED.into())),
                },
                Stage::Open(connection) => {
                    let is_over = !connection.is_handshaking();
                    ready!(machine.poll_flush(cx, &self.inner))?;
                    if is_over {
                        return Poll::Ready(self.agree(machine));
                    }
                    ready!(machine.poll_more(cx, &self.inner))?;
                }
                Stage::Over => return Poll::Ready(Err(Failure::HANDSHAKE_CUT.into())),
            }
        }
    }

    /// # Errors
    /// A resumed session is not good any more.
    fn agree(&self, machine: &mut Machine) -> io::Result<Progress> {
        let Stage::Open(connection) = &machine.stage else {
            return Err(Failure::REFUSED.into());
        };
        let chain = connection.peer_certificates().unwrap_or_default();
        let is_resumed = info::is_resumed(connection.handshake_kind());
        let purpose = if machine.client.is_some() {
            Purpose::Server
        } else {
            Purpose::Client
        };
        let authorization = match &machine.verifier {
            None => Authorization::None,
            Some(verifier) => verifier.authorization(chain, purpose, is_resumed)?,
        };
        let is_good = authorization == Authorization::Good;
        // What is wrong with a chain matters more than its names; the owner hears of it in any case.
        let needs_owner = machine
            .client
            .as_ref()
            .is_some_and(|client| is_good && client.needs_owner(chain));
        let (standard_cipher, cipher) = connection
            .negotiated_cipher_suite()
            .map_or(("", ""), |suite| info::cipher_names(suite.suite()));
        let _ = self.info.set(Info {
            protocol: info::protocol_name(connection.protocol_version()),
            standard_cipher,
            cipher,
            group: connection
                .negotiated_key_exchange_group()
                .map_or("", |group| info::group_name(group.name())),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            server_name: self.hello().and_then(|hello| hello.server_name.clone()),
            is_resumed,
            peer_chain: chain.iter().map(|der| der.to_vec()).collect(),
            authorization,
        });
        machine.has_more = true;
        Ok(Progress::Agreed { needs_owner })
    }

    /// Ready when a read may give something: what waits here, or bytes at the socket.
    pub(crate) fn poll_read_ready(&self, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        if lock(&self.machine).is_ready() {
            return Poll::Ready(Ok(()));
        }
        self.inner.poll_read_ready(cx)
    }

    /// Reads plaintext until `buffer` is full or there is no more, see [`Machine::read`].
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut plain = Plain { buffer, filled: 0 };
        lock(&self.machine).read(&self.inner, &mut plain)?;
        Ok(plain.filled)
    }

    /// Encrypts and sends. Ready when bytes are with the system: how many.
    pub(crate) fn poll_write(&self, cx: &mut Task<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let machine = &mut *lock(&self.machine);
        if machine.owed == 0 {
            ready!(machine.poll_flush(cx, &self.inner))?;
            let Stage::Open(connection) = &mut machine.stage else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
            machine.owed = connection.writer().write(bytes)?;
        }
        ready!(machine.poll_flush(cx, &self.inner))?;
        Poll::Ready(Ok(mem::take(&mut machine.owed)))
    }

    /// Sends what reading has made necessary: alerts, answers to key updates.
    pub(crate) fn poll_flush(&self, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        lock(&self.machine).poll_flush(cx, &self.inner)
    }

    /// Says that we end, then ends the socket's half.
    pub(crate) fn poll_finish(&self, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        let machine = &mut *lock(&self.machine);
        machine.say_goodbye();
        ready!(machine.poll_flush(cx, &self.inner))?;
        Poll::Ready(self.inner.shutdown_write())
    }

    /// Before the descriptor is closed: the peer is told of the end, or of what went wrong, if that goes
    /// without waiting.
    pub(crate) fn part(&self) {
        let machine = &mut *lock(&self.machine);
        machine.say_goodbye();
        let mut cx = Task::from_waker(Waker::noop());
        let _ = machine.poll_flush(&mut cx, &self.inner);
    }
}

fn hello_of(accepted: &Accepted) -> Hello {
    let hello = accepted.client_hello();
    Hello {
        server_name: hello.server_name().map(str::to_owned),
        alpn: hello
            .alpn()
            .map(|protocols| protocols.map(<[u8]>::to_vec).collect())
            .unwrap_or_default(),
    }
}
