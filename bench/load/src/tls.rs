//! TLS to the server under test. Whose certificate it is does not matter here, and is not looked at.

use crate::Result;
use crate::args::Args;
use crate::bulk::Connection;
use crate::message::{open as open_plain, reset_on_close};
use crate::report::{STALL, Tick, Window, emit, float};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

type Secure = StreamOwned<ClientConnection, TcpStream>;

/// Takes any certificate, but has its signature checked: that is part of what a handshake costs.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Every handshake is a full one.
fn config() -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn secure(args: &Args, config: &Arc<ClientConfig>) -> Result<Secure> {
    let socket = open_plain(args)?;
    let name = ServerName::try_from("localhost")?;
    let connection = ClientConnection::new(Arc::clone(config), name)?;
    Ok(StreamOwned::new(connection, socket))
}

/// A connection for bulk.
pub(crate) fn open(args: &Args) -> Result<Secure> {
    let mut stream = secure(args, &config()?)?;
    stream.conn.set_buffer_limit(Some(256 * 1024));
    stream.flush()?;
    Ok(stream)
}

impl Connection for Secure {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }

    fn finish(&mut self) -> Result<()> {
        self.conn.send_close_notify();
        self.flush()?;
        Ok(self.sock.shutdown(Shutdown::Write)?)
    }
}

/// Full handshakes, a number of them at any time. Each is over when the server's first byte is there:
/// then the server's program has been told of it.
pub(crate) fn handshakes(args: &Args) -> Result<()> {
    again_and_again(args, args.connections, 1)
}

/// The same in bursts: so many clients say hello at once, as after an outage, and the next ones when all
/// of them are through. On one thread: what is measured is the server, which many would crowd out.
pub(crate) fn handshake_bursts(args: &Args) -> Result<()> {
    again_and_again(args, 1, args.connections)
}

/// On so many threads, so many handshakes at a time on each.
fn again_and_again(args: &Args, threads: usize, at_once: usize) -> Result<()> {
    let config = config()?;
    let (count, ending) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> std::result::Result<(), String> {
                    while !ending.load(Ordering::Relaxed) {
                        burst(args, &config, at_once).map_err(|error| error.to_string())?;
                        count.fetch_add(at_once as u64, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        let result = watch(args, &count, || {
            clients.iter().any(ScopedJoinHandle::is_finished)
        });
        ending.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().map_err(|_| "a client panicked")??;
        }
        result?;
        emit("done", &[("total", float(count.load(Ordering::Relaxed)))])
    })
}

fn burst(args: &Args, config: &Arc<ClientConfig>, at_once: usize) -> Result<()> {
    let mut clients = Vec::with_capacity(at_once);
    for _ in 0..at_once {
        let mut stream = secure(args, config)?;
        reset_on_close(&stream.sock)?;
        let mut hello = Vec::new();
        stream.conn.write_tls(&mut hello)?;
        clients.push((stream, hello));
    }
    for (stream, hello) in &mut clients {
        stream.sock.write_all(hello)?;
    }
    for (stream, _) in &mut clients {
        stream.read_exact(&mut [0])?;
    }
    Ok(())
}

fn watch(args: &Args, count: &AtomicU64, has_failed: impl Fn() -> bool) -> Result<()> {
    let mut window = Window::new(args.warmup, args.seconds);
    let (mut before, mut last) = (0, (0, Instant::now()));
    loop {
        thread::sleep(Duration::from_millis(5));
        let (now, total) = (Instant::now(), count.load(Ordering::Relaxed));
        if has_failed() {
            return Ok(()); // The one that failed says why.
        }
        if total > last.0 {
            last = (total, now);
        } else if now.duration_since(last.1) > STALL {
            return Err("no handshake was finished for some seconds".into());
        }
        match window.tick(now)? {
            Tick::Go => {}
            Tick::Begin => before = total,
            Tick::End => {
                let elapsed = window.elapsed(now);
                let counted = float(total - before);
                let numbers = [
                    ("connections", counted),
                    ("seconds", elapsed),
                    ("rate", counted / elapsed),
                ];
                return emit("result", &numbers);
            }
        }
    }
}
