//! The engine over TCP, with `std::net` on the other side.

mod owner;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use owner::{Owner, Told, address_of};
use socket::core::chunks::{MAX_SHARED, PIECE, SHARED_WINDOW};
use socket::core::endpoint::Endpoint;
use socket::core::error::Syscall;
use socket::core::flow::{FIRST_AHEAD, MOST_AHEAD};
use socket::core::options::SocketOptions;
use socket::core::stream::Ended;
use socket::core::transport::Transport;
use socket::core::write_queue::WRITE_WINDOW;
use socket2::SockRef;

const MIB: usize = 1024 * 1024;

fn peer() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// A connected stream of the engine, and the other side.
fn pair(owner: &mut Owner) -> (u32, TcpStream) {
    let (listener, address) = peer();
    let id = owner.connected(address);
    (id, listener.accept().expect("a connection").0)
}

#[test]
fn bytes_go_both_ways_and_each_half_ends() {
    let mut owner = Owner::new();
    let (id, mut theirs) = pair(&mut owner);
    theirs.write_all(b"hello").expect("a write");
    assert_eq!(owner.next(id), Told::Data(5));

    let (stream, transport) = owner.stream(id);
    let accepted = stream.write(transport, b"world!").expect("a write");
    assert_eq!((accepted.accepted, accepted.queued), (6, 0));
    assert_eq!(stream.end(transport), Ok(Ended::Now));
    let mut got = Vec::new();
    theirs.read_to_end(&mut got).expect("bytes and the end");
    assert_eq!(got, b"world!");

    // Our half is ended, theirs is not.
    theirs.write_all(b"late").expect("a write");
    assert_eq!(owner.next(id), Told::Data(4));
    theirs.shutdown(Shutdown::Write).expect("an end");
    assert_eq!(owner.next(id), Told::End);
    owner.close(id);
    assert_eq!(owner.next(id), Told::Closed);
}

#[test]
fn accepted_streams_are_told_to_their_listener() {
    let mut owner = Owner::new();
    let listener = owner.listen("127.0.0.1:0").expect("a listener");
    let mut clients: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(address_of(&listener)).expect("a connection"))
        .collect();
    for client in &mut clients {
        client.write_all(b"hi").expect("a write");
    }
    for _ in &clients {
        let Told::Accepted(id) = owner.next(listener.id()) else {
            panic!("only connections come");
        };
        listener.consumed();
        assert_eq!(owner.next(id), Told::Data(2));
    }
}

#[test]
fn the_address_is_free_as_soon_as_close_returns() {
    let owner = Owner::new();
    let mut listener = owner.listen("127.0.0.1:0").expect("a listener");
    let address = address_of(&listener);
    for _ in 0..50 {
        assert!(
            owner.listen(&address.to_string()).is_err(),
            "the address is in use"
        );
        listener.close();
        listener = owner
            .listen(&address.to_string())
            .expect("the address is free");
    }
}

#[test]
fn a_refused_connection_fails_once_and_closes() {
    let mut owner = Owner::new();
    let (listener, address) = peer();
    drop(listener);
    let id = owner.connect(address);
    let Told::ConnectFailed(error) = owner.next(id) else {
        panic!("it fails");
    };
    assert_eq!((error.syscall, error.errno), (Syscall::Handshake, -111));
    assert_eq!(owner.next(id), Told::Closed);
}

#[test]
fn an_attempt_that_is_closed_ends_once() {
    let mut owner = Owner::new();
    let (_listener, address) = peer();
    for _ in 0..100 {
        let id = owner.connect(address);
        owner.close(id);
        // On loopback the attempt may have been faster.
        match owner.next(id) {
            Told::Connected => assert_eq!(owner.next(id), Told::Closed),
            told => assert_eq!(told, Told::Closed),
        }
        owner.engine.release_id(id);
    }
}

#[test]
fn what_the_system_does_not_take_is_queued_within_the_window_and_sent_in_order() {
    let mut owner = Owner::new();
    let (id, mut theirs) = pair(&mut owner);
    let bytes: Vec<u8> = (0..251).cycle().take(64 * MIB).collect();
    let mut at = 0;
    // The peer does not read: the system's buffers fill up, then the window.
    loop {
        let (stream, transport) = owner.stream(id);
        let accepted = stream.write(transport, &bytes[at..]).expect("a write");
        at += accepted.accepted;
        assert!(accepted.queued <= WRITE_WINDOW);
        if accepted.accepted == 0 {
            assert_eq!(accepted.queued, WRITE_WINDOW);
            break;
        }
    }
    let reader = thread::spawn(move || {
        let mut got = Vec::new();
        theirs.read_to_end(&mut got).expect("all bytes");
        got
    });
    while at < bytes.len() {
        assert_eq!(owner.next(id), Told::Written);
        let (stream, transport) = owner.stream(id);
        at += stream
            .write(transport, &bytes[at..])
            .expect("a write")
            .accepted;
    }
    let (stream, transport) = owner.stream(id);
    if stream.end(transport) == Ok(Ended::Later) {
        assert_eq!(owner.next(id), Told::Written);
        assert_eq!(owner.next(id), Told::Finished);
    }
    assert!(reader.join().expect("the reader ends") == bytes);
}

