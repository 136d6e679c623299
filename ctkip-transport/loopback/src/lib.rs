//! CT-KIP without sockets: client and server in one process, and everything that can go wrong
//! between them.
//!
//! [`Loopback`] is a transport that hands each request to a [`Service`]. A script of [`Fault`]s says
//! what befalls which request, a closure may sit in the middle ([`Loopback::man`]), time is a number
//! ([`Loopback::advance`]), and the [`Transcript`] tells what the server saw. [`MemoryIssuer`] gives
//! out the tokens, [`service`] puts a server together.
//!
//! ```
//! use ctkip_core::crypto::RsaPrivateKey;
//! use ctkip_core::service::ServerBinding;
//! use ctkip_core::wire::{Binding, soap::Soap};
//! use ctkip_core::{ActivationCode, Client, ClientConfig, Profile};
//! use ctkip_transport::Run;
//! use ctkip_transport_loopback::{Enrolment, Loopback, MemoryIssuer, service};
//! use getrandom::SysRng;
//!
//! let code = || ActivationCode::new(b"314159265358".to_vec());
//! let issuer = MemoryIssuer::new(Enrolment::new("000123456789")).code(code());
//! let key = RsaPrivateKey::generate(1024, &mut SysRng)?;
//! let service = service(Profile::SECURID, ServerBinding::Soap, key, issuer);
//!
//! let client = Client::new(ClientConfig::new(Profile::SECURID));
//! let run = Run::new(client, Binding::Soap(Soap::new(code())?));
//! let token = run.over(&mut Loopback::new(&service, SysRng), &mut SysRng)?;
//! assert_eq!(token.settings().serial, "000123456789");
//! assert!(service.issuer().keys()[0].matches(token.key().expose()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod fault;
mod issuer;
mod man;
mod transcript;

pub use fault::Fault;
pub use issuer::{Enrolment, MemoryIssuer, random_serial};
pub use man::ManInTheMiddle;
pub use transcript::{Exchanged, Transcript};

use async_trait::async_trait;
use ctkip_core::crypto::{NonceKey, RsaPrivateKey};
use ctkip_core::service::{
    Handled, Issuer, MemorySessions, ServerBinding, Service, ServiceRequest, Sessions,
};
use ctkip_core::wire::{WireRequest, WireResponse};
use ctkip_core::{Profile, Server, ServerConfig, Timestamp};
use ctkip_transport::{AsyncTransport, Transport, TransportError};
use rand_core::TryCryptoRng;
use std::fmt;
use std::ops::Deref;

/// A server whose key, sessions and tokens are in memory.
pub type MemoryService = Service<MemorySessions, RsaPrivateKey, MemoryIssuer>;

/// A server of this profile with room for 1024 sessions of 300 seconds each.
#[must_use]
pub fn service(
    profile: Profile,
    binding: ServerBinding,
    key: RsaPrivateKey,
    issuer: MemoryIssuer,
) -> MemoryService {
    let sessions = MemorySessions::new(profile.layout, 1024, 300);
    let server = Server::new(ServerConfig::new(profile, key.public().clone()));
    Service::new(server, binding, sessions, key, issuer)
}

/// What a man in the middle sends requests on with.
pub type Onward<'o> = dyn FnMut(&WireRequest) -> WireResponse + 'o;

type Serve<'s> = dyn FnMut(ServiceRequest<'_>, Timestamp) -> Handled + Send + 's;
type Man<'s> = dyn FnMut(&WireRequest, &mut Onward<'_>) -> WireResponse + Send + 's;

/// A transport to a server in this process.
///
/// What a request meets, in this order: the script of faults, the man in the middle, the server.
/// The clock starts at 0 and moves only when it is told to.
pub struct Loopback<'s> {
    script: Box<dyn Iterator<Item = Fault> + Send + 's>,
    overtaken: Vec<WireRequest>,
    line: Line<'s>,
}

/// What lies behind the faults.
struct Line<'s> {
    man: Option<Box<Man<'s>>>,
    serve: Box<Serve<'s>>,
    now: Timestamp,
    transcript: Transcript,
}

