//! The server as states: [`Offer`], [`Pending`], [`Opening`], [`Derived`].
//!
//! Three things happen outside of them, between two calls, so that each may be slow, remote or
//! asynchronous: keeping [`Pending`] until the second request, the private operation, and the commit
//! of the token. A reply is made only from what the commit returned.

mod choice;
#[cfg(feature = "xml")]
mod compact;
mod config;
mod error;
mod offer;
mod opening;

#[cfg(feature = "xml")]
pub(crate) use self::compact::COMPACT;
pub use self::config::ServerConfig;
pub use self::error::{Rejection, ServerError};
pub use self::offer::{Offer, Pending, UnnamedOffer};
pub use self::opening::{Derived, Opening};

use crate::crypto::RsaPublicKey;
use crate::derive;
use crate::message::{
    ClientHello, ClientNonce, Extension, ExtensionKind, Mac, ServerFinished, ServerHello, Version,
};
use crate::{AuthKey, Grant, Profile, RandomnessFailed};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

/// Length of R_S, and of the R_C a server takes, in octets (R067, E08).
const NONCE: usize = 16;

/// What a server knows of one client beyond its message: keys that both hold. Whoever keeps the keys
/// looks them up by the identifiers in `ClientHello`.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The name of a key shared with this token, if there is one.
    pub shared_key: Option<String>,
    /// K_AUTH of this token, if it has one. It makes both MACs; without it no key is replaced.
    pub auth_key: Option<AuthKey>,
    /// The RSA key this client is to encrypt under, in place of the server's own
    /// ([`ServerConfig::new`]): a server that changes its key goes on with the old one for clients
    /// that were told of it.
    pub rsa_key: Option<RsaPublicKey>,
    /// The trigger's nonce in `ClientHello` is one this server gave out, for the identifiers beside
    /// it, and was not used before (see `service::MemoryTriggers`).
    pub trigger_is_valid: bool,
}

/// A server: a profile, the public half of its key, a policy. It keeps no session.
#[derive(Debug, Clone)]
pub struct Server {
    config: ServerConfig,
}

impl Server {
    /// A server of this configuration.
    #[must_use]
    pub const fn new(config: ServerConfig) -> Self {
        Self { config }
    }