#[test]
fn an_owner_that_takes_nothing_is_not_flooded() {
    let mut owner = Owner::new();
    owner.is_lazy = true;
    let (id, mut theirs) = pair(&mut owner);
    theirs.set_nonblocking(true).expect("non-blocking");
    let block = vec![1; MIB];
    // Until nothing moves any more: the kernel's buffers are full on both sides.
    let mut stalls = 0;
    while stalls < 20 {
        match theirs.write(&block) {
            Ok(_) => stalls = 0,
            Err(_) => stalls += 1,
        }
        owner.settle(Duration::from_millis(5));
    }
    let taken = owner.received[&id];
    assert!(
        taken <= FIRST_AHEAD + SHARED_WINDOW,
        "{taken} bytes are ahead"
    );
}

#[test]
fn many_floods_together_stay_within_the_shared_memory() {
    let mut owner = Owner::new();
    owner.is_lazy = true;
    let mut peers = Vec::new();
    for _ in 0..100 {
        let (_, theirs) = pair(&mut owner);
        theirs.set_nonblocking(true).expect("non-blocking");
        peers.push(theirs);
    }
    let block = vec![1; MIB];
    for _ in 0..20 {
        for theirs in &mut peers {
            let _ = theirs.write(&block);
        }
        owner.settle(Duration::from_millis(5));
    }
    let taken: usize = owner.received.values().sum();
    assert!(taken > 0);
    assert!(taken <= MAX_SHARED * 256 * 1024, "{taken} bytes are ahead");
}

#[test]
fn an_eager_owner_gets_all_of_a_flood() {
    let mut owner = Owner::new();
    let (id, mut theirs) = pair(&mut owner);
    let size = 64 * MIB;
    let writer = thread::spawn(move || theirs.write_all(&vec![7; size]).expect("all is taken"));
    let mut got = 0;
    loop {
        match owner.next(id) {
            Told::Data(len) => got += len,
            told => {
                assert_eq!(told, Told::End);
                break;
            }
        }
        let (stream, _) = owner.stream(id);
        assert!(stream.undelivered() <= MOST_AHEAD + MIB);
    }
    assert_eq!(got, size);
    writer.join().expect("the writer ends");
}

#[test]
fn an_owner_that_copies_gets_pieces() {
    const TOTAL: usize = 20_000_000;
    let mut owner = Owner::new();
    owner.is_copying = true;
    let (id, mut theirs) = pair(&mut owner);
    let writer = thread::spawn(move || theirs.write_all(&vec![7; TOTAL]).expect("a write"));
    let mut full = 0;
    let mut total = 0;
    while total < TOTAL {
        let Told::Data(len) = owner.next(id) else {
            panic!("bytes")
        };
        assert!(len <= PIECE, "{len}");
        full += usize::from(len == PIECE);
        total += len;
    }
    assert_eq!(total, TOTAL);
    assert!(full > 0);
    assert_eq!(
        owner.engine.chunks().wanted().own,
        0,
        "no larger ones are asked for"
    );
    writer.join().expect("the writer");
}

#[test]
fn reading_stops_and_goes_on() {
    let mut owner = Owner::new();
    let (id, mut theirs) = pair(&mut owner);
    owner.stream(id).0.read_stop();
    theirs.write_all(b"wait").expect("a write");
    owner.settle(Duration::from_millis(50));
    assert_eq!(owner.received.get(&id), None);
    owner.stream(id).0.read_start();
    assert_eq!(owner.next(id), Told::Data(4));
}

#[test]
fn closing_with_bytes_that_nobody_used_resets_the_peer() {
    for (used, expect_reset) in [(0, true), (5, false)] {
        let mut owner = Owner::new();
        let (id, mut theirs) = pair(&mut owner);
        theirs.write_all(b"hello").expect("a write");
        assert_eq!(owner.next(id), Told::Data(5));
        owner.received.insert(id, used);
        owner.close(id);
        assert_eq!(owner.next(id), Told::Closed);
        let result = theirs.read(&mut [0; 1]);
        if expect_reset {
            let error = result.expect_err("a reset");
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        } else {
            assert_eq!(result.expect("the end"), 0);
        }
    }
}

#[test]
fn a_reset_is_a_failed_read() {
    let mut owner = Owner::new();
    let (id, theirs) = pair(&mut owner);
    SockRef::from(&theirs)
        .set_linger(Some(Duration::ZERO))
        .expect("an option");
    drop(theirs);
    let Told::Failed(error) = owner.next(id) else {
        panic!("it fails");
    };
    assert_eq!((error.syscall, error.errno), (Syscall::Read, -104));
    owner.close(id);
    assert_eq!(owner.next(id), Told::Closed);
}

