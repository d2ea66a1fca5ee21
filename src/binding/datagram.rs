//! What JavaScript may do with a UDP socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use napi::{Result, Status};
use napi_derive::napi;

use crate::binding::env::Engine;
use crate::binding::handles::{bad_handle, status};
use crate::binding::options::{NativeAddress, NativeEndpoint, native_address};
use crate::binding::registry::Entry;
use crate::binding::shared::Cell;
use crate::core::datagram::options::{DatagramOptions, Interface};
use crate::core::datagram::parcels::{Parcel, read_list};
use crate::core::datagram::udp::Udp;
use crate::core::endpoint::Endpoint;
use crate::core::error;

/// Options of a UDP socket. Absent leaves what the system has.
#[napi(object)]
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "as in `DatagramOptions`")]
pub struct NativeDatagramOptions {
    /// `SO_REUSEADDR`.
    pub reuse_address: bool,
    /// `IPV6_V6ONLY`.
    pub ipv6_only: bool,
    /// `SO_BROADCAST`.
    pub broadcast: bool,
    /// `IP_TTL` or `IPV6_UNICAST_HOPS`.
    pub ttl: Option<u32>,
    /// `IP_MULTICAST_TTL` or `IPV6_MULTICAST_HOPS`.
    pub multicast_ttl: Option<u32>,
    /// `IP_MULTICAST_LOOP` or `IPV6_MULTICAST_LOOP`.
    pub multicast_loopback: bool,
    /// Where datagrams to groups leave.
    pub multicast_interface: NativeInterface,
    /// `SO_SNDBUF`, in bytes.
    pub send_buffer_size: Option<u32>,
    /// `SO_RCVBUF`, in bytes.
    pub recv_buffer_size: Option<u32>,
}

/// An interface, in the terms of both families.
#[napi(object)]
#[derive(Debug)]
pub struct NativeInterface {
    /// One of its IPv4 addresses; absent: the system chooses.
    pub address: Option<String>,
    /// Its number, for IPv6; 0: the system chooses.
    pub index: u32,
}

impl NativeDatagramOptions {
    fn options(self, local: SocketAddr) -> Result<DatagramOptions> {
        Ok(DatagramOptions {
            local,
            reuse_address: self.reuse_address,
            ipv6_only: self.ipv6_only,
            broadcast: self.broadcast,
            ttl: self.ttl,
            multicast_ttl: self.multicast_ttl,
            multicast_loopback: self.multicast_loopback,
            multicast_interface: self.multicast_interface.interface()?,
            send_buffer_size: self.send_buffer_size,
            recv_buffer_size: self.recv_buffer_size,
        })
    }
}

impl NativeInterface {
    fn interface(self) -> Result<Interface> {
        let parse = |text: String| text.parse().map_err(|_| invalid(&text));
        Ok(Interface {
            v4: self.address.map_or(Ok(Ipv4Addr::UNSPECIFIED), parse)?,
            v6: self.index,
        })
    }
}

fn invalid(text: &str) -> napi::Error {
    let reason = format!("{text} is not an address of that kind");
    napi::Error::new(Status::InvalidArg, reason)
}

