//! What the caller wants of a socket, as plain data. Absent means: as the system has it.

use std::time::Duration;

use crate::core::codec::Codec;
use crate::core::endpoint::Endpoint;

/// Probes of an idle connection (`SO_KEEPALIVE` and its three numbers).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// Quiet time before the first probe.
    pub delay: Option<Duration>,
    /// Time between probes.
    pub interval: Option<Duration>,
    /// Unanswered probes until the connection counts as dead.
    pub count: Option<u32>,
}

/// Options of the descriptor itself, set before it connects or listens. An accepted connection has
/// those of its listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// How long sent bytes, or the SYN, may stay unacknowledged until the connection counts as dead
    /// (`TCP_USER_TIMEOUT`); also how long the peer may keep its window shut. At most 2³¹ - 1
    /// milliseconds. Passed over by systems other than Linux.
    pub user_timeout: Option<Duration>,
    /// The system's buffer for bytes to send, in bytes (`SO_SNDBUF`). The system has limits of its
    /// own, and Linux doubles the number.
    pub send_buffer_size: Option<u32>,
    /// The system's buffer for received bytes, in bytes (`SO_RCVBUF`). TCP tells the peer in the
    /// handshake how large its window may become (the window scale of RFC 7323), so that this comes
    /// first. It ends the system's own tuning of the buffer.
    pub recv_buffer_size: Option<u32>,
}

/// Options of a connected socket. Those that do not apply to a transport are passed over, as Node
/// does: a Unix socket has no Nagle algorithm to switch off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamOptions {
    /// Switch Nagle's algorithm off (`TCP_NODELAY`).
    pub no_delay: bool,
    /// Probe the peer when the connection is idle.
    pub keep_alive: Option<KeepAlive>,
    /// Options of its descriptor.
    pub socket: SocketOptions,
    /// Start to read as soon as the connection stands.
    pub read_at_once: bool,
    /// The bytes are messages, and the owner gets those.
    pub codec: Option<Codec>,
    /// The owner wants memory of exactly the size of what came: no read is larger than a
    /// [`PIECE`](crate::core::chunks::PIECE), and what does not fill one is copied by the owner.
    pub copied: bool,
}

/// One attempt to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Where to.
    pub remote: Endpoint,
    /// From where; the system chooses if absent.
    pub local: Option<Endpoint>,
    /// Options of the connection.
    pub stream: StreamOptions,
}

/// A listening socket.
#[derive(Clone, Debug)]
pub struct ListenOptions {
    /// Where.
    pub local: Endpoint,
    /// Connections that the system holds until they are accepted (`listen(2)`).
    pub backlog: i32,
    /// An IPv6 socket takes no IPv4 connections.
    pub ipv6_only: bool,
    /// The port may be had again while the system keeps old connections of it (`SO_REUSEADDR`). No
    /// effect on Windows, where the option means something else.
    pub reuse_address: bool,
    /// Several sockets may listen on one port; the system spreads the connections. The listener fails
    /// with `ENOTSUP` where it cannot.
    pub reuse_port: bool,
    /// Connections begin with a PROXY header, which has to be complete within this time. Absent: they
    /// have none.
    pub proxy_timeout: Option<Duration>,
    /// Options of accepted connections.
    pub stream: StreamOptions,
}
