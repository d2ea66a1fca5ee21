//! What JavaScript may do with a stream or a listener. Their TLS is in [`super::tls`].
//!
//! Every method answers an integer where it can: 0 or a count, or libuv's negative number of the
//! error. An exception per refused connection would cost more than the connection.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use napi::bindgen_prelude::{Either, Function};
use napi::{Env, Result};
use napi_derive::napi;
use socket2::Socket;

use crate::binding::env::{Engine, State};
use crate::binding::options::{
    NativeAddress, NativeEndpoint, NativeListenOptions, NativeStreamOptions, address, keep_alive,
    milliseconds, native_address,
};
use crate::binding::registry::Entry;
use crate::binding::shared::Cell;
use crate::binding::tls_context::TlsServer;
use crate::core::connect::check_local;
use crate::core::endpoint::Endpoint;
use crate::core::error;
use crate::core::listener::Listener;
use crate::core::options::{ConnectOptions, ListenOptions};
use crate::core::stream::{Accepted, Ended};
use crate::core::transport::Transport;

/// The handle's number names nothing (any more), or nothing connected.
pub(super) fn bad_handle() -> i32 {
    #[cfg(unix)]
    return -libc::EBADF;
    #[cfg(windows)]
    return -4083;
}

pub(super) fn status(result: io::Result<()>) -> i32 {
    result.map_or_else(|error| error::errno(&error), |()| 0)
}

#[allow(clippy::cast_precision_loss, reason = "no buffer has 2^53 bytes")]
fn count(len: usize) -> f64 {
    len as f64
}

#[napi]
impl Engine {
    /// Starts an attempt to connect. Answers the stream's number, or an errno: `local` cannot be bound.
    #[napi(catch_unwind)]
    pub fn connect(
        &self,
        remote: NativeEndpoint,
        local: Option<NativeEndpoint>,
        options: NativeStreamOptions,
    ) -> Result<i32> {
        let state = &mut *self.state.borrow_mut();
        let options = ConnectOptions {
            remote: remote.endpoint()?,
            local: local.map(NativeEndpoint::endpoint).transpose()?,
            stream: options.into(),
        };
        let stream = match state.core.connect(options) {
            Ok(stream) => stream,
            Err(error) => return Ok(error.errno),
        };
        let id = stream.id();
        state.registry.insert(id, Entry::Stream(stream, None));
        Ok(id.cast_signed())
    }

    /// Whether `local` can be had for a connection, now: 0, or an errno.
    ///
    /// # Errors
    /// It is not an IP address.
    #[napi(catch_unwind)]
    pub fn check_local(&self, local: NativeEndpoint) -> Result<i32> {
        let result = check_local(&local.endpoint()?);
        Ok(result.map_or_else(|error| error.errno, |()| 0))
    }

    /// Binds and listens. Answers the listener's number, or an errno.
    #[napi(catch_unwind)]
    pub fn listen(
        &self,
        local: NativeEndpoint,
        options: NativeListenOptions,
        stream: NativeStreamOptions,
        tls: Option<&TlsServer>,
    ) -> Result<i32> {
        let state = &mut *self.state.borrow_mut();
        let options = ListenOptions {
            local: local.endpoint()?,
            backlog: options.backlog,
            ipv6_only: options.ipv6_only,
            reuse_address: options.reuse_address.unwrap_or(true),
            reuse_port: options.reuse_port,
            proxy_timeout: options.proxy_timeout.map(milliseconds),
            stream: stream.into(),
        };
        let result = state.core.listen(&options, tls.map(TlsServer::get));
        Ok(state.add_listener(result))
    }

    /// Listens on a socket that is open already as `fd`. Answers the listener's number, or an errno.
    #[cfg(unix)]
    #[napi(catch_unwind)]
    pub fn listen_fd(
        &self,
        fd: i32,
        backlog: i32,
        proxy_timeout_ms: Option<u32>,
        stream: NativeStreamOptions,
        tls: Option<&TlsServer>,
    ) -> i32 {
        let state = &mut *self.state.borrow_mut();
        let socket = match adopt(fd) {
            Ok(socket) => socket,
            Err(error) => return error::errno(&error),
        };
        let result = state.core.listen_on(
            socket,
            backlog,
            stream.into(),
            proxy_timeout_ms.map(milliseconds),
            tls.map(TlsServer::get),
        );
        state.add_listener(result)
    }

