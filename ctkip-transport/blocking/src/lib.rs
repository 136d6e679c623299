//! CT-KIP over HTTP and HTTPS, for programs without an asynchronous runtime.
//!
//! ```no_run
//! use ctkip_core::wire::{Binding, soap::Soap};
//! use ctkip_core::{ActivationCode, Client, ClientConfig, Profile};
//! use ctkip_transport::Run;
//! use ctkip_transport_blocking::HttpTransport;
//!
//! let code = ActivationCode::new(b"314159265358".to_vec());
//! let client = Client::new(ClientConfig::new(Profile::SECURID));
//! let mut transport = HttpTransport::new("https://am.example.com/ctkip/services/CtkipService")?;
//! let run = Run::new(client, Binding::Soap(Soap::new(code)?));
//! let token = run.over(&mut transport, &mut getrandom::SysRng)?;
//! println!("token {}", token.settings().serial);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Fixed for every transport:
//!
//! - *No redirects.* RFC 4758 section 4.2.5 lets a client follow them; this one gives a 3xx back as
//!   the status it is. The activation code stands in a header and in the body, and whoever can
//!   redirect a request could have it sent anywhere.
//! - *A connection for each request.* Servers of this kind close them without notice, and of a request
//!   sent at that moment nobody can say whether it arrived.
//! - *Certificates are checked against the system's roots*, by the platform's verifier where it has
//!   one: servers of this kind often have a certificate of the company's own CA, which administrators
//!   install there. Further roots are [added](Options::ca_pem). Reading the system's takes some
//!   milliseconds, so it is not done where no TLS can come up.
//! - *Bodies are cut* at a limit that counts octets after decompression, so that a small answer does
//!   not grow large ([`Options::max_body`]).
//! - *The URL stands in no error*, only its host: some links carry the activation code in the query.
//!
//! TLS is rustls with ring. If the program has installed another process-wide provider of rustls,
//! that one is used; else this crate installs ring's.
#![forbid(unsafe_code)]

mod error;
mod options;

pub use options::{Options, Proxy, is_loopback};

use ctkip_core::wire::{Headers, WireRequest, WireResponse};
use ctkip_transport::{Transport, TransportError, TransportErrorKind};
use reqwest::Url;
use reqwest::blocking::{Client, Response};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::io::Read;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Posts requests to one URL, for one run: its timeout counts from the first request on.
///
/// It has a thread of its own and blocks, so it must not be used on the threads of an asynchronous
/// runtime.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
    url: Url,
    max_body: usize,
    timeout: Duration,
    pause: Duration,
    deadline: Option<Instant>,
}

impl HttpTransport {
    /// A transport with the default [`Options`].
    ///
    /// # Errors
    /// As [`Options::transport`].
    pub fn new(url: &str) -> Result<Self, TransportError> {
        Options::default().transport(url)
    }

    /// What is left of the timeout. The clock starts at the first call.
    fn remaining(&mut self) -> Duration {
        let now = Instant::now();
        let deadline = *self.deadline.get_or_insert(now + self.timeout);
        deadline.saturating_duration_since(now)
    }

    /// Host and port, which is all that errors say of the URL.
    fn host(&self) -> String {
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{port}", self.url.host_str().unwrap_or_default())
    }

    fn exchange(
        &self,
        request: &WireRequest,
        timeout: Duration,
    ) -> Result<WireResponse, TransportError> {
        let response = self
            .client
            .post(self.url.clone())
            .headers(header_map(&request.headers)?)
            .body(request.body.clone())
            .timeout(timeout)
            .send()
            .map_err(|error| error::sending(error, &self.host()))?;
        let status = response.status().as_u16();
        let headers = owned(response.headers());
        Ok(WireResponse { status, headers, body: self.read(response)? })
    }

    fn read(&self, response: Response) -> Result<Vec<u8>, TransportError> {
        let mut body = Vec::new();
        let most = u64::try_from(self.max_body).unwrap_or(u64::MAX);
        response
            .take(most.saturating_add(1))
            .read_to_end(&mut body)
            .map_err(|error| error::receiving(error, &self.host()))?;
        if body.len() > self.max_body {
            let detail = format!("{}: more than {} octets", self.host(), self.max_body);
            return Err(TransportError::new(TransportErrorKind::TooLarge, detail));
        }
        Ok(body)
    }
}

impl Transport for HttpTransport {
    fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        let remaining = self.remaining();
        if remaining.is_zero() {
            let detail = format!("{}: {:?} are over", self.host(), self.timeout);
            return Err(TransportError::new(TransportErrorKind::Timeout, detail));
        }
        self.exchange(request, remaining)
    }

    /// Sleeps for [`Options::pause`] times `before`, within the timeout.
    fn pause(&mut self, before: u32) {
        sleep(self.pause.saturating_mul(before).min(self.remaining()));
    }
}

fn header_map(headers: &Headers) -> Result<HeaderMap, TransportError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let unusable = || {
            let detail = format!("the header {name} cannot be sent");
            TransportError::new(TransportErrorKind::Other, detail)
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
        let mut value = HeaderValue::from_bytes(value).map_err(|_| unusable())?;
        value.set_sensitive(true);
        map.append(name, value);
    }
    Ok(map)
}

fn owned(headers: &HeaderMap) -> Headers {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned().into(), value.as_bytes().to_vec()))
        .collect()
}
