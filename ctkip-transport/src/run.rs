//! The drivers: one run of a client over a transport, blocking or not.

use crate::{AsyncTransport, Outcome, RunError, Transport, TransportError};
use ctkip_core::wire::{Binding, Step, WireRequest, WireResponse};
use ctkip_core::{Client, ClientError, Exchange, NewToken, Progress};
use rand_core::TryCryptoRng;

/// What an observer is told of a run: words and sizes, never secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observed {
    /// A request is sent.
    Sending {
        /// Which request.
        step: Step,
        /// Octets of its body.
        octets: usize,
        /// How often it was sent before.
        before: u32,
    },
    /// A response came.
    Received {
        /// To which request.
        step: Step,
        /// Its HTTP status.
        status: u16,
        /// Octets of its body.
        octets: usize,
    },
}

/// Told what a run does, as it does it.
pub type Observer<'o> = dyn FnMut(Observed) + Send + 'o;

/// One run of a client, over whatever transport it is given.
///
/// When the answer to `ClientNonce` does not arrive, or is a 502, 503 or 504, the *identical*
/// request is sent again, twice unless told otherwise: a server that committed the token gives the
/// same answer again. A new run is never started: that is for whoever has a new code.
pub struct Run<'o> {
    client: Client,
    binding: Binding,
    resends: u32,
    observer: Option<&'o mut Observer<'o>>,
}

impl<'o> Run<'o> {
    /// A run of this client.
    #[must_use]
    pub const fn new(client: Client, binding: Binding) -> Self {
        Self { client, binding, resends: 2, observer: None }
    }

    /// Sends a `ClientNonce` that gets no answer so many times again.
    #[must_use]
    pub const fn resends(mut self, times: u32) -> Self {
        self.resends = times;
        self
    }

    /// Tells `observer` what happens.
    #[must_use]
    pub fn observer(mut self, observer: &'o mut Observer<'o>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Runs over a blocking transport.
    ///
    /// # Errors
    /// [`RunError`], which says what the run leaves behind at the server.
    pub fn over<T: Transport + ?Sized, R: TryCryptoRng + ?Sized>(
        self,
        transport: &mut T,
        rng: &mut R,
    ) -> Result<NewToken, RunError> {
        let mut turn = Turn::begin(self, rng)?;
        loop {
            turn.sending();
            let response = transport.post(&turn.request);
            match turn.take(response, rng)? {
                Next::Done(token) => return Ok(*token),
                Next::Turn(next) => turn = next,
            }
            if turn.before > 0 {
                transport.pause(turn.before);
            }
        }
    }

    /// Runs over an asynchronous transport. Dropping the future ends the run; if `ClientNonce` was
    /// sent by then, its outcome is unknown.
    ///
    /// # Errors
    /// [`RunError`], which says what the run leaves behind at the server.
    pub async fn over_async<T: AsyncTransport + ?Sized, R: TryCryptoRng + Send + ?Sized>(
        self,
        transport: &mut T,
        rng: &mut R,
    ) -> Result<NewToken, RunError> {
        let mut turn = Turn::begin(self, rng)?;
        loop {
            turn.sending();
            let response = transport.post(&turn.request).await;
            match turn.take(response, rng)? {
                Next::Done(token) => return Ok(*token),
                Next::Turn(next) => turn = next,
            }
            if turn.before > 0 {
                transport.pause(turn.before).await;
            }
        }
    }
}

/// A request, and the exchange that awaits its response.
struct Turn<'o> {
    exchange: Exchange,
    request: WireRequest,
    /// How often the request was sent before.
    before: u32,
    /// Whether it may have reached a server.
    reached: bool,
    resends: u32,
    observer: Option<&'o mut Observer<'o>>,
}

enum Next<'o> {
    Turn(Turn<'o>),
    Done(Box<NewToken>),
}

impl<'o> Turn<'o> {
    fn begin<R: TryCryptoRng + ?Sized>(run: Run<'o>, rng: &mut R) -> Result<Self, RunError> {
        let Run { client, binding, resends, observer } = run;
        let (exchange, request) = Exchange::begin(client, binding, rng)
            .map_err(|error| RunError::Client { error, outcome: Outcome::NothingCommitted })?;
        Ok(Self { exchange, request, before: 0, reached: false, resends, observer })
    }

    fn observe(&mut self, observed: Observed) {
        if let Some(observer) = &mut self.observer {
            observer(observed);
        }
    }

    fn sending(&mut self) {
        let (step, octets) = (self.exchange.step(), self.request.body.len());
        self.observe(Observed::Sending { step, octets, before: self.before });
    }

    fn take<R: TryCryptoRng + ?Sized>(
        mut self,
        response: Result<WireResponse, TransportError>,
        rng: &mut R,
    ) -> Result<Next<'o>, RunError> {
        let step = self.exchange.step();
        if let Ok(WireResponse { status, body, .. }) = &response {
            self.observe(Observed::Received { step, status: *status, octets: body.len() });
        }
        let lost = match &response {
            Err(error) => error.kind.is_worth_resending(),
            Ok(response) => matches!(response.status, 502..=504),
        };
        let repeated = self.reached;
        self.reached |= !matches!(&response, Err(error) if error.kind.was_not_sent());
        if step == Step::Nonce && lost && self.before < self.resends {
            self.before += 1;
            return Ok(Next::Turn(self));
        }
        let response = response.map_err(|error| {
            let known = step == Step::Hello || !self.reached;
            let outcome = if known { Outcome::NothingCommitted } else { Outcome::Unknown };
            RunError::Transport { error, outcome }
        })?;
        let Self { exchange, resends, observer, .. } = self;
        match exchange.receive(&response, rng) {
            Ok(Progress::Done(token)) => Ok(Next::Done(token)),
            Ok(Progress::Send(exchange, request)) => Ok(Next::Turn(Turn {
                exchange,
                request,
                before: 0,
                reached: false,
                resends,
                observer,
            })),
            Err(error) => Err(RunError::Client { outcome: outcome(step, &error, repeated), error }),
        }
    }
}

/// What a run leaves behind that ended with this error at this step. `repeated`: the same request may
/// have reached the server before, and a refusal of its repetition says nothing of what became of it.
fn outcome(step: Step, error: &ClientError, repeated: bool) -> Outcome {
    match (step, error) {
        // A server that fails may have failed after the commit.
        (Step::Nonce, ClientError::Http(500..)) => Outcome::Unknown,
        (Step::Nonce, _) if repeated => Outcome::MayBeCommitted,
        (_, ClientError::Fault { .. } | ClientError::Refused(_)) => Outcome::Refused,
        (Step::Hello, _) | (Step::Nonce, ClientError::Http(_)) => Outcome::NothingCommitted,
        (Step::Nonce, _) => Outcome::MayBeCommitted,
    }
}