    /// Takes over a connected socket that is open as `fd`. Answers the stream's number, or an errno.
    #[cfg(unix)]
    #[napi(catch_unwind)]
    pub fn adopt_fd(&self, fd: i32, options: NativeStreamOptions) -> i32 {
        let state = &mut *self.state.borrow_mut();
        let socket = match adopt(fd) {
            Ok(socket) => socket,
            Err(error) => return error::errno(&error),
        };
        let result = state.core.adopt(socket, &options.into());
        match result {
            Ok((stream, transport)) => {
                let id = stream.id();
                state
                    .registry
                    .insert(id, Entry::Stream(stream, Some(transport)));
                id.cast_signed()
            }
            Err(error) => error.errno,
        }
    }

    /// Makes two streams that are connected with each other. Answers their numbers, or an errno.
    #[napi(catch_unwind)]
    pub fn pair(&self, options: NativeStreamOptions) -> Either<Vec<i32>, i32> {
        let state = &mut *self.state.borrow_mut();
        match state.core.pair(&options.into()) {
            Ok(both) => Either::A(
                both.map(|(stream, transport)| {
                    let id = stream.id();
                    let entry = Entry::Stream(stream, Some(transport));
                    state.registry.insert(id, entry);
                    id.cast_signed()
                })
                .to_vec(),
            ),
            Err(error) => Either::B(error.errno),
        }
    }

    /// Starts to read, or goes on.
    #[napi(catch_unwind)]
    pub fn read_start(&self, id: u32) {
        if let Some(stream) = self.state.borrow().registry.stream(id) {
            stream.read_start();
        }
    }

    /// Stops reading. Events that are on their way still arrive.
    #[napi(catch_unwind)]
    pub fn read_stop(&self, id: u32) {
        if let Some(stream) = self.state.borrow().registry.stream(id) {
            stream.read_stop();
        }
    }

