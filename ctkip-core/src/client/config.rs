//! What a client offers, accepts and has.

use crate::crypto::Fingerprint;
use crate::message::InitializationTrigger;
use crate::{AuthKey, EncryptionAlgorithm, KeyType, Namespace, Prf, Profile, SharedKey};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// What a client offers, accepts and has.
#[derive(Debug)]
pub struct ClientConfig {
    pub(super) profile: Profile,
    pub(super) key_types: Vec<KeyType>,
    pub(super) encryption_algorithms: Vec<EncryptionAlgorithm>,
    pub(super) mac_algorithms: Vec<Prf>,
    pub(super) min_key_bits: usize,
    pub(super) pins: Vec<Fingerprint>,
    pub(super) shared_keys: Vec<(String, SharedKey)>,
    pub(super) token_id: Option<Vec<u8>>,
    pub(super) k_auth: Option<AuthKey>,
    pub(super) replacing: Option<Vec<u8>>,
    pub(super) existing_keys: Vec<Vec<u8>>,
    pub(super) trigger: Option<InitializationTrigger>,
    pub(super) client_info: Option<Vec<u8>>,
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
            k_auth: None,
            replacing: None,
            existing_keys: Vec::new(),
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
        self.replacing = Some(key_id);
        self.auth_key(k_auth)
    }

    /// Has a K_AUTH though nothing is to be replaced: the server confirms under it (MAC 2, R181), and
    /// a MAC 1 that it sends unasked has to be right (R241).
    #[must_use]
    pub fn auth_key(mut self, k_auth: AuthKey) -> Self {
        self.k_auth = Some(k_auth);
        self
    }

    /// Refuses a new key under one of these ids, those of the keys there are, unless it is the one
    /// that this run replaces (R187).
    #[must_use]
    pub fn existing_keys(mut self, key_ids: Vec<Vec<u8>>) -> Self {
        self.existing_keys = key_ids;
        self
    }

    /// Starts from a trigger: its identifiers and its nonce go into `ClientHello` (R126, R127,
    /// R143). A key that it names has to be the one that this client is [`Self::replacing`]. Where to
    /// post is the caller's to decide: whoever made the trigger chose its URL
    /// ([`InitializationTrigger::url`]).
    #[must_use]
    pub fn trigger(mut self, trigger: InitializationTrigger) -> Self {
        self.trigger = Some(trigger);
        self
    }

    /// Sends these octets as `ClientInfo`. A server that repeats them otherwise than unmodified is
    /// refused (R107).
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
    pub(super) fn namespaces(&self) -> &'static [Namespace] {
        self.profile.reading.namespaces
    }
}
