//! The engine behind a proxy: `std::net` connects and says, or does not say, on whose behalf.

mod owner;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use owner::{Owner, Told};
use socket::core::endpoint::Endpoint;
use socket::core::event::DropReason;
use socket::core::listener::Listener;
use socket::core::pending::MOST_PENDING;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(60);
/// From [`client`].
const HEADER: &[u8] = b"PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n";

fn behind_proxy(owner: &Owner, limit: Duration) -> Arc<Listener> {
    owner
        .listen_proxied("127.0.0.1:0", Some(limit))
        .expect("a listener")
}

fn connect(listener: &Listener) -> TcpStream {
    let Endpoint::Tcp(address) = listener.local_addr() else {
        panic!("it listens on a TCP address");
    };
    TcpStream::connect(address).expect("a connection")
}

/// The next connection, and whom it is from.
fn accepted(owner: &mut Owner, listener: &Listener) -> (u32, Option<Endpoint>) {
    let told = owner.next(listener.id());
    let Told::Accepted(id) = told else {
        panic!("a connection was expected, and not {told:?}");
    };
    listener.consumed();
    let source = owner.streams[&id]
        .0
        .proxied()
        .map(|ends| ends.source.clone());
    (id, source)
}

fn client() -> Endpoint {
    Endpoint::Tcp(SocketAddr::from(([203, 0, 113, 7], 56324)))
}

#[test]
fn bytes_behind_the_header_are_the_streams_own() {
    let mut owner = Owner::new();
    let listener = behind_proxy(&owner, LONG);
    let mut peer = connect(&listener);
    peer.write_all(&[HEADER, b"hello"].concat())
        .expect("a write");
    peer.shutdown(Shutdown::Write).expect("an end");
    let (id, source) = accepted(&mut owner, &listener);
    assert_eq!(source, Some(client()));
    assert_eq!(owner.next(id), Told::Data(5));
    assert_eq!(owner.next(id), Told::End);
    // What the stream received is what it is used up by: the header does not make it a reset.
    owner.close(id);
    assert_eq!(owner.next(id), Told::Closed);
    assert_eq!(peer.read(&mut [0; 1]).expect("an orderly end"), 0);
}

#[test]
fn nobody_hears_of_a_connection_before_its_header_is_complete() {
    let mut owner = Owner::new();
    let listener = behind_proxy(&owner, LONG);
    let mut slow = connect(&listener);
    let (last, first) = HEADER.split_last().expect("not empty");
    slow.write_all(first).expect("a write");
    // A later one that is complete comes first.
    let mut quick = connect(&listener);
    quick.write_all(b"PROXY UNKNOWN\r\n").expect("a write");
    assert_eq!(accepted(&mut owner, &listener).1, None);
    slow.write_all(&[*last]).expect("a write");
    let (_, source) = accepted(&mut owner, &listener);
    assert_eq!(source, Some(client()));
}

#[test]
fn what_is_wrong_is_dropped_and_said() {
    let mut owner = Owner::new();
    let listener = behind_proxy(&owner, LONG);
    let id = listener.id();

    let mut peer = connect(&listener);
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("a write");
    assert_eq!(owner.next(id), Told::Dropped(DropReason::Malformed));

    let mut peer = connect(&listener);
    peer.write_all(b"PROXY").expect("a write");
    drop(peer);
    assert_eq!(owner.next(id), Told::Dropped(DropReason::Incomplete));

    drop(connect(&listener));
    assert_eq!(owner.next(id), Told::Dropped(DropReason::Incomplete));
}

