//! What TLS makes of peers that break it or break off, and how much of what was written still goes out.

mod owner;
mod pki;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use owner::{Owner, Told, address_of};
use pki::{
    client_config, client_options, code, peer_server, pki, secure, secure_listener, secured,
};
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384;
use rustls::crypto::cipher::OutboundPlainMessage;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ConnectionTrafficSecrets, ContentType, ProtocolVersion};
use socket::core::options::SocketOptions;
use socket2::SockRef;

/// Records of TLS 1.3 for `messages` of the handshake's protocol, as a client after its handshake sends them.
fn handshake_records<'a>(
    connection: ClientConnection,
    messages: impl Iterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let secrets = connection
        .dangerous_extract_secrets()
        .expect("they were asked for");
    let (first, ConnectionTrafficSecrets::Aes256Gcm { key, iv }) = secrets.tx else {
        panic!("this cipher is everybody's first choice");
    };
    let suite = TLS13_AES_256_GCM_SHA384.tls13().expect("it is of TLS 1.3");
    let mut encrypter = suite.aead_alg.encrypter(key, iv);
    let mut wire = Vec::new();
    for (sequence, payload) in (first..).zip(messages) {
        let record = OutboundPlainMessage {
            typ: ContentType::Handshake,
            version: ProtocolVersion::TLSv1_2,
            payload: payload.into(),
        };
        let record = encrypter.encrypt(record, sequence).expect("a record");
        wire.extend(record.encode());
    }
    wire
}

#[test]
fn a_message_that_never_ends_is_an_error() {
    let pki = pki(|_| {});
    let mut owner = Owner::new();
    let listener = secure_listener(&owner, &pki, None);
    let address = address_of(&listener);
    let mut config = client_config(&pki);
    config.enable_secret_extraction = true;
    let client = thread::spawn(move || {
        let name = ServerName::try_from("localhost").expect("a name");
        let mut connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
        let mut socket = TcpStream::connect(address).expect("a connection");
        while connection.is_handshaking() || connection.wants_write() {
            connection.complete_io(&mut socket).expect("a handshake");
        }
        // A key update that claims 65,280 bytes, of which one comes at a time: each record is kept until the last.
        let header: &[u8] = &[24, 0, 0xff, 0];
        let rest = std::iter::repeat_n(&[0_u8] as &[u8], 4000);
        let records = handshake_records(connection, std::iter::once(header).chain(rest));
        let _ = socket.write_all(&records);
        // It may end while this is on its way.
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
    });
    let Told::Accepted(id) = owner.next(listener.id()) else {
        panic!("a connection comes");
    };
    assert_eq!(owner.next(id), Told::Secured(false));
    assert_eq!(owner.next(id), Told::TlsFailed);
    assert_eq!(code(&owner, id), "ERR_SSL_EXCESSIVE_MESSAGE_SIZE");
    owner.close(id);
    client.join().expect("the client ends well");
}

#[test]
fn what_came_before_a_bad_record_is_good() {
    let pki = pki(|_| {});
    let (address, peer) = peer_server(&pki, |mut stream| {
        let _ = stream.conn.complete_io(&mut stream.sock);
        stream
            .conn
            .writer()
            .write_all(b"answer, whole")
            .expect("a write");
        // All in one piece.
        let mut wire = Vec::new();
        while stream.conn.wants_write() {
            stream.conn.write_tls(&mut wire).expect("a record");
        }
        wire.extend([23, 3, 3, 0, 32]);
        wire.extend([9; 32]);
        stream.sock.write_all(&wire).expect("a write");
        let mut alert = Vec::new();
        let _ = stream.sock.read_to_end(&mut alert);
    });
    let mut owner = Owner::new();
    let id = secured(&mut owner, address, &client_options(&pki.ca));
    assert_eq!(owner.next(id), Told::Data(13));
    assert_eq!(owner.next(id), Told::TlsFailed);
    let code = code(&owner, id);
    assert_eq!(code, "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC");
    owner.close(id);
    peer.join().expect("the peer ends well");
}

#[test]
fn what_came_before_a_reset_is_good() {
    // One record of 16 KiB less, so that the records of it fill one read of ciphertext, 64 KiB, to the last byte.
    const FILLS_A_READ: usize = 65_448;
    let pki = pki(|_| {});
    let (start, started) = channel::<()>();
    let (address, peer) = peer_server(&pki, move |mut stream| {
        stream.write_all(b"!").expect("a write");
        started.recv().expect("the owner has stopped reading");
        stream.write_all(&vec![5; FILLS_A_READ]).expect("a write");
        stream.flush().expect("a flush");
        SockRef::from(&stream.sock)
            .set_linger(Some(Duration::ZERO))
            .expect("an option");
    });
    let mut owner = Owner::new();
    let id = secured(&mut owner, address, &client_options(&pki.ca));
    // With the session's tickets before it, so that nothing else is in that read.
    assert_eq!(owner.next(id), Told::Data(1));
    owner.stream(id).0.read_stop();
    start.send(()).expect("the peer waits");
    peer.join().expect("the peer ends well");
    owner.stream(id).0.read_start();
    let mut told = Told::Session;
    while !matches!(told, Told::Failed(_) | Told::TlsFailed) {
        told = owner.next(id);
    }
    assert_eq!(owner.received.get(&id), Some(&(1 + FILLS_A_READ)));
    owner.close(id);
}

#[test]
fn a_close_sends_however_many_small_writes_the_system_takes() {
    // More than a task of tokio may do in a turn, and less than fills the system's buffer: each takes 1.3 KiB there.
    const WRITES: usize = 300;
    let pki = pki(|_| {});
    let (address, peer) = peer_server(&pki, |mut stream| {
        stream.write_all(b"!").expect("a write");
        let mut got = Vec::new();
        let end = stream.read_to_end(&mut got);
        assert!(end.is_ok(), "{end:?} after {}", got.len());
        got.len()
    });
    let mut owner = Owner::new();
    let room = SocketOptions {
        send_buffer_size: Some(1024 * 1024),
        ..SocketOptions::default()
    };
    let id = owner.connect_with(address, room);
    assert_eq!(owner.next(id), Told::Connected);
    secure(&mut owner, id, &client_options(&pki.ca));
    assert_eq!(owner.next(id), Told::Secured(false));
    // With the session's tickets before it: what is not read makes a close a reset.
    assert_eq!(owner.next(id), Told::Data(1));
    let (stream, transport) = owner.stream(id);
    for _ in 0..WRITES {
        let written = stream.write(transport, &[7; 100]).expect("a write");
        assert_eq!(written.accepted, 100);
    }
    owner.close(id);
    assert_eq!(peer.join().expect("the peer ends well"), WRITES * 100);
}
