//! The descriptor of a UDP socket.
//!
//! Both threads hold it: the one that turns the runtime receives, the owner's thread sends and joins groups. That
//! is sound because every call here is one system call on a shared reference, and because only one side at a time
//! sends (see [`super::parcels`]). The descriptor is closed when the last of them lets go.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::task::{Context, Poll};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::core::datagram::drops;
use crate::core::datagram::options::{DatagramOptions, Interface};
use crate::core::datagram::parcels::Parcel;
use crate::core::error::{Error, Syscall};

/// The largest payload that goes out together with others: what fits into a packet of Ethernet. Segments are not
/// fragmented, so the system refuses larger ones wherever the way is not wider than that.
const LARGEST_SEGMENT: [usize; 2] = [1472, 1452];

/// The most that goes out together: it passes through the system as one packet of IP.
const MOST_TOGETHER: usize = 65_000;

/// A bound socket, registered with the runtime.
pub struct Udp {
    socket: UdpSocket,
    /// What the system can do. It is made with another socket of the same family, because it would switch on
    /// what protocols want that find the path's MTU out themselves: no datagram may be fragmented. And
    /// each one would come with its destination, its time and its traffic class, which nobody asks for.
    batch: UdpSocketState,
    is_v6: bool,
}

impl fmt::Debug for Udp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Udp").field(&self.socket).finish()
    }
}

impl Udp {
    /// Binds. Needs to be called inside of the engine's runtime.
    pub(crate) fn bind(options: &DatagramOptions) -> Result<Self, Error> {
        let is_v6 = options.local.is_ipv6();
        let bind = || {
            let socket = new_socket(options.local)?;
            prepare(&socket, options)?;
            join_received(&socket);
            socket.bind(&options.local.into())?;
            let batch = UdpSocketState::new((&new_socket(options.local)?).into())?;
            Ok(Self {
                socket: UdpSocket::from_std(socket.into())?,
                batch,
                is_v6,
            })
        };
        bind().map_err(|error| Error::new(Syscall::Bind, &error))
    }

    /// Where it is bound.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Joins a group of the socket's family.
    ///
    /// # Errors
    /// What the system says.
    pub fn join(&self, group: IpAddr, interface: &Interface) -> io::Result<()> {
        let socket = SockRef::from(&self.socket);
        match group {
            IpAddr::V4(group) => socket.join_multicast_v4(&group, &interface.v4),
            IpAddr::V6(group) => socket.join_multicast_v6(&group, interface.v6),
        }
    }

    /// Leaves a group that was joined there.
    ///
    /// # Errors
    /// What the system says.
    pub fn leave(&self, group: IpAddr, interface: &Interface) -> io::Result<()> {
        let socket = SockRef::from(&self.socket);
        match group {
            IpAddr::V4(group) => socket.leave_multicast_v4(&group, &interface.v4),
            IpAddr::V6(group) => socket.leave_multicast_v6(&group, interface.v6),
        }
    }

    /// Datagrams that the system has dropped because nobody took them in time; `None` where it does not tell.
    #[must_use]
    pub fn dropped(&self) -> Option<u64> {
        drops::dropped(&self.socket)
    }

    /// Sends the datagrams of `list`, whose payloads are side by side, until one is not taken. Answers how many
    /// were, and what the system said about the next one.
    pub fn send(&self, payloads: &[u8], list: &[Parcel]) -> (usize, Option<io::Error>) {
        let (mut sent, mut at) = (0, 0);
        while sent < list.len() {
            let count = self.together(&list[sent..]);
            let group = &list[sent..sent + count];
            let len: usize = group.iter().map(|parcel| parcel.len).sum();
            let segment = (count > 1).then_some(group[0].len);
            match self.send_now(group[0].to, &payloads[at..at + len], segment) {
                Ok(()) => sent += count,
                Err(error) if count == 1 || must_wait(&error) => return (sent, Some(error)),
                // The way is too narrow for them, or the system cannot; or one is refused, and then it is to be
                // known which.
                Err(_) => {
                    let mut from = at;
                    for parcel in group {
                        let payload = &payloads[from..from + parcel.len];
                        if let Err(error) = self.send_now(parcel.to, payload, None) {
                            return (sent, Some(error));
                        }
                        from += parcel.len;
                        sent += 1;
                    }
                }
            }
            at += len;
        }
        (sent, None)
    }

    /// How many of `list`, at its beginning, may be given to the system as one piece: those of one size that go
    /// to one place, and one that is shorter behind them.
    fn together(&self, list: &[Parcel]) -> usize {
        let Parcel { to, len } = list[0];
        if len == 0 || len > LARGEST_SEGMENT[usize::from(self.is_v6)] {
            return 1;
        }
        let most = self.batch.max_gso_segments().min(MOST_TOGETHER / len);
        let mut count = 1;
        while let Some(next) = list.get(count)
            && count < most
            && next.to == to
            && next.len > 0
            && next.len <= len
        {
            count += 1;
            if next.len < len {
                break;
            }
        }
        count
    }

