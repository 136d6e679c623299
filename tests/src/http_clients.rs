//! Each HTTP transport for clients, behind one front, so that a test can run over all of them.

use ctkip_core::NewToken;
use ctkip_core::wire::{WireRequest, WireResponse};
use ctkip_transport::{AsyncTransport, Run, RunError, Transport, TransportError};
use ctkip_transport_async::Options;
use getrandom::SysRng;
use tokio::runtime::{Builder, Runtime};

/// A HTTP transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http {
    /// `ctkip-transport-blocking`.
    Blocking,
    /// `ctkip-transport-async`, as a `dyn AsyncTransport`.
    Async,
}

/// Every HTTP transport.
pub const EACH: [Http; 2] = [Http::Blocking, Http::Async];

impl Http {
    fn blocking(url: &str, options: &Options) -> Result<Box<dyn Transport>, TransportError> {
        Ok(Box::new(ctkip_transport_blocking::HttpTransport::with(url, options)?))
    }

    fn asynchronous(
        url: &str,
        options: &Options,
    ) -> Result<Box<dyn AsyncTransport>, TransportError> {
        Ok(Box::new(ctkip_transport_async::HttpTransport::with(url, options)?))
    }

    /// Posts one request.
    ///
    /// # Errors
    /// The transport's, also those of making it.
    pub fn post(
        self,
        request: &WireRequest,
        url: &str,
        options: &Options,
    ) -> Result<WireResponse, TransportError> {
        match self {
            Self::Blocking => Self::blocking(url, options)?.post(request),
            Self::Async => {
                let mut transport = Self::asynchronous(url, options)?;
                runtime().block_on(transport.post(request))
            }
        }
    }

    /// Runs a client.
    ///
    /// # Errors
    /// The run's.
    ///
    /// # Panics
    /// When the transport cannot be made.
    pub fn run(self, run: Run<'_>, url: &str, options: &Options) -> Result<NewToken, RunError> {
        let usable = "the URL and the options are good";
        match self {
            Self::Blocking => {
                let mut transport = Self::blocking(url, options).expect(usable);
                run.over(&mut *transport, &mut SysRng)
            }
            Self::Async => {
                let mut transport = Self::asynchronous(url, options).expect(usable);
                runtime().block_on(run.over_async(&mut *transport, &mut SysRng))
            }
        }
    }
}

/// A runtime of one thread.
///
/// # Panics
/// When the system has none to give.
#[must_use]
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}
