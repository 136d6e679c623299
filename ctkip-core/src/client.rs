//! The client as states: [`Client`], [`AwaitServerHello`], [`AwaitServerFinished`],
//! [`Provisioned`]. Each is consumed by the message it waits for, so there is no wrong order, no
//! second use, and no key before its MAC was checked.

use crate::crypto::{Fingerprint, RsaPublicKey, Scheme, is_pinned};
use crate::derive;
use crate::message::{
    ClientHello, ClientNonce, Confirmation, EncryptionKey, Extension, ExtensionKind,
    InitializationTrigger, Mac, ServerFinished, ServerHello, ServerOffer, TokenRecord, Version,
};
use crate::{
    AuthKey, ClientError, EncryptionAlgorithm, KeyType, Namespace, Prf, Profile, RandomnessFailed,
    SecretNonce, SessionId, SharedKey, TokenKey,
};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

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

/// What a client offers, accepts and has.
#[derive(Debug)]
pub struct ClientConfig {
    profile: Profile,
    key_types: Vec<KeyType>,
    encryption_algorithms: Vec<EncryptionAlgorithm>,
    mac_algorithms: Vec<Prf>,
    min_key_bits: usize,
    pins: Vec<Fingerprint>,
    shared_keys: Vec<(String, SharedKey)>,
    token_id: Option<Vec<u8>>,
    replacing: Option<Replacing>,
    trigger: Option<InitializationTrigger>,
    client_info: Option<Vec<u8>>,
}

/// The key a run is to replace.
#[derive(Debug)]
struct Replacing {
    key_id: Vec<u8>,
    k_auth: AuthKey,
}