    fn send_now(&self, to: SocketAddr, payload: &[u8], segment: Option<usize>) -> io::Result<()> {
        let destination = match to {
            SocketAddr::V4(v4) if self.is_v6 => {
                let mapped = v4.ip().to_ipv6_mapped();
                SocketAddr::V6(SocketAddrV6::new(mapped, v4.port(), 0, 0))
            }
            _ => to,
        };
        let transmit = Transmit {
            destination,
            ecn: None,
            contents: payload,
            segment_size: segment,
            src_ip: None,
        };
        self.batch.try_send((&self.socket).into(), &transmit)
    }

    /// Waits until there may be something to receive.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_recv_ready(cx)
    }

    /// Fills as many buffers as there are, or fewer, with one call. Each has a datagram, or several that were
    /// joined: all as long as its `stride`, only the last one may be shorter.
    pub(crate) fn receive(
        &self,
        buffers: &mut [IoSliceMut<'_>],
        about: &mut [RecvMeta],
    ) -> io::Result<usize> {
        let receive = || self.batch.recv((&self.socket).into(), buffers, about);
        self.socket.try_io(Interest::READABLE, receive)
    }

    /// Forgets that there was something to receive: the system tells of anything newer.
    pub(crate) fn clear_readable(&self) {
        let empty = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.socket.try_io(Interest::READABLE, empty);
    }

    /// Sends one datagram as soon as the system takes it.
    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        to: SocketAddr,
        payload: &[u8],
    ) -> Poll<io::Result<()>> {
        loop {
            std::task::ready!(self.socket.poll_send_ready(cx))?;
            let send = || self.send_now(to, payload, None);
            match self.socket.try_io(Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

/// Whether the system has no room now, and will have some.
pub(crate) fn must_wait(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || has_no_buffers(error)
}

/// The queue of an interface is full. Nobody tells when it is not any more.
pub(crate) fn has_no_buffers(error: &io::Error) -> bool {
    #[cfg(unix)]
    const NO_BUFFERS: i32 = libc::ENOBUFS;
    #[cfg(windows)]
    const NO_BUFFERS: i32 = 10055; // WSAENOBUFS
    error.raw_os_error() == Some(NO_BUFFERS)
}

/// A non-blocking UDP socket of the address' family, not inherited by child processes.
fn new_socket(local: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Sets what has to be set before the socket is bound.
fn prepare(socket: &Socket, options: &DatagramOptions) -> io::Result<()> {
    if options.reuse_address {
        socket.set_reuse_address(true)?;
        // There, the one alone does not let two sockets have one group's port.
        #[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
        socket.set_reuse_port(true)?;
    }
    if let Some(size) = options.send_buffer_size {
        socket.set_send_buffer_size(size as usize)?;
    }
    if let Some(size) = options.recv_buffer_size {
        socket.set_recv_buffer_size(size as usize)?;
    }
    if options.broadcast {
        socket.set_broadcast(true)?;
    }
    if options.local.is_ipv6() {
        socket.set_only_v6(options.ipv6_only)?;
        prepare_v6(socket, options)?;
        if options.ipv6_only {
            return Ok(());
        }
        // For IPv4 through an IPv6 socket, where the system has that; its groups are not for this socket to join.
        let _ = prepare_v4(socket, options);
        return Ok(());
    }
    prepare_v4(socket, options)?;
    if !options.multicast_interface.v4.is_unspecified() {
        socket.set_multicast_if_v4(&options.multicast_interface.v4)?;
    }
    Ok(())
}

/// Lets the system hand over datagrams that belong together in one piece, as they were sent or as they came from the
/// network: one way through its stack for up to 64, and room for ten times as many in the socket's buffer.
/// A system that cannot goes on with single ones.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn join_received(socket: &Socket) {
    use nix::sys::socket::{setsockopt, sockopt::UdpGroSegment};
    let _ = setsockopt(socket, UdpGroSegment, &true);
}

/// Other systems have no such option.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn join_received(_socket: &Socket) {}

fn prepare_v4(socket: &Socket, options: &DatagramOptions) -> io::Result<()> {
    socket.set_multicast_loop_v4(options.multicast_loopback)?;
    if let Some(ttl) = options.ttl {
        socket.set_ttl_v4(ttl)?;
    }
    if let Some(ttl) = options.multicast_ttl {
        socket.set_multicast_ttl_v4(ttl)?;
    }
    Ok(())
}

fn prepare_v6(socket: &Socket, options: &DatagramOptions) -> io::Result<()> {
    socket.set_multicast_loop_v6(options.multicast_loopback)?;
    if options.multicast_interface.v6 != 0 {
        socket.set_multicast_if_v6(options.multicast_interface.v6)?;
    }
    if let Some(ttl) = options.ttl {
        socket.set_unicast_hops_v6(ttl)?;
    }
    if let Some(ttl) = options.multicast_ttl {
        socket.set_multicast_hops_v6(ttl)?;
    }
    Ok(())
}
