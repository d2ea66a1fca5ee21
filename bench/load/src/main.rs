//! The other end of every benchmark: plain non-blocking sockets on one thread.
//!
//! It knows nothing of the addon and runs no JavaScript, so a fault or a shortcut of the side under
//! test cannot hide in it. `bench/run.js` starts it, reads one JSON object per line from its
//! stdout, and samples the CPU of the process under test when the `measure` and `result` lines
//! arrive.
//!
//! | mode                | does                                                          | lines                            |
//! | ------------------- | ------------------------------------------------------------- | -------------------------------- |
//! | `echo`              | C connections, D messages of 64 B under way on each           | `measure`, `result`, `done`      |
//! | `pingpong`          | the same with one connection and one message                  | `measure`, `result`, `done`      |
//! | `bulk-send`         | writes 64 KiB blocks as fast as they go                       | `measure`, `result`, `done`      |
//! | `bulk-recv`         | reads as fast as it comes                                     | `measure`, `result`              |
//! | `connect`           | opens connections, waits for the server to close each         | `measure`, `result`, `done`      |
//! | `handshakes`        | TLS connections, each until the server's first byte           | `measure`, `result`, `done`      |
//! | `handshake-bursts`  | C at once, and again when all are through                     | `measure`, `result`, `done`      |
//! | `storm`             | opens many, then times the server that closes all             | `full`, `served`, again          |
//! | `listen`            | accepts until stdin closes                                    | `listening`, `result`            |
//! | `idle`              | opens connections, uses each once, holds all until stdin ends | `ready`                          |
//! | `datagrams-send`    | sends UDP datagrams of `--size` bytes as fast as it can       | `measure`, `result`              |
//! | `datagrams-receive` | counts UDP datagrams of `--size` bytes                        | `listening`, `measure`, `result` |
//!
//! `--path` instead of `--port` loads a Unix socket. With `--tls 1` the two bulk modes go through TLS.
//!
//! A peer that stalls for five seconds ends the run with an error: a benchmark must never hang.

mod args;
mod bulk;
mod connect;
mod datagrams;
mod echo;
mod histogram;
mod hold;
mod message;
mod report;
mod storm;
mod tls;

use args::{Args, Mode};
use std::process::ExitCode;

type Error = Box<dyn std::error::Error>;
type Result<T> = std::result::Result<T, Error>;

fn main() -> ExitCode {
    match Args::parse(std::env::args().skip(1)).and_then(|args| run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    match args.mode {
        Mode::Echo | Mode::Pingpong => echo::run(args),
        Mode::BulkSend if args.tls => bulk::send(args, tls::open(args)?),
        Mode::BulkSend => bulk::send(args, message::open(args)?),
        Mode::BulkRecv if args.tls => bulk::receive(args, tls::open(args)?),
        Mode::BulkRecv => bulk::receive(args, message::open(args)?),
        Mode::Connect => connect::run(args),
        Mode::Handshakes => tls::handshakes(args),
        Mode::HandshakeBursts => tls::handshake_bursts(args),
        Mode::Storm => storm::run(args),
        Mode::Listen => hold::listen(args),
        Mode::Idle => hold::idle(args),
        Mode::DatagramsSend => datagrams::send(args),
        Mode::DatagramsReceive => datagrams::receive(args),
    }
}
