//! TLS over TCP, with plain rustls on the other side. What other implementations make of it is for the
//! tests of JavaScript to see.

mod owner;
mod pki;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use owner::{Owner, Told, address_of};
use pki::{
    client_options, code, peer_client, peer_server, pki, secure, secure_listener, secured,
    server_context,
};
use socket::core::endpoint::Endpoint;
use socket::core::event::DropReason;
use socket::core::stream::Ended;
use socket::core::tls::client::ClientOptions;
use socket::core::tls::info::Authorization;
use socket::core::tls::server::{Server, ServerOptions};
use socket::core::transport::tls::Answer;

#[test]
fn a_client_talks_both_ways_and_each_half_ends() {
    let pki = pki(|_| {});
    let (address, peer) = peer_server(&pki, |mut stream| {
        let mut got = Vec::new();
        stream
            .read_to_end(&mut got)
            .expect("bytes, and an end that was said");
        stream.write_all(b"answer").expect("a write");
        stream.conn.send_close_notify();
        stream.flush().expect("a flush");
        got
    });
    let mut owner = Owner::new();
    let id = secured(&mut owner, address, &client_options(&pki.ca));
    let (stream, transport) = owner.stream(id);
    let accepted = stream.write(transport, b"question").expect("a write");
    // The owner's thread does not encrypt.
    assert_eq!((accepted.accepted, accepted.queued), (8, 8));
    assert_eq!(stream.end(transport), Ok(Ended::Later));
    let mut told = Vec::new();
    while !told.contains(&Told::End) {
        told.push(owner.next(id));
    }
    assert!(told.contains(&Told::Written) && told.contains(&Told::Finished));
    assert!(told.contains(&Told::Data(6)));
    assert_eq!(peer.join().expect("the peer ends well"), b"question");
    let (_, transport) = owner.stream(id);
    let info = transport
        .tls()
        .and_then(|tls| tls.info())
        .expect("it is secure");
    assert_eq!(info.protocol, "TLSv1.3");
    assert_eq!(info.authorization, Authorization::Good);
    assert_eq!(info.peer_chain, [pki.leaf]);
    owner.close(id);
    assert_eq!(owner.next(id), Told::Closed);
}

#[test]
fn a_server_answers_and_much_goes_both_ways() {
    const MUCH: usize = 20 * 1024 * 1024;
    let pki = pki(|_| {});
    let mut owner = Owner::new();
    let listener = secure_listener(&owner, &pki, None);
    let address = address_of(&listener);
    let client = thread::spawn(move || {
        let mut stream = peer_client(&pki, address);
        let sent: Vec<u8> = (0..=250).cycle().take(MUCH).collect();
        for piece in sent.chunks(100_000) {
            stream.write_all(piece).expect("a write");
        }
        stream.flush().expect("a flush");
        let mut got = vec![0; MUCH];
        stream.read_exact(&mut got).expect("as much back");
        assert!((0..=240).cycle().take(MUCH).eq(got));
    });
    let Told::Accepted(id) = owner.next(listener.id()) else {
        panic!("a connection comes");
    };
    listener.consumed();
    assert_eq!(owner.next(id), Told::Secured(false));
    let mut got = 0;
    while got < MUCH {
        let Told::Data(len) = owner.next(id) else {
            panic!("only bytes come");
        };
        got += len;
    }
    assert_eq!(got, MUCH);
    let back: Vec<u8> = (0..=240).cycle().take(MUCH).collect();
    let mut sent = 0;
    while sent < MUCH {
        let (stream, transport) = owner.stream(id);
        sent += stream
            .write(transport, &back[sent..])
            .expect("a write")
            .accepted;
        assert_eq!(owner.next(id), Told::Written);
    }
    client.join().expect("all came back as it was");
}

#[test]
fn an_end_that_nobody_said_is_a_failure() {
    let pki = pki(|_| {});
    let (address, peer) = peer_server(&pki, |mut stream| {
        stream.write_all(b"half of it").expect("a write");
        stream
            .sock
            .shutdown(std::net::Shutdown::Write)
            .expect("a bare FIN");
        let mut byte = [0];
        let _ = stream.sock.read(&mut byte);
    });
    let mut owner = Owner::new();
    let id = secured(&mut owner, address, &client_options(&pki.ca));
    assert_eq!(owner.next(id), Told::Data(10));
    assert_eq!(owner.next(id), Told::TlsFailed);
    assert_eq!(code(&owner, id), "ERR_SSL_UNEXPECTED_EOF_WHILE_READING");
    owner.close(id);
    peer.join().expect("the peer ends well");
}

