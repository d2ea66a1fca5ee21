//! What the caller wants of a UDP socket, as plain data. Absent means: as the system has it.

use std::net::{Ipv4Addr, SocketAddr};

/// A UDP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the system's, and independent of the others"
)]
pub struct DatagramOptions {
    /// Where. The family is the socket's.
    pub local: SocketAddr,
    /// Others may bind the same address if they ask for the same (`SO_REUSEADDR`, on BSD and its relatives
    /// `SO_REUSEPORT` as well).
    pub reuse_address: bool,
    /// An IPv6 socket takes and sends no IPv4.
    pub ipv6_only: bool,
    /// It may send to broadcast addresses (`SO_BROADCAST`).
    pub broadcast: bool,
    /// Hops that a datagram may take, 1 to 255.
    pub ttl: Option<u32>,
    /// The same for datagrams to a group, 0 to 255.
    pub multicast_ttl: Option<u32>,
    /// Groups on this machine get what is sent to them from here.
    pub multicast_loopback: bool,
    /// Where datagrams to groups leave, and where groups are joined.
    pub multicast_interface: Interface,
    /// The system's buffer for datagrams to send, in bytes (`SO_SNDBUF`). Linux doubles the number.
    pub send_buffer_size: Option<u32>,
    /// The system's buffer for received datagrams, in bytes (`SO_RCVBUF`). Linux doubles the number, and
    /// counts what its own structures take, which for small datagrams is most of it.
    pub recv_buffer_size: Option<u32>,
}

/// An interface, in the terms of both families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// One of its addresses; unspecified: the system chooses.
    pub v4: Ipv4Addr,
    /// Its number; 0: the system chooses.
    pub v6: u32,
}

impl Default for Interface {
    fn default() -> Self {
        Self {
            v4: Ipv4Addr::UNSPECIFIED,
            v6: 0,
        }
    }
}
