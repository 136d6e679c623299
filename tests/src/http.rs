//! A page of an HTTP server, which answers as a test wants it to, and the certificates for HTTPS.

use ctkip_core::wire::{Headers, WireResponse};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// A request as it came.
#[derive(Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// The request's target: a path, or a whole URL where the server is a proxy.
    pub target: String,
    /// All headers.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

/// A response as it goes onto the wire.
#[must_use]
pub fn octets(response: &WireResponse) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} whatever\r\n", response.status);
    for (name, value) in &response.headers {
        let _ = write!(head, "{name}: {}\r\n", String::from_utf8_lossy(value));
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", response.body.len());
    [head.as_bytes(), &response.body].concat()
}

/// A server on a loopback address. It takes one request a connection, sends the octets it is told to,
/// and closes; no octets are an answer that does not come.
pub struct HttpServer<S> {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: JoinHandle<S>,
}

impl<S: Send + 'static> HttpServer<S> {
    /// Answers from a state, which [`Self::stop`] gives back.
    pub fn start(
        state: S,
        answer: impl FnMut(&mut S, HttpRequest) -> Vec<u8> + Send + 'static,
    ) -> Self {
        Self::listen(state, answer, |stream| stream)
    }

    /// The same over TLS.
    pub fn start_tls(
        state: S,
        config: Arc<ServerConfig>,
        answer: impl FnMut(&mut S, HttpRequest) -> Vec<u8> + Send + 'static,
    ) -> Self {
        Self::listen(state, answer, move |stream| {
            let connection = rustls::ServerConnection::new(config.clone()).expect("a good config");
            rustls::StreamOwned::new(connection, stream)
        })
    }

    fn listen<C: Read + Write>(
        mut state: S,
        mut answer: impl FnMut(&mut S, HttpRequest) -> Vec<u8> + Send + 'static,
        mut wrap: impl FnMut(TcpStream) -> C + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let mut stream = wrap(stream);
                // A client that goes away, or shuns our certificate, is its test's affair.
                if let Ok(request) = read(&mut stream) {
                    let _ = stream.write_all(&answer(&mut state, request));
                    let _ = stream.flush();
                }
            }
            state
        });
        Self { address, over, thread }
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Ends it, and gives its state back.
    #[must_use]
    pub fn stop(self) -> S {
        self.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.thread.join().expect("the server does not panic")
    }
}

fn read(stream: &mut impl Read) -> io::Result<HttpRequest> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet)?;
        head.extend(octet);
    }
    // One octet, one character, so that header values in Latin-1 survive.
    let head: String = head.into_iter().map(char::from).collect();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ').map(String::from);
    let headers: Headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| {
            let value = value.chars().map(|c| u8::try_from(c).expect("from an octet")).collect();
            (name.to_owned().into(), value)
        })
        .collect();
    let length = ctkip_core::wire::header(&headers, "content-length")
        .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let mut next = || first.next().unwrap_or_default();
    Ok(HttpRequest { method: next(), target: next(), headers, body })
}

/// A certification authority.
pub struct Ca {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Ca {
    /// A new one.
    #[must_use]
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    /// Its certificate.
    #[must_use]
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// What a server of this name or address needs.
    #[must_use]
    pub fn server(&self, name: &str) -> Arc<ServerConfig> {
        let key = rcgen::KeyPair::generate().expect("a key");
        let leaf = rcgen::CertificateParams::new([name.to_owned()])
            .and_then(|params| params.signed_by(&key, &self.issuer))
            .expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions that the provider has")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .expect("key and certificate belong together");
        Arc::new(config)
    }
}

impl Default for Ca {
    fn default() -> Self {
        Self::new()
    }
}
