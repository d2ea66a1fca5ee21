//! Options and addresses as JavaScript has them, and as the core does.

use std::io;
use std::time::Duration;

use napi::bindgen_prelude::Either;
use napi::{Result, Status};
use napi_derive::napi;

use crate::core::codec::number::NumberType;
use crate::core::codec::{Codec, ValueType};
use crate::core::endpoint::Endpoint;
use crate::core::error;
use crate::core::event::Dropped;
use crate::core::options::{KeepAlive, SocketOptions, StreamOptions};

/// An address and what goes with it.
#[napi(object)]
#[derive(Debug)]
pub struct NativeAddress {
    /// A literal IP address; a path for a local socket, abstract names with their leading NUL.
    pub address: String,
    /// `'IPv4'`, `'IPv6'` or `'Local'`.
    pub family: String,
    /// 0 for a local socket.
    pub port: u32,
    /// The interface of a link-local IPv6 address, else 0.
    pub scope_id: u32,
}

/// Where to, or where. A path wins over an address.
#[napi(object)]
#[derive(Debug)]
pub struct NativeEndpoint {
    /// A literal IP address.
    pub address: Option<String>,
    /// Its port.
    pub port: Option<u32>,
    /// The interface of a link-local IPv6 address.
    pub scope_id: Option<u32>,
    /// A Unix socket's path or abstract name, or a Windows pipe's name.
    pub path: Option<String>,
}

/// Options of a descriptor, set before it connects or listens. 0 leaves what the system has.
#[napi(object)]
#[derive(Clone, Copy, Debug)]
pub struct NativeSocketOptions {
    /// `TCP_USER_TIMEOUT`, in milliseconds.
    pub user_timeout: u32,
    /// `SO_SNDBUF`, in bytes.
    pub send_buffer_size: u32,
    /// `SO_RCVBUF`, in bytes.
    pub recv_buffer_size: u32,
}

/// Options of a connection.
#[napi(object)]
#[derive(Debug)]
pub struct NativeStreamOptions {
    /// `TCP_NODELAY`.
    pub no_delay: bool,
    /// `SO_KEEPALIVE`.
    pub keep_alive: bool,
    /// Quiet time before the first probe, in milliseconds; 0 leaves the system's.
    pub keep_alive_delay: u32,
    /// Options of its descriptor.
    pub socket: Option<NativeSocketOptions>,
    /// Start to read as soon as the connection stands.
    pub read_at_once: bool,
    /// The bytes are messages.
    pub codec: Option<NativeCodec>,
    /// JavaScript wants memory of exactly the size of what came: at most 64 KiB at a time. `OwnData` of a
    /// whole chunk is that; everything else it copies.
    pub copied: Option<bool>,
}

/// What the bytes of a connection mean, see `core::codec`.
#[napi(object)]
#[derive(Debug)]
pub struct NativeCodec {
    /// Every message has a header with its length.
    pub framed: bool,
    /// What a message is made of.
    pub value: ValueKind,
    /// The longest message that is taken, in bytes.
    pub max_message: u32,
}

/// What a message is made of.
#[napi]
#[derive(Debug)]
pub enum ValueKind {
    /// Bytes, as they are.
    Bytes,
    /// UTF-8.
    Text,
    /// JSON texts.
    Json,
    /// Numbers of 8 bits.
    Bits8,
    /// Numbers of 16 bits.
    Bits16,
    /// Numbers of 32 bits.
    Bits32,
    /// Numbers of 64 bits.
    Bits64,
    /// Signed 64-bit integers, to be given as doubles.
    LongAsDouble,
}

impl From<NativeCodec> for Codec {
    fn from(codec: NativeCodec) -> Self {
        Self {
            framed: codec.framed,
            value: match codec.value {
                ValueKind::Bytes => ValueType::Bytes,
                ValueKind::Text => ValueType::Text,
                ValueKind::Json => ValueType::Json,
                ValueKind::Bits8 => ValueType::Numbers(NumberType::Bits8),
                ValueKind::Bits16 => ValueType::Numbers(NumberType::Bits16),
                ValueKind::Bits32 => ValueType::Numbers(NumberType::Bits32),
                ValueKind::Bits64 => ValueType::Numbers(NumberType::Bits64),
                ValueKind::LongAsDouble => ValueType::Numbers(NumberType::LongAsDouble),
            },
            max_message: codec.max_message,
        }
    }
}

