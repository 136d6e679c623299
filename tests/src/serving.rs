//! A router on a free port, and a client that sends the octets it is told to.

use ctkip_core::wire::{Headers, WireResponse, header};
use ctkip_transport_axum::{Limits, Server};
use rustls::ServerConfig;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;

/// The longest that a test waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that serves until it is dropped, or [`Self::stop`]ped.
pub struct Serving {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Serves a router within these limits.
    #[must_use]
    pub fn start(router: axum::Router, limits: Limits) -> Self {
        Self::start_with(router, limits, None)
    }

    /// The same, over TLS if there is a certificate.
    #[must_use]
    pub fn start_with(
        router: axum::Router,
        limits: Limits,
        tls: Option<Arc<ServerConfig>>,
    ) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket can be that");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let mut server = Server::new(listener).limits(limits);
                if let Some(config) = tls {
                    server = server.tls(config);
                }
                let stopped = async { drop(stopped.await) };
                server.serve(router, stopped).await;
            });
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// A connection.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::open(&self.host(), PATIENCE).expect("it listens")
    }

    /// The answer to octets sent on a connection of their own.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn ask(&self, octets: &[u8]) -> WireResponse {
        let mut connection = self.connect();
        connection.send(octets);
        connection.answer().expect("an answer")
    }

    /// Asks the server to end, and waits until it has.
    ///
    /// # Panics
    /// When the server did.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server does not panic");
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.stop();
        }
    }
}

/// A connection to a server.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects to host and port, and waits so long for each answer.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn open(host: &str, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends octets; whether the server still listens is for [`Self::answer`] to say.
    pub fn send(&mut self, octets: &[u8]) -> bool {
        self.0.get_mut().write_all(octets).is_ok()
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// When none comes, or not whole.
    pub fn answer(&mut self) -> io::Result<WireResponse> {
        let odd = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| odd(&format!("no status line: {line:?}")))?;
        let mut headers = Headers::new();
        loop {
            let mut line = Vec::new();
            self.0.read_until(b'\n', &mut line)?;
            let line = line.trim_ascii_end();
            if line.is_empty() {
                break;
            }
            let colon =
                line.iter().position(|octet| *octet == b':').ok_or_else(|| odd("no colon"))?;
            let name = String::from_utf8_lossy(&line[..colon]).into_owned();
            headers.push((name.into(), line[colon + 1..].trim_ascii().to_vec()));
        }
        let length = header(&headers, "content-length")
            .and_then(|length| std::str::from_utf8(length).ok()?.parse().ok())
            .ok_or_else(|| odd("no length"))?;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(WireResponse { status, headers, body })
    }

    /// Whether the server closes the connection, instead of saying more.
    pub fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(octets) => octets == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// A POST as it goes onto the wire.
#[must_use]
pub fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: test\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