#[test]
fn the_end_of_the_engine_closes_everything() {
    let mut owner = Owner::new();
    let (_, mut theirs) = pair(&mut owner);
    let listener = owner.listen("127.0.0.1:0").expect("a listener");
    let address = address_of(&listener);
    owner.engine.stop();
    owner.streams.clear();
    drop(owner);
    assert_eq!(theirs.read(&mut [0; 1]).expect("the end"), 0);
    TcpListener::bind(address).expect("the address is free");
}

#[test]
fn an_owner_that_turns_the_runtime_itself_misses_nothing() {
    let mut owner = Owner::new();
    let (id, mut theirs) = pair(&mut owner);
    for round in 0..200 {
        if round % 10 < 5 {
            owner.engine.ask_crank();
        } else {
            owner.engine.give_back_crank();
        }
        theirs.write_all(b"ping").expect("a write");
        let before = owner.received.get(&id).copied().unwrap_or(0);
        while owner.received.get(&id).copied().unwrap_or(0) < before + 4 {
            let _ = owner.engine.turn();
            owner.settle(Duration::from_micros(100));
        }
    }
    assert_eq!(owner.received[&id], 800);
}

#[test]
fn the_peers_address_outlives_the_connection() {
    let mut owner = Owner::new();
    let (id, theirs) = pair(&mut owner);
    let known = Endpoint::Tcp(theirs.local_addr().expect("an address"));
    SockRef::from(&theirs)
        .set_linger(Some(Duration::ZERO))
        .expect("an option");
    drop(theirs);
    assert!(matches!(owner.next(id), Told::Failed(_)));
    let (_, transport) = owner.stream(id);
    assert_eq!(transport.peer_addr().expect("still known"), known);
}

#[test]
fn who_answers_at_the_unspecified_address_is_asked_of_the_system() {
    let mut owner = Owner::new();
    let (listener, address) = peer();
    let id = owner.connected(SocketAddr::from(([0, 0, 0, 0], address.port())));
    let _theirs = listener.accept().expect("a connection");
    let (_, transport) = owner.stream(id);
    assert_eq!(
        transport.peer_addr().expect("connected"),
        Endpoint::Tcp(address)
    );
}

#[test]
fn options_of_the_descriptor_are_there_before_the_handshake_and_are_inherited() {
    let mut owner = Owner::new();
    let options = SocketOptions {
        user_timeout: Some(Duration::from_millis(4321)),
        send_buffer_size: Some(40_000),
        recv_buffer_size: Some(30_000),
    };
    let listener = owner
        .listen_with("127.0.0.1:0", options)
        .expect("a listener");
    let near = owner.connect_with(address_of(&listener), options);
    assert_eq!(owner.next(near), Told::Connected);
    let Told::Accepted(far) = owner.next(listener.id()) else {
        panic!("a connection comes in");
    };
    for id in [near, far] {
        let (_, transport) = owner.stream(id);
        let Transport::Tcp(stream, _) = transport else {
            panic!("it is TCP");
        };
        let socket = SockRef::from(stream);
        let sizes = [socket.send_buffer_size(), socket.recv_buffer_size()]
            .map(|size| size.expect("an option"));
        #[cfg(target_os = "linux")]
        {
            // Linux doubles the numbers, for what it needs itself.
            assert_eq!(sizes, [80_000, 60_000]);
            let timeout = socket.tcp_user_timeout().expect("an option");
            assert_eq!(timeout, options.user_timeout);
        }
        #[cfg(not(target_os = "linux"))]
        assert!(sizes.iter().all(|size| *size >= 30_000));
    }
    let (_, transport) = owner.stream(near);
    #[cfg(target_os = "linux")]
    transport
        .set_user_timeout(Duration::ZERO)
        .expect("an option");
    #[cfg(not(target_os = "linux"))]
    assert!(transport.set_user_timeout(Duration::ZERO).is_err());
}

/// A read ends at the mark of urgent data, although more is behind it.
#[test]
fn bytes_behind_urgent_data_come_at_once() {
    let mut owner = Owner::new();
    let (id, peer) = pair(&mut owner);
    owner.stream(id).0.read_stop();
    owner.settle(Duration::from_millis(20));
    (&peer).write_all(b"before").expect("a write");
    SockRef::from(&peer)
        .send_out_of_band(b"!")
        .expect("urgent data");
    (&peer).write_all(b"behind").expect("a write");
    owner.settle(Duration::from_millis(20));
    owner.stream(id).0.read_start();
    let mut got = 0;
    while got < 12 {
        let Told::Data(len) = owner.next(id) else {
            panic!("only bytes come");
        };
        got += len;
    }
    owner.close(id);
}