    /// Writes `bytes` from `offset` on. Answers how many need not be written again, or an errno; the
    /// header then says how many of them are queued, in which case `Written` follows.
    #[napi(catch_unwind)]
    pub fn write(&self, id: u32, bytes: &[u8], offset: f64) -> f64 {
        let state = &mut *self.state.borrow_mut();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an offset into `bytes`; anything else is an empty rest"
        )]
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let result = state
            .registry
            .open(id)
            .map(|(stream, transport)| stream.write(transport, rest));
        state.wrote(result)
    }

    /// Like [`Engine::write`], for `len` bytes of the slab.
    #[napi(catch_unwind)]
    pub fn write_slab(&self, id: u32, at: u32, len: u32) -> f64 {
        let state = &mut *self.state.borrow_mut();
        let (at, len) = (at as usize, len as usize);
        let bytes = state.slab.get(at..at + len).unwrap_or_default();
        let result = state
            .registry
            .open(id)
            .map(|(stream, transport)| stream.write(transport, bytes));
        state.wrote(result)
    }

    /// The function that does the first `count` of the sends that JavaScript has put together (see
    /// [`Sends`](crate::binding::shared::Sends)).
    #[napi(catch_unwind, ts_return_type = "(count: number) => void")]
    pub fn flusher<'env>(&self, env: &'env Env) -> Result<Function<'env, u32, ()>> {
        let state = Rc::clone(&self.state);
        env.create_function_from_closure("flush", move |call| {
            let count: u32 = call.get(0)?;
            state.borrow_mut().flush(count as usize);
            Ok(())
        })
    }

    /// Bytes that the system has not taken yet.
    #[napi(catch_unwind)]
    pub fn queued(&self, id: u32) -> u32 {
        let state = self.state.borrow();
        let queued = state
            .registry
            .stream(id)
            .map_or(0, |stream| stream.queued());
        u32::try_from(queued).unwrap_or(u32::MAX)
    }

    /// `Passed` follows when no more than `left` bytes of what is queued now wait. Answers how many wait; if they
    /// are not more, nothing follows.
    #[napi(catch_unwind)]
    pub fn watch_queue(&self, id: u32, left: u32) -> u32 {
        let state = self.state.borrow();
        let stream = state.registry.stream(id);
        let queued = stream.map_or(0, |stream| stream.watch_queue(left as usize));
        u32::try_from(queued).unwrap_or(u32::MAX)
    }

    /// For how many milliseconds nothing was received and nothing was sent, measured from the first call on.
    #[napi(catch_unwind)]
    pub fn idle_for(&self, id: u32) -> f64 {
        let state = self.state.borrow();
        let stream = state.registry.stream(id);
        #[allow(
            clippy::cast_precision_loss,
            reason = "nothing lasts 2^53 milliseconds"
        )]
        stream.map_or(0.0, |stream| stream.idle_for() as f64)
    }

    /// Ends the writing half. 0: done; 1: `Finished` follows; otherwise an errno.
    #[napi(catch_unwind)]
    pub fn end(&self, id: u32) -> i32 {
        match self.state.borrow().registry.open(id) {
            None => bad_handle(),
            Some((stream, transport)) => match stream.end(transport) {
                Ok(Ended::Now) => 0,
                Ok(Ended::Later) => 1,
                Err(error) => error.errno,
            },
        }
    }

    /// Closes a stream; `Closed` follows. `reset`: the peer gets a reset; it gets one in any case if
    /// more bytes were received than the `used` ones.
    #[napi(catch_unwind)]
    pub fn close_stream(&self, id: u32, reset: bool, used: f64) {
        let state = &mut *self.state.borrow_mut();
        let Some(stream) = state.registry.stream(id) else {
            return;
        };
        if reset {
            stream.reset();
        } else {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of bytes, exact below 2^53"
            )]
            stream.close(used as u64);
        }
        state.registry.disconnect(id);
    }

    /// Stops listening. The address is free on return; `Closed` follows.
    #[napi(catch_unwind)]
    pub fn close_listener(&self, id: u32) {
        let state = self.state.borrow();
        if let Some(listener) = state.registry.listener(id) {
            // Somebody has to turn the runtime while this thread waits.
            state.core.give_back_crank();
            listener.close();
        }
    }

    /// Accepts no more connections for now, or accepts again. Those that are on their way still come.
    #[napi(catch_unwind)]
    pub fn pause_listener(&self, id: u32, on: bool) {
        if let Some(listener) = self.state.borrow().registry.listener(id) {
            if on {
                listener.pause();
            } else {
                listener.resume();
            }
        }
    }

    /// `TCP_NODELAY`. Answers 0 or an errno.
    #[napi(catch_unwind)]
    pub fn set_no_delay(&self, id: u32, on: bool) -> i32 {
        self.with_transport(id, |transport| transport.set_no_delay(on))
    }

    /// `SO_KEEPALIVE` with its numbers; 0 leaves the system's. Answers 0 or an errno.
    #[napi(catch_unwind)]
    pub fn set_keep_alive(
        &self,
        id: u32,
        on: bool,
        delay_ms: u32,
        interval_ms: u32,
        probes: u32,
    ) -> i32 {
        let numbers = keep_alive(delay_ms, interval_ms, probes);
        self.with_transport(id, |transport| {
            transport.set_keep_alive(on.then_some(&numbers))
        })
    }

    /// `TCP_USER_TIMEOUT`, in milliseconds; 0 is the system's. Answers 0 or an errno.
    #[napi(catch_unwind)]
    pub fn set_user_timeout(&self, id: u32, ms: u32) -> i32 {
        let timeout = Duration::from_millis(ms.into());
        self.with_transport(id, |transport| transport.set_user_timeout(timeout))
    }

    /// `IP_TOS` or `IPV6_TCLASS`. Answers 0 or an errno.
    #[napi(catch_unwind)]
    pub fn set_type_of_service(&self, id: u32, value: u8) -> i32 {
        self.with_transport(id, |transport| transport.set_type_of_service(value))
    }

    /// `IP_TOS` or `IPV6_TCLASS`, or an errno.
    #[napi(catch_unwind)]
    pub fn type_of_service(&self, id: u32) -> i32 {
        match self.state.borrow().registry.open(id) {
            None => bad_handle(),
            Some((_, transport)) => match transport.type_of_service() {
                Ok(value) => value.cast_signed(),
                Err(error) => error::errno(&error),
            },
        }
    }

    /// Whether a stream that is connected is a Unix socket or a named pipe.
    #[napi(catch_unwind)]
    pub fn is_local(&self, id: u32) -> bool {
        let state = self.state.borrow();
        let open = state.registry.open(id);
        open.is_some_and(|(_, transport)| transport.is_local())
    }

    /// The address of our end, or an errno. Of a connection that a proxy passed on: where the client
    /// connected to.
    #[napi(catch_unwind)]
    pub fn local_address(&self, id: u32) -> Either<NativeAddress, i32> {
        match self.state.borrow().registry.get(id) {
            Some(Entry::Stream(stream, Some(transport))) => match stream.proxied() {
                Some(ends) => Either::A(native_address(&ends.destination)),
                None => address(transport.local_addr()),
            },
            Some(Entry::Listener(listener)) => address(Ok(listener.local_addr().clone())),
            Some(Entry::Datagram(_, Some(udp))) => address(udp.local_addr().map(Endpoint::Tcp)),
            _ => Either::B(bad_handle()),
        }
    }

    /// The address of the peer, or an errno. Of a connection that a proxy passed on: the client's.
    #[napi(catch_unwind)]
    pub fn peer_address(&self, id: u32) -> Either<NativeAddress, i32> {
        match self.state.borrow().registry.open(id) {
            Some((stream, transport)) => match stream.proxied() {
                Some(ends) => Either::A(native_address(&ends.source)),
                None => address(transport.peer_addr()),
            },
            None => Either::B(bad_handle()),
        }
    }

    fn with_transport(&self, id: u32, call: impl FnOnce(&Transport) -> io::Result<()>) -> i32 {
        match self.state.borrow().registry.open(id) {
            Some((_, transport)) => status(call(transport)),
            None => bad_handle(),
        }
    }
}

