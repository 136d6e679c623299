//! A page of HTTP over the byte-level server, and whatever else may answer on a port.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use ctkip_core::crypto::RsaPrivateKey;
use ctkip_core::service::{ServerBinding, ServiceRequest};
use ctkip_core::wire::{Headers, WireResponse};
use ctkip_core::{ActivationCode, Profile, Timestamp};
use ctkip_transport_loopback::{Enrolment, MemoryIssuer, MemoryService, service};
use getrandom::SysRng;

/// The code that the server takes.
pub(crate) const CODE: &str = "314159265358";
/// The serial number it gives out.
pub(crate) const SERIAL: &str = "000123456789";

/// A request as it came.
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// What is answered.
pub(crate) enum Answer {
    Response(WireResponse),
    /// Octets as they are, then the end of the connection.
    Raw(Vec<u8>),
    /// Nothing but the end of the connection.
    Hangup,
}

impl Answer {
    pub(crate) fn text(status: u16, body: &str) -> Self {
        let headers = vec![(Cow::Borrowed("Content-Type"), b"text/html".to_vec())];
        Self::Response(WireResponse { status, headers, body: body.as_bytes().to_vec() })
    }
}

/// A server that listens until the test ends.
pub(crate) struct Listening {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Listening {
    /// Answers with whatever `answer` says to the first request, the second and so on.
    pub(crate) fn new(mut answer: impl FnMut(usize, Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = read(&stream) else { continue };
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request.body.clone());
                    seen.len() - 1
                };
                write(&mut stream, answer(number, request));
            }
        });
        Self { url, requests }
    }

    /// The bodies of the requests so far.
    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut headers, mut length) = (Headers::new(), 0);
    loop {
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line).ok()?;
        let line = line.trim_ascii();
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|octet| *octet == b':')?;
        let name = String::from_utf8_lossy(&line[..colon]).into_owned();
        let value = line[colon + 1..].trim_ascii().to_vec();
        if name.eq_ignore_ascii_case("content-length") {
            length = std::str::from_utf8(&value).ok()?.parse().ok()?;
        }
        headers.push((Cow::Owned(name), value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { path, headers, body })
}

fn write(stream: &mut TcpStream, answer: Answer) {
    let octets = match answer {
        Answer::Hangup => return,
        Answer::Raw(octets) => octets,
        Answer::Response(response) => {
            let mut head = format!(
                "HTTP/1.1 {} x\r\nContent-Length: {}\r\nConnection: close\r\n",
                response.status,
                response.body.len()
            )
            .into_bytes();
            for (name, value) in &response.headers {
                head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
            }
            head.extend(b"\r\n");
            head.extend(&response.body);
            head
        }
    };
    // The program may have gone.
    let _ = stream.write_all(&octets);
}

/// A server in this process that gives out one token.
pub(crate) struct Server {
    service: MemoryService,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with(Enrolment::new(SERIAL), 1024)
    }

    pub(crate) fn with(enrolment: Enrolment, bits: usize) -> Self {
        let key = RsaPrivateKey::generate(bits, &mut SysRng).unwrap();
        let issuer =
            MemoryIssuer::new(enrolment).code(ActivationCode::new(CODE.as_bytes().to_vec()));
        Self { service: service(Profile::SECURID, ServerBinding::Soap, key, issuer) }
    }

    /// The answer to a request, by the rules.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let request = ServiceRequest {
            method: "POST",
            path: &request.path,
            headers: &request.headers,
            body: &request.body,
            source: None,
        };
        Answer::Response(self.service.handle(request, Timestamp(0), &mut SysRng).response)
    }

    /// The keys of the tokens given out, in hexadecimal digits.
    pub(crate) fn seeds(&self) -> Vec<String> {
        let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect();
        self.service.issuer().keys().iter().map(|key| hex(key.expose())).collect()
    }

    /// Listens, and answers by the rules but for what `instead` gives.
    pub(crate) fn listen(
        self: &Arc<Self>,
        mut instead: impl FnMut(usize, &Request, &dyn Fn(&Request) -> Answer) -> Option<Answer>
        + Send
        + 'static,
    ) -> Listening {
        let server = Arc::clone(self);
        Listening::new(move |number, request| {
            let answer = |request: &Request| server.answer(request);
            instead(number, &request, &answer).unwrap_or_else(|| server.answer(&request))
        })
    }
}
