//! Options and addresses as JavaScript has them, and as the core does.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use napi::bindgen_prelude::Either;
use napi::{Result, Status};
use napi_derive::napi;
use socket2::SockAddr;

use crate::core::endpoint::Endpoint;
use crate::core::error;
use crate::core::event::Dropped;
use crate::core::options::{KeepAlive, StreamOptions};

/// An address and what goes with it.
#[napi(object)]
#[derive(Debug)]
pub struct NativeAddress {
    /// A literal IP address; a path for a Unix socket, abstract names with their leading NUL.
    pub address: String,
    /// `'IPv4'`, `'IPv6'` or `'Unix'`.
    pub family: String,
    /// 0 for a Unix socket.
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
    /// A Unix socket's path or abstract name.
    pub path: Option<String>,
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
    /// Start to read as soon as the connection stands.
    pub read_at_once: bool,
}

/// Options of a listening socket.
#[napi(object)]
#[derive(Clone, Copy, Debug)]
pub struct NativeListenOptions {
    /// `listen(2)`'s queue.
    pub backlog: i32,
    /// `IPV6_V6ONLY`.
    pub ipv6_only: bool,
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
        let native = |address: &Option<SockAddr>| address.as_ref().map(native_address);
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
            return Err(invalid(format!(
                "{path}: named pipes are not supported yet"
            )));
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
            read_at_once: options.read_at_once,
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
pub(super) fn address(result: io::Result<SockAddr>) -> Either<NativeAddress, i32> {
    match result {
        Ok(address) => Either::A(native_address(&address)),
        Err(error) => Either::B(error::errno(&error)),
    }
}

fn native_address(address: &SockAddr) -> NativeAddress {
    match address.as_socket() {
        Some(address) => ip_address(address),
        None => unix_address(path_of(address)),
    }
}

/// The address of an endpoint in JavaScript's shape.
pub(super) fn endpoint_address(endpoint: &Endpoint) -> NativeAddress {
    match endpoint {
        Endpoint::Tcp(address) => ip_address(*address),
        #[cfg(unix)]
        Endpoint::Unix(path) => unix_address(path.to_string_lossy().into_owned()),
    }
}

fn ip_address(address: SocketAddr) -> NativeAddress {
    NativeAddress {
        address: address.ip().to_string(),
        family: if address.is_ipv4() { "IPv4" } else { "IPv6" }.into(),
        port: address.port().into(),
        scope_id: match address {
            SocketAddr::V6(v6) => v6.scope_id(),
            SocketAddr::V4(_) => 0,
        },
    }
}

fn unix_address(path: String) -> NativeAddress {
    NativeAddress {
        address: path,
        family: "Unix".into(),
        port: 0,
        scope_id: 0,
    }
}

#[cfg(unix)]
fn path_of(address: &SockAddr) -> String {
    if let Some(path) = address.as_pathname() {
        return path.to_string_lossy().into_owned();
    }
    match address.as_abstract_namespace() {
        Some(name) => format!("\0{}", String::from_utf8_lossy(name)),
        None => String::new(),
    }
}

#[cfg(windows)]
fn path_of(_address: &SockAddr) -> String {
    String::new()
}