impl State {
    /// See [`Engine::flusher`].
    fn flush(&mut self, count: usize) {
        let (registry, slab) = (&self.registry, &self.slab);
        self.sends.each(count, |id, at, len| {
            let bytes = slab.get(at..at + len).unwrap_or_default();
            match registry
                .open(id)
                .map(|(stream, transport)| stream.write(transport, bytes))
            {
                // No more than the slab holds.
                Some(Ok(Accepted { accepted, queued })) => {
                    let small = |len: usize| i32::try_from(len).unwrap_or(i32::MAX);
                    (small(accepted), small(queued))
                }
                Some(Err(error)) => (error.errno, 0),
                None => (bad_handle(), 0),
            }
        });
    }

    fn add_listener(&mut self, result: std::result::Result<Arc<Listener>, error::Error>) -> i32 {
        match result {
            Ok(listener) => {
                let id = listener.id();
                self.registry.insert(id, Entry::Listener(listener));
                id.cast_signed()
            }
            Err(error) => error.errno,
        }
    }

    fn wrote(&mut self, result: Option<std::result::Result<Accepted, error::Error>>) -> f64 {
        match result {
            Some(Ok(Accepted { accepted, queued })) => {
                self.shared.set(Cell::Queued, queued);
                count(accepted)
            }
            Some(Err(error)) => error.errno.into(),
            None => bad_handle().into(),
        }
    }
}

/// Takes a descriptor over, if it is a socket; leaves it alone if not.
#[cfg(unix)]
fn adopt(fd: i32) -> io::Result<Socket> {
    use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the descriptor is only asked what it is, and not kept; a number that names none
    // makes the call fail with EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    if socket2::SockRef::from(&borrowed).r#type()? != socket2::Type::STREAM {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: it is an open socket, and by Node's contract for `fd` the caller hands it over.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) }.into())
}