#[napi]
impl Engine {
    /// Binds a UDP socket and starts to receive. Answers its number, or an errno.
    #[napi(catch_unwind)]
    pub fn bind_datagram(
        &self,
        local: NativeEndpoint,
        options: NativeDatagramOptions,
    ) -> Result<i32> {
        let state = &mut *self.state.borrow_mut();
        #[allow(
            irrefutable_let_patterns,
            reason = "which other endpoints there are depends on the system"
        )]
        let Endpoint::Tcp(local) = local.endpoint()? else {
            return Err(invalid("a path"));
        };
        let options = options.options(local)?;
        match state.core.bind_datagram(&options) {
            Ok((socket, udp)) => {
                let id = socket.id();
                let entry = Entry::Datagram(socket, Some(udp));
                state.registry.insert(id, entry);
                Ok(id.cast_signed())
            }
            Err(error) => Ok(error.errno),
        }
    }

    /// Sends datagrams whose payloads are in the slab, `len` bytes from `at` on; the `count` integers from
    /// `list` on say how long they are and where they go (see `core::datagram::parcels`). Answers 0, or the
    /// errno of the one that the system refused; the header says how many come before it, and how many bytes are
    /// queued, in which case `Written` follows. The first `skip` are passed over.
    #[napi(catch_unwind)]
    pub fn send_datagrams(
        &self,
        id: u32,
        at: u32,
        len: u32,
        list: u32,
        count: u32,
        skip: u32,
    ) -> i32 {
        let state = &mut *self.state.borrow_mut();
        let Some((socket, udp)) = state.registry.datagram(id) else {
            return bad_handle();
        };
        let [at, len, list, count, skip] = [at, len, list, count, skip].map(|value| value as usize);
        let payloads = state.slab.get(at..at + len).unwrap_or_default();
        let integers = state.slab.get(list..list + 4 * count).unwrap_or_default();
        let integers = integers.as_chunks::<4>().0.iter();
        let parcels = &mut state.parcels;
        parcels.clear();
        parcels.extend(read_list(integers.map(|bytes| u32::from_ne_bytes(*bytes))));
        let size = |parcels: &[Parcel]| parcels.iter().map(|parcel| parcel.len).sum::<usize>();
        if size(parcels) != payloads.len() || skip > parcels.len() {
            return error::errno(&io::ErrorKind::InvalidInput.into());
        }
        let (skipped, rest) = parcels.split_at(skip);
        let (sent, result) = socket.send(udp, &payloads[size(skipped)..], rest);
        state.shared.set(Cell::Queued, sent.queued);
        state.shared.set(Cell::Sent, skip + sent.taken);
        status(result)
    }

    /// Bytes of datagrams that the system has not taken yet.
    #[napi(catch_unwind)]
    pub fn queued_datagrams(&self, id: u32) -> u32 {
        let state = self.state.borrow();
        let queued = state
            .registry
            .datagram(id)
            .map_or(0, |(socket, _)| socket.queued());
        u32::try_from(queued).unwrap_or(u32::MAX)
    }

    /// Where the datagram was to go that `Failed` is about. Once for each, in their order.
    #[napi(catch_unwind)]
    pub fn take_refused(&self, id: u32) -> Option<NativeAddress> {
        let state = self.state.borrow();
        let (socket, _) = state.registry.datagram(id)?;
        socket
            .take_refused()
            .map(|to| native_address(&Endpoint::Tcp(to)))
    }

    /// Receives, or stops it. Events that are on their way still arrive.
    #[napi(catch_unwind)]
    pub fn receive_datagrams(&self, id: u32, on: bool) {
        if let Some((socket, _)) = self.state.borrow().registry.datagram(id) {
            if on {
                socket.read_start();
            } else {
                socket.read_stop();
            }
        }
    }

    /// Joins a group, or leaves it. Answers 0 or an errno.
    #[napi(catch_unwind)]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "Node-API hands a string over by value"
    )]
    pub fn set_membership(
        &self,
        id: u32,
        group: String,
        interface: NativeInterface,
        on: bool,
    ) -> Result<i32> {
        let group: IpAddr = group.parse().map_err(|_| invalid(&group))?;
        let interface = interface.interface()?;
        let change = if on { Udp::join } else { Udp::leave };
        let state = self.state.borrow();
        Ok(match state.registry.datagram(id) {
            Some((_, udp)) => status(change(udp, group, &interface)),
            None => bad_handle(),
        })
    }

    /// Datagrams that the system dropped because nobody took them in time; null where it does not tell.
    #[napi(catch_unwind)]
    pub fn dropped_datagrams(&self, id: u32) -> Option<f64> {
        let state = self.state.borrow();
        let (_, udp) = state.registry.datagram(id)?;
        #[allow(clippy::cast_precision_loss, reason = "nobody drops 2^53 datagrams")]
        udp.dropped().map(|count| count as f64)
    }

    /// Closes a UDP socket. Its address is free on return; `Closed` follows.
    #[napi(catch_unwind)]
    pub fn close_datagram(&self, id: u32) {
        let state = &mut *self.state.borrow_mut();
        let Some(socket) = state.registry.close_datagram(id) else {
            return;
        };
        // Somebody has to turn the runtime while this thread waits.
        state.core.give_back_crank();
        socket.close();
    }
}
