//! The engine over UDP, with `std::net` on the other side.

mod owner;

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use owner::{Owner, Told};
use socket::core::datagram::options::{DatagramOptions, Interface};
use socket::core::datagram::parcels::Parcel;
use socket::core::datagram::socket::AHEAD;
use socket::core::error::Syscall;

fn options(local: &str) -> DatagramOptions {
    DatagramOptions {
        local: local.parse().expect("a literal"),
        reuse_address: false,
        ipv6_only: false,
        broadcast: false,
        ttl: None,
        multicast_ttl: None,
        multicast_loopback: true,
        multicast_interface: Interface::default(),
        send_buffer_size: None,
        recv_buffer_size: None,
    }
}

/// A socket of the engine, its address, and the other side, which knows no address but that.
fn pair(owner: &mut Owner, local: &str) -> (u32, SocketAddr, UdpSocket) {
    let id = owner.bind(&options(local)).expect("a free port");
    let address = owner.datagrams[&id].1.local_addr().expect("an address");
    let theirs = UdpSocket::bind(local).expect("a free port");
    theirs
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("an option");
    (id, address, theirs)
}

/// Datagrams told of until there are `wanted`.
fn count(owner: &mut Owner, id: u32, wanted: u32) -> u32 {
    let mut count = 0;
    while count < wanted {
        let Told::Datagrams(more) = owner.next(id) else {
            panic!("only datagrams come");
        };
        count += more;
    }
    count
}

fn send(owner: &Owner, id: u32, to: SocketAddr, payloads: &[&[u8]]) -> Option<i32> {
    let (socket, udp) = &owner.datagrams[&id];
    let list: Vec<_> = payloads
        .iter()
        .map(|payload| Parcel {
            to,
            len: payload.len(),
        })
        .collect();
    let (sent, result) = socket.send(udp, &payloads.concat(), &list);
    if result.is_ok() {
        assert_eq!(sent.taken, payloads.len());
    }
    result
        .err()
        .map(|error| error.raw_os_error().expect("of the system"))
}

#[test]
fn datagrams_come_in_whole_empty_ones_included() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let mut owner = Owner::new();
        let (id, address, theirs) = pair(&mut owner, local);
        for size in [0, 1, 1400, 60_000, 65_507, 0] {
            theirs.send_to(&vec![1; size], address).expect("a send");
            assert_eq!(count(&mut owner, id, 1), 1);
        }
    }
}

#[test]
fn a_batch_of_large_ones_is_more_than_a_run_and_loses_none() {
    let mut owner = Owner::new();
    let (id, address, theirs) = pair(&mut owner, "127.0.0.1:0");
    for _ in 0..20 {
        // All of them are there before the engine looks, as a rule.
        owner.datagrams[&id].0.read_stop();
        theirs.send_to(b"small", address).expect("a send");
        for _ in 0..3 {
            theirs.send_to(&vec![1; 50_000], address).expect("a send");
        }
        owner.datagrams[&id].0.read_start();
        assert_eq!(count(&mut owner, id, 4), 4);
    }
}

#[test]
fn what_is_sent_together_arrives_as_it_was() {
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let mut owner = Owner::new();
        let (id, address, theirs) = pair(&mut owner, local);
        let to = theirs.local_addr().expect("an address");
        let sizes = [3, 3, 3, 1, 0, 3, 1400, 1400, 1400, 2000, 2000, 5, 5, 6];
        let payloads: Vec<Vec<u8>> = (0..)
            .zip(sizes)
            .map(|(value, size)| vec![value; size])
            .collect();
        let slices: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        assert_eq!(send(&owner, id, to, &slices), None);
        let mut buffer = [0; 3000];
        for payload in &payloads {
            let (len, from) = theirs.recv_from(&mut buffer).expect("a datagram");
            assert_eq!((&buffer[..len], from), (&payload[..], address));
        }
    }
}

