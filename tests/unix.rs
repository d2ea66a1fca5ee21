//! The engine over Unix sockets, with `std` on the other side.

#![cfg(target_os = "linux")]

mod owner;

use std::io::{IoSlice, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
use owner::{Owner, Told};
use socket::core::endpoint::Endpoint;
use socket::core::options::SocketOptions;

/// A read ends behind bytes that descriptors came with, although more is there.
#[test]
fn bytes_behind_a_descriptor_come_at_once() {
    let path = std::env::temp_dir().join(format!("socket-{}.test", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).expect("a free path");
    let mut owner = Owner::new();
    let id = owner.connect_to(Endpoint::Unix(path.clone()), SocketOptions::default());
    assert_eq!(owner.next(id), Told::Connected);
    let (mut peer, _) = listener.accept().expect("a connection");
    std::fs::remove_file(&path).expect("it is there");
    owner.stream(id).0.read_stop();
    owner.settle(Duration::from_millis(20));
    sendmsg::<UnixAddr>(
        peer.as_raw_fd(),
        &[IoSlice::new(b"before")],
        &[ControlMessage::ScmRights(&[peer.as_raw_fd()])],
        MsgFlags::empty(),
        None,
    )
    .expect("bytes and a descriptor");
    peer.write_all(b"behind").expect("a write");
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