    /// The dialect this server speaks.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.config.profile
    }

    /// Checks what is wrong with a `ClientHello` whoever sent it: its version, and what it demands.
    /// [`Self::hello`] does so too; who looks up credentials may want to know before.
    ///
    /// # Errors
    /// A [`Rejection`] that holds the answer to send.
    pub fn check(&self, hello: &ClientHello) -> Result<(), Rejection<ServerHello>> {
        self.acceptable(hello).map_err(ServerError::hello)
    }

    fn acceptable(&self, hello: &ClientHello) -> Result<(), ServerError> {
        if let Some(version) = hello.version.as_ref().filter(|version| !version.includes_1_0()) {
            return Err(ServerError::UnsupportedVersion(String::from(version.as_str())));
        }
        check_extensions(&self.config.profile, &hello.extensions)
    }

    /// Answers `ClientHello`: chooses algorithms, and draws R_S (16 octets) from `rng`.
    ///
    /// # Errors
    /// A [`Rejection`] that holds the answer to send instead.
    pub fn hello<R: TryCryptoRng + ?Sized>(
        &self,
        hello: &ClientHello,
        credentials: Credentials,
        rng: &mut R,
    ) -> Result<Offer, Rejection<ServerHello>> {
        self.offer(hello, credentials, rng).map_err(ServerError::hello)
    }

    fn offer<R: TryCryptoRng + ?Sized>(
        &self,
        hello: &ClientHello,
        credentials: Credentials,
        rng: &mut R,
    ) -> Result<Offer, ServerError> {
        self.acceptable(hello)?;
        let without_right = hello.key_id.is_some() && credentials.auth_key.is_none();
        let with_bad_trigger = hello.trigger_nonce.is_some() && !credentials.trigger_is_valid;
        if without_right || with_bad_trigger {
            return Err(ServerError::AccessDenied);
        }
        let key_type = self.config.key_type(hello)?;
        let (encryption, encryption_key) = self.config.encryption(hello, &credentials)?;
        let k_auth = credentials.auth_key;
        let prf = self.config.mac_algorithm(hello, key_type, k_auth.as_ref())?;

        let profile = self.config.profile.clone();
        let mut server_nonce = vec![0; NONCE];
        rng.try_fill_bytes(&mut server_nonce).map_err(|_| RandomnessFailed)?;
        let r = hello.client_nonce.as_deref();
        let mac = k_auth.as_ref().map(|k_auth| {
            let value = derive::mac1(&profile, prf, k_auth.expose(), r, &server_nonce);
            let algorithm = Some(prf.uri(profile.mac_name_in_mac));
            value.map(|value| Mac { algorithm, value }).map_err(|_| ServerError::NoMacAlgorithm)
        });
        Ok(Offer {
            mac: mac.transpose()?,
            echo: client_info(&hello.extensions),
            pending: Pending {
                version: Version::V1_0,
                server_nonce,
                key_type,
                encryption,
                prf,
                encryption_key,
                auth_key: k_auth,
                token_id: hello.token_id.clone(),
                key_id: hello.key_id.clone(),
                server_info: None,
                grant: Grant::default(),
            },
            profile,
        })
    }

    /// Takes `ClientNonce` into the session it names, up to the private operation.
    ///
    /// # Errors
    /// A [`Rejection`] that holds the answer to send instead. The session is over then.
    pub fn nonce(
        &self,
        pending: Pending,
        nonce: ClientNonce,
    ) -> Result<Opening, Rejection<ServerFinished>> {
        let session_id = nonce.session_id.clone();
        self.open(pending, nonce).map_err(|error| error.finished(Some(session_id)))
    }

    fn open(&self, pending: Pending, nonce: ClientNonce) -> Result<Opening, ServerError> {
        let profile = &self.config.profile;
        if nonce.version.as_ref().is_some_and(|version| *version != pending.version) {
            return Err(ServerError::VersionChanged);
        }
        check_extensions(profile, &nonce.extensions)?;
        if profile.echo_server_nonce && !repeats(&nonce.extensions, &pending.server_nonce) {
            return Err(ServerError::NonceEcho);
        }
        if pending.server_info.as_deref().is_some_and(|sent| !brings_back(&nonce.extensions, sent))
        {
            return Err(ServerError::ServerInfo);
        }
        let profile = profile.clone();
        Ok(Opening { profile, echo: client_info(&nonce.extensions), pending, nonce })
    }

    /// The answer to a `ClientNonce` whose session is not there: unknown, expired, failed or already
    /// finished, and the client does not learn which (R042). What is wrong with the message itself
    /// comes first.
    #[must_use]
    pub fn unknown_session(&self, nonce: &ClientNonce) -> Rejection<ServerFinished> {
        check_extensions(&self.config.profile, &nonce.extensions)
            .err()
            .unwrap_or(ServerError::UnknownSession)
            .finished(None)
    }
}

fn check_extensions(profile: &Profile, extensions: &[Extension]) -> Result<(), ServerError> {
    let unknown = extensions.iter().find_map(|extension| extension.unknown_critical(profile));
    unknown.map_or(Ok(()), |name| Err(ServerError::CriticalExtension(String::from(name))))
}

/// `ClientInfo` goes back unmodified in the next answer (R103).
fn client_info(extensions: &[Extension]) -> Vec<Extension> {
    let is_info = |extension: &&Extension| matches!(extension.kind, ExtensionKind::ClientInfo(_));
    extensions
        .iter()
        .filter(is_info)
        .map(|extension| Extension::new(extension.kind.clone()))
        .collect()
}

/// Whether the `ServerInfo` sent comes back as it was, and nothing else under its name.
fn brings_back(extensions: &[Extension], sent: &[u8]) -> bool {
    let mut infos = extensions.iter().filter_map(|extension| match &extension.kind {
        ExtensionKind::ServerInfo(data) => Some(data),
        _ => None,
    });
    infos.next().is_some_and(|info| info.ct_eq(sent).into()) && infos.next().is_none()
}

/// Whether the first untyped extension holds R_S.
fn repeats(extensions: &[Extension], server_nonce: &[u8]) -> bool {
    extensions
        .iter()
        .find_map(|extension| match &extension.kind {
            ExtensionKind::Untyped(data) => Some(data.as_deref().unwrap_or_default()),
            _ => None,
        })
        .is_some_and(|data| data.ct_eq(server_nonce).into())
}
