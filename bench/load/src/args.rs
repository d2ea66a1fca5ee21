//! The command line: a mode and `--name value` pairs.

use crate::Result;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Echo,
    Pingpong,
    BulkSend,
    BulkRecv,
    Connect,
    Handshakes,
    HandshakeBursts,
    Storm,
    Listen,
    Idle,
    DatagramsSend,
    DatagramsReceive,
}

impl FromStr for Mode {
    type Err = crate::Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "echo" => Self::Echo,
            "pingpong" => Self::Pingpong,
            "bulk-send" => Self::BulkSend,
            "bulk-recv" => Self::BulkRecv,
            "connect" => Self::Connect,
            "handshakes" => Self::Handshakes,
            "handshake-bursts" => Self::HandshakeBursts,
            "storm" => Self::Storm,
            "listen" => Self::Listen,
            "idle" => Self::Idle,
            "datagrams-send" => Self::DatagramsSend,
            "datagrams-receive" => Self::DatagramsReceive,
            _ => return Err(format!("unknown mode {name:?}").into()),
        })
    }
}

#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) mode: Mode,
    /// The server to load. Only loopback makes sense, so only the port is asked for.
    pub(crate) address: SocketAddr,
    /// The Unix socket to load instead; for the modes that use [`crate::message::open`].
    pub(crate) path: Option<PathBuf>,
    pub(crate) connections: usize,
    /// Messages under way per connection.
    pub(crate) depth: usize,
    /// Messages under way over all connections, passed on from one connection to the next. Replaces
    /// `depth`.
    pub(crate) outstanding: Option<usize>,
    /// Bytes of a datagram.
    pub(crate) size: usize,
    /// Bulk through TLS.
    pub(crate) tls: bool,
    pub(crate) warmup: Duration,
    pub(crate) seconds: Duration,
}

impl Args {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mode: Mode = words
            .next()
            .ok_or("a mode is missing: see src/main.rs")?
            .parse()?;
        let mut args = Self {
            mode,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            path: None,
            connections: 1,
            depth: 1,
            outstanding: None,
            size: 64,
            tls: false,
            warmup: Duration::from_millis(500),
            seconds: Duration::from_secs(2),
        };
        while let Some(name) = words.next() {
            let text = words
                .next()
                .ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--port" => args.address.set_port(number(&name, &text)?),
                "--path" => args.path = Some(text.into()),
                "--connections" => args.connections = number(&name, &text)?,
                "--depth" => args.depth = number(&name, &text)?,
                "--tls" => args.tls = number::<u8>(&name, &text)? != 0,
                "--size" => args.size = number(&name, &text)?,
                "--outstanding" => args.outstanding = Some(number(&name, &text)?),
                "--warmup" => args.warmup = Duration::try_from_secs_f64(number(&name, &text)?)?,
                "--seconds" => args.seconds = Duration::try_from_secs_f64(number(&name, &text)?)?,
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        if args.mode == Mode::Pingpong {
            (args.connections, args.depth, args.outstanding) = (1, 1, None);
        }
        if args.connections == 0 || args.depth == 0 {
            return Err("--connections and --depth start at 1".into());
        }
        if args
            .outstanding
            .is_some_and(|n| n == 0 || n > args.connections)
        {
            return Err("--outstanding is between 1 and --connections".into());
        }
        if args.path.is_some() && matches!(args.mode, Mode::Connect | Mode::Listen) {
            return Err("this mode is of TCP alone".into());
        }
        let binds = matches!(args.mode, Mode::Listen | Mode::DatagramsReceive);
        if !binds && args.path.is_none() && args.address.port() == 0 {
            return Err("--port or --path is missing".into());
        }
        Ok(args)
    }
}

fn number<T: FromStr>(name: &str, text: &str) -> Result<T> {
    text.parse()
        .map_err(|_| format!("{name} does not take {text:?}").into())
}