/// Options of a listening socket.
#[napi(object)]
#[derive(Clone, Copy, Debug)]
pub struct NativeListenOptions {
    /// `listen(2)`'s queue.
    pub backlog: i32,
    /// `IPV6_V6ONLY`.
    pub ipv6_only: bool,
    /// `SO_REUSEADDR`, but on Windows; absent: on.
    pub reuse_address: Option<bool>,
    /// `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// Connections begin with a PROXY header, to come within so many milliseconds; absent: they do not.
    pub proxy_timeout: Option<u32>,
}

/// The two ends of a connection that was dropped, as far as they are known.
#[napi(object)]
#[derive(Debug)]
pub struct NativeDropped {
    /// Ours.
    pub local: Option<NativeAddress>,
    /// The peer's.
    pub remote: Option<NativeAddress>,
}

impl NativeDropped {
    pub(super) fn new(dropped: Option<&Dropped>) -> Self {
        let native = |address: &Option<Endpoint>| address.as_ref().map(native_address);
        Self {
            local: dropped.and_then(|dropped| native(&dropped.local)),
            remote: dropped.and_then(|dropped| native(&dropped.remote)),
        }
    }
}

impl NativeEndpoint {
    /// The endpoint that is meant.
    pub(super) fn endpoint(self) -> Result<Endpoint> {
        if let Some(path) = self.path {
            #[cfg(unix)]
            return Ok(Endpoint::Unix(path.into()));
            #[cfg(windows)]
            return Ok(Endpoint::Pipe(path.into()));
        }
        let address = self.address.unwrap_or_default();
        let port = u16::try_from(self.port.unwrap_or(0))
            .map_err(|_| invalid("a port is at most 65535".into()))?;
        Endpoint::tcp(&address, port, self.scope_id.unwrap_or(0))
            .map_err(|_| invalid(format!("{address} is not an IP address")))
    }
}

fn invalid(reason: String) -> napi::Error {
    napi::Error::new(Status::InvalidArg, reason)
}

impl From<NativeStreamOptions> for StreamOptions {
    fn from(options: NativeStreamOptions) -> Self {
        Self {
            no_delay: options.no_delay,
            keep_alive: options
                .keep_alive
                .then(|| keep_alive(options.keep_alive_delay, 0, 0)),
            socket: options.socket.map(SocketOptions::from).unwrap_or_default(),
            read_at_once: options.read_at_once,
            codec: options.codec.map(Codec::from),
            copied: options.copied.unwrap_or(false),
        }
    }
}

impl From<NativeSocketOptions> for SocketOptions {
    fn from(options: NativeSocketOptions) -> Self {
        let given = |value: u32| (value > 0).then_some(value);
        Self {
            user_timeout: given(options.user_timeout).map(|ms| Duration::from_millis(ms.into())),
            send_buffer_size: given(options.send_buffer_size),
            recv_buffer_size: given(options.recv_buffer_size),
        }
    }
}

/// Probes with these numbers; 0 leaves the system's.
pub(super) fn keep_alive(delay_ms: u32, interval_ms: u32, count: u32) -> KeepAlive {
    // The system counts in seconds; like Node, less than one leaves what the system has.
    let time = |ms: u32| (ms >= 1000).then(|| Duration::from_millis(ms.into()));
    KeepAlive {
        delay: time(delay_ms),
        interval: time(interval_ms),
        count: (count > 0).then_some(count),
    }
}

/// A time that JavaScript gave in milliseconds.
pub(super) fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

/// The address in JavaScript's shape, or an errno.
pub(super) fn address(result: io::Result<Endpoint>) -> Either<NativeAddress, i32> {
    match result {
        Ok(address) => Either::A(native_address(&address)),
        Err(error) => Either::B(error::errno(&error)),
    }
}

/// The address in JavaScript's shape.
pub(super) fn native_address(address: &Endpoint) -> NativeAddress {
    let local = match address {
        Endpoint::Tcp(ip) => {
            return NativeAddress {
                address: ip.ip().to_string(),
                family: if ip.is_ipv4() { "IPv4" } else { "IPv6" }.into(),
                port: ip.port().into(),
                scope_id: match ip {
                    std::net::SocketAddr::V6(v6) => v6.scope_id(),
                    std::net::SocketAddr::V4(_) => 0,
                },
            };
        }
        #[cfg(unix)]
        Endpoint::Unix(path) => path.to_string_lossy().into_owned(),
        #[cfg(windows)]
        Endpoint::Pipe(name) => name.to_string_lossy().into_owned(),
    };
    NativeAddress {
        address: local,
        family: "Local".into(),
        port: 0,
        scope_id: 0,
    }
}