#[test]
fn a_strict_client_refuses_whom_it_cannot_trust() {
    let good = pki(|_| {});
    let expired = pki(|params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let untrusted = pki(|_| {});
    let cases = [
        (&expired, &expired.ca, "CERT_HAS_EXPIRED"),
        (&untrusted, &good.ca, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
    ];
    for (pki, ca, expected) in cases {
        let (address, peer) = peer_server(pki, |mut stream| stream.read(&mut [0]).is_err());
        let mut owner = Owner::new();
        let id = owner.connected(address);
        secure(&mut owner, id, &client_options(ca));
        // Written before the handshake: it must never be sent.
        let (stream, transport) = owner.stream(id);
        stream.write(transport, b"a secret").expect("it is queued");
        assert_eq!(owner.next(id), Told::TlsFailed);
        assert_eq!(code(&owner, id), expected);
        owner.close(id);
        assert!(peer.join().expect("the peer ends well"), "the peer is told");
    }
}

#[test]
fn nothing_is_sent_before_the_owner_has_looked_at_a_name_that_does_not_fit() {
    let pki = pki(|_| {});
    let (address, peer) = peer_server(&pki, |mut stream| {
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got);
        got
    });
    let mut owner = Owner::new();
    let options = ClientOptions {
        host: "example.com".into(),
        ..client_options(&pki.ca)
    };
    let id = owner.connected(address);
    secure(&mut owner, id, &options);
    let (stream, transport) = owner.stream(id);
    stream.write(transport, b"a secret").expect("it is queued");
    assert_eq!(owner.next(id), Told::Secured(true));
    owner.settle(Duration::from_millis(100));
    let (stream, transport) = owner.stream(id);
    assert_eq!(stream.queued(), 8);
    stream.answer(transport, Answer::Refuse);
    assert_eq!(owner.next(id), Told::TlsFailed);
    owner.close(id);
    assert_eq!(peer.join().expect("the peer ends well"), b"");
}

#[test]
fn the_proxys_header_comes_before_the_handshake() {
    let pki = pki(|_| {});
    let mut owner = Owner::new();
    let listener = secure_listener(&owner, &pki, Some(Duration::from_secs(60)));
    let mut client = peer_client(&pki, address_of(&listener));
    // All in one segment: what is behind the header is TLS, to the byte.
    let mut first = b"PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n".to_vec();
    client.conn.write_tls(&mut first).expect("a hello");
    client.sock.write_all(&first).expect("a write");
    let client = thread::spawn(move || {
        client.write_all(b"hello").expect("a write");
        let mut got = [0; 5];
        client.read_exact(&mut got).expect("an answer");
        got
    });
    let Told::Accepted(id) = owner.next(listener.id()) else {
        panic!("a connection comes");
    };
    listener.consumed();
    assert_eq!(owner.next(id), Told::Secured(false));
    assert_eq!(owner.next(id), Told::Data(5));
    let (stream, transport) = owner.stream(id);
    let source = Endpoint::Tcp(SocketAddr::from(([203, 0, 113, 7], 56324)));
    assert_eq!(stream.proxied().expect("proxied").source, source);
    stream.write(transport, b"there").expect("a write");
    assert_eq!(&client.join().expect("the client ends well"), b"there");
}

#[test]
fn a_handshake_without_a_proxys_header_is_dropped() {
    let pki = pki(|_| {});
    let mut owner = Owner::new();
    let listener = secure_listener(&owner, &pki, Some(Duration::from_secs(60)));
    let mut client = peer_client(&pki, address_of(&listener));
    assert!(client.flush().is_err());
    assert_eq!(
        owner.next(listener.id()),
        Told::Dropped(DropReason::Malformed)
    );
}

#[test]
fn a_client_that_stalls_is_given_up() {
    let pki = pki(|_| {});
    let mut owner = Owner::new();
    let options = ServerOptions {
        timeout: Some(Duration::from_millis(200)),
        ..ServerOptions::default()
    };
    let server = Server::new(server_context(&pki), options);
    let listener = owner
        .listen_secure("127.0.0.1:0", server, None)
        .expect("a listener");
    let address = address_of(&listener);
    let mut client = TcpStream::connect(address).expect("a connection");
    client.write_all(&[0x16, 3, 1]).expect("half a header");
    let Told::Accepted(id) = owner.next(listener.id()) else {
        panic!("a connection comes");
    };
    assert_eq!(owner.next(id), Told::TlsFailed);
    assert_eq!(code(&owner, id), "ERR_TLS_HANDSHAKE_TIMEOUT");
}

#[test]
fn bytes_that_were_read_before_belong_to_the_handshake() {
    let pki = pki(|_| {});
    let mut owner = Owner::new();
    let listener = owner.listen("127.0.0.1:0").expect("a listener");
    let address = address_of(&listener);
    let mut peer = peer_client(&pki, address);
    let mut hello = Vec::new();
    peer.conn.write_tls(&mut hello).expect("a hello");
    peer.sock.write_all(&hello).expect("a write");
    let Told::Accepted(id) = owner.next(listener.id()) else {
        panic!("a connection comes");
    };
    // It arrives as plain bytes.
    let mut len = 0;
    while len < hello.len() {
        let Told::Data(more) = owner.next(id) else {
            panic!("only the hello comes");
        };
        len += more;
    }
    let client = thread::spawn(move || {
        let mut got = [0; 5];
        peer.read_exact(&mut got).expect("a greeting");
        got
    });
    owner.stream(id).0.quiesce();
    assert_eq!(owner.next(id), Told::Quiet);
    let server = Server::new(server_context(&pki), ServerOptions::default());
    let (stream, transport) = owner.streams.get_mut(&id).expect("a stream");
    let plain = transport.as_ref().expect("it is connected");
    *transport = Some(owner.engine.secure_server(stream, plain, &server, hello));
    assert_eq!(owner.next(id), Told::Secured(false));
    let (stream, transport) = owner.stream(id);
    stream.write(transport, b"hello").expect("a write");
    assert_eq!(&client.join().expect("the client ends well"), b"hello");
}
