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
//! This is `ctkip-transport-async` with a runtime of its own on the caller's thread. Its crate page
//! says what is fixed for both: no redirects, a connection for each request, certificates checked
//! against the system's roots, bodies cut at a limit, and no URL in an error.
#![forbid(unsafe_code)]

pub use ctkip_transport_async::{Options, Proxy, is_loopback};

use ctkip_core::wire::{WireRequest, WireResponse};
use ctkip_transport::{AsyncTransport, Transport, TransportError, TransportErrorKind};
use ctkip_transport_async as asynchronous;
use std::io;
use tokio::runtime::Builder;

/// Posts requests to one URL, for one run: its timeout counts from the first request on.
///
/// It blocks, and panics when it is used on a thread of an asynchronous runtime.
#[derive(Debug)]
pub struct HttpTransport(asynchronous::HttpTransport);

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
    /// As [`ctkip_transport_async::HttpTransport::with`].
    pub fn with(url: &str, options: &Options) -> Result<Self, TransportError> {
        asynchronous::HttpTransport::with(url, options).map(Self)
    }
}

impl Transport for HttpTransport {
    fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        block_on(self.0.post(request)).unwrap_or_else(|error| {
            Err(TransportError::new(TransportErrorKind::Other, error.to_string()))
        })
    }

    /// Sleeps for [`Options::pause`] times `before`, within the timeout.
    fn pause(&mut self, before: u32) {
        // Where there is no runtime to be had, the next request tells.
        let _ = block_on(self.0.pause(before));
    }
}

/// Drives a future to its end. Each has a runtime of its own, since no connection outlives a request,
/// and none to wait for at its end: a name that is still being looked up must not hold the caller.
fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let output = runtime.block_on(future);
    runtime.shutdown_background();
    Ok(output)
}
