//! Datagrams, one way. As many as possible with one call (segmentation by the system on the way out, `recvmmsg` on
//! the way in): this end must not be the limit. In reality it would be another machine.

use crate::Result;
use crate::args::Args;
use crate::report::{STALL, Tick, Window, emit, float};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use std::io::{ErrorKind, IoSliceMut};
use std::net::UdpSocket;
use std::time::Instant;

/// Bytes of what is sent as one piece, at most.
const PIECE: usize = 60_000;

/// Sends as fast as it can, whether or not anybody keeps up.
pub(crate) fn send(args: &Args) -> Result<()> {
    let socket = UdpSocket::bind((args.address.ip(), 0))?;
    let state = UdpSocketState::new((&socket).into())?;
    socket.set_nonblocking(false)?;
    let count = (PIECE / args.size).min(state.max_gso_segments());
    let payload = vec![b'x'; args.size * count];
    let transmit = Transmit {
        destination: args.address,
        ecn: None,
        contents: &payload,
        segment_size: Some(args.size),
        src_ip: None,
    };
    let mut window = Window::new(args.warmup, args.seconds);
    let mut sent = 0;
    loop {
        state
            .try_send((&socket).into(), &transmit)
            .map_err(|error| format!("sending: {error}"))?;
        sent += count as u64;
        let now = Instant::now();
        match window.tick(now)? {
            Tick::Go => {}
            Tick::Begin => sent = 0,
            Tick::End => return report(sent, window.elapsed(now)),
        }
    }
}

/// Counts what comes in. The clock starts with the first.
pub(crate) fn receive(args: &Args) -> Result<()> {
    let socket = UdpSocket::bind(args.address)?;
    let state = UdpSocketState::new((&socket).into())?;
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(STALL))?;
    let port = socket.local_addr()?.port();
    emit("listening", &[("port", f64::from(port))])?;
    let mut memory = vec![0; BATCH_SIZE * 65_536];
    let mut buffers: Vec<_> = memory.chunks_mut(65_536).map(IoSliceMut::new).collect();
    let mut about = [RecvMeta::default(); BATCH_SIZE];
    let mut window = None;
    let mut received = 0;
    loop {
        let count = match state.recv((&socket).into(), &mut buffers[..1], &mut about) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result.map_err(|error| format!("receiving: {error}"))?,
        };
        for about in &about[..count] {
            if about.stride != args.size || about.len % args.size != 0 {
                return Err(format!("{} bytes by {}", about.len, about.stride).into());
            }
            received += (about.len / args.size) as u64;
        }
        let now = Instant::now();
        let window = window.get_or_insert_with(|| Window::new(args.warmup, args.seconds));
        match window.tick(now)? {
            Tick::Go => {}
            Tick::Begin => received = 0,
            Tick::End => return report(received, window.elapsed(now)),
        }
    }
}

fn report(datagrams: u64, elapsed: f64) -> Result<()> {
    emit(
        "result",
        &[
            ("datagrams", float(datagrams)),
            ("rate", float(datagrams) / elapsed),
        ],
    )
}
