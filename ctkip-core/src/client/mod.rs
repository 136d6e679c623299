//! The client as states: [`Client`], [`AwaitServerHello`], [`AwaitServerFinished`],
//! [`Provisioned`]. Each is consumed by the message it waits for, so there is no wrong order, no
//! second use, and no key before its MAC was checked.

mod check;
mod config;
mod finished;
mod hello;

pub use self::config::ClientConfig;
pub use self::finished::{AwaitServerFinished, Provisioned};
pub use self::hello::AwaitServerHello;

use crate::message::{ClientHello, Extension, ExtensionKind, Version};
use crate::{ClientError, Profile, RandomnessFailed};
use alloc::vec;
use alloc::vec::Vec;
use rand_core::TryCryptoRng;

/// Length of the nonces this client makes, in octets (R067).
const NONCE: usize = 16;

/// A state and the message to send before it can go on.
#[must_use]
#[derive(Debug)]
pub struct Outgoing<S, M> {
    /// Keep this.
    pub state: S,
    /// Send this.
    pub message: M,
}

/// A client that has not sent anything. It makes one run: a retry is a new client, so that it is
/// never silent.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
}

impl Client {
    /// A client for one run.
    #[must_use]
    pub const fn new(config: ClientConfig) -> Self {
        Self { config }
    }

    /// The dialect this client speaks.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.config.profile
    }

    /// Makes `ClientHello`. Draws R (16 octets) from `rng` when there is a K_AUTH by which the server
    /// may show itself (R140).
    ///
    /// # Errors
    /// [`ClientError::UnknownKey`] when the trigger names a key that this client was not told to
    /// replace, [`ClientError::Randomness`] when `rng` fails.
    pub fn start<R: TryCryptoRng + ?Sized>(
        self,
        rng: &mut R,
    ) -> Result<Outgoing<AwaitServerHello, ClientHello>, ClientError> {
        let config = self.config;
        let trigger = config.trigger.as_ref();
        let triggered = trigger.and_then(|trigger| trigger.key_id.as_ref());
        if triggered.is_some_and(|key_id| config.replacing.as_ref() != Some(key_id)) {
            return Err(ClientError::UnknownKey);
        }
        let key_id = config.replacing.clone();
        let token_id = trigger
            .and_then(|trigger| trigger.token_id.clone())
            .or_else(|| config.token_id.clone());
        let client_nonce = config.k_auth.as_ref().map(|_| nonce(rng)).transpose()?;
        let message = ClientHello {
            version: Some(Version::V1_0),
            token_id: token_id.clone(),
            key_id: key_id.clone(),
            client_nonce: client_nonce.clone(),
            trigger_nonce: trigger.map(|trigger| trigger.trigger_nonce.clone()),
            key_types: config.key_types.iter().map(|kind| kind.uri()).collect(),
            encryption_algorithms: config
                .encryption_algorithms
                .iter()
                .map(|algorithm| algorithm.uri())
                .collect(),
            mac_algorithms: config
                .mac_algorithms
                .iter()
                .map(|prf| prf.uri(config.profile.mac_name_offered))
                .collect(),
            extensions: client_info(&config),
        };
        Ok(Outgoing { state: AwaitServerHello { config, token_id, key_id, client_nonce }, message })
    }
}

fn client_info(config: &ClientConfig) -> Vec<Extension> {
    let info = config.client_info.iter();
    info.map(|octets| Extension::new(ExtensionKind::ClientInfo(octets.clone()))).collect()
}

fn nonce<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Vec<u8>, RandomnessFailed> {
    let mut octets = vec![0; NONCE];
    rng.try_fill_bytes(&mut octets).map_err(|_| RandomnessFailed)?;
    Ok(octets)
}