#[test]
fn a_header_that_does_not_come_is_waited_for_only_so_long() {
    let mut owner = Owner::new();
    let listener = behind_proxy(&owner, Duration::from_millis(50));
    let mut silent = connect(&listener);
    assert_eq!(
        owner.next(listener.id()),
        Told::Dropped(DropReason::Timeout)
    );
    assert_eq!(silent.read(&mut [0; 1]).expect("an end"), 0);
    // Bytes do not buy time.
    let mut slow = connect(&listener);
    let drip = thread::spawn(move || {
        for byte in HEADER.iter().cycle() {
            if slow.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!(
        owner.next(listener.id()),
        Told::Dropped(DropReason::Timeout)
    );
    drip.join().expect("the connection is gone");
}

#[test]
fn closing_tells_of_the_pending_ones_first() {
    let mut owner = Owner::new();
    let listener = behind_proxy(&owner, LONG);
    let mut pending: Vec<_> = (0..3).map(|_| connect(&listener)).collect();
    // They are accepted in order, so the three are pending when this one has been shown.
    let mut complete = connect(&listener);
    complete.write_all(HEADER).expect("a write");
    let (id, _) = accepted(&mut owner, &listener);
    listener.close();
    for peer in &mut pending {
        assert_eq!(owner.next(listener.id()), Told::Dropped(DropReason::Closed));
        assert_eq!(peer.read(&mut [0; 1]).expect("an end"), 0);
    }
    assert_eq!(owner.next(listener.id()), Told::Closed);
    // The one that was shown goes on.
    complete.write_all(b"hello").expect("a write");
    assert_eq!(owner.next(id), Told::Data(5));
}

#[test]
fn the_end_of_the_engine_is_the_end_of_pending_connections() {
    let mut owner = Owner::new();
    let listener = behind_proxy(&owner, LONG);
    let mut pending: Vec<_> = (0..3).map(|_| connect(&listener)).collect();
    let mut complete = connect(&listener);
    complete.write_all(HEADER).expect("a write");
    accepted(&mut owner, &listener);
    // Neither the owner nor its handle of the listener keeps them: the task and the connection of a pending
    // header know each other.
    drop(owner);
    drop(listener);
    for peer in &mut pending {
        assert_eq!(peer.read(&mut [0; 1]).expect("an end"), 0);
    }
}

#[test]
fn silent_peers_keep_nobody_out() {
    let mut owner = Owner::new();
    let listener = behind_proxy(&owner, LONG);
    let id = listener.id();
    let mut silent = Vec::new();
    for _ in 0..MOST_PENDING + 10 {
        silent.push(connect(&listener));
    }
    let mut peer = connect(&listener);
    peer.write_all(HEADER).expect("a write");
    for _ in 0..11 {
        assert_eq!(owner.next(id), Told::Dropped(DropReason::Overload));
        listener.consumed();
    }
    let (_, source) = accepted(&mut owner, &listener);
    assert_eq!(source, Some(client()));
    // The oldest ones went.
    for gone in &mut silent[..11] {
        assert_eq!(gone.read(&mut [0; 1]).expect("an end"), 0);
    }
    silent[11].write_all(HEADER).expect("it is still there");
    accepted(&mut owner, &listener);
}

#[test]
fn an_owner_that_takes_nothing_is_not_buried_under_what_was_dropped() {
    let mut owner = Owner::new();
    let listener = behind_proxy(&owner, LONG);
    let bad = |listener: &Listener| {
        let mut peer = connect(listener);
        // The other side may be faster with its reset.
        let _ = peer.write_all(b"this is no header at all");
        peer
    };
    let ahead = socket::core::listener::ACCEPT_AHEAD;
    let waiting: Vec<_> = (0..ahead + 600).map(|_| bad(&listener)).collect();
    let mut told = 0;
    owner.settle(Duration::from_secs(1));
    while owner.take_told(listener.id()).is_some() {
        told += 1;
    }
    // Those that were pending when the limit was reached are told of as well.
    assert!(told <= ahead + 300, "{told} were told of");
    for _ in 0..told {
        listener.consumed();
    }
    for _ in told..waiting.len() {
        assert_eq!(
            owner.next(listener.id()),
            Told::Dropped(DropReason::Malformed)
        );
        listener.consumed();
    }
}

#[test]
fn a_paused_listener_leaves_connections_with_the_system() {
    let mut owner = Owner::new();
    let listener = owner.listen("127.0.0.1:0").expect("a listener");
    let _first = connect(&listener);
    accepted(&mut owner, &listener);
    listener.pause();
    let waiting: Vec<_> = (0..10).map(|_| connect(&listener)).collect();
    owner.settle(Duration::from_millis(200));
    assert!(owner.take_told(listener.id()).is_none());
    listener.resume();
    for _ in &waiting {
        accepted(&mut owner, &listener);
    }
    listener.pause();
    listener.close();
    assert_eq!(owner.next(listener.id()), Told::Closed);
}
