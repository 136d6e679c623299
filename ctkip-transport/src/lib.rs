//! Transports for CT-KIP, and the drivers that run a client over one.
//!
//! A transport moves one request and brings its response; everything else is the client's
//! ([`ctkip_core::Exchange`]). [`Transport`] blocks, [`AsyncTransport`] does not; closures are
//! transports too, so that a test needs no type of its own:
//!
//! ```
//! use ctkip_core::wire::{Binding, WireRequest, WireResponse};
//! use ctkip_core::{Client, ClientConfig, Profile};
//! use ctkip_transport::Run;
//!
//! let mut refuse = |_: &WireRequest| Ok(WireResponse { status: 403, headers: vec![], body: vec![] });
//! let client = Client::new(ClientConfig::new(Profile::RFC4758));
//! let mut rng = getrandom::SysRng;
//! let error = Run::new(client, Binding::Plain).over(&mut refuse, &mut rng).unwrap_err();
//! assert!(error.to_string().contains("403"));
//! ```
#![forbid(unsafe_code)]

mod error;
mod run;

pub use error::{Outcome, RunError, TransportError, TransportErrorKind};
pub use run::{Observed, Observer, Run};

use async_trait::async_trait;
use ctkip_core::wire::{WireRequest, WireResponse};

/// Moves one request and brings its response, blocking until it has.
pub trait Transport {
    /// Posts a request. Any HTTP status is a response; an error is a response that did not come, or
    /// not whole.
    ///
    /// # Errors
    /// [`TransportError`].
    fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError>;

    /// Waits a little before a request is sent again; `before` is how often it was sent. Does nothing
    /// unless a transport knows how.
    fn pause(&mut self, before: u32) {
        let _ = before;
    }
}

impl<F> Transport for F
where
    F: FnMut(&WireRequest) -> Result<WireResponse, TransportError>,
{
    fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        self(request)
    }
}

/// Moves one request and brings its response, on whatever runtime it is written for.
#[async_trait]
pub trait AsyncTransport: Send {
    /// Posts a request. Any HTTP status is a response; an error is a response that did not come, or
    /// not whole.
    ///
    /// # Errors
    /// [`TransportError`].
    async fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError>;

    /// Waits a little before a request is sent again; `before` is how often it was sent. Does nothing
    /// unless a transport knows how.
    async fn pause(&mut self, before: u32) {
        let _ = before;
    }
}

/// A closure that gives a future is a transport, if the request it is given is turned into something
/// owned before the future is made.
#[async_trait]
impl<F, R> AsyncTransport for F
where
    F: FnMut(&WireRequest) -> R + Send,
    R: Future<Output = Result<WireResponse, TransportError>> + Send,
{
    async fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        self(request).await
    }
}