impl ClientConfig {
    /// A client that wants a new key under the server's RSA key, with the profile's algorithms.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            key_types: vec![KeyType::SecurIdAes],
            encryption_algorithms: profile.client_encryption.to_vec(),
            mac_algorithms: profile.mac_algorithms.to_vec(),
            min_key_bits: profile.min_key_bits,
            pins: Vec::new(),
            shared_keys: Vec::new(),
            token_id: None,
            replacing: None,
            trigger: None,
            client_info: None,
            profile,
        }
    }

    /// Wants a key of one of these types, in this order of preference, instead of SecurID's.
    #[must_use]
    pub fn key_types(mut self, types: &[KeyType]) -> Self {
        self.key_types = types.to_vec();
        self
    }

    /// Offers these algorithms to encrypt R_C with, in this order of preference.
    #[must_use]
    pub fn encryption_algorithms(mut self, algorithms: &[EncryptionAlgorithm]) -> Self {
        self.encryption_algorithms = algorithms.to_vec();
        self
    }

    /// Offers these MAC algorithms, in this order of preference.
    #[must_use]
    pub fn mac_algorithms(mut self, algorithms: &[Prf]) -> Self {
        self.mac_algorithms = algorithms.to_vec();
        self
    }

    /// Accepts server keys of at least so many bits, counted in whole octets of the modulus, instead
    /// of the profile's minimum.
    #[must_use]
    pub fn min_key_bits(mut self, bits: usize) -> Self {
        self.min_key_bits = bits;
        self
    }

    /// Accepts no server key but those pinned by this call, which may be repeated: SHA-256 of the
    /// DER SubjectPublicKeyInfo. A pin, or TLS, is what catches a man in the middle who recomputes
    /// the MAC (R166, R292).
    #[must_use]
    pub fn pin_server_key(mut self, fingerprint: Fingerprint) -> Self {
        self.pins.push(fingerprint);
        self
    }

    /// Adds a key shared with the server under this name, to be offered with
    /// [`EncryptionAlgorithm::SharedKey`].
    #[must_use]
    pub fn shared_key(mut self, name: String, key: SharedKey) -> Self {
        self.shared_keys.push((name, key));
        self
    }

    /// Names the token in `ClientHello`, which only a client that shares a key with the server may
    /// do without a trigger (R135).
    #[must_use]
    pub fn token_id(mut self, token_id: Vec<u8>) -> Self {
        self.token_id = Some(token_id);
        self
    }

    /// Replaces the key of this id. The server has to show that it knows K_AUTH before anything is
    /// sent (MAC 1), and confirms under the same K_AUTH (MAC 2).
    #[must_use]
    pub fn replacing(mut self, key_id: Vec<u8>, k_auth: AuthKey) -> Self {
        self.replacing = Some(Replacing { key_id, k_auth });
        self
    }

    /// Starts from a trigger: its identifiers and its nonce go into `ClientHello` (R126, R127,
    /// R143).
    #[must_use]
    pub fn trigger(mut self, trigger: InitializationTrigger) -> Self {
        self.trigger = Some(trigger);
        self
    }

    /// Sends these octets as `ClientInfo`, which the server repeats.
    #[must_use]
    pub fn client_info(mut self, octets: Vec<u8>) -> Self {
        self.client_info = Some(octets);
        self
    }

    /// The dialect this client speaks.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The namespaces whose PRF names this client understands.
    fn namespaces(&self) -> &'static [Namespace] {
        self.profile.reading.namespaces
    }
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

    /// Makes `ClientHello`. Draws R (16 octets) from `rng` when a key is to be replaced (R140).
    ///
    /// # Errors
    /// [`ClientError::Randomness`] when `rng` fails.
    pub fn start<R: TryCryptoRng + ?Sized>(
        self,
        rng: &mut R,
    ) -> Result<Outgoing<AwaitServerHello, ClientHello>, ClientError> {
        let config = self.config;
        let trigger = config.trigger.as_ref();
        let replacing = config.replacing.as_ref().map(|replacing| replacing.key_id.clone());
        let key_id = replacing.or_else(|| trigger.and_then(|trigger| trigger.key_id.clone()));
        let token_id = trigger
            .and_then(|trigger| trigger.token_id.clone())
            .or_else(|| config.token_id.clone());
        let client_nonce = key_id.as_ref().map(|_| nonce(rng)).transpose()?;
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

/// A client that has sent `ClientHello`.
#[derive(Debug)]
pub struct AwaitServerHello {
    config: ClientConfig,
    token_id: Option<Vec<u8>>,
    key_id: Option<Vec<u8>>,
    client_nonce: Option<Vec<u8>>,
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
        check_version(offer.version.as_ref())?;
        check_extensions(&self.config.profile, &offer.extensions)?;
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

    /// Whatever the server chose was offered; what it left out is what was offered first.
    fn agree(&self, offer: &ServerOffer) -> Result<Agreed, ClientError> {
        let namespaces = self.config.namespaces();
        Ok(Agreed {
            key_type: chosen(offer.key_type.as_deref(), &self.config.key_types, |uri| {
                self.config.key_types.iter().copied().find(|kind| kind.uri() == uri)
            })?,
            encryption: chosen(
                offer.encryption_algorithm.as_deref(),
                &self.config.encryption_algorithms,
                |uri| EncryptionAlgorithm::from_uri(uri, namespaces),
            )?,
            prf: chosen(offer.mac_algorithm.as_deref(), &self.config.mac_algorithms, |uri| {
                Prf::from_uri(uri, namespaces)
            })?,
        })
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

    /// MAC 1: demanded where a key is replaced, else checked where a key to check it with exists
    /// (R161, R238, R241).
    fn check_mac1(&self, offer: &ServerOffer, prf: Prf) -> Result<(), ClientError> {
        let Some(replacing) = &self.config.replacing else {
            // A trigger may name a key to be replaced; without its K_AUTH nothing is (R187).
            return if self.key_id.is_some() { Err(ClientError::Mac) } else { Ok(()) };
        };
        let key = replacing.k_auth.expose();
        if !prf.takes_key_of(key.len()) {
            return Err(ClientError::KeyLength(key.len()));
        }
        let profile = &self.config.profile;
        let expected =
            derive::mac1(profile, prf, key, self.client_nonce.as_deref(), &offer.server_nonce)
                .map_err(|_| ClientError::KeyLength(key.len()))?;
        check_mac(offer.mac.as_ref(), &expected, prf, self.config.namespaces())
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
                let fingerprint = key.fingerprint();
                if !self.config.pins.is_empty() && !is_pinned(&fingerprint, &self.config.pins) {
                    return Err(ClientError::KeyNotPinned(fingerprint));
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
                let key = key.expose();
                if !prf.takes_key_of(key.len()) {
                    return Err(ClientError::KeyLength(key.len()));
                }
                Ok(UsableKey::Shared(key, prf))
            }
            _ => Err(ClientError::UnknownKey),
        }
    }
}

/// A key that passed the checks.
enum UsableKey<'a> {
    Rsa(Box<RsaPublicKey>, crate::crypto::Padding),
    Shared(&'a [u8], Prf),
}

/// A client that has sent `ClientNonce`. It holds R_C and the key it made of it, and gives neither
/// away before the server has shown that it made the same.
#[derive(Debug)]
pub struct AwaitServerFinished {
    config: ClientConfig,
    prf: Prf,
    session_id: SessionId,
    token_id: Option<Vec<u8>>,
    key_id: Option<Vec<u8>>,
    token_key: TokenKey,
    r_c: SecretNonce,
}

impl AwaitServerFinished {
    /// The dialect this client speaks.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.config.profile
    }

    /// Checks `ServerFinished` and its MAC; only then is there a key.
    ///
    /// # Errors
    /// [`ClientError`]: [`Refused`](ClientError::Refused) when the server ended the run;
    /// [`Version`](ClientError::Version), [`SessionMismatch`](ClientError::SessionMismatch),
    /// [`CriticalExtension`](ClientError::CriticalExtension), [`WrongToken`](ClientError::WrongToken)
    /// and [`Mac`](ClientError::Mac) when the confirmation is not one. The key is wiped; the server
    /// may hold a token all the same.
    pub fn receive(self, finished: ServerFinished) -> Result<Provisioned, ClientError> {
        let confirmation = match finished {
            ServerFinished::Success(confirmation) => *confirmation,
            ServerFinished::Refused(refusal) => return Err(ClientError::Refused(refusal.status)),
        };
        let Confirmation { version, session_id, record, mac } = confirmation;
        check_version(version.as_ref())?;
        if session_id.is_some_and(|id| id != self.session_id) {
            return Err(ClientError::SessionMismatch);
        }
        check_extensions(&self.config.profile, &record.extensions)?;
        let k_auth = match &self.config.replacing {
            Some(replacing) => replacing.k_auth.expose(),
            None => self.token_key.expose(),
        };
        let expected = derive::mac2(&self.config.profile, self.prf, k_auth, &self.r_c)
            .map_err(|_| ClientError::KeyLength(k_auth.len()))?;
        check_mac(mac.as_ref(), &expected, self.prf, self.config.namespaces())?;
        let other_key = self.key_id.is_some_and(|id| id != record.key_id);
        let other_token = self.token_id.is_some_and(|id| id != record.token_id);
        if other_key || other_token {
            return Err(ClientError::WrongToken);
        }
        Ok(Provisioned { key: self.token_key, record })
    }
}

