//! The client between `ClientHello` and `ServerHello`.

use super::{AwaitServerFinished, ClientConfig, NONCE, Outgoing, check, client_info, nonce};
use crate::crypto::{Padding, RsaPublicKey, Scheme, is_pinned};
use crate::derive;
use crate::message::{
    ClientNonce, EncryptionKey, Extension, ExtensionKind, ServerHello, ServerOffer, Version,
};
use crate::{ClientError, EncryptionAlgorithm, KeyType, Prf, Profile, SecretNonce};
use alloc::boxed::Box;
use alloc::vec::Vec;
use rand_core::TryCryptoRng;

/// A client that has sent `ClientHello`.
#[derive(Debug)]
pub struct AwaitServerHello {
    pub(super) config: ClientConfig,
    pub(super) token_id: Option<Vec<u8>>,
    pub(super) key_id: Option<Vec<u8>>,
    pub(super) client_nonce: Option<Vec<u8>>,
}

/// What client and server agreed on.
struct Agreed {
    key_type: KeyType,
    encryption: EncryptionAlgorithm,
    prf: Prf,
}

impl AwaitServerHello {
    /// The dialect this client speaks.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.config.profile
    }

    /// Checks `ServerHello`, makes R_C (16 octets of `rng`, then what the padding draws) and
    /// encrypts it.
    ///
    /// # Errors
    /// [`ClientError`]: [`Refused`](ClientError::Refused) when the server ended the run;
    /// [`Version`](ClientError::Version), [`Algorithm`](ClientError::Algorithm),
    /// [`CriticalExtension`](ClientError::CriticalExtension), [`NonceEcho`](ClientError::NonceEcho),
    /// the errors of keys, and [`Mac`](ClientError::Mac) when the offer cannot be taken;
    /// [`Randomness`](ClientError::Randomness) when `rng` fails. Nothing was sent then.
    pub fn receive<R: TryCryptoRng + ?Sized>(
        self,
        hello: ServerHello,
        rng: &mut R,
    ) -> Result<Outgoing<AwaitServerFinished, ClientNonce>, ClientError> {
        let offer = match hello {
            ServerHello::Continue(offer) => offer,
            ServerHello::Refused(refusal) => return Err(ClientError::Refused(refusal.status)),
        };
        check::version(offer.version.as_ref())?;
        check::extensions(&self.config, &offer.extensions)?;
        let agreed = self.agree(&offer)?;
        let repeated = self.check_echo(&offer)?;
        self.check_mac1(&offer, agreed.prf)?;
        let key = self.check_key(&offer.encryption_key, agreed.encryption)?;

        let profile = &self.config.profile;
        let r_c = SecretNonce::new(nonce(rng)?);
        let (encrypted_nonce, k) = match &key {
            UsableKey::Rsa(key, scheme) => (key.encrypt(*scheme, &r_c, rng)?, key.modulus()),
            UsableKey::Shared(key, prf) => {
                let masked =
                    derive::mask_nonce(profile, *prf, key, &offer.server_nonce, r_c.expose())
                        .map_err(|_| ClientError::KeyLength(key.len()))?;
                (masked.to_vec(), *key)
            }
        };
        let octets = agreed.key_type.octets();
        let token_key =
            derive::token_key(profile, agreed.prf, &r_c, k, &offer.server_nonce, octets)
                .map_err(|_| ClientError::KeyLength(NONCE))?;

        let mut extensions = client_info(&self.config);
        extensions.extend(repeated);
        let message = ClientNonce {
            version: Some(offer.version.clone().unwrap_or(Version::V1_0)),
            session_id: offer.session_id.clone(),
            encrypted_nonce,
            extensions,
        };
        drop(key);
        let state = AwaitServerFinished {
            prf: agreed.prf,
            session_id: offer.session_id,
            token_id: self.token_id,
            key_id: self.key_id,
            token_key,
            r_c,
            config: self.config,
        };
        Ok(Outgoing { state, message })
    }

    /// Whatever the server chose was offered; what it left out is what was offered first. A MAC 2
    /// that could not be computed ends the run here, before anything is sent (E09).
    fn agree(&self, offer: &ServerOffer) -> Result<Agreed, ClientError> {
        let config = &self.config;
        let namespaces = config.namespaces();
        let agreed = Agreed {
            key_type: check::chosen(offer.key_type.as_deref(), &config.key_types, |uri| {
                config.key_types.iter().copied().find(|kind| kind.uri() == uri)
            })?,
            encryption: check::chosen(
                offer.encryption_algorithm.as_deref(),
                &config.encryption_algorithms,
                |uri| EncryptionAlgorithm::from_uri(uri, namespaces),
            )?,
            prf: check::chosen(offer.mac_algorithm.as_deref(), &config.mac_algorithms, |uri| {
                Prf::from_uri(uri, namespaces)
            })?,
        };
        let new_key = agreed.key_type.octets();
        let k_auth = config.k_auth.as_ref().map_or(new_key, |key| key.expose().len());
        if agreed.prf.takes_key_of(k_auth) {
            Ok(agreed)
        } else {
            Err(ClientError::KeyLength(k_auth))
        }
    }

    /// The extensions that `ClientNonce` has to repeat, once they were found consistent.
    fn check_echo(&self, offer: &ServerOffer) -> Result<Vec<Extension>, ClientError> {
        let mut repeated: Vec<Extension> = offer
            .extensions
            .iter()
            .filter(|extension| matches!(extension.kind, ExtensionKind::ServerInfo(_)))
            .map(|extension| Extension::new(extension.kind.clone()))
            .collect();
        if self.config.profile.echo_server_nonce {
            let differs = offer.extensions.iter().any(|extension| {
                matches!(&extension.kind, ExtensionKind::Untyped(Some(data)) if *data != offer.server_nonce)
            });
            if differs {
                return Err(ClientError::NonceEcho);
            }
            let echo = ExtensionKind::Untyped(Some(offer.server_nonce.clone()));
            repeated.push(Extension::new(echo));
        }
        Ok(repeated)
    }

    /// MAC 1: demanded where a key is replaced, which takes a K_AUTH; else checked if it is there and
    /// a K_AUTH too (R161, R238, R241). A client that sent R computes it with R only (R141).
    fn check_mac1(&self, offer: &ServerOffer, prf: Prf) -> Result<(), ClientError> {
        let Some(k_auth) = &self.config.k_auth else { return Ok(()) };
        if self.key_id.is_none() && offer.mac.is_none() {
            return Ok(());
        }
        let (profile, k_auth) = (&self.config.profile, k_auth.expose());
        let r = self.client_nonce.as_deref();
        let expected = derive::mac1(profile, prf, k_auth, r, &offer.server_nonce)
            .map_err(|_| ClientError::KeyLength(k_auth.len()))?;
        check::mac(offer.mac.as_ref(), &expected, prf, self.config.namespaces())
    }

    /// The key to encrypt R_C with, if it is one for this algorithm and good enough.
    fn check_key<'a>(
        &'a self,
        key: &'a EncryptionKey,
        encryption: EncryptionAlgorithm,
    ) -> Result<UsableKey<'a>, ClientError> {
        let scheme = encryption.scheme(&self.config.profile);
        match (key, scheme) {
            (EncryptionKey::Rsa { modulus, exponent }, Scheme::Rsa(padding)) => {
                let key = RsaPublicKey::new(modulus, exponent)?;
                let minimum = self.config.min_key_bits;
                if key.bits() < minimum {
                    return Err(ClientError::KeyTooSmall { bits: key.bits(), minimum });
                }
                if !self.config.pins.is_empty() {
                    let fingerprint = key.fingerprint();
                    if !is_pinned(&fingerprint, &self.config.pins) {
                        return Err(ClientError::KeyNotPinned(fingerprint));
                    }
                }
                Ok(UsableKey::Rsa(Box::new(key), padding))
            }
            (EncryptionKey::Named(name), Scheme::SharedKey(prf)) => {
                let (_, key) = self
                    .config
                    .shared_keys
                    .iter()
                    .find(|(known, _)| known == name)
                    .ok_or(ClientError::UnknownKey)?;
                Ok(UsableKey::Shared(key.expose(), prf))
            }
            _ => Err(ClientError::UnknownKey),
        }
    }
}

/// A key that passed the checks.
enum UsableKey<'a> {
    Rsa(Box<RsaPublicKey>, Padding),
    Shared(&'a [u8], Prf),
}