#[test]
fn of_several_the_refused_one_is_known() {
    let mut owner = Owner::new();
    let (id, _, theirs) = pair(&mut owner, "127.0.0.1:0");
    let to = theirs.local_addr().expect("an address");
    let (socket, udp) = &owner.datagrams[&id];
    let parcel = |to, len| Parcel { to, len };
    let nowhere = "255.255.255.255:9".parse().expect("a literal");
    let list = [
        parcel(to, 1),
        parcel(nowhere, 1),
        parcel(nowhere, 1),
        parcel(to, 1),
    ];
    let (sent, result) = socket.send(udp, b"abcd", &list);
    assert_eq!(sent.taken, 1);
    let error = result.expect_err("broadcast is off");
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    let (sent, result) = socket.send(udp, b"cd", &list[3..]);
    assert_eq!((sent.taken, result.is_ok()), (1, true));
}

#[test]
fn nobody_at_the_other_end_is_no_error() {
    let mut owner = Owner::new();
    let (id, address, theirs) = pair(&mut owner, "127.0.0.1:0");
    let gone = theirs.local_addr().expect("an address");
    drop(theirs);
    for _ in 0..10 {
        assert_eq!(send(&owner, id, gone, &[b"x"]), None);
    }
    let other = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    other.send_to(b"x", address).expect("a send");
    assert_eq!(owner.next(id), Told::Datagrams(1));
}

#[test]
fn an_owner_that_takes_nothing_is_not_buried() {
    let mut owner = Owner::new();
    owner.is_lazy = true;
    let (id, address, theirs) = pair(&mut owner, "127.0.0.1:0");
    let sent = 5_000;
    for rest in 0..sent {
        theirs.send_to(&[1; 1000], address).expect("a send");
        if rest % 20 == 0 {
            // No faster than the engine takes them, so that it has its fill.
            owner.settle(Duration::from_millis(1));
        }
    }
    owner.settle(Duration::from_millis(300));
    let mut told = 0;
    while let Some(Told::Datagrams(count)) = owner.take_told(id) {
        told += count;
    }
    // One batch more than what may be ahead, at most.
    let most = AHEAD / 1000 + 64;
    assert!((told as usize) < most, "{told} datagrams are ahead");
    #[cfg(target_os = "linux")]
    {
        // What the engine has, the system has, and the system has dropped, is all.
        let dropped = owner.datagrams[&id].1.dropped().expect("Linux tells");
        assert!(dropped > 0);
        let kept = sent - dropped - u64::from(told);
        assert!((1..1000).contains(&kept), "{dropped} and {told} of {sent}");
    }
}

#[test]
fn the_address_is_free_as_soon_as_close_returns() {
    let mut owner = Owner::new();
    for _ in 0..50 {
        let (id, address, _) = pair(&mut owner, "127.0.0.1:0");
        let (socket, udp) = owner.datagrams.remove(&id).expect("it is open");
        drop(udp);
        socket.close();
        drop(UdpSocket::bind(address).expect("the port is free"));
        assert_eq!(owner.next(id), Told::Closed);
    }
}

#[test]
fn an_address_in_use_is_an_error() {
    let mut owner = Owner::new();
    let (_, address, _theirs) = pair(&mut owner, "127.0.0.1:0");
    let error = owner
        .bind(&options(&address.to_string()))
        .expect_err("it is in use");
    assert_eq!(error.syscall, Syscall::Bind);
    let shared = DatagramOptions {
        reuse_address: true,
        ..options("127.0.0.1:0")
    };
    let one = owner.bind(&shared).expect("a free port");
    let local = owner.datagrams[&one].1.local_addr().expect("an address");
    let both = DatagramOptions { local, ..shared };
    owner.bind(&both).expect("both want to share");
}

#[test]
fn the_end_of_the_engine_closes_the_sockets() {
    let mut owner = Owner::new();
    let (id, address, theirs) = pair(&mut owner, "127.0.0.1:0");
    theirs.send_to(b"x", address).expect("a send");
    drop(owner.datagrams.remove(&id));
    owner.engine.stop();
    let end = Instant::now() + Duration::from_secs(10);
    while UdpSocket::bind(address).is_err() {
        assert!(Instant::now() < end, "the port is not free");
    }
}