impl<'s> Loopback<'s> {
    /// A transport to a service, borrowed or in an `Arc`. Both sides of a run may draw from the same
    /// kind of source: `rng` is the server's.
    #[must_use]
    pub fn new<S, K, I, R>(
        service: impl Deref<Target = Service<S, K, I>> + Send + 's,
        mut rng: R,
    ) -> Self
    where
        S: Sessions + 's,
        K: NonceKey + 's,
        I: Issuer + 's,
        R: TryCryptoRng + Send + 's,
    {
        let serve = move |request: ServiceRequest<'_>, now| service.handle(request, now, &mut rng);
        let transcript = Transcript::default();
        let line = Line { man: None, serve: Box::new(serve), now: Timestamp(0), transcript };
        Self { script: Box::new(std::iter::empty()), overtaken: Vec::new(), line }
    }

    /// What befalls the first request, the second, and so on; those after the script's end are
    /// delivered. The iterator may be endless.
    #[must_use]
    pub fn script<F>(mut self, faults: F) -> Self
    where
        F: IntoIterator<Item = Fault>,
        F::IntoIter: Send + 's,
    {
        self.script = Box::new(faults.into_iter());
        self
    }

    /// Puts a man in the middle: he gets each request that arrives, and answers it himself or with
    /// what he gets by sending it, or another one, on. See [`ManInTheMiddle`] for two of the kind.
    #[must_use]
    pub fn man<M>(mut self, man: M) -> Self
    where
        M: FnMut(&WireRequest, &mut Onward<'_>) -> WireResponse + Send + 's,
    {
        self.line.man = Some(Box::new(man));
        self
    }

    /// Sets the clock.
    #[must_use]
    pub const fn at(mut self, now: Timestamp) -> Self {
        self.line.now = now;
        self
    }

    /// What the clock says.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.line.now
    }

    /// Moves the clock on by so many seconds.
    pub const fn advance(&mut self, seconds: u64) {
        self.line.now = Timestamp(self.line.now.0.saturating_add(seconds));
    }

    /// What the server saw and answered so far.
    #[must_use]
    pub const fn transcript(&self) -> &Transcript {
        &self.line.transcript
    }

    fn carry(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        let late = std::mem::take(&mut self.overtaken);
        let answer = match self.script.next().unwrap_or(Fault::Deliver) {
            Fault::Deliver => Ok(self.line.deliver(request)),
            Fault::LoseRequest => Err(fault::lost("the request was lost")),
            Fault::LoseAnswer => {
                self.line.deliver(request);
                Err(fault::lost("the answer was lost"))
            }
            Fault::Duplicate => {
                self.line.deliver(request);
                Ok(self.line.deliver(request))
            }
            Fault::Overtaken => {
                self.overtaken.push(fault::copy(request));
                Err(fault::lost("the request was overtaken"))
            }
            Fault::Delay(seconds) => {
                self.advance(seconds);
                Ok(self.line.deliver(request))
            }
            Fault::FlipRequest(bit) => {
                let mut garbled = fault::copy(request);
                fault::flip(&mut garbled.body, bit);
                Ok(self.line.deliver(&garbled))
            }
            Fault::FlipAnswer(bit) => {
                let mut answer = self.line.deliver(request);
                fault::flip(&mut answer.body, bit);
                Ok(answer)
            }
            Fault::Answer(answer) => {
                self.line.deliver(request);
                Ok(answer)
            }
        };
        for request in &late {
            self.line.deliver(request);
        }
        answer
    }
}

impl Line<'_> {
    fn deliver(&mut self, request: &WireRequest) -> WireResponse {
        let Self { man, serve, now, transcript } = self;
        let mut onward = |request: &WireRequest| {
            let WireRequest { headers, body } = request;
            let Handled { response, event } = serve(
                ServiceRequest { method: "POST", path: "/", headers, body, source: None },
                *now,
            );
            transcript.record(*now, request, &response, event);
            response
        };
        match man {
            Some(man) => man(request, &mut onward),
            None => onward(request),
        }
    }
}

impl Transport for Loopback<'_> {
    fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        self.carry(request)
    }

    /// Moves the clock on by a second.
    fn pause(&mut self, _before: u32) {
        self.advance(1);
    }
}

#[async_trait]
impl AsyncTransport for Loopback<'_> {
    async fn post(&mut self, request: &WireRequest) -> Result<WireResponse, TransportError> {
        self.carry(request)
    }

    /// Moves the clock on by a second.
    async fn pause(&mut self, _before: u32) {
        self.advance(1);
    }
}

impl fmt::Debug for Loopback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { man, now, transcript, .. } = &self.line;
        f.debug_struct("Loopback")
            .field("now", now)
            .field("man", &man.is_some())
            .field("transcript", transcript)
            .finish_non_exhaustive()
    }
}
