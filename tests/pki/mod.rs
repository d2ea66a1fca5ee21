//! Certificates, and the other end of a TLS connection: plain rustls.

#![allow(dead_code, reason = "each file of tests uses some of it")]

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection, StreamOwned};
use socket::core::listener::Listener;
use socket::core::tls::client::ClientOptions;
use socket::core::tls::context::{Context, Versions};
use socket::core::tls::identity;
use socket::core::tls::roots::Roots;
use socket::core::tls::server::{Server, ServerOptions};

use crate::owner::{Owner, Told};

/// A certificate for `localhost` with the CA that signed it, and its key in PKCS#8.
pub(crate) struct Pki {
    pub(crate) ca: Vec<u8>,
    pub(crate) leaf: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

pub(crate) fn pki(change: impl FnOnce(&mut CertificateParams)) -> Pki {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    // Two CAs of one name are another matter than one that is not known.
    let name = format!("CA {}", COUNT.fetch_add(1, Ordering::Relaxed));
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["localhost".into()]).expect("a name");
    change(&mut params);
    let leaf = params.signed_by(&key, &issuer).expect("a certificate");
    Pki {
        ca: issuer.der().to_vec(),
        leaf: leaf.der().to_vec(),
        key: key.serialize_der(),
    }
}

pub(crate) fn server_context(pki: &Pki) -> Arc<Context> {
    let roots = Roots::given(&[]).expect("none");
    let identity = identity::from_parts(&pki.leaf, pki.key.clone(), &roots).expect("an identity");
    Context::new(vec![identity], roots, Versions::Both)
}

/// A listener of the engine that shows the certificate of `pki`.
pub(crate) fn secure_listener(
    owner: &Owner,
    pki: &Pki,
    proxy_timeout: Option<Duration>,
) -> Arc<Listener> {
    let server = Server::new(server_context(pki), ServerOptions::default());
    owner
        .listen_secure("127.0.0.1:0", server, proxy_timeout)
        .expect("a listener")
}

pub(crate) fn client_options(ca: &[u8]) -> ClientOptions {
    let roots = Roots::given(&[ca.to_vec()]).expect("a CA");
    ClientOptions {
        context: Context::new(Vec::new(), roots, Versions::Both),
        sessions: None,
        host: "localhost".into(),
        send_name: true,
        alpn: Vec::new(),
        is_strict: true,
        owner_checks: false,
        timeout: Some(Duration::from_secs(20)),
    }
}

/// A plain rustls server for one connection, on a thread of its own.
pub(crate) fn peer_server<T: Send + 'static>(
    pki: &Pki,
    serve: impl FnOnce(StreamOwned<ServerConnection, TcpStream>) -> T + Send + 'static,
) -> (SocketAddr, thread::JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let chain = vec![CertificateDer::from(pki.leaf.clone())];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pki.key.clone()));
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a configuration");
    let thread = thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a connection");
        let connection = ServerConnection::new(Arc::new(config)).expect("a connection");
        serve(StreamOwned::new(connection, socket))
    });
    (address, thread)
}

pub(crate) fn peer_client(
    pki: &Pki,
    address: SocketAddr,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(client_config(pki)), name);
    let socket = TcpStream::connect(address).expect("a connection");
    StreamOwned::new(connection.expect("a connection"), socket)
}

pub(crate) fn client_config(pki: &Pki) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(pki.ca.clone()))
        .expect("a CA");
    ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub(crate) fn secure(owner: &mut Owner, id: u32, options: &ClientOptions) {
    let (stream, transport) = owner.streams.get_mut(&id).expect("a stream");
    let plain = transport.as_ref().expect("it is connected");
    let secure = owner
        .engine
        .secure_client(stream, plain, options, Vec::new())
        .expect("options that fit");
    *transport = Some(secure);
}

/// A client of the engine, after the handshake.
pub(crate) fn secured(owner: &mut Owner, address: SocketAddr, options: &ClientOptions) -> u32 {
    let id = owner.connected(address);
    secure(owner, id, options);
    assert_eq!(owner.next(id), Told::Secured(false));
    id
}

pub(crate) fn code(owner: &Owner, id: u32) -> String {
    let (_, transport) = owner.stream(id);
    let failure = transport.tls().and_then(|tls| tls.failure());
    failure.expect("a failure").code.to_string()
}
