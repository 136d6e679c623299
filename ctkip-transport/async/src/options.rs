//! What can be said of a transport before it is made.

use crate::ahead::Ahead;
use crate::error;
use ctkip_transport::{TransportError, TransportErrorKind};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};
use std::net::IpAddr;
use std::time::Duration;

/// Which proxy to use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proxy {
    /// The one that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name, or the system's
    /// settings where there are such; none for loopback addresses.
    #[default]
    Environment,
    /// None.
    None,
    /// This one: an `http`, `https`, `socks5` or `socks5h` URL.
    Url(String),
}

/// What a transport is like.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) timeout: Duration,
    connect_timeout: Duration,
    pub(crate) pause: Duration,
    pub(crate) max_body: usize,
    roots: Vec<Certificate>,
    any_certificate: bool,
    proxy: Proxy,
}

impl Default for Options {
    /// 30 seconds for the run, 10 for a connection; half a second before a repetition; answers of up
    /// to 256 KiB; the system's roots; the environment's proxy.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            pause: Duration::from_millis(500),
            max_body: ctkip_core::service::MAX_BODY,
            roots: Vec::new(),
            any_certificate: false,
            proxy: Proxy::default(),
        }
    }
}

impl Options {
    /// Limits the run, from its first request on: connecting, answers and repetitions together.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Limits the making of one connection, TLS included.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Waits so long before a request is sent again, twice as long before the third time.
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Takes answers of up to so many octets, counted after decompression.
    #[must_use]
    pub const fn max_body(mut self, octets: usize) -> Self {
        self.max_body = octets;
        self
    }

    /// Trusts the certificates in a PEM file too, beside the system's roots.
    ///
    /// # Errors
    /// [`TransportErrorKind::Tls`] when there is no certificate in it, or a broken one.
    pub fn ca_pem(mut self, pem: &[u8]) -> Result<Self, TransportError> {
        let unusable = |detail: &str| TransportError::new(TransportErrorKind::Tls, detail);
        let roots = Certificate::from_pem_bundle(pem)
            .map_err(|_| unusable("the CA file is no PEM file with certificates"))?;
        if roots.is_empty() {
            return Err(unusable("the CA file holds no certificate"));
        }
        self.roots.extend(roots);
        Ok(self)
    }

    /// Accepts any certificate for any name: then TLS keeps nobody out who sits in the middle, and
    /// only a pinned server key does ([`ctkip_core::ClientConfig::pin_server_key`]).
    #[must_use]
    pub const fn dangerous_accept_any_certificate(mut self) -> Self {
        self.any_certificate = true;
        self
    }

    /// Uses this proxy.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// A client for this URL.
    pub(crate) fn client(&self, url: &Url, ahead: Ahead) -> Result<Client, TransportError> {
        // The program's own choice of a provider comes first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .pool_max_idle_per_host(0)
            .connector_layer(ahead)
            .connect_timeout(self.connect_timeout)
            .tls_danger_accept_invalid_certs(self.any_certificate);
        let direct = match &self.proxy {
            Proxy::None => true,
            Proxy::Environment => names_loopback(url),
            Proxy::Url(proxy) => {
                let proxy = reqwest::Proxy::all(proxy)
                    .map_err(|_| bad_url("the proxy's URL cannot be used"))?;
                builder = builder.proxy(proxy);
                false
            }
        };
        if direct {
            builder = builder.no_proxy();
        }
        builder = if direct && url.scheme() == "http" {
            // No TLS can come up: do not read the system's roots.
            builder.tls_certs_only([])
        } else {
            builder.tls_certs_merge(self.roots.iter().cloned())
        };
        builder.build().map_err(error::building)
    }
}

/// A URL that can be posted to.
pub(crate) fn usable(url: &str) -> Result<Url, TransportError> {
    let url = Url::parse(url).map_err(|error| bad_url(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad_url("it begins neither with https:// nor with http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad_url("it has a user name or a password in it"));
    }
    Ok(url)
}

fn bad_url(detail: &str) -> TransportError {
    TransportError::new(TransportErrorKind::Url, detail)
}

/// Whether a URL's host is `localhost` or a loopback address: then what is sent in clear does not
/// leave the machine.
#[must_use]
pub fn is_loopback(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| names_loopback(&url))
}

fn names_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}
