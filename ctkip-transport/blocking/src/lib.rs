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
use tokio::runtime::{Builder, Runtime};

/// Posts requests to one URL, for one run: its timeout counts from the first request on.
///
/// It blocks, and panics when it is used on a thread of an asynchronous runtime.
#[derive(Debug)]
pub struct HttpTransport {
    transport: asynchronous::HttpTransport,
    runtime: Option<Runtime>,
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
    /// As [`ctkip_transport_async::HttpTransport::with`].
    pub fn with(url: &str, options: &Options) -> Result<Self, TransportError> {
        let transport = asynchronous::HttpTransport::with(url, options)?;
        Ok(Self { transport, runtime: None })
    }

    /// Makes the first request's connection now.
    ///
    /// # Errors
    /// As [`ctkip_transport_async::HttpTransport::connect`].
    pub fn connect(&mut self) -> Result<(), TransportError> {
        drive(&mut self.runtime, self.transport.connect())?
    }
}

impl Transport for HttpTransport {
    fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        drive(&mut self.runtime, self.transport.post(request))?
    }

    /// Sleeps for [`Options::pause`] times `before`, within the timeout.
    fn pause(&mut self, before: u32) {
        // Where there is no runtime to be had, the next request tells.
        let _ = drive(&mut self.runtime, self.transport.pause(before));
    }
}

impl Drop for HttpTransport {
    /// Waits for nothing: a name that is still being looked up must not hold the caller.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Drives a future to its end, on a runtime that is made for the first.
fn drive<F: Future>(runtime: &mut Option<Runtime>, future: F) -> Result<F::Output, TransportError> {
    let runtime =
        match runtime {
            Some(runtime) => runtime,
            none => none.insert(Builder::new_current_thread().enable_all().build().map_err(
                |error| TransportError::new(TransportErrorKind::Other, error.to_string()),
            )?),
        };
    Ok(runtime.block_on(future))
}
