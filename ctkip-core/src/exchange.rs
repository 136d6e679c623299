//! A client's run at the level of octets: requests out, responses in.

use crate::message::{Message, TokenRecord};
use crate::wire::{Binding, Step, WireRequest, WireResponse, soap};
use crate::{
    AwaitServerFinished, AwaitServerHello, Client, ClientError, MessageError, MessageErrorKind,
    PinSettings, Provisioned, TokenKey, TokenSettings, Warning,
};
use alloc::boxed::Box;
use alloc::vec::Vec;
use rand_core::TryCryptoRng;

/// A run that waits for a response. It moves no octets itself: send what it gives, and give it what
/// comes back. A request whose answer was lost may be sent again as it is; the exchange does not
/// notice.
#[must_use]
#[derive(Debug)]
pub struct Exchange {
    state: State,
    binding: Binding,
}

#[derive(Debug)]
enum State {
    Hello(Box<AwaitServerHello>),
    Nonce(Box<AwaitServerFinished>),
}

/// How a run stands after a response.
#[must_use]
#[derive(Debug)]
pub enum Progress {
    /// Send this, then go on with the exchange.
    Send(Exchange, WireRequest),
    /// There is a new token.
    Done(Box<NewToken>),
}

impl Exchange {
    /// Begins a run: the first request.
    ///
    /// # Errors
    /// [`ClientError::Randomness`] when `rng` fails.
    pub fn begin<R: TryCryptoRng + ?Sized>(
        client: Client,
        binding: Binding,
        rng: &mut R,
    ) -> Result<(Self, WireRequest), ClientError> {
        let outgoing = client.start(rng)?;
        let message = Message::ClientHello(outgoing.message);
        let request = binding.request(Step::Hello, &message, outgoing.state.profile());
        Ok((Self { state: State::Hello(Box::new(outgoing.state)), binding }, request))
    }

    /// Which request is being answered.
    #[must_use]
    pub const fn step(&self) -> Step {
        match self.state {
            State::Hello(_) => Step::Hello,
            State::Nonce(_) => Step::Nonce,
        }
    }

    /// Takes the response to the last request.
    ///
    /// # Errors
    /// [`ClientError`]: the run is over and its secrets are wiped. If [`Self::step`] was
    /// [`Step::Nonce`], the server may hold a token all the same.
    pub fn receive<R: TryCryptoRng + ?Sized>(
        self,
        response: &WireResponse,
        rng: &mut R,
    ) -> Result<Progress, ClientError> {
        match self.state {
            State::Hello(state) => {
                let unwrapped = self.binding.unwrap(response, state.profile())?;
                let Message::ServerHello(hello) = unwrapped.message else {
                    return Err(unexpected(&unwrapped.message));
                };
                let outgoing = state.receive(hello, rng)?;
                let message = Message::ClientNonce(outgoing.message);
                let request = self.binding.request(Step::Nonce, &message, outgoing.state.profile());
                let state = State::Nonce(Box::new(outgoing.state));
                Ok(Progress::Send(Self { state, binding: self.binding }, request))
            }
            State::Nonce(state) => {
                let unwrapped = self.binding.unwrap(response, state.profile())?;
                let Message::ServerFinished(finished) = unwrapped.message else {
                    return Err(unexpected(&unwrapped.message));
                };
                let provisioned = state.receive(finished)?;
                let pin = match self.binding {
                    Binding::Soap(_) => soap::pin_settings(unwrapped.provisioning.as_deref()),
                    Binding::Plain => (PinSettings::default(), Vec::new()),
                };
                Ok(Progress::Done(Box::new(NewToken::new(provisioned, pin))))
            }
        }
    }
}

fn unexpected(message: &Message) -> ClientError {
    let place = message.name().into();
    ClientError::Message(MessageError { kind: MessageErrorKind::UnexpectedMessage, place })
}

/// What a run gives: the key, what the server said of it, and how that is to be read.
#[derive(Debug)]
pub struct NewToken {
    provisioned: Provisioned,
    settings: TokenSettings,
    pin: PinSettings,
    warnings: Vec<Warning>,
}

impl NewToken {
    fn new(provisioned: Provisioned, (pin, odd_pin): (PinSettings, Vec<Warning>)) -> Self {
        let (settings, mut warnings) = TokenSettings::read(provisioned.record());
        warnings.extend(odd_pin);
        Self { provisioned, settings, pin, warnings }
    }

    /// K_TOKEN: the token's seed.
    #[must_use]
    pub const fn key(&self) -> &TokenKey {
        self.provisioned.key()
    }

    /// What the server said, as it said it.
    #[must_use]
    pub const fn record(&self) -> &TokenRecord {
        self.provisioned.record()
    }

    /// The same in the terms of SecurID, with defaults for what is absent or odd.
    #[must_use]
    pub const fn settings(&self) -> &TokenSettings {
        &self.settings
    }

    /// The PIN settings, which travel beside the protocol.
    #[must_use]
    pub const fn pin(&self) -> PinSettings {
        self.pin
    }

    /// What was absent or odd.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}
