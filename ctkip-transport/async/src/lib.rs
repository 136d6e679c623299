//! CT-KIP over HTTP and HTTPS, on tokio.
//!
//! ```no_run
//! use ctkip_core::wire::{Binding, soap::Soap};
//! use ctkip_core::{ActivationCode, Client, ClientConfig, Profile};
//! use ctkip_transport::Run;
//! use ctkip_transport_async::HttpTransport;
//!
//! # async fn provision() -> Result<(), Box<dyn std::error::Error>> {
//! let code = ActivationCode::new(b"314159265358".to_vec());
//! let client = Client::new(ClientConfig::new(Profile::SECURID));
//! let mut transport = HttpTransport::new("https://am.example.com/ctkip/services/CtkipService")?;
//! let run = Run::new(client, Binding::Soap(Soap::new(code)?));
//! let token = run.over_async(&mut transport, &mut getrandom::SysRng).await?;
//! println!("token {}", token.settings().serial);
//! # Ok(())
//! # }
//! ```
//!
//! Programs without a runtime use `ctkip-transport-blocking`, which is this with a runtime of its own.
//!
//! Fixed for every transport:
//!
//! - *No redirects.* RFC 4758 section 4.2.5 lets a client follow them; this one gives a 3xx back as
//!   the status it is. The activation code stands in a header and in the body, and whoever can
//!   redirect a request could have it sent anywhere.
//! - *A connection for each request.* Servers of this kind close them without notice, and of a request
//!   sent at that moment nobody can say whether it arrived. That of the second request is made while
//!   the answer to the first is awaited, and that of the first on demand before there is a request
//!   ([`HttpTransport::connect`]).
//! - *Certificates are checked against the system's roots*, by the platform's verifier where it has
//!   one: servers of this kind often have a certificate of the company's own CA, which administrators
//!   install there. Further roots are [added](Options::ca_pem). Reading the system's takes some
//!   milliseconds, so it is not done where no TLS can come up.
//! - *Bodies are cut* at a limit that counts octets after decompression, so that a small answer does
//!   not grow large ([`Options::max_body`]).
//! - *The URL stands in no error*, only its host: some links carry the activation code in the query.
//!
//! # Cancelling
//!
//! The future of [`post`](AsyncTransport::post) may be dropped at any time. The connection is closed
//! with it, nothing of the request is kept, and the transport posts the next one as if the dropped one
//! had never been; only its clock runs on. Whether a server read what was sent until then, nobody here
//! knows: dropping the future of a whole [`Run`](ctkip_transport::Run) ends the run, and leaves its
//! outcome unknown if `ClientNonce` was under way.
//!
//! TLS is rustls with ring. If the program has installed another process-wide provider of rustls,
//! that one is used; else this crate installs ring's.
#![forbid(unsafe_code)]

mod ahead;
mod error;
mod options;

pub use options::{Options, Proxy, is_loopback};

use ahead::Ahead;
use async_trait::async_trait;
use ctkip_core::wire::{Headers, WireRequest, WireResponse};
use ctkip_transport::{AsyncTransport, TransportError, TransportErrorKind};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Posts requests to one URL, for one run: its timeout counts from the first request on.
#[derive(Debug)]
pub struct HttpTransport {
    client: Client,
    url: Url,
    max_body: usize,
    timeout: Duration,
    pause: Duration,
    deadline: Option<Instant>,
    ahead: Ahead,
    /// Makes the second request's connection.
    second: Option<JoinHandle<()>>,
}

impl HttpTransport {
    /// A transport that posts to `url`, with the default [`Options`].
    ///
    /// # Errors
    /// As [`Self::with`].
    pub fn new(url: &str) -> Result<Self, TransportError> {
        Self::with(url, &Options::default())
    }

    /// A transport that posts to `url`.
    ///
    /// # Errors
    /// [`TransportErrorKind::Url`] for anything but an `http` or `https` URL, for one with a user
    /// name or a password in it (the header they would go into is the activation code's), and for a
    /// proxy's URL that is none; [`TransportErrorKind::Tls`] when the roots cannot be used.
    pub fn with(url: &str, options: &Options) -> Result<Self, TransportError> {
        let url = options::usable(url)?;
        let ahead = Ahead::default();
        let client = options.client(&url, ahead.clone())?;
        let Options { timeout, pause, max_body, .. } = *options;
        let (deadline, second) = (None, None);
        Ok(Self { client, url, max_body, timeout, pause, deadline, ahead, second })
    }

    /// Makes the first request's connection now, and keeps it for two seconds at most: whatever is to
    /// be done before there is a request can be done while the server turns to it.
    ///
    /// # Errors
    /// As [`post`](AsyncTransport::post), of a request that is not sent.
    pub async fn connect(&mut self) -> Result<(), TransportError> {
        let request = self.client.post(self.url.clone()).timeout(self.remaining());
        match ahead::keeping(request.send()).await {
            Err(error) if !self.ahead.is_kept() => Err(error::sending(error, &self.host())),
            _ => Ok(()),
        }
    }

    /// Makes the second request's connection once the first has its own: no server is to wait for a
    /// request on the wrong one.
    fn connect_second(&mut self) {
        let (ahead, client, url) = (self.ahead.clone(), self.client.clone(), self.url.clone());
        self.second = Some(tokio::spawn(async move {
            ahead.connected().await;
            // The first request goes out before, in some turns of the runtime.
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            let _ = ahead::keeping(client.post(url).send()).await;
        }));
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

    async fn exchange(
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
            .await
            .map_err(|error| error::sending(error, &self.host()))?;
        let status = response.status().as_u16();
        let headers = owned(response.headers());
        Ok(WireResponse { status, headers, body: self.read(response).await? })
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, TransportError> {
        let mut body = Vec::new();
        let failed = |error| error::receiving(error, &self.host());
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if chunk.len() > self.max_body - body.len() {
                let detail = format!("{}: more than {} octets", self.host(), self.max_body);
                return Err(TransportError::new(TransportErrorKind::TooLarge, detail));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

#[async_trait]
impl AsyncTransport for HttpTransport {
    async fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        let remaining = self.remaining();
        if remaining.is_zero() {
            let detail = format!("{}: {:?} are over", self.host(), self.timeout);
            return Err(TransportError::new(TransportErrorKind::Timeout, detail));
        }
        match &self.second {
            None => self.connect_second(),
            // Too late if it is not there yet.
            Some(second) => second.abort(),
        }
        self.exchange(request, remaining).await
    }

    /// Sleeps for [`Options::pause`] times `before`, within the timeout.
    async fn pause(&mut self, before: u32) {
        let pause = self.pause.saturating_mul(before).min(self.remaining());
        tokio::time::sleep(pause).await;
    }
}

impl Drop for HttpTransport {
    fn drop(&mut self) {
        if let Some(second) = &self.second {
            second.abort();
        }
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