/// A new token: its key, and what the server says of it. There is no other way to make one than a
/// good MAC.
#[derive(Debug)]
pub struct Provisioned {
    key: TokenKey,
    record: TokenRecord,
}

impl Provisioned {
    /// K_TOKEN.
    #[must_use]
    pub const fn key(&self) -> &TokenKey {
        &self.key
    }

    /// What the server says of the token. No MAC covers it.
    #[must_use]
    pub const fn record(&self) -> &TokenRecord {
        &self.record
    }

    /// Both, to keep.
    #[must_use]
    pub fn into_parts(self) -> (TokenKey, TokenRecord) {
        (self.key, self.record)
    }
}

fn client_info(config: &ClientConfig) -> Vec<Extension> {
    let info = config.client_info.iter();
    info.map(|octets| Extension::new(ExtensionKind::ClientInfo(octets.clone()))).collect()
}

/// The choice of a server: one of those offered, or the first of them where it names none.
fn chosen<A: Copy + PartialEq>(
    uri: Option<&str>,
    offered: &[A],
    named: impl Fn(&str) -> Option<A>,
) -> Result<A, ClientError> {
    let Some(uri) = uri else {
        return offered.first().copied().ok_or_else(|| ClientError::Algorithm(String::new()));
    };
    named(uri)
        .filter(|algorithm| offered.contains(algorithm))
        .ok_or_else(|| ClientError::Algorithm(String::from(uri)))
}

fn check_version(version: Option<&Version>) -> Result<(), ClientError> {
    match version {
        Some(version) if *version != Version::V1_0 => {
            Err(ClientError::Version(String::from(version.as_str())))
        }
        _ => Ok(()),
    }
}

/// A client does not go on without what the server holds for critical (R097).
fn check_extensions(profile: &Profile, extensions: &[Extension]) -> Result<(), ClientError> {
    let unknown = extensions.iter().find_map(|extension| extension.unknown_critical(profile));
    unknown.map_or(Ok(()), |name| Err(ClientError::CriticalExtension(String::from(name))))
}

fn check_mac(
    mac: Option<&Mac>,
    expected: &[u8],
    prf: Prf,
    namespaces: &[Namespace],
) -> Result<(), ClientError> {
    let mac = mac.ok_or(ClientError::Mac)?;
    let named = mac.algorithm.as_deref();
    let right_name = named.is_none_or(|uri| Prf::from_uri(uri, namespaces) == Some(prf));
    let right_value = bool::from(mac.value.ct_eq(expected));
    if right_name && right_value { Ok(()) } else { Err(ClientError::Mac) }
}

fn nonce<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Vec<u8>, RandomnessFailed> {
    let mut octets = vec![0; NONCE];
    rng.try_fill_bytes(&mut octets).map_err(|_| RandomnessFailed)?;
    Ok(octets)
}
